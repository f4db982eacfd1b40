package locate

import (
	"testing"
	"time"
)

// So many routes fit that comparing each with each would take minutes.
func TestManyRoutesFit(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(i int) pattern{
		"with holes": func(int) pattern { return "/" + part },
		"not told":   func(int) pattern { return unknownPart },
		"of both": func(i int) pattern {
			if i%2 == 0 {
				return unknownPart
			}
			return "/" + part
		},
	} {
		var all []route
		for i := range mostRoutes {
			all = append(all, route{path: path(i), place: Place{"a.js", i + 1}, order: i + 1, application: t})
		}
		began := time.Now()
		found, reason := choose(all, "POST", "/login", "login")
		if found.place != (Place{}) || reason.Code == Found {
			t.Errorf("%s: %s %s", name, found.place, reason)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}
