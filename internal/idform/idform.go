// Package idform knows in which forms a session id travels and is kept: as it
// is, decoded, without its signature, encoded, as a digest. It computes them;
// where they turn up is for others to find out. Keyed forms (HMAC, encryption)
// cannot be computed from outside and are none of them.
package idform

import (
	"crypto/md5"  // applications use it, and so we look for it
	"crypto/sha1" // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	// shortest is the length in bytes below which a value turns up by chance.
	shortest = 6
	// shortestSigned is that of what stands before an unmarked signature:
	// "session.3f9a…" must not make a session id of the word "session".
	shortestSigned = 16
)

// Form is one spelling of a session id.
type Form struct {
	Name  string // for people: "raw", "before the signature", "sha256 hex"
	Value string // its bytes; a session id as well, not for any output
	// Reversible says that whoever reads the value has the id. False for digests.
	Reversible bool
}

// Of are the forms of an id, each value once, "raw" first. Forms shorter than
// six bytes are left out, except the raw one. Several forms may share a name.
// An empty id has none.
func Of(id secret.Text) []Form {
	if id.IsZero() {
		return nil
	}
	l := &list{seen: map[string]bool{}}
	raw := id.Reveal()
	l.seen[raw] = true
	l.forms = []Form{{Name: "raw", Value: raw, Reversible: true}}
	if len(raw) < shortest {
		return l.forms
	}
	l.spellings(raw)
	return l.forms
}

type list struct {
	forms []Form
	seen  map[string]bool
}

func (l *list) add(name, value string, reversible bool) {
	if len(value) < shortest || l.seen[value] {
		return
	}
	l.seen[value] = true
	l.forms = append(l.forms, Form{name, value, reversible})
}

func (l *list) spellings(raw string) {
	decoded := raw
	// PathUnescape, since a plus in a cookie is a plus: base64 ids have them.
	if value, err := url.PathUnescape(raw); err == nil {
		decoded = value
	}
	l.add("url-decoded", decoded, true)
	for _, value := range unsigned(decoded) {
		l.add("before the signature", value, true)
	}
	sources := l.forms
	for _, source := range sources {
		l.decoded(source.Value)
	}
	for _, source := range sources {
		l.encoded(source.Value)
	}
	for _, source := range sources {
		l.digests(source.Value)
	}
}

// unsigned is what stands before a signature: cookie-signature of Express cuts
// at the last dot and marks its values with "s:", itsdangerous puts a time
// between value and signature or not.
func unsigned(value string) []string {
	marked, isMarked := strings.CutPrefix(value, "s:")
	last := strings.LastIndexByte(marked, '.')
	if last < 0 {
		return nil
	}
	if isMarked {
		return []string{marked[:last]}
	}
	var found []string
	if last >= shortestSigned {
		found = append(found, marked[:last])
	}
	first := strings.IndexByte(marked, '.')
	// "eyJ" opens a JSON object: the header of a token, alike for everybody.
	if first >= shortestSigned && !strings.HasPrefix(marked, "eyJ") {
		found = append(found, marked[:first])
	}
	return found
}

var (
	dashed = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	plain  = regexp.MustCompile(`^[0-9A-Fa-f]{32}$`)
)

func (l *list) decoded(value string) {
	if dashed.MatchString(value) {
		value = strings.ReplaceAll(value, "-", "")
		l.add("uuid without dashes", value, true)
	}
	if plain.MatchString(value) {
		// Databases print the type UUID in lower case and with dashes.
		low := strings.ToLower(value)
		l.add("uuid without dashes", low, true)
		l.add("uuid with dashes", low[:8]+"-"+low[8:12]+"-"+low[12:16]+"-"+low[16:20]+"-"+low[20:], true)
	}
	if bytes, err := hex.DecodeString(value); err == nil {
		l.add("hex-decoded", string(bytes), true)
	}
	unpadded := strings.TrimRight(value, "=")
	for _, alphabet := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
		if bytes, err := alphabet.DecodeString(unpadded); err == nil {
			l.add("base64-decoded", string(bytes), true)
		}
	}
}

// encoded matters on the wire too: a driver writes a BYTEA parameter as hex.
func (l *list) encoded(value string) {
	l.add("hex-encoded", hex.EncodeToString([]byte(value)), true)
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		l.add("base64-encoded", alphabet.EncodeToString([]byte(value)), true)
	}
}

func (l *list) digests(value string) {
	one, two, three, four := md5.Sum([]byte(value)), sha1.Sum([]byte(value)), sha256.Sum256([]byte(value)), sha512.Sum512([]byte(value))
	l.digest("md5", one[:])
	l.digest("sha1", two[:])
	l.digest("sha256", three[:])
	l.digest("sha512", four[:])
}

func (l *list) digest(name string, sum []byte) {
	l.add(name+" hex", hex.EncodeToString(sum), false)
	l.add(name+" hex", strings.ToUpper(hex.EncodeToString(sum)), false)
	l.add(name+" base64", base64.StdEncoding.EncodeToString(sum), false)
	l.add(name+" base64", base64.RawStdEncoding.EncodeToString(sum), false)
	l.add(name+" base64url", base64.URLEncoding.EncodeToString(sum), false)
	l.add(name+" base64url", base64.RawURLEncoding.EncodeToString(sum), false)
	l.add(name+" bytes", string(sum), false)
}
