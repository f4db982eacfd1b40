// Package secret holds values that must never appear in an output: session
// ids, passwords, tokens, DSNs. It does not decide what is a secret; whoever
// reads a value from the world wraps it.
package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// runKey makes tags comparable within one run and worthless after it.
var runKey = func() []byte {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		panic("secret: the system has no randomness: " + err.Error())
	}
	return key
}()

// Text is a string that cannot print itself. Every fmt verb, JSON and text
// marshalling show its tag instead. The zero value is an empty secret.
type Text struct{ value string }

// New wraps a value.
func New(value string) Text { return Text{value} }

// Reveal returns the value. Only the rooms that talk to the world (browser,
// store, tap, launch) and the readers of what came back have a reason to call it.
func (t Text) Reveal() string { return t.value }

// IsZero reports whether there is no value.
func (t Text) IsZero() bool { return t.value == "" }

// Len is the number of bytes.
func (t Text) Len() int { return len(t.value) }

// Contains reports whether part, which must not be empty, stands in the value.
func (t Text) Contains(part Text) bool {
	return part.value != "" && strings.Contains(t.value, part.value)
}

// Tag is a short name for the value, equal for equal values within this run,
// so that a reader can see "the same id before and after login" without it.
func (t Text) Tag() string {
	if t.value == "" {
		return "«»"
	}
	mac := hmac.New(sha256.New, runKey)
	mac.Write([]byte(t.value))
	return "«" + hex.EncodeToString(mac.Sum(nil)[:3]) + "»"
}

// String returns the tag.
func (t Text) String() string { return t.Tag() }

// GoString returns the tag.
func (t Text) GoString() string { return t.Tag() }

// Format prints the tag whatever the verb, so that %x and %q are no way in.
func (t Text) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(t.Tag())) }

// MarshalJSON writes the tag.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(t.Tag()) }

// MarshalText writes the tag.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.Tag()), nil }

// Join is the values one behind the other.
func Join(parts ...Text) Text {
	var whole strings.Builder
	for _, part := range parts {
		whole.WriteString(part.value)
	}
	return Text{whole.String()}
}

// Begins reports whether the value begins so.
func (t Text) Begins(with string) bool { return strings.HasPrefix(t.value, with) }
