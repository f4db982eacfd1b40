package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
	"github.com/sessiongate/sessiongate/internal/tap"
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
// what was started before an error. A store that cannot be used is no reason
// not to test the API: what only the store could show is not tested then.
func (s *scan) bringUp(ctx context.Context) (*stage, error) {
	up := &stage{}
	environment := map[string]secret.Text{}
	if database := s.Recipe.Database; database != nil {
		dsn, rows, err := s.openStore(ctx, up, database)
		if s.blind = err; err == nil {
			s.witness = &witness{rows: rows, mayWrite: s.mayWrite(rows), table: database.Table}
		}
		maps.Copy(environment, s.handOver(ctx, up, database, dsn))
	}
	target, err := s.startTarget(ctx, environment)
	if err != nil {
		return up, err
	}
	up.target = target
	up.down = append(up.down, func() { _ = target.Close() })
	return up, nil
}

// openStore opens the recipe's database, or one made for this run with a user
// of few privileges, and runs the recipe's files in it. The DSN is the API's,
// and there is one wherever the database exists, whatever else went wrong.
func (s *scan) openStore(ctx context.Context, up *stage, database *recipe.Database) (secret.Text, *store.Store, error) {
	given := !database.URL.IsZero()
	admin := database.URL
	if !given {
		server, err := launch.Store(ctx, launch.StoreOptions{Kind: database.Ephemeral, Version: database.Version, Progress: s.doing})
		if err != nil {
			return secret.Text{}, nil, fmt.Errorf("the session store cannot be started: %w", err)
		}
		up.down = append(up.down, func() { _ = server.Close() })
		if server.Note != "" {
			s.doing(server.Note)
		}
		admin, s.store = server.DSN, server.Name
	}
	s.redactor.Add(admin, password(admin))
	opened, err := store.Open(ctx, admin)
	if err != nil {
		return database.URL, nil, fmt.Errorf("the session store cannot be opened: %w", err)
	}
	up.down = append(up.down, func() { _ = opened.Close() })
	s.store = cmp.Or(s.store, opened.Version(ctx))
	if given {
		return database.URL, opened, s.runFiles(ctx, opened, database)
	}
	plan := store.Plan{Database: "sessiongate", User: "sessiongate_api", Files: s.files(database), Throwaway: true}
	dsn, failed := opened.Prepare(ctx, plan)
	s.redactor.Add(dsn, password(dsn))
	if failed != nil {
		return dsn, nil, failed
	}
	rows, err := opened.In(ctx, plan.Database)
	if err != nil {
		return dsn, nil, err
	}
	up.down = append(up.down, func() { _ = rows.Close() })
	return dsn, rows, nil
}

// doing is said by what takes long before there is anything to count.
func (s *scan) doing(what string) {
	if s.Progress != nil {
		s.Progress(audit.Event{Doing: what})
	}
}

// mayWrite: rows are changed in a database made for this run, in one on this
// machine, and in any other only if its owner says so.
func (s *scan) mayWrite(rows *store.Store) bool { return rows.Local() || s.OwnDatabase }

// handOver is the environment by which the API finds its store. Where the gate
// sees the store and starts the API, the DSN leads through a tap, so that it
// sees what the API does there.
func (s *scan) handOver(ctx context.Context, up *stage, database *recipe.Database, dsn secret.Text) map[string]secret.Text {
	if s.Recipe.Target.Process == nil || dsn.IsZero() {
		return nil // somebody else told the API where its store is
	}
	environment := map[string]secret.Text{}
	if s.witness != nil {
		wire, err := tap.Listen(ctx, dsn)
		if err != nil {
			s.blind, s.witness = fmt.Errorf("the session store cannot be watched: %w", err), nil
		} else {
			up.down = append(up.down, func() { _ = wire.Close() })
			s.witness.wire = wire
			environment, dsn = wire.Environment(), wire.DSN()
			s.redactor.Add(dsn)
		}
	}
	for _, name := range database.EnvironmentVariable {
		environment[name] = dsn
	}
	return environment
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

// errNotOurs is why files are not run, since a schema may drop tables.
var errNotOurs = errors.New("database.url is not on this machine, so the gate does not run database.schema and database.seed there; " +
	"leave them out, or give --i-own-this-database")

func (s *scan) runFiles(ctx context.Context, opened *store.Store, database *recipe.Database) error {
	files := s.files(database)
	if len(files) > 0 && !s.mayWrite(opened) {
		return errNotOurs
	}
	for _, file := range files {
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
