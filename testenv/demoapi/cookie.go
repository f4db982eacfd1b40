package demoapi

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxID is the longest id, in bytes, that is looked at.
const maxID = 1024

// caller is what a request says about its sender.
type caller struct {
	id         string // from the session cookie, "" if there is none to go by
	sentCookie bool
	address    string // IP, without the port
	agent      string // User-Agent
}

// callerOf takes two session cookies for none: their order means nothing
// (RFC 6265bis §4.2.2), and one may come from a sibling host (cookie tossing).
func (a *API) callerOf(r *http.Request) caller {
	cookies := r.CookiesNamed(a.cookieName())
	from := caller{sentCookie: len(cookies) > 0, agent: r.UserAgent()}
	from.address, _, _ = net.SplitHostPort(r.RemoteAddr)
	if len(cookies) == 1 && usable(cookies[0].Value) {
		from.id = cookies[0].Value
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
	if a.flaw[noPrefix] || a.flaw[noSecure] || a.flaw[withDomain] {
		return "sid"
	}
	return "__Host-sid"
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
	case a.flaw[sameSiteNone]:
		cookie.SameSite = http.SameSiteNoneMode
	case a.flaw[sameSiteAbsent]:
		cookie.SameSite = http.SameSiteDefaultMode // net/http writes nothing
	}
	if a.flaw[persistent] {
		cookie.MaxAge = int((90 * 24 * time.Hour).Seconds())
	}
	if a.flaw[withDomain] {
		cookie.Domain = (&url.URL{Host: r.Host}).Hostname()
		if cookie.Valid() != nil { // an IPv6 host, or a hostile one
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
