package cookie

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Origin is where a response came from or a request goes to, as far as cookies
// care: they know no ports.
type Origin struct {
	Host string // lower case, no port, IPv6 without brackets
	Path string // as it stands in the request line, without query; "" is "/"
	// Secure holds for https and for loopback hosts, which browsers treat as
	// trustworthy over plain http too.
	Secure bool
}

// OriginOf is the origin of a request to u. A host outside ASCII must come in
// its xn-- form, as it does in every request.
func OriginOf(u *url.URL) Origin {
	host := lower(u.Hostname())
	return Origin{Host: host, Path: u.EscapedPath(), Secure: u.Scheme == "https" || isLoopback(host)}
}

func (o Origin) path() string {
	if o.Path == "" {
		return "/"
	}
	return o.Path
}

// defaultPath is the folder of the request path (section 5.1.4).
func (o Origin) defaultPath() string {
	last := strings.LastIndexByte(o.Path, '/')
	if last <= 0 || o.Path[0] != '/' {
		return "/"
	}
	return o.Path[:last]
}

func isLoopback(host string) bool {
	name := strings.TrimSuffix(host, ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// The prefixes that bind a cookie's attributes to its name, the longer first.
const (
	prefixHostHTTP = "__Host-Http-"
	prefixHost     = "__Host-"
	prefixHTTP     = "__Http-"
	prefixSecure   = "__Secure-"
)

// Prefix is the prefix of a cookie name: "__Host-Http-", "__Host-", "__Http-",
// "__Secure-" or "". Browsers do not mind the case of the letters, because some
// servers do not.
func Prefix(name string) string {
	name = lower(name)
	for _, prefix := range []string{prefixHostHTTP, prefixHost, prefixHTTP, prefixSecure} {
		if strings.HasPrefix(name, lower(prefix)) {
			return prefix
		}
	}
	return ""
}

// Rejection is one rule for which a conforming browser drops a cookie.
type Rejection struct {
	Reason string // one clause, without secrets
	// Fatal rejections are those after which no client at all would send the
	// cookie back. With the others API clients commonly go on.
	Fatal bool
}

// Rejections are all storage rules of section 5.7 that the cookie breaks when
// the origin sets it; nil means that browsers store it. The one rule that
// depends on what is stored already is with Jar.Store.
func (c Cookie) Rejections(o Origin) []Rejection {
	var found []Rejection
	if _, _, problem := c.scope(o.Host); problem != "" {
		found = append(found, Rejection{Reason: problem, Fatal: true})
	}
	if c.TooLong > 0 {
		found = append(found, Rejection{Reason: fmt.Sprintf("name and value have %d bytes together, browsers keep %d", c.TooLong, maxPair)})
	}
	for _, rule := range append(c.attributeRules(o), c.prefixRules()...) {
		if rule.broken {
			found = append(found, Rejection{Reason: rule.reason})
		}
	}
	return found
}

type rule struct {
	broken bool
	reason string
}

func (c Cookie) attributeRules(o Origin) []rule {
	return []rule{
		{c.Secure && !o.Secure, "Secure is refused from plain http"},
		{c.SameSite == SameSiteNone && !c.Secure, "SameSite=None needs Secure"},
		{c.Partitioned && !c.Secure, "Partitioned needs Secure"},
	}
}

func (c Cookie) prefixRules() []rule {
	if c.Name == "" {
		// On its way back the value would read as a name with the prefix.
		hidden := Prefix(c.Value.Reveal())
		return []rule{{hidden != "", "a cookie without a name may not have a value that begins with " + hidden}}
	}
	prefix := Prefix(c.Name)
	ofHost := prefix == prefixHost || prefix == prefixHostHTTP
	ofHTTP := prefix == prefixHTTP || prefix == prefixHostHTTP
	return []rule{
		{prefix != "" && !c.Secure, prefix + " needs Secure"},
		{ofHTTP && !c.HTTPOnly, prefix + " needs HttpOnly"},
		// The draft forgives a Domain that equals the host where the host is a
		// public suffix, such as localhost. Chrome does not, and neither would
		// any browser once the API stands under its real name.
		{ofHost && c.HasDomain, prefix + " allows no Domain"},
		{ofHost && c.Path != "/", prefix + " needs Path=/"},
	}
}

// scope is where the cookie goes when the host sets it (section 5.7, steps 7 to
// 10), or the problem for which it goes nowhere.
func (c Cookie) scope(host string) (domain string, hostOnly bool, problem string) {
	switch {
	case !c.HasDomain:
		return host, true, ""
	case !isASCII(c.Domain):
		return "", false, fmt.Sprintf("Domain %.80q has characters outside ASCII", c.Domain)
	case c.Domain == host && (isIP(host) || isPublicSuffix(host)):
		// Nothing lies below such a host, so this is a cookie of the host alone.
		return host, true, ""
	case isPublicSuffix(c.Domain):
		return "", false, fmt.Sprintf("Domain %.80q is a public suffix", c.Domain)
	case !domainMatch(host, c.Domain):
		return "", false, fmt.Sprintf("Domain %.80q does not match the host %q", c.Domain, host)
	}
	return c.Domain, false, ""
}

// domainMatch is section 5.1.3.
func domainMatch(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain) && !isIP(host)
}

func isPublicSuffix(domain string) bool {
	// The list has its names without the root's dot: "com." is "com".
	domain = strings.TrimSuffix(domain, ".")
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0
}
