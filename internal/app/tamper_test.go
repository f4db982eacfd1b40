package app_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Express signs with
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
)

// signer is an API whose session is a signed cookie and nothing on the server.
type signer struct {
	issue func(user string) []http.Cookie
	read  func(r *http.Request) string
}

func (s signer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /login":
		var given struct{ Username, Password string }
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.NewDecoder(r.Body).Decode(&given) != nil ||
			given.Password != given.Username+"-demo-password" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		for _, cookie := range s.issue(given.Username) {
			cookie.Path, cookie.Secure, cookie.HttpOnly, cookie.SameSite = "/", true, true, http.SameSiteStrictMode
			http.SetCookie(w, &cookie)
		}
	case "GET /me":
		w.Header().Set("Cache-Control", "no-store")
		if user := s.read(r); user != "" {
			_ = json.NewEncoder(w).Encode(map[string]string{"username": user})
			return
		}
		http.Error(w, "no", http.StatusUnauthorized)
	case "GET /", "POST /logout":
	default:
		http.NotFound(w, r)
	}
}

type claims struct {
	User string `json:"user"`
	ID   string `json:"jti"`
}

var raw = base64.RawURLEncoding

func sign(key, text string) string {
	sum := hmac.New(sha256.New, []byte(key))
	sum.Write([]byte(text))
	return raw.EncodeToString(sum.Sum(nil))
}

func payload(user string) string {
	text, _ := json.Marshal(claims{user, newID()})
	return raw.EncodeToString(text)
}

func userOf(part string) string {
	var held claims
	text, _ := raw.DecodeString(part)
	_ = json.Unmarshal(text, &held)
	return held.User
}

// jwts are believed when check says so of header, payload and signature.
func jwts(key string, check func(alg string, good bool) bool) signer {
	return signer{
		issue: func(user string) []http.Cookie {
			text := raw.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + payload(user)
			return []http.Cookie{{Name: "__Host-jwt", Value: text + "." + sign(key, text)}}
		},
		read: func(r *http.Request) string {
			sent := r.CookiesNamed("__Host-jwt")
			if len(sent) != 1 {
				return ""
			}
			parts := strings.Split(sent[0].Value, ".")
			if len(parts) != 3 {
				return ""
			}
			var header struct{ Alg string }
			text, _ := raw.DecodeString(parts[0])
			_ = json.Unmarshal(text, &header)
			if !check(header.Alg, hmac.Equal([]byte(sign(key, parts[0]+"."+parts[1])), []byte(parts[2]))) {
				return ""
			}
			return userOf(parts[1])
		},
	}
}

// cookieSession signs as Express' cookie-session does, in a second cookie.
func cookieSession(key string) signer {
	mac := func(value string) string {
		sum := hmac.New(sha1.New, []byte(key))
		sum.Write([]byte("session=" + value))
		return raw.EncodeToString(sum.Sum(nil))
	}
	return signer{
		issue: func(user string) []http.Cookie {
			value := payload(user)
			return []http.Cookie{{Name: "session", Value: value}, {Name: "session.sig", Value: mac(value)}}
		},
		read: func(r *http.Request) string {
			value, signature := r.CookiesNamed("session"), r.CookiesNamed("session.sig")
			if len(value) != 1 || len(signature) != 1 || !hmac.Equal([]byte(mac(value[0].Value)), []byte(signature[0].Value)) {
				return ""
			}
			return userOf(value[0].Value)
		},
	}
}

func TestForgedSessions(t *testing.T) {
	t.Parallel()
	strict := func(alg string, good bool) bool { return alg == "HS256" && good }
	strong := newID()
	for name, test := range map[string]struct {
		api  signer
		want finding.Outcome
		how  string
	}{
		"a key of a tutorial":              {jwts("your-256-bit-secret", strict), finding.Fail, "known key (JWT HS256)"},
		"a random key":                     {jwts(strong, strict), finding.Pass, ""},
		"the algorithm none":               {jwts(strong, func(alg string, good bool) bool { return good || strings.EqualFold(alg, "none") }), finding.Fail, "algorithm none"},
		"none but for one spelling":        {jwts(strong, func(alg string, good bool) bool { return good || alg == "nOnE" }), finding.Fail, "algorithm nOnE"},
		"the signature is not looked at":   {jwts(strong, func(string, bool) bool { return true }), finding.Fail, "old signature"},
		"cookie-session with a known key":  {cookieSession("keyboard cat"), finding.Fail, "cookie-session"},
		"cookie-session with a random key": {cookieSession(strong), finding.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := scan(t, fmt.Sprintf(demoRecipe, serve(t, test.api)))
			row := row(t, made, "session-cookie-tamperable")
			if row.Outcome != test.want {
				t.Errorf("%s %s", row.Outcome, row.Reason)
			}
			for _, found := range made.Findings {
				if found.Rule.ID == row.Rule.ID && !strings.Contains(found.Message, test.how) {
					t.Errorf("%q does not say %q", found.Message, test.how)
				}
			}
		})
	}
}
