package recipe_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

var compared = cmp.Options{
	cmpopts.IgnoreUnexported(recipe.Recipe{}, recipe.Process{}),
	cmpopts.IgnoreTypes(recipe.Pos{}),
	cmp.Comparer(func(a, b secret.Text) bool { return a == b }),
	cmp.Comparer(func(a, b *regexp.Regexp) bool { return (a == nil) == (b == nil) }),
}

func name(n string) recipe.Part { return recipe.Part{Name: n} }
func text(s string) recipe.Part { return recipe.Part{Text: s} }
func from(v string) recipe.Part { return recipe.Part{Secret: secret.New(environment[v])} }
func join(p ...recipe.Part) recipe.Template {
	return recipe.Template{Parts: p}
}
func get(path string) recipe.Request {
	return recipe.Request{Method: "GET", Path: recipe.Literal(path)}
}
func post(path string) recipe.Request {
	return recipe.Request{Method: "POST", Path: recipe.Literal(path)}
}

func load(t *testing.T, file string) *recipe.Recipe {
	t.Helper()
	got, err := recipe.Load(filepath.Join("testdata", "good", file), getenv)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// The example of the contract shows alternatives side by side: it can be read,
// and the whole is refused until one of each is left.
func TestContractExample(t *testing.T) {
	t.Parallel()
	got := load(t, "contract.yml")
	err := got.Validate()
	if err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Errorf("three targets and two databases are valid: %v", err)
	}
	credentials := map[string]any{"username": recipe.Placeholder("username"), "password": recipe.Placeholder("password")}
	login := post("/login")
	login.Body = recipe.Body{Kind: recipe.JSONBody, JSON: credentials}
	register := post("/register")
	register.Body = login.Body
	login.Source = recipe.Source{File: "app/auth.py", Line: 42}
	sudo := post("/sudo")
	sudo.Body = recipe.Body{Kind: recipe.JSONBody, JSON: map[string]any{"password": recipe.Placeholder("password")}}
	change := post("/password")
	change.Body = recipe.Body{Kind: recipe.JSONBody, JSON: map[string]any{
		"old": recipe.Placeholder("password"), "new": recipe.Placeholder("new_password")}}
	dsn, alice, bob := secret.New(environment["DATABASE_URL"]), secret.New(environment["ALICE_PASSWORD"]), secret.New(environment["BOB_PASSWORD"])
	want := &recipe.Recipe{
		File: "testdata/good/contract.yml", Version: 1,
		Target: recipe.Target{
			URL: recipe.Literal("http://127.0.0.1:8000"),
			Process: &recipe.Process{
				Command:     []recipe.Template{recipe.Literal("uvicorn"), recipe.Literal("app:app"), recipe.Literal("--port"), recipe.Placeholder("PORT")},
				Directory:   "api",
				Environment: []recipe.Pair{{Name: "LOG_LEVEL", Value: recipe.Literal("warning")}},
			},
			Container: &recipe.Container{Image: "ghcr.io/acme/api:1.2.3", Port: 8000, Mount: []recipe.Mount{{Source: ".", Target: "/src"}}},
			Ready:     get("/health"), StartTimeout: time.Minute,
		},
		Database: &recipe.Database{
			URL: dsn, Ephemeral: "cockroachdb", Version: "v26.2.5", EnvironmentVariable: []string{"DATABASE_URL"},
			Schema: "db/schema.sql", Seed: "db/seed.sql", Table: "sessions",
		},
		Users: []recipe.User{{Name: "alice", Username: "alice", Password: alice}, {Name: "bob", Username: "bob", Password: bob}},
		Steps: recipe.Steps{
			"register":        {Name: "register", Requests: []recipe.Request{register}},
			"visit":           {Name: "visit", Requests: []recipe.Request{get("/")}},
			"login":           {Name: "login", Requests: []recipe.Request{login}, Source: login.Source},
			"identity":        {Name: "identity", Requests: []recipe.Request{get("/me")}},
			"logout":          {Name: "logout", Requests: []recipe.Request{post("/logout")}},
			"elevate":         {Name: "elevate", Requests: []recipe.Request{sudo}, Then: []recipe.Request{get("/admin")}},
			"change-password": {Name: "change-password", Requests: []recipe.Request{change}},
		},
		Session:       recipe.Session{Carrier: recipe.Auto},
		Policy:        recipe.Policy{IdleTimeout: 30 * time.Minute, AbsoluteTimeout: 12 * time.Hour},
		NotApplicable: []recipe.NotApplicable{{Rule: "logout-session-not-invalidated", Reason: "no logout by design"}},
		Accepted: []recipe.Accepted{{Rule: "session-cookie-prefix-missing", Reason: "legacy domain",
			Until: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)}},
		Gate:    recipe.Gate{FailUnder: 70, FailOn: "any", Baseline: ".sessiongate-baseline.json"},
		Secrets: []secret.Text{dsn, alice, bob},
	}
	if diff := cmp.Diff(want, got, compared); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if dir := got.Target.Process.Dir(); dir != filepath.FromSlash("testdata/good/api") {
		t.Errorf("the process runs in %q", dir)
	}
	got.Target.Process, got.Target.Container, got.Database.Ephemeral = nil, nil, ""
	if err := got.Validate(); err != nil {
		t.Errorf("with one target and one database: %v", err)
	}
}

func TestEveryForm(t *testing.T) {
	t.Parallel()
	got := load(t, "forms.yml")
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	word := secret.New(environment["WORD"])
	if diff := cmp.Diff(recipe.Target{
		Container: &recipe.Container{
			Build: &recipe.Build{Context: "api", Dockerfile: "Dockerfile"}, Command: []string{"serve", "--workers", "2"}, Port: 8000,
			Environment: []recipe.Pair{{Name: "DEBUG", Value: recipe.Literal("true")}, {Name: "WORD", Value: join(from("WORD"))}, {Name: "EMPTY"}},
		},
		Ready: recipe.Request{Method: "GET", Path: recipe.Literal("/health"), Expect: []int{204}},
	}, got.Target, compared); diff != "" {
		t.Errorf("target, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(&recipe.Database{Ephemeral: "postgres", Version: "17", EnvironmentVariable: []string{"DATABASE_URL", "READ_URL"}},
		got.Database, compared); diff != "" {
		t.Errorf("database, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]recipe.User{{Name: "alice", Username: "alice", Password: secret.New("pass word")}, {Name: "guest", Username: "guest"}},
		got.Users, compared); diff != "" {
		t.Errorf("users, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(everyStep(), got.Steps, compared); diff != "" {
		t.Errorf("steps, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(recipe.Session{Carrier: "header", Header: "Authorization", Value: join(text("Token "), name("token"))},
		got.Session, compared); diff != "" {
		t.Errorf("session, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]secret.Text{word, secret.New("pass word")}, got.Secrets, compared); diff != "" {
		t.Errorf("secrets, -want +got:\n%s", diff)
	}
	if got.Gate.FailUnder != 70 || got.Gate.FailOn != "any" {
		t.Errorf("the gate's defaults are %+v", got.Gate)
	}
}

func everyStep() recipe.Steps {
	source := recipe.Source{File: "app/auth.py"}
	compiled := regexp.MustCompile("")
	return recipe.Steps{
		"visit": {Name: "visit", Requests: []recipe.Request{{Method: "GET", Path: join(text("/?from="), name("random"))}}},
		"login": {Name: "login", Source: source, Requests: []recipe.Request{{
			Method: "GET", Path: recipe.Literal("/login"), Follow: true,
			Headers: []recipe.Pair{{Name: "X-Key", Value: join(text("key "), from("WORD"))}, {Name: "X-Count", Value: recipe.Literal("3")}},
			Query:   []recipe.Pair{{Name: "page", Value: recipe.Literal("1")}},
			Capture: []recipe.Capture{
				{Name: "csrf", HTML: "input[name=csrf]", Regex: "([0-9a-f]+)", Pattern: compiled},
				{Name: "uid", Regex: `name="uid" value="([0-9a-f]+)"`, Pattern: compiled},
				{Name: "token", JSON: "$.token"}, {Name: "jar", Cookie: "csrftoken"}, {Name: "head", Header: "X-CSRF-Token"},
			},
		}, {
			Method: "POST", Path: join(text("/u/"), name("uid"), text("/login")), Expect: []int{200, 303}, Source: source,
			Body: recipe.Body{Kind: recipe.FormBody, Fields: []recipe.Pair{
				{Name: "csrf", Value: join(name("csrf"))}, {Name: "user", Value: join(name("username"))},
				{Name: "remember", Value: recipe.Literal("on")}, {Name: "n", Value: recipe.Literal("1")},
			}},
		}}},
		"identity": {Name: "identity", Requests: []recipe.Request{{
			Method: "POST", Path: recipe.Literal("/me"), Body: recipe.Body{Kind: recipe.JSONBody, JSON: map[string]any{
				"text":    join(text("a"), name("token"), text("b"), from("WORD")),
				"escaped": join(text("${WORD} {{x}} {"), name("jar"), text("}")),
				"numbers": []any{int64(1), int64(-2), 1.5, 1000.0},
				"other":   []any{true, nil, map[string]any{}, []any{}},
			}},
		}}},
		"logout": {Name: "logout", Requests: []recipe.Request{post("/logout")}},
		"elevate": {Name: "elevate", Requests: []recipe.Request{get("/sudo"), {
			Method: "POST", Path: recipe.Literal("/sudo"), Body: recipe.Body{Kind: recipe.RawBody,
				Raw: join(text("password="), name("password"), text("\nword="), from("WORD"), text("\n"))},
		}}, Then: []recipe.Request{get("/admin"), get("/admin/2")}},
		"change-password": {Name: "change-password", Requests: []recipe.Request{{
			Method: "POST", Path: recipe.Literal("/password"), Body: recipe.Body{Kind: recipe.MultipartBody,
				Fields: []recipe.Pair{{Name: "new", Value: join(name("new_password"))}}},
		}}},
	}
}

func TestSessionForms(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]recipe.Session{
		"{carrier: auto}":        {Carrier: "auto"},
		"{cookie: session_id}":   {Carrier: "cookie", Cookie: []string{"session_id"}},
		"{cookie: [a, b]}":       {Carrier: "cookie", Cookie: []string{"a", "b"}},
		"{header: X-Session-ID}": {Carrier: "header", Header: "X-Session-ID"},
		`{bearer: "{{token}}"}`:  {Carrier: "bearer", Bearer: join(name("token"))},
		"{query: sid}":           {Carrier: "query", Query: "sid"},
		`{path: "/s/{{sid}}/"}`:  {Carrier: "path", Path: join(text("/s/"), name("sid"), text("/"))},
	} {
		got, err := recipe.Parse("r.yml", []byte("version: 1\nsession: "+form+"\n"), getenv)
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if diff := cmp.Diff(want, got.Session, compared); diff != "" {
			t.Errorf("%s, -want +got:\n%s", form, diff)
		}
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	got, err := recipe.Parse("r.yml", []byte("\ufeffversion: 1\r\nusers:\r\n  - {name: ä, password: b}\r\nnot-applicable:\r\n- {reason: x, rule: login-csrf}\r\n"), getenv)
	if err != nil {
		t.Fatal(err)
	}
	if want := (recipe.Pos{File: "r.yml", Line: 3, Column: 5}); got.Users[0].Pos != want {
		t.Errorf("the user stands at %s, not %s", got.Users[0].Pos, want)
	}
	problem := got.ErrorAt(got.NotApplicable[0].Pos, "no such rule")
	problem.Hint = recipe.Nearest("login-crsf", []string{"login-over-get", "login-csrf"})
	want := "r.yml:5:21: no such rule\n    5 | - {reason: x, rule: login-csrf}\n      |                     ^\ndid you mean \"login-csrf\"?"
	if problem.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", problem, want)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("version: 1\nusers:\n")
	for range 100 {
		text.WriteString("  - {nope: x}\n")
	}
	_, err := recipe.Parse("r.yml", []byte(text.String()), getenv)
	found := problems(t, err)
	if len(found) != 20 || found[0].Pos.Line != 3 || found[19].Pos.Line != 22 {
		t.Errorf("%d problems, from %s to %s", len(found), found[0].Pos, found[len(found)-1].Pos)
	}
}

// bombs are what the YAML library would choke on.
func bombs() map[string]string {
	return map[string]string{
		"brackets":  strings.Repeat("[", 1<<20),
		"braces":    "version: 1\nsteps: " + strings.Repeat("{a: ", 10_000),
		"dashes":    strings.Repeat("- ", 1<<19),
		"keys":      strings.Repeat("a:\n", 1<<18),
		"long keys": "version: 1\n" + strings.Repeat("x", 1<<19) + ":\n" + strings.Repeat("  a: 1\n", 1000),
		"holes":     "version: 1\nsteps: {login: {request: POST /, body: \"" + strings.Repeat("{{a}}${B}", 1<<16) + "\"}}",
		"too long":  "version: 1\n" + strings.Repeat("# comment\n", 1<<17),
		"lines":     "version: 1\nusers:\n" + strings.Repeat("- {a: "+strings.Repeat("x", 100)+"}\n", 3000),
		"captures":  "version: 1\nsteps:\n  visit:\n    request: GET /\n    capture:\n" + captures(200),
	}
}

// A bomb is refused before the library sees it; BenchmarkBombs holds how fast.
func TestBombs(t *testing.T) {
	t.Parallel()
	for name, bomb := range bombs() {
		_, err := recipe.Parse("r.yml", []byte(bomb), getenv)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if len(err.Error()) > 20_000 {
			t.Errorf("%s: %d bytes to say so", name, len(err.Error()))
		}
	}
}

func BenchmarkBombs(b *testing.B) {
	for name, bomb := range bombs() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := recipe.Parse("r.yml", []byte(bomb), getenv); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}

func captures(count int) string {
	var text strings.Builder
	for i := range count {
		text.WriteString("      c" + strings.Repeat("x", i/26) + string(rune('a'+i%26)) + `: {regex: '\pL{1000}'}` + "\n")
	}
	return text.String()
}

func TestHostileLinesArePrintable(t *testing.T) {
	t.Parallel()
	_, err := recipe.Parse("r.yml", []byte("version: 1\n::set-env name=x::\u202ey: 1\n\"k\\u001b[31m\": 1\n"), getenv)
	if err == nil {
		t.Fatal("accepted")
	}
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.ContainsAny(line, "\x1b\u202e") {
			t.Errorf("a terminal or a runner would obey %q", line)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, err := recipe.Load(filepath.Join(folder, "none.yml"), getenv)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "sessiongate init") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := recipe.Load(folder, getenv); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("folder: %v", err)
	}
	large := filepath.Join(folder, "large.yml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#\n", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := recipe.Load(large, getenv); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("large file: %v", err)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	given := &recipe.Recipe{File: filepath.Join("ci", "gate.yml")}
	absolute, err := filepath.Abs("x.sql")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"db/schema.sql": filepath.Join("ci", "db", "schema.sql"), "": "", "../x": "x", absolute: absolute} {
		if got := given.Path(name); got != want {
			t.Errorf("%q is %q, not %q", name, got, want)
		}
	}
	if dir := (&recipe.Process{}).Dir(); dir != "." {
		t.Errorf("without a recipe a process runs in %q", dir)
	}
}
