package signed

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the frameworks sign with
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"strings"
)

var (
	sha1New   = sha1.New
	sha256New = sha256.New
	sha384New = sha512.New384
	sha512New = sha512.New
)

// scheme is one way to sign.
type scheme struct {
	name string
	hash func() hash.Hash
	jwt  string // its alg; "" for any other
	mark string // between value and signature
	// key makes the key of the secret; nil takes it as it is.
	key      func(secret string) []byte
	encoding *base64.Encoding
}

// concat is the key derivation of Django and of itsdangerous by default.
func concat(hash func() hash.Hash, salt string) func(string) []byte {
	return func(secret string) []byte {
		sum := hash()
		sum.Write([]byte(salt + "signer" + secret))
		return sum.Sum(nil)
	}
}

// derived is itsdangerous' key derivation "hmac", which Flask asks for.
func derived(hash func() hash.Hash, salt string) func(string) []byte {
	return func(secret string) []byte {
		sum := hmac.New(hash, []byte(secret))
		sum.Write([]byte(salt))
		return sum.Sum(nil)
	}
}

var schemes = []scheme{
	{name: "JWT HS256", hash: sha256New, jwt: "HS256", mark: ".", encoding: base64.RawURLEncoding},
	{name: "JWT HS384", hash: sha384New, jwt: "HS384", mark: ".", encoding: base64.RawURLEncoding},
	{name: "JWT HS512", hash: sha512New, jwt: "HS512", mark: ".", encoding: base64.RawURLEncoding},
	{name: "Flask's session", hash: sha1New, mark: ".", key: derived(sha1New, "cookie-session"), encoding: base64.RawURLEncoding},
	{name: "Starlette's session", hash: sha1New, mark: ".", key: concat(sha1New, "itsdangerous.Signer"), encoding: base64.RawURLEncoding},
	{name: "Django's signed session", hash: sha256New, mark: ":", key: concat(sha256New, "django.contrib.sessions.backends.signed_cookies"), encoding: base64.RawURLEncoding},
	{name: "Django's signed session (SHA-1)", hash: sha1New, mark: ":", key: concat(sha1New, "django.contrib.sessions.backends.signed_cookies"), encoding: base64.RawURLEncoding},
	{name: "Express' signed cookie", hash: sha256New, mark: ".", encoding: base64.RawStdEncoding},
	{name: "HMAC-SHA1 of the value", hash: sha1New, mark: ".", encoding: base64.RawURLEncoding},
	{name: "HMAC-SHA256 of the value", hash: sha256New, mark: ".", encoding: base64.RawURLEncoding},
}

func (s scheme) sum(secret string, text string) []byte {
	key := []byte(secret)
	if s.key != nil {
		key = s.key(secret)
	}
	sum := hmac.New(s.hash, key)
	sum.Write([]byte(text))
	return sum.Sum(nil)
}

// parts are what is signed and its signature, as they stand in the id.
func (t Token) parts(mark string) (text, signature string, ok bool) {
	whole := t.issued
	if whole == "" {
		t.frame.escaped, t.frame.quoted = false, false
		whole = t.write()
	}
	whole = strings.TrimPrefix(whole, "s:")
	at := strings.LastIndex(whole, mark)
	if at < 0 || at == len(whole)-1 {
		return "", "", false
	}
	return whole[:at], whole[at+len(mark):], true
}

func (t Token) alg() string {
	var header struct {
		Alg string `json:"alg"`
	}
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimSuffix(t.frame.before, "."))
	if !t.frame.jwt || err != nil || json.Unmarshal(decoded, &header) != nil {
		return ""
	}
	return header.Alg
}

// sign writes the scheme's signature in the place of the old one. A time before
// it stays.
func (t Token) sign(s scheme, secret string) Token {
	if s.encoding == nil {
		s.mark, s.encoding = ".", base64.RawURLEncoding
	}
	if t.frame.jwt {
		header := `{"alg":"` + s.jwt + `","typ":"JWT"}`
		if t.alg() != s.jwt {
			t.frame.before = base64.RawURLEncoding.EncodeToString([]byte(header)) + "."
		}
	}
	text, _, ok := t.parts(s.mark)
	if !ok {
		return t
	}
	at := strings.LastIndex(t.frame.after, s.mark)
	t.frame.after = t.frame.after[:at] + s.mark + s.encoding.EncodeToString(s.sum(secret, text))
	return t
}

// KnownKey is a key that others know, and what it signs.
type KnownKey struct {
	scheme scheme
	secret string
}

// FindKey searches the key of the signature among those that stand in tutorials
// and templates. Nothing is sent.
func (t Token) FindKey() (KnownKey, bool) {
	for _, s := range schemes {
		if s.jwt != t.alg() {
			continue
		}
		text, signature, ok := t.parts(s.mark)
		if !ok {
			continue
		}
		given, err := s.encoding.DecodeString(strings.TrimRight(signature, "="))
		if err != nil {
			continue
		}
		for _, secret := range known {
			if hmac.Equal(s.sum(secret, text), given) {
				return KnownKey{s, secret}, true
			}
		}
	}
	return KnownKey{}, false
}

// pair is Express' cookie-session: the signature is a cookie of its own.
var pair = scheme{name: "Express' cookie-session", hash: sha1New, encoding: base64.RawURLEncoding}

// FindPairKey searches the key of a signature that a second cookie holds.
func FindPairKey(name, value, signature string) (KnownKey, bool) {
	given, err := pair.encoding.DecodeString(signature)
	if err != nil {
		return KnownKey{}, false
	}
	for _, secret := range known {
		if hmac.Equal(pair.sum(secret, name+"="+value), given) {
			return KnownKey{pair, secret}, true
		}
	}
	return KnownKey{}, false
}

// ForgePair is the token altered, and the second cookie that signs it.
func (k KnownKey) ForgePair(name string, t Token) (forged Forgery, signature string) {
	value := t.altered().write()
	return Forgery{"a changed payload signed with a known key (" + k.scheme.name + ")", value}, pair.encoding.EncodeToString(pair.sum(k.secret, name+"="+value))
}

// Forge is the token altered and signed with the key.
func (k KnownKey) Forge(t Token) Forgery {
	return Forgery{"a changed payload signed with a known key (" + k.scheme.name + ")", t.altered().sign(k.scheme, k.secret).write()}
}

// known are keys of tutorials, templates and documentation, and what people
// write for the time being.
var known = []string{
	"", "secret", "Secret", "SECRET", "secretkey", "secret-key", "secret_key", "SECRET_KEY", "SECRET-KEY", "my-secret", "mysecret", "my_secret",
	"my-secret-key", "mysecretkey", "my_secret_key", "your-secret", "your-secret-key", "your_secret_key", "yoursecretkey", "YOUR_SECRET_KEY",
	"your-256-bit-secret", "your-384-bit-secret", "your-512-bit-secret", "a-string-secret-at-least-256-bits-long",
	"change-me", "changeme", "change_me", "CHANGE_ME", "CHANGEME", "changeit", "change-this", "change_this", "change-me-in-production", "please-change-me",
	"changethis", "replace-me", "replaceme", "todo", "TODO", "supersecret", "super-secret", "super_secret", "supersecretkey", "super-secret-key", "super secret key",
	"super_secret_key", "topsecret", "top-secret", "verysecret", "very-secret", "s3cr3t", "s3cret", "shhhh", "shhhhh", "shhhhhared-secret",
	"dev", "DEV", "devkey", "dev-key", "dev-secret", "dev_secret", "dev-secret-key", "development", "development key", "test", "testing", "testkey", "test-key",
	"test-secret", "test-secret-key", "example", "default", "key", "private", "password", "passw0rd", "admin", "root", "123456", "12345678", "1234567890", "qwerty",
	"abc123", "foobar", "foo", "bar", "keyboard cat", "keyboardcat", "cat", "key1", "key2", "cookie-secret", "cookiesecret", "cookie_secret",
	"session", "session-secret", "session_secret", "sessionsecret", "jwt", "jwt-secret", "jwt_secret", "jwtsecret", "jwt-secret-key", "JWT_SECRET", "jwtkey",
	"token", "token-secret", "app-secret", "app_secret", "hard to guess string", "you-will-never-guess", "this is a secret", "not-so-secret", "insecure", "insecure-secret",
	"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "_5#y2L\"F4Q8z\n\xec]/",
	"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf", "django-insecure", "fastapi", "flask", "express", "starlette", "nestjs",
}
