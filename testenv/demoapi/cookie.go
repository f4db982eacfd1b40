package demoapi

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"time"
)

// maxID is the longest id, in bytes, that is looked at.
const maxID = 1024

// caller is what a request says about its sender.
type caller struct {
	id         string // from the session cookie, "" if there is none to go by
	sentCookie bool
	address    string // IP, without the port
	claims     string // the user that an unsigned cookie names
	kept       bool   // the session of a tossed cookie is to be gone on with
	agent      string // User-Agent
}

// ticket is the cookie that says by itself whose session it is.
type ticket struct {
	SID  string `json:"sid"`
	User string `json:"user"`
}

// callerOf takes two session cookies for none: their order means nothing
// (RFC 6265bis §4.2.2), and one may come from a sibling host (cookie tossing).
func (a *API) callerOf(r *http.Request) caller {
	cookies := r.CookiesNamed(a.cookieName())
	if a.flaw[namesDecoded] {
		cookies = slices.DeleteFunc(r.Cookies(), func(c *http.Cookie) bool {
			name, err := url.PathUnescape(c.Name)
			return err != nil || name != a.cookieName()
		})
	}
	from := caller{sentCookie: len(cookies) > 0, agent: r.UserAgent()}
	from.address, _, _ = net.SplitHostPort(r.RemoteAddr)
	if len(cookies) == 2 && (a.flaw[firstOfTwo] || a.flaw[tossKept] && r.Method == http.MethodPost) {
		from.kept = a.flaw[tossKept]
		cookies = cookies[:1]
	}
	if len(cookies) == 1 && usable(cookies[0].Value) {
		from.id = cookies[0].Value
	}
	if a.flaw[idAsPath] && from.id != "" {
		from.id = path.Clean(from.id)
	}
	if a.flaw[unsigned] {
		var held ticket
		raw, _ := base64.RawURLEncoding.DecodeString(from.id)
		if json.Unmarshal(raw, &held) == nil { // what is no ticket is looked up as it is
			from.id, from.claims = held.SID, held.User
		}
	}
	return from
}

// usable reports whether a client-chosen id would survive being set as a
// cookie: an id that changes on the way would be no take-over.
func usable(id string) bool {
	set := http.Cookie{Name: "id", Value: id}
	return id != "" && len(id) <= maxID && set.Valid() == nil
}

// cookieName has the prefix unless browsers would refuse it with the
// attributes the cookie is going to have (RFC 6265bis §4.1.3.2).
func (a *API) cookieName() string {
	if a.flaw[noPrefix] || a.flaw[noSecure] || a.flaw[withDomain] || a.flaw[firstOfTwo] {
		return "sid"
	}
	return "__Host-sid"
}

// value is what the cookie of a session holds.
func (a *API) value(id string) string {
	if !a.flaw[unsigned] {
		return id
	}
	raw, _ := json.Marshal(ticket{id, a.sessions.owner(id)}) // strings always can be
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (a *API) cookie(r *http.Request, id string) *http.Cookie {
	cookie := &http.Cookie{
		Name:     a.cookieName(),
		Value:    id,
		Path:     "/",
		Secure:   !a.flaw[noSecure],
		HttpOnly: !a.flaw[noHTTPOnly],
		SameSite: http.SameSiteLaxMode,
	}
	switch {
	case a.flaw[sameSiteNone] || a.flaw[notPartitioned] || a.flaw[anyOrigin] || a.flaw[nullOrigin]:
		cookie.SameSite = http.SameSiteNoneMode
		cookie.Partitioned = !a.flaw[notPartitioned] && cookie.Secure
	case a.flaw[sameSiteAbsent]:
		cookie.SameSite = http.SameSiteDefaultMode // net/http writes nothing
	}
	if a.flaw[persistent] {
		cookie.MaxAge = int((90 * 24 * time.Hour).Seconds())
	}
	if a.flaw[withDomain] {
		if local, is := r.Context().Value(http.LocalAddrContextKey).(net.Addr); is { // never the Host that a client claims
			cookie.Domain, _, _ = net.SplitHostPort(local.String())
		}
		if cookie.Valid() != nil { // an IPv6 address
			cookie.Domain = ""
		}
	}
	return cookie
}

// deletion expires the cookie. It needs the attributes the cookie was set
// with, or browsers keep it (RFC 6265bis §5.7).
func (a *API) deletion(r *http.Request) *http.Cookie {
	cookie := a.cookie(r, "")
	cookie.MaxAge = -1
	if a.flaw[notDeletable] {
		cookie.Secure = false
	}
	return cookie
}
