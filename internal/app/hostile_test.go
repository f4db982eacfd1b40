package app_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// spy passes on what the API answers and keeps every cookie value it set. It
// gives the session cookie a name that could steer a runner's log, a page or a
// terminal where an output shows it as it is.
type spy struct {
	*demoapi.API
	mu     sync.Mutex
	issued []string
}

const evilName = "##[error]<b>`|sid"

// evilScript is a cookie beside the session, whose name is a script: pages and
// summaries show what cookies are called.
const evilScript = "<script>alert(1)</script>![x](http://evil)@evil"

func (s *spy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), evilName, "sid"))
	recorded := httptest.NewRecorder()
	s.API.ServeHTTP(recorded, r)
	s.mu.Lock()
	for _, set := range recorded.Result().Cookies() {
		if len(set.Value) > 8 {
			s.issued = append(s.issued, set.Value)
		}
	}
	s.mu.Unlock()
	for name, values := range recorded.Header() {
		for _, value := range values {
			if name == "Set-Cookie" {
				value = strings.Replace(value, "sid=", evilName+"=", 1)
			}
			w.Header().Add(name, value)
		}
	}
	w.Header().Add("Set-Cookie", evilScript+"=1; Path=/<script>; SameSite=<script>")
	w.Header().Set("X-Evil", "::error::stolen ##[error]stolen")
	w.WriteHeader(recorded.Code)
	_, _ = w.Write(append(recorded.Body.Bytes(), "\n\n"...))
}

func outputs(t *testing.T, r *recipe.Recipe) map[string]string {
	t.Helper()
	made, err := app.Audit(t.Context(), app.Options{Recipe: r, Now: time.Now(), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, format := range app.Formats {
		var whole bytes.Buffer
		if err := app.Write(made, []app.Output{{Format: format, File: "-"}}, &whole, app.Style{}); err != nil {
			t.Fatal(err)
		}
		written[format] = whole.String()
	}
	return written
}

// markup is what a target could plant into a format, as its cookies have it.
var markup = map[string][]string{
	"html":     {"<script", "error]<b>"},
	"junit":    {"<script", "error]<b>"},
	"markdown": {"<script", "error]<b>", "`|sid", "](", "@evil"},
}

// form tells whether bytes are of the format at all; a text is any.
func form(format string) func([]byte) bool {
	switch format {
	case "json", "sarif", "badge":
		return json.Valid
	case "junit":
		return func(text []byte) bool { return xml.Unmarshal(text, new(struct{})) == nil }
	}
	return func(text []byte) bool { return len(text) > 0 }
}

// No id, password, token or DSN is in any output, on success and on failure.
func TestNoOutputHoldsASecret(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New(append(demoapi.Demo(), "session-id-in-url", "session-id-in-response-body", "duplicate-set-cookie")...)
	if err != nil {
		t.Fatal(err)
	}
	watched := &spy{API: api}
	address := serve(t, watched)
	broken := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "password "+demoapi.AlicePassword+" is wrong; dsn postgres://canary-user:canary-dsn@db/x", http.StatusInternalServerError)
	}))
	environment := func(name string) (string, bool) {
		value, ok := map[string]string{"PW": demoapi.AlicePassword, "DSN": "postgres://canary-user:canary-dsn@127.0.0.1:1/x", "KEY": "canary-api-key"}[name]
		return value, ok
	}
	withKey := strings.Replace(demoRecipe, "identity: {request: GET /me}", `identity: {request: GET /me, headers: {X-Api-Key: "${KEY}"}}`, 1)
	withKey = strings.Replace(withKey, "{name: alice, password: alice-demo-password}", `{name: alice, password: "${PW}"}`, 1)
	for name, text := range map[string]string{
		"attacked":  fmt.Sprintf(withKey, address),
		"failing":   fmt.Sprintf(withKey, broken),
		"no store":  fmt.Sprintf(withKey, address) + "database: {url: \"${DSN}\"}\n",
		"bad start": strings.Replace(fmt.Sprintf(withKey, address), "target: {url: "+address+"}", `target: {process: {command: [sh, -c, "echo $KEY $MORE; exit 3"], environment: {KEY: "${KEY}", MORE: "${PW}"}}}`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := recipe.Parse("recipe.yml", []byte(text), environment)
			if err != nil {
				t.Fatal(err)
			}
			for format, output := range outputs(t, r) {
				watched.mu.Lock()
				canaries := append([]string{demoapi.AlicePassword, demoapi.BobPassword, "canary-dsn", "canary-api-key"}, watched.issued...)
				watched.mu.Unlock()
				for _, canary := range canaries {
					if i := strings.Index(output, canary); i >= 0 {
						t.Errorf("%s holds %q: …%s…", format, canary, output[max(0, i-60):min(len(output), i+60)])
					}
				}
				if strings.ContainsAny(output, "\x1b\x00\x07") || strings.Contains(output, "\n::") || strings.Contains(output, "##[") {
					t.Errorf("%s can steer a terminal or a runner", format)
				}
				if wants := form(format); !wants([]byte(output)) {
					t.Errorf("%s is not well-formed", format)
				}
				for _, planted := range markup[format] {
					if strings.Contains(output, planted) {
						t.Errorf("%s holds the target's %q as it is", format, planted)
					}
				}
				if format == "html" && name == "attacked" && !strings.Contains(output, "&lt;script&gt;alert(1)") {
					t.Error("the page does not show the target's cookie, so this test says nothing of it")
				}
			}
		})
	}
	if len(watched.issued) < 20 {
		t.Errorf("only %d ids were watched", len(watched.issued))
	}
}
