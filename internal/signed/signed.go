// Package signed reads session ids that carry the session itself, and makes
// such ids as somebody would who has no key, or one of the known ones: JWT,
// itsdangerous (Flask, Starlette), Django, Express, and plain JSON. It sends
// nothing and knows no target.
package signed

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"reflect"
	"strings"
)

// Token is an id taken apart: a payload of JSON and what stands around it.
type Token struct {
	payload []byte // JSON
	frame   frame
	issued  string // as it was read, without escapes and quotes
}

// frame is how a payload is written, and signed.
type frame struct {
	before, after string // around the payload; after holds time and signature
	encoding      *base64.Encoding
	escaped       bool // URL-encoded as a whole
	quoted        bool
	jwt           bool
}

// maxPayload bounds what a compressed payload may become.
const maxPayload = 64 << 10

// Parse takes an id apart. False: nothing in it can be read and so changed.
func Parse(id string) (Token, bool) {
	value, shape := plain(id)
	token, readable := parse(value, shape)
	token.issued = value
	return token, readable
}

func plain(id string) (value string, shape frame) {
	value = id
	if unescaped, err := url.PathUnescape(value); err == nil && unescaped != value {
		value, shape.escaped = unescaped, true
	}
	if inner, is := strings.CutPrefix(value, `"`); is && strings.HasSuffix(inner, `"`) {
		value, shape.quoted = strings.TrimSuffix(inner, `"`), true
	}
	return value, shape
}

func parse(value string, shape frame) (Token, bool) {
	for _, prefix := range []string{"s:j:", "j:"} { // Express
		if rest, is := strings.CutPrefix(value, prefix); is {
			end := strings.LastIndexByte(rest, '}') + 1
			shape.before, shape.after = prefix, rest[end:]
			return finish([]byte(rest[:end]), shape)
		}
	}
	if strings.HasPrefix(value, "{") {
		end := strings.LastIndexByte(value, '}') + 1
		shape.after = value[end:]
		return finish([]byte(value[:end]), shape)
	}
	parts := strings.Split(value, ".")
	if len(parts) == 3 && isHeader(parts[0]) {
		shape.jwt, shape.encoding = true, base64.RawURLEncoding
		shape.before, shape.after = parts[0]+".", "."+parts[2]
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		return finish(payload, shape)
	}
	return parseEncoded(value, shape)
}

// parseEncoded reads base64 up to the first mark that is none of its letters; a
// dot before it says that it is compressed (itsdangerous, Django).
func parseEncoded(value string, shape frame) (Token, bool) {
	text, compressed := value, false
	if rest, is := strings.CutPrefix(value, "."); is {
		text, compressed = rest, true
	}
	end := strings.IndexAny(text, ".:|")
	if dashes := strings.Index(text, "--"); end < 0 || dashes >= 0 && dashes < end {
		end = dashes
	}
	if end < 0 {
		end = len(text)
	}
	shape.after = text[end:]
	for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.StdEncoding} {
		payload, err := encoding.DecodeString(text[:end])
		if err != nil {
			continue
		}
		if compressed {
			payload = inflate(payload)
		}
		shape.encoding = encoding
		return finish(payload, shape)
	}
	return Token{}, false
}

func inflate(packed []byte) []byte {
	reader, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(reader, maxPayload))
	if err != nil {
		return nil
	}
	return plain
}

func isHeader(part string) bool {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	var header struct {
		Alg string `json:"alg"`
	}
	return err == nil && json.Unmarshal(decoded, &header) == nil && header.Alg != ""
}

func finish(payload []byte, shape frame) (Token, bool) {
	var object map[string]any
	if json.Unmarshal(payload, &object) != nil || len(object) == 0 {
		return Token{}, false
	}
	return Token{payload: payload, frame: shape}, true
}

// write puts the token together again.
func (t Token) write() string {
	text := string(t.payload)
	if t.frame.encoding != nil {
		text = t.frame.encoding.EncodeToString(t.payload)
	}
	text = t.frame.before + text + t.frame.after
	if t.frame.quoted {
		text = `"` + text + `"`
	}
	if t.frame.escaped {
		text = strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	}
	return text
}

// Borrow is the token with those members from another's that differ between two
// tokens of its own user: ids and times of a session, which say nothing of whose
// it is.
func (t Token) Borrow(again, from Token) Token {
	var own, second, other map[string]any
	for _, pair := range []struct {
		from Token
		into *map[string]any
	}{{t, &own}, {again, &second}, {from, &other}} {
		decoder := json.NewDecoder(bytes.NewReader(pair.from.payload))
		decoder.UseNumber()
		if decoder.Decode(pair.into) != nil {
			return t
		}
	}
	if payload, err := json.Marshal(borrow(own, second, other)); err == nil {
		t.payload = payload
	}
	return t
}

func borrow(own, second, other map[string]any) map[string]any {
	made := map[string]any{}
	for name, value := range own {
		made[name] = value
		inner, isObject := value.(map[string]any)
		secondInner, alsoObject := second[name].(map[string]any)
		otherInner, _ := other[name].(map[string]any)
		switch {
		case isObject && alsoObject:
			made[name] = borrow(inner, secondInner, otherInner)
		case !reflect.DeepEqual(value, second[name]):
			made[name] = other[name]
		}
	}
	return made
}

// altered is the token with one member more, so that no server issued it; the
// members that say whose it is stay. Blanks make its length a multiple of three:
// then base64 needs no padding, which some readers want and others refuse.
func (t Token) altered() Token {
	t.issued = ""
	at := bytes.IndexByte(t.payload, '{') + 1
	member := `"sgcanary":1,`
	for (len(t.payload)+len(member))%3 != 0 {
		member += " "
	}
	t.payload = bytes.Join([][]byte{t.payload[:at], []byte(member), t.payload[at:]}, nil)
	return t
}

// Forgery is an id that nobody without the key should be able to make.
type Forgery struct {
	Name  string // how it was made, for a reader
	Value string
}

// Altered are the forgeries that need no key: the payload altered under the old
// signature and without one, and what JWT libraries were fooled by (RFC 8725).
func (t Token) Altered() []Forgery {
	changed := t.altered()
	made := []Forgery{{"a changed payload under the old signature", changed.write()}}
	if t.frame.after == "" {
		made[0].Name = "a changed payload, which nothing signs"
		return made
	}
	bare := changed
	bare.frame.after = ""
	if t.frame.jwt {
		bare.frame.after = "."
	}
	made = append(made, Forgery{"a changed payload without a signature", bare.write()})
	if !t.frame.jwt {
		return made
	}
	for _, alg := range []string{"none", "None", "nOnE"} {
		unsigned := bare
		unsigned.frame.before = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "."
		made = append(made, Forgery{"a JWT of the algorithm " + alg, unsigned.write()})
	}
	empty := changed.sign(scheme{name: "JWT HS256", hash: sha256New, jwt: "HS256"}, "")
	return append(made, Forgery{"a JWT signed with an empty key", empty.write()})
}
