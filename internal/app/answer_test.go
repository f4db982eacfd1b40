package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/catalog"
)

const strict = "__Host-sid=canary-value-7f3a; Path=/; Secure; HttpOnly; SameSite=Lax"

func answered(t *testing.T, given app.Answer) app.Checked {
	t.Helper()
	if given.At.IsZero() {
		given.At = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	}
	made, err := app.CheckAnswer(given)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprintf("%+v", made), "canary-value") {
		t.Errorf("a cookie's value is shown: %+v", made)
	}
	return made
}

func broken(made app.Checked) []string {
	rules := []string{}
	for _, found := range made.Findings {
		rules = append(rules, found.Rule.ID)
	}
	slices.Sort(rules)
	return rules
}

func TestOneAnswerBreaksWhatItShows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given app.Answer
		want  []string
	}{
		"strict": {app.Answer{Cookies: []string{strict}}, []string{}},
		"bare": {app.Answer{Cookies: []string{"sid=canary-value-7f3a"}},
			[]string{"session-cookie-missing-httponly", "session-cookie-missing-secure", "session-cookie-prefix-missing", "session-cookie-samesite/absent"}},
		"with the field's name, among headers": {app.Answer{Lines: []string{"HTTP/1.1 200 OK", "content-type: text/html", "set-cookie: " + strings.Replace(strict, "HttpOnly; ", "", 1)}},
			[]string{"session-cookie-missing-httponly"}},
		"cross-site": {app.Answer{Cookies: []string{strings.Replace(strict, "Lax", "None", 1)}},
			[]string{"session-cookie-not-partitioned", "session-cookie-samesite"}},
		"a year, for all subdomains": {app.Answer{Cookies: []string{"sid=canary-value-7f3a; Domain=example.com; Max-Age=31536000; Secure; HttpOnly; SameSite=Strict"}},
			[]string{"session-cookie-domain-too-broad", "session-cookie-persistent", "session-cookie-prefix-missing"}},
		"an Expires in half a year": {app.Answer{Cookies: []string{strict + "; Expires=Tue, 01 Dec 2026 12:00:00 GMT"}}, []string{"session-cookie-persistent"}},
		"dropped by browsers":       {app.Answer{Cookies: []string{strings.Replace(strict, "Path=/; ", "", 1)}}, []string{"session-cookie-rejected-by-browser"}},
		"of another host": {app.Answer{Cookies: []string{"sid=canary-value-7f3a; Domain=other.example; Secure; HttpOnly; SameSite=Lax"}, URL: "https://api.example.com"},
			[]string{"session-cookie-domain-too-broad", "session-cookie-prefix-missing", "session-cookie-rejected-by-browser"}},
		"shared cache":           {app.Answer{Cookies: []string{strict}, Lines: []string{"Cache-Control: public, max-age=60"}, Request: "GET /"}, []string{"session-response-cacheable"}},
		"no request":             {app.Answer{Cookies: []string{strict}, Lines: []string{"Cache-Control: public, max-age=60"}}, []string{}},
		"a profile":              {app.Answer{Lines: []string{"Content-Type: application/json"}, Request: "GET /me", ShowsUser: true}, []string{"session-response-cacheable/no-store-missing"}},
		"the cookie that counts": {app.Answer{Cookies: []string{strict, "csrf=canary-value-9; Secure; SameSite=Lax; Path=/"}, Session: []string{"__Host-sid"}}, []string{}},
		"plain http":             {app.Answer{Cookies: []string{"__Host-sid=canary-value-7f3a; Path=/; HttpOnly; SameSite=Lax"}, URL: "http://127.0.0.1:8000"}, []string{"session-cookie-rejected-by-browser"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, broken(answered(t, test.given))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What one answer does not decide is open, with its reason, and never held.
func TestOneAnswerClaimsNothingItDoesNotShow(t *testing.T) {
	t.Parallel()
	made := answered(t, app.Answer{Lines: []string{"Content-Type: text/html"}})
	if len(made.Findings) > 0 || len(made.Held) > 0 || len(made.Session) > 0 {
		t.Errorf("%+v", made)
	}
	for _, open := range made.Open {
		if open.Why == "" {
			t.Errorf("%s is open without a reason", open.Rule)
		}
		if _, known := catalog.Rule(open.Rule); !known {
			t.Errorf("there is no rule %s", open.Rule)
		}
	}
	decided := func(made app.Checked, rule string) bool { return slices.Contains(made.Held, rule) }
	whole := answered(t, app.Answer{Cookies: []string{strict}})
	if !decided(whole, "session-cookie-missing-secure") || decided(whole, "session-response-cacheable") || decided(whole, "duplicate-set-cookie") {
		t.Errorf("%+v", whole)
	}
	if local := answered(t, app.Answer{Cookies: []string{strict}, URL: "http://127.0.0.1:8000"}); decided(local, "session-cookie-missing-secure") {
		t.Errorf("%+v", local)
	}
	deleted := answered(t, app.Answer{Cookies: []string{"sid=; Max-Age=0"}})
	if len(deleted.Findings) > 0 || decided(deleted, "session-cookie-missing-httponly") {
		t.Errorf("%+v", deleted)
	}
}

func TestOneAnswerIsReadAsHostile(t *testing.T) {
	t.Parallel()
	made := answered(t, app.Answer{Cookies: []string{"s\u202eid\u009b31m=canary-value-7f3a; Path=/\u200b", "sid=a\x1b[31m", "=; Secure"}})
	if len(made.Ignored) != 2 {
		t.Errorf("ignored: %q", made.Ignored)
	}
	if text := fmt.Sprintf("%+v", made); strings.ContainsAny(text, "\u202e\u009b\u200b\x1b") {
		t.Errorf("%q", text)
	}
	for name, wrong := range map[string]app.Answer{
		"nothing":      {},
		"too many":     {Cookies: make([]string, 201)},
		"too long":     {Lines: []string{strings.Repeat("x", 16<<10+1)}},
		"no address":   {Cookies: []string{strict}, URL: "ftp://api.example"},
		"no request":   {Cookies: []string{strict}, Request: "get me"},
		"half request": {Cookies: []string{strict}, Request: "GET"},
	} {
		if _, err := app.CheckAnswer(wrong); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
