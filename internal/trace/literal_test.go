package trace_test

import (
	"testing"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestSpliced(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, id string
		want     bool
	}{
		"bound":                          {"SELECT 1 FROM s WHERE id = $1", "fx7Q'ab12", false},
		"escaped by doubling":            {"SELECT 1 FROM s WHERE id = 'fx7Q''ab12'", "fx7Q'ab12", false},
		"escaped by a backslash":         {`SELECT 1 FROM s WHERE id = E'fx7Q\'ab12'`, "fx7Q'ab12", false},
		"dollar-quoted":                  {"SELECT 1 FROM s WHERE id = $a$fx7Q'ab12$a$", "fx7Q'ab12", false},
		"dollar-quoted without a tag":    {"SELECT 1 FROM s WHERE id = $$fx7Q'ab12$$ AND n = $1", "fx7Q'ab12", false},
		"a trailing quote, escaped":      {"SELECT 1 FROM s WHERE id = 'fx7Q'''", "fx7Q'", false},
		"a trailing quote, broken":       {"SELECT 1 FROM s WHERE id = 'fx7Q''", "fx7Q'", true},
		"a trailing quote, broken, more": {"SELECT 1 FROM s WHERE id = 'fx7Q'' AND kind = 'web'", "fx7Q'", true},
		"broken open":                    {"SELECT 1 FROM s WHERE id = 'fx7Q'ab12'", "fx7Q'ab12", true},
		"joined by SQL":                  {"SELECT 1 FROM s WHERE id = 'fx7Q'||'ab12'", "fx7Q'||'ab12", true},
		"joined, but escaped":            {"SELECT 1 FROM s WHERE id = 'fx7Q''||''ab12'", "fx7Q'||'ab12", false},
		"behind a comment with a quote":  {"-- it's\nSELECT 1 FROM s WHERE id = 'fx7Q''ab12'", "fx7Q'ab12", false},
		"behind a name with a quote":     {`SELECT "it's" FROM s WHERE id = 'fx7Q'''`, "fx7Q'", false},
		"inside a longer literal":        {"SELECT 1 FROM s WHERE data = '{\"id\": \"fx7Q''ab12\"}'", "fx7Q'ab12", false},
		"a plain id as a literal":        {"SELECT 1 FROM s WHERE id = 'fx7Qab12'", "fx7Qab12", false},
		"a plain id without any quotes":  {"SELECT 1 FROM s WHERE id = fx7Qab12", "fx7Qab12", true},
		"not there":                      {"SELECT 1", "fx7Q'ab12", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			statement := trace.Statement{Text: secret.New(test.text)}
			if got := statement.Spliced(secret.New(test.id)); got != test.want {
				t.Errorf("%s: spliced %v, want %v", test.text, got, test.want)
			}
		})
	}
}

func FuzzSpliced(f *testing.F) {
	f.Add("SELECT 'a''b' -- c\n, $$x$$, E'\\'' /* y */ \"z\"", "a'b")
	f.Fuzz(func(t *testing.T, text, id string) {
		statement := trace.Statement{Text: secret.New(text), Hits: []trace.Hit{{ID: secret.New(id), Form: "raw"}}}
		statement.Spliced(secret.New(id))
		_ = statement.Describe() + statement.Verb()
	})
}
