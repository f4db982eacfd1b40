package idquality

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Where tells where a word stands in an id.
type Where string

// The places.
const (
	Nowhere   Where = ""
	InSubject Where = "the sub claim" // of a JWT: who the token is for
	InText    Where = "its text"
	InDecoded Where = "what it decodes to"
)

// Holds finds a word in an id: as it stands, in the case of its letters or not,
// and in what the id and its parts decode to from URL escapes, base64 and hex.
// The word must have three letters at least, or it is found nowhere.
func Holds(id, word secret.Text) Where {
	wanted := strings.ToLower(word.Reveal())
	if len(wanted) < 3 || id.Len() > 8<<10 {
		return Nowhere
	}
	text := unescape(id.Reveal())
	if strings.Contains(strings.ToLower(text), wanted) {
		return InText
	}
	where := Nowhere
	for _, decoded := range contents(text) {
		claims, rest := subject(decoded)
		switch {
		case strings.Contains(strings.ToLower(rest), wanted):
			return InDecoded
		case strings.Contains(strings.ToLower(claims), wanted):
			where = InSubject
		}
	}
	return where
}

// contents are what the id, its parts and its tails decode to.
func contents(text string) []string {
	var all []string
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".:|~!%&=;,\"", r) })
	for _, part := range append(parts, text) {
		part = strings.TrimRight(part, "=")
		if raw, err := hex.DecodeString(part); err == nil {
			all = append(all, string(raw))
		}
		for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
			if raw, err := encoding.DecodeString(part); err == nil {
				all = append(all, string(raw))
				break
			}
		}
	}
	return all
}

// subject takes the sub claim out of a JSON object.
func subject(decoded string) (sub, rest string) {
	var claims map[string]any
	if json.Unmarshal([]byte(decoded), &claims) != nil {
		return "", decoded
	}
	sub, _ = claims["sub"].(string)
	delete(claims, "sub")
	left, err := json.Marshal(claims)
	if err != nil {
		return "", decoded
	}
	return sub, string(left)
}
