package recipe_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// What flags put together has no file to point at, and is checked all the same.
func TestValidateFlags(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*recipe.Recipe)
		want   string // empty: valid
	}{
		"url alone":    {func(*recipe.Recipe) {}, ""},
		"no target":    {func(r *recipe.Recipe) { r.Target.URL = recipe.Template{} }, "no target"},
		"version":      {func(r *recipe.Recipe) { r.Version = 0 }, "version 0"},
		"no address":   {func(r *recipe.Recipe) { r.Target.URL = recipe.Literal("127.0.0.1:8000") }, "not an address"},
		"other scheme": {func(r *recipe.Recipe) { r.Target.URL = recipe.Literal("file:///etc") }, "not an address"},
		"credentials":  {func(r *recipe.Recipe) { r.Target.URL = recipe.Literal("http://a:hunter2@h") }, "user name or password"},
		"query":        {func(r *recipe.Recipe) { r.Target.URL = recipe.Literal("http://h/?a") }, "ends before the ?"},
		"hole":         {func(r *recipe.Recipe) { r.Target.URL = join(text("http://"), name("x")) }, "no {{name}}"},
		"no command":   {func(r *recipe.Recipe) { r.Target = recipe.Target{Process: &recipe.Process{}} }, "no command"},
		"no image":     {func(r *recipe.Recipe) { r.Target = recipe.Target{Container: &recipe.Container{Port: 80}} }, "neither image nor build"},
		"no port":      {func(r *recipe.Recipe) { r.Target = recipe.Target{Container: &recipe.Container{Image: "a"}} }, ""},
		"bad port": {func(r *recipe.Recipe) {
			r.Target = recipe.Target{Container: &recipe.Container{Image: "a", Port: 70_000}}
		}, "between 1 and 65535"},
		"no database":    {func(r *recipe.Recipe) { r.Database = &recipe.Database{} }, "neither url nor ephemeral"},
		"database":       {func(r *recipe.Recipe) { r.Database = &recipe.Database{URL: secret.New("x")} }, ""},
		"other database": {func(r *recipe.Recipe) { r.Database = &recipe.Database{Ephemeral: "mysql"} }, "cockroachdb or postgres"},
		"two users":      {func(r *recipe.Recipe) { r.Users = []recipe.User{{Name: "a"}, {Name: "b"}} }, ""},
		"same users":     {func(r *recipe.Recipe) { r.Users = []recipe.User{{Name: "a"}, {Name: "a"}} }, "two users"},
		"nameless user":  {func(r *recipe.Recipe) { r.Users = []recipe.User{{}} }, "no name"},
		"step":           {func(r *recipe.Recipe) { r.Steps["login"] = recipe.Step{Requests: []recipe.Request{post("/")}} }, ""},
		"unknown step":   {func(r *recipe.Recipe) { r.Steps["sing"] = recipe.Step{Requests: []recipe.Request{post("/")}} }, "no step"},
		"empty step":     {func(r *recipe.Recipe) { r.Steps["login"] = recipe.Step{} }, "no request"},
		"empty request":  {func(r *recipe.Recipe) { r.Steps["login"] = recipe.Step{Requests: []recipe.Request{{}}} }, "no method"},
		"two carriers":   {func(r *recipe.Recipe) { r.Session.Cookie, r.Session.Query = []string{"a"}, "b" }, "more than one carrier"},
		"bare value":     {func(r *recipe.Recipe) { r.Session.Value = join(name("x")) }, "no header"},
		"no reason":      {func(r *recipe.Recipe) { r.NotApplicable = []recipe.NotApplicable{{Rule: "a-b"}} }, "needs a reason"},
		"accepted twice": {func(r *recipe.Recipe) {
			r.Accepted = []recipe.Accepted{{Rule: "a/b", Reason: "c"}, {Rule: "a/b", Reason: "c"}}
		}, "twice"},
		"gate below":      {func(r *recipe.Recipe) { r.Gate.FailUnder = -1 }, "between 0 and 100"},
		"gate above":      {func(r *recipe.Recipe) { r.Gate.FailUnder = 101 }, "between 0 and 100"},
		"gate of nothing": {func(r *recipe.Recipe) { r.Gate.FailOn = "all" }, "any or new"},
		"policy":          {func(r *recipe.Recipe) { r.Policy.MaxSessions = -1 }, "negative"},
	} {
		r := recipe.New()
		r.Target.URL = recipe.Literal("http://127.0.0.1:8000")
		test.change(r)
		err := r.Validate()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		case err != nil:
			hidesSecrets(t, err.Error())
		}
	}
}
