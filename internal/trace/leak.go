package trace

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Leak is where a session id stands in an answer.
type Leak struct {
	Kind LeakKind
	Name string // "Location header", "body"
	ID   secret.Text
}

// LeakKind tells a URL from any other content.
type LeakKind string

// The kinds of place. Set-Cookie is neither: it is where an id belongs.
const (
	InURL     LeakKind = "url"
	InContent LeakKind = "content"
)

// urlHeaders hold a URL by definition (RFC 9110 §10.2.2, RFC 8288, HTML).
var urlHeaders = []string{"location", "content-location", "link", "refresh"}

// Sought is a set of ids to look for in many answers.
type Sought struct {
	ids    []secret.Text
	width  int                // of the starts, in bytes
	starts map[string][]spelt // by what they begin with
}

// spelt is one spelling of an id.
type spelt struct {
	text string
	id   int // in ids
}

// Seek prepares a search for ids, which are kept in their order.
func Seek(ids []secret.Text) Sought {
	made := Sought{ids: ids, width: 8, starts: map[string][]spelt{}}
	var all []spelt
	for i, id := range ids {
		for _, spelling := range spellings(id) {
			if !spelling.IsZero() {
				all = append(all, spelt{spelling.Reveal(), i})
				made.width = min(made.width, spelling.Len())
			}
		}
	}
	for _, one := range all {
		start := one.text[:made.width]
		made.starts[start] = append(made.starts[start], one)
	}
	return made
}

// In are the ids that stand anywhere in an answer, in their order. It reads the
// answer once, however many ids there are.
func (s Sought) In(answer Response) []secret.Text {
	there := map[int]bool{}
	s.mark(answer.Body.Reveal(), there)
	for _, field := range answer.Header {
		s.mark(field.Value.Reveal(), there)
	}
	var found []secret.Text
	for _, i := range slices.Sorted(maps.Keys(there)) {
		found = append(found, s.ids[i])
	}
	return found
}

func (s Sought) mark(text string, there map[int]bool) {
	for at := 0; at+s.width <= len(text); at++ {
		for _, one := range s.starts[text[at:at+s.width]] {
			if strings.HasPrefix(text[at:], one.text) {
				there[one.id] = true
			}
		}
	}
}

// FindLeak finds the first of the ids in the answer, raw, URL-encoded or decoded. Ids that
// the request itself carried outside its carrier are an echo, not a leak of
// the server's, and are passed over.
func (e Exchange) FindLeak(ids []secret.Text, kind LeakKind) (Leak, bool) {
	for _, id := range ids {
		if e.Request.Brought(id, e.Carried...) {
			continue
		}
		for _, spelling := range spellings(id) {
			if place, found := e.Response.find(spelling, kind); found {
				place.ID = id
				return place, true
			}
		}
	}
	return Leak{}, false
}

// Brought reports whether the request itself held the id outside the carrier:
// in its URL, its body or a header that neither is Cookie nor carries it.
func (r Request) Brought(id secret.Text, carried ...Held) bool {
	if r.URL.Contains(id) || r.Body.Contains(id) {
		return true
	}
	for _, field := range r.Header {
		carries := strings.EqualFold(field.Name, "Cookie") || slices.ContainsFunc(carried, func(h Held) bool {
			return h.Kind == InHeader && strings.EqualFold(h.Name, field.Name)
		})
		if !carries && field.Value.Contains(id) {
			return true
		}
	}
	return false
}

// Shows reports whether the answer holds the id in a form that gives it away: as it
// is sent, coded for a URL or as JSON may have it, or as the text of which the
// cookie is the base64, as that of Spring Session is.
func (r Response) Shows(id secret.Text) bool {
	raw := id.Reveal()
	forms := append(spellings(id), secret.New(strings.ReplaceAll(raw, "/", `\/`)), secret.New(strings.ReplaceAll(raw, "+", `\u002B`)))
	if plain, err := base64.StdEncoding.DecodeString(raw); err == nil && len(plain) >= shortestPlain && isPrintable(plain) {
		forms = append(forms, secret.New(string(plain)))
	}
	return slices.ContainsFunc(forms, func(form secret.Text) bool {
		return r.Body.Contains(form) || slices.ContainsFunc(r.Header, func(f Field) bool { return f.Value.Contains(form) })
	})
}

// shortestPlain is the length from which decoded text is an id, and no accident.
const shortestPlain = 16

func isPrintable(text []byte) bool {
	return !slices.ContainsFunc(text, func(char byte) bool { return char <= ' ' || char > '~' })
}

func spellings(id secret.Text) []secret.Text {
	spelt := []secret.Text{id}
	add := func(other string) {
		if text := secret.New(other); !text.IsZero() && !slices.Contains(spelt, text) {
			spelt = append(spelt, text)
		}
	}
	add(url.QueryEscape(id.Reveal()))
	// Frameworks escape the cookie, as Express does with s:, and know the id as
	// what it was before.
	if decoded, err := url.PathUnescape(id.Reveal()); err == nil {
		add(decoded)
	}
	return spelt
}

func (r Response) find(id secret.Text, kind LeakKind) (Leak, bool) {
	for _, field := range r.Header {
		inURL := slices.Contains(urlHeaders, strings.ToLower(field.Name))
		if inURL == (kind == InURL) && field.Value.Contains(id) {
			return Leak{Kind: kind, Name: field.Name + " header"}, true
		}
	}
	for _, inURL := range bodyPlaces(r.Body.Reveal(), id.Reveal()) {
		if inURL == (kind == InURL) {
			return Leak{Kind: kind, Name: "body"}, true
		}
	}
	return Leak{}, false
}

// bodyPlaces says of each occurrence whether it stands inside a URL: in a run
// of characters without quotes, spaces and angle brackets that has a slash or
// a question mark before the id.
func bodyPlaces(body, id string) []bool {
	var places []bool
	if id == "" {
		return nil
	}
	for offset := 0; ; {
		i := strings.Index(body[offset:], id)
		if i < 0 {
			return places
		}
		at := offset + i
		start := strings.LastIndexAny(body[:at], " \t\r\n\"'<>`") + 1
		places = append(places, strings.ContainsAny(body[start:at], "/?"))
		offset = at + len(id)
	}
}
