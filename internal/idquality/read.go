package idquality

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Issue is an id with what is known of its making.
type Issue struct {
	ID       secret.Text
	From, To time.Time // the server made it between these two
	// Known are the words about its user that others know: name, address.
	Known []secret.Text
	// Before is the id that the browser held until then; zero for none.
	Before secret.Text
}

// IDs are the ids of the issues, in their order.
func IDs(issues []Issue) []secret.Text {
	ids := make([]secret.Text, len(issues))
	for i, issue := range issues {
		ids[i] = issue.ID
	}
	return ids
}

// reveal gives the text of each id as its generator made it: without the
// escapes of a cookie.
func reveal(ids []secret.Text) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = unescape(id.Reveal())
	}
	return texts
}

func unescape(text string) string {
	if !strings.Contains(text, "%") { // a plus is a digit of base64
		return text
	}
	if decoded, err := url.PathUnescape(text); err == nil {
		return decoded
	}
	return text
}

// The signed envelopes of server-side ids: cookie-signature of Express, and
// the TimestampSigner of itsdangerous. What stands before the signature is the
// id; a second part of another form may be a secret of its own and stays.
var envelopes = []*regexp.Regexp{
	regexp.MustCompile(`^s:(.+)\.[A-Za-z0-9+/]{43}$`),
	regexp.MustCompile(`^([^.]+)\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}$`),
}

// Unsigned is the id without the envelope that signs it, or the id itself.
func Unsigned(id secret.Text) secret.Text {
	text := unescape(id.Reveal())
	for _, envelope := range envelopes {
		if found := envelope.FindStringSubmatch(text); found != nil {
			return secret.New(found[1])
		}
	}
	return id
}

// decode reads an id as bytes, in the smallest alphabet it fits.
func decode(text string) ([]byte, bool) {
	if uuid.MatchString(text) {
		text = strings.ReplaceAll(text, "-", "")
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) > 0 {
		return raw, true
	}
	text = strings.TrimRight(text, "=")
	for _, encoding := range []interface {
		DecodeString(string) ([]byte, error)
	}{
		base32.StdEncoding.WithPadding(base32.NoPadding), base64.RawURLEncoding, base64.RawStdEncoding,
	} {
		if raw, err := encoding.DecodeString(text); err == nil && len(raw) > 0 {
			return raw, true
		}
	}
	return nil, false
}

// decodeAll reads a whole sample in the one form that fits all of it, so that
// hex is not taken for base64 where one id happens to have no digit.
func decodeAll(texts []string) ([][]byte, bool) {
	for _, form := range forms {
		raw := make([][]byte, len(texts))
		fits := true
		for i, text := range texts {
			var err error
			if raw[i], err = form(text); err != nil || len(raw[i]) == 0 || len(raw[i]) != len(raw[0]) {
				fits = false
				break
			}
		}
		if fits && len(texts) > 0 {
			return raw, true
		}
	}
	return nil, false
}

var forms = []func(string) ([]byte, error){
	func(text string) ([]byte, error) {
		if uuid.MatchString(text) {
			text = strings.ReplaceAll(text, "-", "")
		}
		return hex.DecodeString(text)
	},
	func(text string) ([]byte, error) {
		return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(text, "="))
	},
	func(text string) ([]byte, error) {
		return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	},
	func(text string) ([]byte, error) {
		return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	},
}

func hexes(raw [][]byte) []string {
	texts := make([]string, len(raw))
	for i := range raw {
		texts[i] = hex.EncodeToString(raw[i])
	}
	return texts
}
