package audit

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// selfContained reports whether an id carries the session itself: a JWT, an
// itsdangerous or Rails cookie, base64 JSON with a signature, or one of the
// known encrypted envelopes. Such a session changes at login by nature and
// cannot be ended by a server that keeps no list.
func selfContained(id secret.Text) bool {
	value := strings.Trim(id.Reveal(), `"`)
	for _, envelope := range []string{"gAAAAA", "Fe26.2*", "v2.local.", "v4.local.", "v2.public.", "v4.public."} {
		if strings.HasPrefix(value, envelope) { // Fernet, iron, PASETO
			return true
		}
	}
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(".-|:%", r) }) {
		if holdsObject(part) {
			return true
		}
	}
	return holdsObject(value)
}

func holdsObject(part string) bool {
	part = strings.TrimRight(part, "=")
	for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
		decoded, err := encoding.DecodeString(part)
		if err != nil {
			continue
		}
		var object map[string]any
		if json.Unmarshal(decoded, &object) == nil && len(object) > 0 {
			return true
		}
	}
	return false
}
