package discover

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// mostCarriers are tried of one login: its cookies, then what else its answer
// hands out.
const mostCarriers = 5

func auto(session recipe.Session) bool {
	return session.Carrier == "" || session.Carrier == recipe.Auto
}

// carrier is a way that a session id may travel.
type carrier struct {
	session recipe.Session
	path    string // of the token in the login's answer; "" where there is none to take
	name    string // of the capture; "" is captureName
}

// captureName is what a token is called between login and identity.
const captureName = "token"

// tokens are the carriers that an answer offers beside cookies: members of its
// JSON that are called tokens, and headers of its own.
func tokens(answer trace.Response) []carrier {
	var found []carrier
	for _, path := range tokenPaths(answer) {
		found = append(found, carrier{session: recipe.Session{Carrier: "bearer", Bearer: recipe.Placeholder(captureName)}, path: path})
	}
	for _, header := range answer.Header {
		name := strings.Join(words(header.Name), "")
		if strings.Contains(name, "csrf") || strings.Contains(name, "xsrf") || header.Value.Len() < 8 {
			continue
		}
		if name == "authorization" {
			found = append(found, carrier{session: recipe.Session{Carrier: "header", Header: "Authorization"}})
		} else if slices.ContainsFunc([]string{"session", "token", "auth"}, func(part string) bool { return strings.Contains(name, part) }) &&
			!strings.Contains(name, "authenticate") {
			found = append(found, carrier{session: recipe.Session{Carrier: "header", Header: header.Name}})
		}
	}
	for _, path := range tokenPaths(answer) {
		found = append(found, carrier{session: recipe.Session{Carrier: "header", Header: "Authorization", Value: recipe.Placeholder(captureName)}, path: path})
	}
	return found
}

// tokenPaths are the members that may be the token, the likelier first.
func tokenPaths(answer trace.Response) []string {
	rate := func(name string) int {
		name = strings.Join(words(name), "")
		switch {
		case name == "accesstoken", name == "jwt":
			return 4
		case name == "token", name == "authtoken", name == "bearertoken", name == "sessiontoken", name == "apitoken":
			return 3
		case name == "idtoken", name == "session", name == "sessionid", name == "sid", name == "key", name == "access":
			return 2
		case strings.Contains(name, "csrf"), strings.Contains(name, "xsrf"), strings.Contains(name, "refresh"), strings.HasSuffix(name, "type"):
			return 0
		case strings.HasSuffix(name, "token"):
			return 1
		}
		return 0
	}
	return textMembers(answer.Body.Reveal(), rate, 8)
}

// textMembers are the JSON paths of the texts whose name is rated above 0, at
// least so long, best first.
func textMembers(body string, rate func(name string) int, shortest int) []string {
	var document any
	if json.Unmarshal([]byte(body), &document) != nil {
		return nil
	}
	type rated struct {
		path   string
		points int
	}
	var all []rated
	var walk func(node any, path string, depth int)
	walk = func(node any, path string, depth int) {
		object, is := node.(map[string]any)
		if !is || depth > 3 {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if !plainMember(name) {
				continue
			}
			text, isText := object[name].(string)
			if points := rate(name); isText && points > 0 && len(text) >= shortest && len(all) < mostFields {
				all = append(all, rated{path + "." + name, points})
			}
			walk(object[name], path+"."+name, depth+1)
		}
	}
	walk(document, "$", 0)
	slices.SortStableFunc(all, func(a, b rated) int { return b.points - a.points })
	var paths []string
	for _, one := range all {
		paths = append(paths, one.path)
	}
	return paths
}

// plainMember is a name that needs no quoting in a JSON path.
func plainMember(name string) bool {
	return plainName.MatchString(name) && !strings.ContainsAny(name, ".:[]-")
}

// with adds to the last request of a login what the carrier takes from it.
func (c carrier) with(login recipe.Step) recipe.Step {
	if c.path == "" || len(login.Requests) == 0 {
		return login
	}
	capture, err := recipe.JSONCapture(cmp.Or(c.name, captureName), c.path)
	if err != nil {
		return login
	}
	login.Requests = slices.Clone(login.Requests)
	last := &login.Requests[len(login.Requests)-1]
	last.Capture = append(slices.Clone(last.Capture), capture)
	return login
}

// String names it as reports do.
func (c carrier) String() string {
	switch {
	case c.session.Header == "" && c.path != "":
		return "bearer " + c.path
	case c.path != "":
		return "header " + c.session.Header + " " + c.path
	case c.session.Header != "":
		return "header " + c.session.Header
	}
	return "cookie"
}
