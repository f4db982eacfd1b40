package discover

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Channel is a place beside the carrier where a description has a session id.
type Channel struct {
	In   string // query, header, cookie, path, json or form
	Name string // of a nested JSON member "outer.inner"
	// Plant is the name under which an id is put there: the path's is what stands
	// before the id. "" where a login takes none.
	Plant string
}

func (c Channel) String() string { return c.In + " " + c.Name }

// ChannelStep is what Found calls a channel, which is no step.
const ChannelStep = "id channel"

const (
	mostChannels = 10
	// longID is the shortest value of a cookie that makes its name one of ids.
	longID = 16
)

// fieldName is a name that is one in every place: a header's as well.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// sessionEnds are the last words of names of session ids.
var sessionEnds = []string{"session", "sid", "sessid", "sessionid", "sessiontoken", "sessionkey", "jsessionid", "phpsessid"}

// namesSession reports whether a name is one of a session's id, as
// X-Basket-Session and shop_session_id are, and keep_session is not.
func namesSession(name string) bool {
	parts := words(name)
	if len(parts) == 0 || slices.ContainsFunc(parts, func(part string) bool {
		return slices.Contains([]string{"keep", "remember", "persist", "extend", "renew", "end", "close", "all", "csrf", "xsrf"}, part)
	}) {
		return false
	}
	last := len(parts) - 1
	return slices.Contains(sessionEnds, parts[last]) || strings.HasSuffix(parts[last], "sessionid") ||
		last > 0 && parts[last-1] == "session" && slices.Contains([]string{"id", "token", "key", "identifier"}, parts[last])
}

// channels reports where else the description has a session id, the places of
// logins first.
func (s *search) channels() {
	var logins, others []operation
	for _, op := range s.operations {
		switch {
		case op.at == 0: // nobody describes it
		case isLogin(op) > 0:
			logins = append(logins, op)
		default:
			others = append(others, op)
		}
	}
	for _, op := range append(logins, others...) {
		for _, one := range s.channelsOf(op) {
			if len(s.result.Channels) >= mostChannels {
				return
			}
			if slices.ContainsFunc(s.result.Channels, func(known Channel) bool { return known.In == one.In && known.Name == one.Name }) {
				continue
			}
			s.result.Channels = append(s.result.Channels, one)
			s.result.Found = append(s.result.Found, Found{Step: ChannelStep, Request: one.String(), From: op.from,
				Note: "an id is planted there before other names are guessed"})
		}
	}
}

// channelsOf are the places of one operation, without the carrier itself.
func (s *search) channelsOf(op operation) []Channel {
	var found []Channel
	for _, one := range op.places {
		named := namesSession(one.name) || one.in != "header" && s.carries(one.name)
		if !named || !fieldName.MatchString(one.name) || s.isCarrier(one) {
			continue
		}
		channel := Channel{In: one.in, Name: one.name}
		switch one.in {
		case "query", "header":
			channel.Plant = one.name
		case "path":
			channel.Plant = pathBefore(op.path, one.name)
		}
		found = append(found, channel)
	}
	return append(found, s.membersOf(op.fields, op.body, "", 0)...)
}

// membersOf are the members of a body.
func (s *search) membersOf(fields []field, kind recipe.BodyKind, outer string, depth int) []Channel {
	if depth > mostNesting || kind == recipe.NoBody {
		return nil
	}
	var found []Channel
	for _, one := range fields {
		name := outer + one.name
		switch {
		case !fieldName.MatchString(one.name):
		case len(one.fields) > 0 && kind == recipe.JSONBody:
			found = append(found, s.membersOf(one.fields, kind, name+".", depth+1)...)
		case one.role() != sessionID && !s.carries(one.name):
		case kind == recipe.JSONBody:
			found = append(found, Channel{In: "json", Name: name, Plant: name})
		default:
			found = append(found, Channel{In: "form", Name: name, Plant: name})
		}
	}
	return found
}

// carries reports whether the name is that of a cookie that may be the carrier:
// the login handed it out, with a value as long as an id.
func (s *search) carries(name string) bool {
	return slices.Contains(s.Recipe.Session.Cookie, name) || slices.ContainsFunc(s.answer.SetCookie, func(set trace.SetCookie) bool {
		return set.Cookie.Name == name && set.Cookie.Value.Len() >= longID
	})
}

// isCarrier reports whether a place is the carrier and no alternative to it.
func (s *search) isCarrier(one spot) bool {
	session := s.Recipe.Session
	if s.result.Session != nil {
		session = *s.result.Session
	}
	switch one.in {
	case "cookie":
		return s.carries(one.name) || slices.Contains(s.front.Cookies, one.name) || slices.Contains(s.entry.Cookies, one.name)
	case "header":
		return strings.EqualFold(session.Header, one.name)
	case "query":
		return session.Query == one.name
	}
	return false
}

// pathStart is the first segment of a path.
var pathStart = regexp.MustCompile(`^/[A-Za-z0-9_.-]{1,50}/$`)

// pathBefore is what stands before an id that begins a path: "/s/" of
// "/s/{sid}/login". "" where it stands elsewhere.
func pathBefore(path, name string) string {
	before, after, found := strings.Cut(path, "{"+name+"}")
	if !found || !strings.HasPrefix(after, "/") || !pathStart.MatchString(before) {
		return ""
	}
	return before
}
