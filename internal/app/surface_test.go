package app_test

import (
	"cmp"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// surface scans an address alone: no users, and no way to register any.
func surface(t *testing.T, address string, change ...func(*app.Options)) report.Report {
	t.Helper()
	made := scan(t, "version: 1\ntarget: {url: "+address+"}\n", change...)
	for _, result := range made.Results {
		if result.Outcome == finding.Pass {
			t.Errorf("%s passes although nobody logged in", result.Rule.ID)
		}
		if result.Outcome == finding.NotTested && result.Reason.Text == "" {
			t.Errorf("%s is not tested, and does not say why", result.Rule.ID)
		}
	}
	for _, found := range made.Findings {
		rule, _ := catalog.Rule(found.Rule.ID)
		if len(rule.OWASPAPI) == 0 {
			t.Errorf("%s has no place in the OWASP API Security Top 10", found.Rule.ID)
		}
	}
	return made
}

func failing(made report.Report) map[string]string {
	broken := map[string]string{}
	for _, found := range made.Findings {
		broken[found.Rule.ID] = found.Message
	}
	return broken
}

func TestAnAddressAloneShowsWhatStrangersAreHanded(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		"session-cookie-missing-secure", "session-cookie-missing-httponly", "session-cookie-samesite", "session-cookie-samesite/absent",
		"session-cookie-prefix-missing", "session-cookie-domain-too-broad", "session-cookie-persistent", "session-cookie-not-partitioned",
		"permissive-session-creation",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			api, err := demoapi.New(rule)
			if err != nil {
				t.Fatal(err)
			}
			made := surface(t, serve(t, api))
			if failing(made)[rule] == "" {
				t.Errorf("findings %v, calibration %v", failing(made), made.Calibration)
			}
			if made.Gate.ExitCode != audit.ExitUnproven || !strings.Contains(made.Problem, "--user NAME with --password-env VAR") {
				t.Errorf("exit %d, %q", made.Gate.ExitCode, made.Problem)
			}
		})
	}
}

func TestAnAddressAloneFindsNothingAtAHardenedAPI(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	if made := surface(t, serve(t, api)); len(made.Findings) > 0 || made.Gate.ExitCode != audit.ExitUnproven {
		t.Errorf("exit %d, findings %v", made.Gate.ExitCode, failing(made))
	}
}

func TestTheScoreDecidesWhereAnInconclusiveScanIsAllowed(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New("session-cookie-missing-httponly")
	if err != nil {
		t.Fatal(err)
	}
	address := serve(t, api)
	for under, exit := range map[int]int{0: audit.ExitMet, 70: audit.ExitNotMet} {
		made := surface(t, address, func(o *app.Options) { o.AllowInconclusive, o.Recipe.Gate.FailUnder = true, under })
		if made.Gate.ExitCode != exit {
			t.Errorf("below %d: exit %d, %s", under, made.Gate.ExitCode, made.Gate.Reason)
		}
	}
}

// frontDoor is an API whose visitors get a cookie: what it is called and how it is
// made is up to the test.
func frontDoor(answer func(w http.ResponseWriter, r *http.Request)) http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", answer)
	return routes
}

func hand(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/"})
}

// sessionsOf knows the ids it made, and answers any other with one of its own.
func sessionsOf(name string, page func(id string) string) http.Handler {
	var known sync.Map
	routes := http.NewServeMux()
	serve := func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		if sent, err := r.Cookie(name); err == nil {
			if _, is := known.Load(sent.Value); is {
				id = sent.Value
			}
		}
		if _, is := known.LoadOrStore(id, true); !is {
			hand(w, name, id)
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page(id))
	}
	routes.HandleFunc("GET /{$}", serve)
	routes.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		sent, err := r.Cookie(name)
		if err != nil {
			sent = &http.Cookie{}
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<form method="post" action="/enter?sid=`+sent.Value+`"><input name="username"><input type="password" name="password"></form>`)
	})
	return routes
}

func TestPagesThatShowAStrangerAnIDInALinkAreFound(t *testing.T) {
	t.Parallel()
	made := surface(t, serve(t, sessionsOf("app", func(string) string { return `<a href="/login">log in</a>` })))
	if said := failing(made)["session-id-in-url"]; !strings.Contains(said, "GET /login") {
		t.Errorf("%q, findings %v, calibration %v", said, failing(made), made.Calibration)
	}
	made = surface(t, serve(t, sessionsOf("app", func(id string) string { return `<p>` + id + `</p>` })))
	if said := failing(made)["session-id-in-response-body"]; !strings.Contains(said, "GET /") {
		t.Errorf("%q, findings %v", said, failing(made))
	}
}

func TestAnIDOfTheQueryOrAHeaderThatBecomesTheCookieIsFound(t *testing.T) {
	t.Parallel()
	for where, take := range map[string]func(*http.Request) string{
		"query parameter": func(r *http.Request) string { return r.URL.Query().Get("sid") },
		"header":          func(r *http.Request) string { return r.Header.Get("X-Session-ID") },
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			made := surface(t, serve(t, frontDoor(func(w http.ResponseWriter, r *http.Request) {
				if _, err := r.Cookie("sid"); err != nil {
					hand(w, "sid", cmp.Or(take(r), rand.Text()))
				}
			})))
			if said := failing(made)["permissive-session-creation"]; !strings.Contains(said, where) {
				t.Errorf("%q, findings %v, calibration %v", said, failing(made), made.Calibration)
			}
		})
	}
}

// A long cookie is no session for its length: each of these is another thing.
func TestWhatIsNoSessionIsNotCalledOne(t *testing.T) {
	t.Parallel()
	once := func(name string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Cookie(name); err != nil {
				hand(w, name, rand.Text())
			}
		}
	}
	for what, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"the number of a visitor":        once("visitor"),
		"a CSRF token":                   once("csrftoken"),
		"a choice made at every request": func(w http.ResponseWriter, _ *http.Request) { hand(w, "route", rand.Text()) },
		"one value for everybody":        func(w http.ResponseWriter, _ *http.Request) { hand(w, "session", "the-same-for-everybody") },
		"a short value":                  func(w http.ResponseWriter, _ *http.Request) { hand(w, "session", rand.Text()[:6]) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if made := surface(t, serve(t, frontDoor(answer))); len(made.Findings) > 0 || made.Calibration.Carrier != "" {
				t.Errorf("%s is called a session: %v", made.Calibration.Carrier, failing(made))
			}
		})
	}
	cdn := surface(t, serve(t, sessionsOf("__cf_bm", func(string) string { return "" })))
	if len(cdn.Findings) > 0 {
		t.Errorf("a CDN's cookie is called a session: %v", failing(cdn))
	}
}

func TestAStrangersCookieThatASharedCacheKeepsIsFound(t *testing.T) {
	t.Parallel()
	api := sessionsOf("app", func(string) string { return "" })
	made := surface(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		api.ServeHTTP(w, r)
	})))
	if failing(made)["session-response-cacheable"] == "" {
		t.Errorf("findings %v, calibration %v", failing(made), made.Calibration)
	}
}
