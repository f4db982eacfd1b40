package cookie

import (
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// maxCookies bounds a jar against a server that never stops setting cookies.
// Chrome keeps as many per site.
const maxCookies = 180

// Jar keeps cookies as section 5.7 says and gives them back as section 5.8
// says. The zero value is an empty jar. It is not safe for concurrent use.
//
// A cookie is kept even if browsers reject it, as long as the rejection is not
// fatal: attack probes and API clients must go on with it, and the rejection is
// a finding of its own.
type Jar struct {
	stored []stored // in the order of their creation
}

// stored is a cookie in a jar. Its place in the jar is its creation-time.
type stored struct {
	name     string
	value    secret.Text
	domain   string
	hostOnly bool
	path     string
	secure   bool
	expires  time.Time // zero: with the browser session
	rejected bool      // no browser would hold it
}

// Pair is one cookie of a request.
type Pair struct {
	Name  string // "" is a cookie without a name
	Value secret.Text
}

// Store takes in what the origin has set and returns for what browsers would
// drop it. Only fatal rejections keep it out of the jar. Beside those of
// Cookie.Rejections there is one more, fatal too: an insecure origin may not
// overlay a Secure cookie that browsers hold, so that one goes on being sent.
func (j *Jar) Store(o Origin, c Cookie, now time.Time) []Rejection {
	j.evict(now)
	rejections := c.Rejections(o)
	fresh := c.store(o, now)
	fresh.rejected = len(rejections) > 0
	if !o.Secure && j.shields(fresh) {
		rejections = append(rejections, Rejection{Reason: "plain http may not overlay a Secure cookie of the same name", Fatal: true})
	}
	switch fatal := func(r Rejection) bool { return r.Fatal }; {
	case slices.ContainsFunc(rejections, fatal):
	case c.Deletes(now):
		j.stored = slices.DeleteFunc(j.stored, fresh.same)
	default:
		j.put(fresh, slices.IndexFunc(j.stored, fresh.same))
	}
	return rejections
}

func (c Cookie) store(o Origin, now time.Time) stored {
	domain, hostOnly, _ := c.scope(o.Host)
	fresh := stored{name: c.Name, value: c.Value, domain: domain, hostOnly: hostOnly, path: o.defaultPath(), secure: c.Secure}
	if c.HasPath {
		fresh.path = c.Path
	}
	if d, persistent := c.Lifetime(now); persistent {
		fresh.expires = now.Add(d)
	}
	return fresh
}

// put writes into the place of an old cookie, which keeps that one's
// creation-time, or at the end when there is none (-1).
func (j *Jar) put(fresh stored, at int) {
	if at >= 0 {
		j.stored[at] = fresh
		return
	}
	j.stored = append(j.stored, fresh)
	if excess := len(j.stored) - maxCookies; excess > 0 {
		j.stored = slices.Delete(j.stored, 0, excess)
	}
}

func (j *Jar) evict(now time.Time) {
	j.stored = slices.DeleteFunc(j.stored, func(s stored) bool {
		return !s.expires.IsZero() && !s.expires.After(now)
	})
}

// shields reports whether the jar has a Secure cookie that the fresh one, which
// comes from an insecure origin, would overlay (section 5.7, step 16).
func (j *Jar) shields(fresh stored) bool {
	return !fresh.secure && slices.ContainsFunc(j.stored, func(old stored) bool {
		return old.secure && !old.rejected && old.name == fresh.name && pathMatch(fresh.path, old.path) &&
			(domainMatch(old.domain, fresh.domain) || domainMatch(fresh.domain, old.domain))
	})
}

func (s stored) same(other stored) bool {
	return s.name == other.name && s.domain == other.domain && s.hostOnly == other.hostOnly && s.path == other.path
}

func (s stored) goesTo(o Origin) bool {
	if s.secure && !o.Secure || !pathMatch(o.path(), s.path) {
		return false
	}
	return s.domain == o.Host || !s.hostOnly && domainMatch(o.Host, s.domain)
}

// pathMatch is section 5.1.4.
func pathMatch(request, path string) bool {
	rest, below := strings.CutPrefix(request, path)
	return below && (rest == "" || strings.HasSuffix(path, "/") || rest[0] == '/')
}

// Cookies are what a browser sends to the origin, in its order: longer path
// first, then earlier creation. Expired cookies leave the jar.
func (j *Jar) Cookies(o Origin, now time.Time) []Pair {
	j.evict(now)
	var sent []stored
	for _, s := range j.stored {
		if s.goesTo(o) {
			sent = append(sent, s)
		}
	}
	slices.SortStableFunc(sent, func(a, b stored) int { return len(b.path) - len(a.path) })
	pairs := make([]Pair, len(sent))
	for i, s := range sent {
		pairs[i] = Pair{Name: s.name, Value: s.value}
	}
	return pairs
}

// Header is the value of the Cookie header field, the zero Text without pairs.
// A cookie without a name is its value alone.
func Header(pairs []Pair) secret.Text {
	crumbs := make([]string, len(pairs))
	for i, pair := range pairs {
		crumbs[i] = pair.Value.Reveal()
		if pair.Name != "" {
			crumbs[i] = pair.Name + "=" + crumbs[i]
		}
	}
	return secret.New(strings.Join(crumbs, "; "))
}

// Clone is a copy that does not follow what happens to this jar.
func (j *Jar) Clone() *Jar { return &Jar{stored: slices.Clone(j.stored)} }

// Only is a copy with the cookies of those names, and no other.
func (j *Jar) Only(names ...string) *Jar {
	part := j.Clone()
	part.stored = slices.DeleteFunc(part.stored, func(s stored) bool { return !slices.Contains(names, s.name) })
	return part
}

// Without is a copy that lacks the cookies of that name.
func (j *Jar) Without(name string) *Jar {
	part := j.Clone()
	part.Remove(name)
	return part
}

// Set plants a cookie of the origin's host alone with that Path, no expiry and
// no Secure. It takes the place of all of that name, whatever their host and path.
// The value goes out as it is: the caller answers for CR, LF and semicolons.
func (j *Jar) Set(o Origin, path, name string, value secret.Text) {
	planted := stored{name: name, value: value, domain: o.Host, hostOnly: true, path: path}
	at := slices.IndexFunc(j.stored, func(s stored) bool { return s.name == name })
	j.Remove(name)
	if at < 0 {
		j.put(planted, at)
		return
	}
	j.stored = slices.Insert(j.stored, at, planted)
}

// Remove takes out all cookies of that name.
func (j *Jar) Remove(name string) {
	j.stored = slices.DeleteFunc(j.stored, func(s stored) bool { return s.name == name })
}

// Path is that of the newest cookie of the name; "" when there is none.
func (j *Jar) Path(name string) string {
	for _, s := range slices.Backward(j.stored) {
		if s.name == name {
			return s.path
		}
	}
	return ""
}

// Names are the names in the jar, each once, in the order of creation.
func (j *Jar) Names() []string {
	var names []string
	for _, s := range j.stored {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	return names
}

// Len is the number of cookies; two of one name and different paths are two.
func (j *Jar) Len() int { return len(j.stored) }
