// Package cookie reads raw Set-Cookie lines the way browsers do and keeps them
// the way browsers do: RFC 6265bis, draft -22, with the __Http- and
// __Host-Http- prefixes of the layered-cookies draft. It reads no clock, makes
// no request and does not decide what a cookie is worth to an attacker.
//
// It exists beside net/http because that one drops cookies without a name,
// forgets how an unknown SameSite was spelled and knows no prefixes.
package cookie

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// The limits of section 5.6, in bytes.
const (
	maxPair      = 4096 // name and value together
	maxAttribute = 1024 // the value of one attribute
)

// SameSite is the SameSite attribute as it was sent, before a browser puts its
// default in the place of what it does not understand.
type SameSite int

// The values of SameSite. The zero value is a cookie without the attribute.
const (
	SameSiteAbsent SameSite = iota
	SameSiteNone
	SameSiteLax
	SameSiteStrict
	SameSiteInvalid // an empty value or a word that is none of the three
)

// String is the word of the attribute; "absent" and "invalid" for the others.
func (s SameSite) String() string {
	switch s {
	case SameSiteNone:
		return "None"
	case SameSiteLax:
		return "Lax"
	case SameSiteStrict:
		return "Strict"
	case SameSiteInvalid:
		return "invalid"
	}
	return "absent"
}

// Cookie is one Set-Cookie line after parsing. Nothing in it depends on the
// host that sent it; Rejections and Jar.Store bring that in.
type Cookie struct {
	Name  string // "" for a cookie without a name, which browsers do store
	Value secret.Text

	Domain    string // lower case, without a leading dot
	HasDomain bool   // false for an empty Domain too: it means none
	Path      string
	HasPath   bool // false for a Path without leading slash too: the default holds

	Secure, HTTPOnly, Partitioned bool

	SameSite    SameSite
	SameSiteRaw string // as it was written

	TooLong int // bytes of name and value, where they are more than browsers keep

	HasMaxAge  bool
	MaxAge     int64 // seconds as sent, without any cap; at the ends of int64 beyond them
	HasExpires bool
	Expires    time.Time // UTC
}

// Parse reads the value of one Set-Cookie header field (section 5.6). Its error
// says why browsers ignore the line as a whole; a bad attribute is no error,
// only the attribute is ignored. A line that is only too long for browsers is
// read: other clients go on with it, and Rejections says so.
func Parse(line string) (Cookie, error) {
	if at := strings.IndexFunc(line, isControl); at >= 0 {
		return Cookie{}, fmt.Errorf("browsers ignore this Set-Cookie line: byte %d is the control character 0x%02x, encode it", at, line[at])
	}
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, named := strings.Cut(pair, "=")
	if !named {
		name, value = "", pair
	}
	name, value = trim(name), trim(value)
	size := len(name) + len(value)
	if size == 0 {
		return Cookie{}, errors.New("browsers ignore this Set-Cookie line: it has neither a name nor a value")
	}
	cookie := Cookie{Name: name, Value: secret.New(value)}
	if size > maxPair {
		cookie.TooLong = size
	}
	for attributes != "" {
		var attribute string
		attribute, attributes, _ = strings.Cut(attributes, ";")
		key, value, _ := strings.Cut(attribute, "=")
		if value = trim(value); len(value) <= maxAttribute {
			cookie.read(lower(trim(key)), value)
		}
	}
	return cookie, nil
}

// read takes in one attribute. The draft keeps a list of them and looks at the
// last of each name, which is the same as overwriting, empty values included.
func (c *Cookie) read(name, value string) {
	switch name {
	case "domain":
		c.Domain = lower(strings.TrimPrefix(value, "."))
		c.HasDomain = c.Domain != ""
	case "path":
		c.Path, c.HasPath = "", strings.HasPrefix(value, "/")
		if c.HasPath {
			c.Path = value
		}
	case "secure":
		c.Secure = true
	case "httponly":
		c.HTTPOnly = true
	case "partitioned":
		c.Partitioned = true
	case "samesite":
		c.SameSite, c.SameSiteRaw = sameSite(value), value
	case "max-age":
		if seconds, ok := maxAge(value); ok {
			c.MaxAge, c.HasMaxAge = seconds, true
		}
	case "expires":
		if date, ok := parseDate(value); ok {
			c.Expires, c.HasExpires = date, true
		}
	}
}

func sameSite(value string) SameSite {
	switch lower(value) {
	case "none":
		return SameSiteNone
	case "lax":
		return SameSiteLax
	case "strict":
		return SameSiteStrict
	}
	return SameSiteInvalid
}

func maxAge(value string) (int64, bool) {
	digits := strings.TrimPrefix(value, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	// What is left to fail is the range, and then ParseInt gives its end: the
	// draft knows no number too large.
	seconds, _ := strconv.ParseInt(value, 10, 64)
	return seconds, true
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func trim(text string) string { return strings.Trim(text, " \t") }

// lower knows ASCII only. strings.ToLower would turn U+0130 into an "i" and so
// find attributes and hosts where browsers find none.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
