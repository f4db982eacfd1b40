package app_test

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
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
		"permissive-session-creation", "session-ids-shown-to-strangers", "personal-data-without-session",
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

func TestAnIDOfTheBodyOrThePathThatBecomesTheCookieIsFound(t *testing.T) {
	t.Parallel()
	member := func(r *http.Request) string {
		var sent map[string]string
		_ = json.NewDecoder(r.Body).Decode(&sent)
		return cmp.Or(sent["session_id"], sent["sid"])
	}
	for where, visit := range map[string]struct {
		steps string
		take  func(*http.Request) string
	}{
		"JSON member": {"steps: {visit: {request: POST /start, json: {}}}\n", member},
		"path parameter": {"", func(r *http.Request) string {
			_, id, _ := strings.Cut(r.URL.Path, ";jsessionid=")
			return id
		}},
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/start" && r.URL.Path != "/" && !strings.HasPrefix(r.URL.Path, "/;") {
					http.NotFound(w, r)
					return
				}
				if _, err := r.Cookie("sid"); err != nil {
					hand(w, "sid", cmp.Or(visit.take(r), rand.Text()))
				}
			}))
			made := scan(t, "version: 1\ntarget: {url: "+address+"}\n"+visit.steps)
			if said := failing(made)["permissive-session-creation"]; !strings.Contains(said, where) {
				t.Errorf("%q, findings %v, calibration %v", said, failing(made), made.Calibration)
			}
		})
	}
}

// describing is an API that answers a stranger with those pages, and whose
// description names them; without a cookie, and with nothing at /.
func describing(pages map[string]string, secured ...string) http.Handler {
	paths := map[string]any{}
	routes := http.NewServeMux()
	for path, page := range pages {
		operation := map[string]any{"responses": map[string]any{"200": map[string]any{"description": "it"}}}
		if slices.Contains(secured, path) {
			operation["security"] = []any{map[string]any{"key": []string{}}}
		}
		paths[path] = map[string]any{"get": operation}
		routes.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, page)
		})
	}
	document, _ := json.Marshal(map[string]any{"openapi": "3.1.0", "info": map[string]string{"title": "it", "version": "1"}, "paths": paths,
		"components": map[string]any{"securitySchemes": map[string]any{"key": map[string]string{"type": "http", "scheme": "bearer"}}}})
	routes.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document) })
	return routes
}

const people = `{"items": [{"id": 1, "email": "ann.lee@kestrel.io", "phone": "+44 20 7946 0358"}, {"id": 2, "email": "bo.ray@kestrel.io", "phone": "+44 20 7946 0461"}]}`

func TestWhatLooksPersonalIsFoundWithoutAnyCookie(t *testing.T) {
	t.Parallel()
	address := serve(t, describing(map[string]string{"/users": people, "/products": `[{"name": "Blue Chair"}]`}, "/users"))
	made := surface(t, address)
	const want = "GET /users shows 2 people's email, phone to a stranger. The API's own description says that the operation wants a credential."
	if said := failing(made)["personal-data-without-session"]; said != want {
		t.Errorf("%q, findings %v, calibration %v", said, failing(made), made.Calibration)
	}
	if made.Gate.ExitCode != audit.ExitUnproven || made.Calibration.Carrier != "" {
		t.Errorf("exit %d, carrier %q", made.Gate.ExitCode, made.Calibration.Carrier)
	}
	if made.Requests > 40 {
		t.Errorf("%d requests", made.Requests)
	}
	for under, exit := range map[int]int{0: audit.ExitMet, 95: audit.ExitNotMet} {
		made := surface(t, address, func(o *app.Options) { o.AllowInconclusive, o.Recipe.Gate.FailUnder = true, under })
		if made.Gate.ExitCode != exit {
			t.Errorf("below %d: exit %d, %s", under, made.Gate.ExitCode, made.Gate.Reason)
		}
	}
}

// withUsers is an address and who may log in there; the steps are looked for.
func withUsers(address string) string {
	return "version: 1\ntarget: {url: " + address + "}\nusers:\n  - {name: alice, password: alice-demo-password}\n  - {name: bob, password: bob-demo-password}\n"
}

// A page of one's own that is closed says nothing of the pages beside it.
func TestUsersHideNothingThatIsPersonal(t *testing.T) {
	t.Parallel()
	const rule = "personal-data-without-session"
	made := scan(t, withUsers(demo(t, rule)))
	if broken := failing(made); len(broken) != 1 || !strings.HasPrefix(broken[rule], "GET /customers shows 2 people's birth_date, full_name, phone to a stranger.") {
		t.Errorf("findings %v, problem %q", broken, made.Problem)
	}
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	names := describing(map[string]string{"/customers": ""}, "/customers")
	hardened := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/customers" && len(r.Cookies()) == 0 {
			asked.Add(1)
		}
		if r.URL.Path == "/openapi.json" {
			names.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}))
	made = scan(t, withUsers(hardened))
	if row := rowOf(made, rule); row.Outcome != finding.Pass || len(made.Findings) > 0 || asked.Load() != 1 {
		t.Errorf("closed: %s, %q, %d requests; findings %v", row.Outcome, row.Reason.Text, asked.Load(), failing(made))
	}
	plain := scan(t, withUsers(demo(t)))
	if row := rowOf(plain, rule); row.Reason.Code != finding.Decided || !strings.HasPrefix(row.Reason.Text, "no description of the API was read") {
		t.Errorf("nothing is described: %s, %q", row.Outcome, row.Reason.Text)
	}
	if made.Score.Value < plain.Score.Value {
		t.Errorf("a description lowers the score from %d to %d", plain.Score.Value, made.Score.Value)
	}
}

func rowOf(made report.Report, rule string) report.Result {
	i := slices.IndexFunc(made.Results, func(r report.Result) bool { return r.Rule.ID == rule })
	return made.Results[i]
}

// failingAt hangs up on those paths.
func failingAt(api http.Handler, paths ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(paths, r.URL.Path) {
			panic(http.ErrAbortHandler)
		}
		api.ServeHTTP(w, r)
	})
}

func TestAPageThatDoesNotAnswerHidesNoOther(t *testing.T) {
	t.Parallel()
	const shown, personal = "session-ids-shown-to-strangers", "personal-data-without-session"
	visits := monitored("/actuator/httpexchanges", func(id string) string { return id })
	if made := surface(t, serve(t, failingAt(visits, "/debug/sessions", "/metrics"))); failing(made)[shown] == "" {
		t.Errorf("nobody can log in: %v", made.Calibration)
	}
	logins, err := demoapi.New(shown)
	if err != nil {
		t.Fatal(err)
	}
	// The rest of three silent pages is not asked for; what was shown until then counts.
	for _, silent := range [][]string{{"/metrics"}, {"/sessions", "/api/sessions", "/admin/sessions"}} {
		if made := scan(t, demoapi.Recipe(serve(t, failingAt(logins, silent...)))); failing(made)[shown] == "" {
			row := rowOf(made, shown)
			t.Errorf("%v: %s, %q", silent, row.Outcome, row.Reason.Text)
		}
	}
	described := describing(map[string]string{"/accounts": people, "/users": people, "/members": people})
	if made := surface(t, serve(t, failingAt(described, "/accounts", "/members"))); !strings.HasPrefix(failing(made)[personal], "GET /users ") {
		t.Errorf("described: %v, %v", failing(made), made.Calibration)
	}
}

func TestWhatIsPublicOnPurposeIsNoFinding(t *testing.T) {
	t.Parallel()
	made := surface(t, serve(t, describing(map[string]string{
		"/products": `[{"name": "Blue Chair", "price": "19.90", "sku": "7946035812"}]`,
		"/posts":    `[{"title": "On hats", "author": {"name": "Ann Lee", "email": "ann.lee@kestrel.io"}}]`,
		"/contact":  `{"email": "we@kestrel.io", "phone": "+44 20 7946 0358"}`,
		"/status":   `{"status": "ok", "started": "2026-02-03", "requests": 79460358}`,
		"/shops":    `[{"name": "Kestrel Mitte", "phone": "+44 20 7946 0358", "address": "Mill Lane 12"}]`,
	})))
	if len(made.Findings) > 0 {
		t.Errorf("%v", failing(made))
	}
	closed := surface(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/openapi.json" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, people)
			return
		}
		describing(map[string]string{"/users": people}, "/users").ServeHTTP(w, r)
	})))
	if len(closed.Findings) > 0 {
		t.Errorf("behind a 401: %v", failing(closed))
	}
}

// What could be more than a reading is not asked for.
func TestNothingHarmfulIsOpenedForAStranger(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	pages := map[string]string{}
	harmful := []string{"/users/delete", "/logout", "/payments/send", "/cancel", "/users/{id}", "/stream", "/verify"}
	for _, path := range append([]string{"/users", "/orders", "/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"}, harmful...) {
		pages[path] = people
	}
	api := describing(pages)
	made := surface(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		api.ServeHTTP(w, r)
	})))
	opened := 0
	for path := range asked {
		if slices.Contains(harmful, path) {
			t.Errorf("%s is asked for", path)
		}
		if _, is := pages[path]; is {
			opened++
		}
	}
	if opened != 8 || asked["/users"] == 0 || asked["/orders"] == 0 || len(made.Findings) != 8 {
		t.Errorf("%d pages opened, %v, %d findings", opened, asked, len(made.Findings))
	}
}

// echoing answers TRACE as RFC 9110 §9.3.8 has it.
func echoing(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodTrace {
			api.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "message/http")
		_ = r.Write(w)
	})
}

func TestAServerThatAnswersTRACEWithTheCookieIsFound(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	address := serve(t, echoing(api))
	for path, made := range map[string]report.Report{"/": surface(t, address), "/me": scan(t, demoapi.Recipe(address))} {
		broken := failing(made)
		said := broken["session-id-in-response-body"]
		if len(broken) != 1 || !strings.HasPrefix(said, "TRACE "+path+" answers with the request's Cookie header") {
			t.Errorf("%v", broken)
		}
	}
}

// monitored has a page that tells of each session of its visitors.
func monitored(path string, tell func(id string) string) http.Handler {
	var mu sync.Mutex
	page := ""
	visits := sessionsOf("app", func(string) string { return "" })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == path {
			_, _ = io.WriteString(w, page)
			return
		}
		visits.ServeHTTP(w, r)
		if set, err := http.ParseSetCookie(w.Header().Get("Set-Cookie")); err == nil {
			page += tell(set.Value) + "\n"
		}
	})
}

func TestPagesThatShowAnotherVisitorsIDAreFound(t *testing.T) {
	t.Parallel()
	quoted := func(id string) string { return `{"sessions": ["` + id + `"]}` }
	made := surface(t, serve(t, monitored("/actuator/httpexchanges", quoted)))
	if said := failing(made)["session-ids-shown-to-strangers"]; !strings.HasPrefix(said, "GET /actuator/httpexchanges shows a stranger") || len(made.Findings[0].Evidence) != 3 {
		t.Errorf("%q, findings %v", said, failing(made))
	}
	if failing(made)["session-id-in-response-body"] != "" {
		t.Error("what a page shows of another is told twice")
	}
	for what, page := range map[string]func(string) string{
		"nothing":         func(string) string { return "ok" },
		"a part":          func(id string) string { return quoted(id[:min(len(id), 10)]) },
		"what is too far": func(id string) string { return strings.Repeat("padding ", 1<<20) + id },
	} {
		if made := surface(t, serve(t, monitored("/metrics", page))); failing(made)["session-ids-shown-to-strangers"] != "" {
			t.Errorf("a page that shows %s: %v", what, failing(made))
		}
	}
}

func TestAPageThatTheDescriptionNamesIsAskedForSessions(t *testing.T) {
	t.Parallel()
	shown := monitored("/internal/debug-dump", func(id string) string { return id })
	names := describing(map[string]string{"/internal/debug-dump": ""})
	made := surface(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openapi.json" {
			names.ServeHTTP(w, r)
			return
		}
		shown.ServeHTTP(w, r)
	})))
	if said := failing(made)["session-ids-shown-to-strangers"]; !strings.HasPrefix(said, "GET /internal/debug-dump ") {
		t.Errorf("%q, findings %v, calibration %v", said, failing(made), made.Calibration)
	}
}

// Neither the values of a page nor the ids on it are in any output, and what the
// names of its fields are made of does nothing there.
func TestNoOutputHoldsWhatAStrangerWasShown(t *testing.T) {
	t.Parallel()
	canaries := []string{"ann.lee@kestrel.io", "+44 20 7946 0358", "1987-04-12", "Annabel Kestrel", "f3a9c1d07b2e4f6a8c5d"}
	hostile := `[{"full_name": "` + canaries[3] + `", "email": "` + canaries[0] + `", "phone": "` + canaries[1] + `", "` + evilJSON + `dob": "` + canaries[2] +
		`", "birth-date": "` + canaries[2] + `"}, {"user": "ann", "session_id": "` + canaries[4] + `"}, ` + strings.Repeat(`{"a":[`, 100_000)
	r, err := recipe.Parse("recipe.yml", []byte("version: 1\ntarget: {url: "+serve(t, describing(map[string]string{"/users": hostile, "/people": hostile}))+"}\n"),
		func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	for format, output := range outputs(t, r) {
		if format != "badge" && !strings.Contains(output, "personal-data-without-session") && !strings.Contains(output, "looks like other people's data") && !strings.Contains(output, "look") {
			t.Errorf("%s does not tell the finding", format)
		}
		for _, canary := range append(canaries, "<b>", "](http", "\x1b") {
			if format == "html" && canary == "<b>" {
				continue // its own markup
			}
			if i := strings.Index(output, canary); i >= 0 {
				t.Errorf("%s holds %q: …%s…", format, canary, output[max(0, i-60):min(len(output), i+60)])
			}
		}
		if strings.Contains(output, "evil-name") {
			t.Errorf("%s holds a part of the name of a field", format)
		}
		if wants := form(format); !wants([]byte(output)) {
			t.Errorf("%s is not well-formed", format)
		}
	}
}

const evilJSON = `<b>evil-name\u001b[31m](http://evil)@`

// A page that lists ids has others beside the one that is taken from it: not even
// a part of one is in any output.
func TestNoOutputHoldsAPartOfAnIDThatAPageLists(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New("session-ids-shown-to-strangers", "session-cookie-missing-secure")
	if err != nil {
		t.Fatal(err)
	}
	watched := &spy{API: api}
	address := serve(t, watched)
	for name, text := range map[string]string{"with users": demoapi.Recipe(address), "alone": "version: 1\ntarget: {url: " + address + "}\n"} {
		r, err := recipe.Parse("recipe.yml", []byte(text), func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		for format, output := range outputs(t, r) {
			if format == "json" && !strings.Contains(output, `"page /debug/sessions"`) {
				t.Errorf("%s: no finding", name)
			}
			watched.mu.Lock()
			for _, id := range watched.issued {
				if tail := id[len(id)-10:]; strings.Contains(output, tail) {
					t.Errorf("%s: %s holds a part of an id", name, format)
				}
			}
			watched.mu.Unlock()
		}
	}
}
