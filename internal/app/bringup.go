package app

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
)

// stage is what was brought up for a scan; close takes it down, last first.
type stage struct {
	target *launch.Target
	down   []func()
}

func (s *stage) close() {
	for i := len(s.down) - 1; i >= 0; i-- {
		s.down[i]()
	}
}

// bringUp starts the database and the API. The stage is never nil, and holds
// what was started before an error.
func (s *scan) bringUp(ctx context.Context) (*stage, error) {
	up := &stage{}
	environment := map[string]secret.Text{}
	if database := s.Recipe.Database; database != nil {
		dsn, err := s.openStore(ctx, up, database)
		if err != nil {
			return up, err
		}
		for _, name := range database.EnvironmentVariable {
			environment[name] = dsn
		}
	}
	target, err := s.startTarget(ctx, environment)
	if err != nil {
		return up, err
	}
	up.target = target
	up.down = append(up.down, func() { _ = target.Close() })
	return up, nil
}

// openStore gives the DSN the API gets: that of the recipe, or of a user with
// few privileges in a database made for this run.
func (s *scan) openStore(ctx context.Context, up *stage, database *recipe.Database) (secret.Text, error) {
	admin := database.URL
	if admin.IsZero() {
		server, err := launch.Postgres(ctx, "")
		if err != nil {
			return secret.Text{}, fmt.Errorf("the session store cannot be started: %w", err)
		}
		up.down = append(up.down, func() { _ = server.Close() })
		admin, s.store = server.DSN, server.Name
	}
	s.redactor.Add(admin, password(admin))
	opened, err := store.Open(ctx, admin)
	if err != nil {
		return secret.Text{}, fmt.Errorf("the session store cannot be opened: %w", err)
	}
	defer func() { _ = opened.Close() }()
	if s.store == "" {
		s.store = opened.Version(ctx)
	}
	if !database.URL.IsZero() {
		return admin, s.runFiles(ctx, opened, database)
	}
	prepared, err := opened.Prepare(ctx, store.Plan{Database: "sessiongate", User: "sessiongate_api",
		Files: s.files(database)})
	if err != nil {
		return secret.Text{}, err
	}
	s.redactor.Add(prepared, password(prepared))
	return prepared, nil
}

// password is the secret part of a DSN, which drivers print alone; zero if it
// has none or is in another form.
func password(dsn secret.Text) secret.Text {
	parsed, err := url.Parse(dsn.Reveal())
	if err != nil || parsed.User == nil {
		return secret.Text{}
	}
	word, _ := parsed.User.Password()
	return secret.New(word)
}

func (s *scan) files(database *recipe.Database) []string {
	var files []string
	for _, name := range []string{database.Schema, database.Seed} {
		if name != "" {
			files = append(files, s.Recipe.Path(name))
		}
	}
	return files
}

func (s *scan) runFiles(ctx context.Context, opened *store.Store, database *recipe.Database) error {
	for _, file := range s.files(database) {
		if err := opened.RunFile(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// How long a target may take to answer, where the recipe does not say. A given
// URL should be up already; the grace is for one that a step before just started.
const (
	processStart = 60 * time.Second
	urlStart     = 5 * time.Second
)

func (s *scan) startTarget(ctx context.Context, environment map[string]secret.Text) (*launch.Target, error) {
	target := s.Recipe.Target
	ready := launch.Ready{}
	if target.Ready.Method != "" {
		path, err := target.Ready.Path.Expand(nothing)
		if err != nil {
			return nil, fmt.Errorf("target.ready: %w", err)
		}
		ready = launch.Ready{Method: target.Ready.Method, Path: path.Reveal()}
	}
	if target.Process != nil {
		return s.startProcess(ctx, *target.Process, ready, environment)
	}
	address, err := target.URL.Expand(nothing)
	if err != nil {
		return nil, fmt.Errorf("target.url: %w", err)
	}
	return launch.URL(ctx, strings.TrimSuffix(address.Reveal(), "/"), ready, cmp.Or(target.StartTimeout, urlStart))
}

func nothing(string) (secret.Text, bool) { return secret.Text{}, false }

func (s *scan) startProcess(ctx context.Context, process recipe.Process, ready launch.Ready, environment map[string]secret.Text) (*launch.Target, error) {
	port, err := launch.FreePort()
	if err != nil {
		return nil, err
	}
	fill := func(name string) (secret.Text, bool) {
		if name == "PORT" {
			return secret.New(fmt.Sprint(port)), true
		}
		return secret.Text{}, false
	}
	var command []string
	for _, word := range process.Command {
		text, err := word.Expand(fill)
		if err != nil {
			return nil, fmt.Errorf("target.process.command: %w", err)
		}
		command = append(command, text.Reveal())
	}
	for _, pair := range process.Environment {
		value, err := pair.Value.Expand(fill)
		if err != nil {
			return nil, fmt.Errorf("target.process.environment.%s: %w", pair.Name, err)
		}
		environment[pair.Name] = value
	}
	return launch.Start(ctx, launch.Process{Command: command, Directory: process.Dir(), Environment: environment,
		Ready: ready, StartTimeout: cmp.Or(s.Recipe.Target.StartTimeout, processStart), Port: port})
}
