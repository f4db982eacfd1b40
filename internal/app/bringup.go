package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
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
	site   *launch.Site  // never nil once it was looked for
	image  *launch.Image // of target.container; nil without one
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
	if err := s.openSite(ctx, up); err != nil {
		return up, err
	}
	environment := map[string]secret.Text{}
	if database := s.Recipe.Database; database != nil {
		dsn, rows, err := s.openStore(ctx, up, database)
		if s.blind = err; err == nil {
			s.witness = &witness{rows: rows, mayWrite: s.mayWrite(ctx, up, rows), table: database.Table}
		}
		maps.Copy(environment, s.handOver(ctx, up, database, dsn))
	}
	target, err := s.startTarget(ctx, up, environment)
	if err != nil {
		return up, err
	}
	up.target = target
	up.down = append(up.down, func() { _ = target.Close() })
	return up, nil
}

// openSite finds the container engine. A container as the target cannot do
// without. Its image is fetched from here on, beside that of the store.
func (s *scan) openSite(ctx context.Context, up *stage) error {
	container := s.Recipe.Target.Container
	site, err := launch.Open(ctx, launch.SiteOptions{Run: s.Run})
	switch {
	case err != nil && container != nil:
		return err
	case err != nil:
		up.site = launch.NoEngine()
		return nil
	}
	up.site = site
	up.down = append(up.down, func() { _ = site.Close() })
	if container != nil {
		up.image = site.Fetch(s.container(container), s.doing)
	}
	return nil
}

// storeSite is where the store's container goes, if it becomes one: beside the
// API's, or where a gate that is in a container itself can reach it. nil: behind
// a port of 127.0.0.1.
func (s *scan) storeSite(up *stage) *launch.Site {
	if s.Recipe.Target.Container != nil || up.site.Contained() {
		return up.site
	}
	return nil
}

// openStore opens the recipe's database, or one made for this run with a user
// of few privileges, and runs the recipe's files in it. The DSN is the API's,
// and there is one wherever the database exists, whatever else went wrong.
func (s *scan) openStore(ctx context.Context, up *stage, database *recipe.Database) (secret.Text, *store.Store, error) {
	given := !database.URL.IsZero()
	admin := database.URL
	if !given {
		server, err := launch.Store(ctx, launch.StoreOptions{Kind: database.Ephemeral, Version: database.Version,
			Site: s.storeSite(up), Run: s.Run, Progress: s.doing})
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
	if given {
		if err := s.bringNear(ctx, up, admin); err != nil {
			return database.URL, nil, err
		}
	}
	opened, err := store.Open(ctx, admin)
	if err != nil {
		return database.URL, nil, fmt.Errorf("the session store cannot be opened: %w", err)
	}
	up.down = append(up.down, func() { _ = opened.Close() })
	s.store = cmp.Or(s.store, opened.Version(ctx))
	if given {
		return database.URL, opened, s.runFiles(ctx, up, opened, database)
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

// bringNear makes a database on the runner's localhost answer on ours.
func (s *scan) bringNear(ctx context.Context, up *stage, dsn secret.Text) error {
	parsed, err := url.Parse(dsn.Reveal())
	if err != nil || parsed.Hostname() == "" {
		return nil // store.Open says what is wrong with it
	}
	port := cmp.Or(parsed.Port(), "5432")
	relay, reason := launch.Nearby(ctx, net.JoinHostPort(parsed.Hostname(), port), urlStart, up.site)
	if reason != "" {
		return fmt.Errorf("the session store does not answer (%s); let it listen on all addresses, or name the service in database.url", reason)
	}
	if relay != nil {
		up.down = append(up.down, relay.Close)
	}
	return nil
}

// doing is said by what takes long before there is anything to count.
func (s *scan) doing(what string) {
	if s.Progress != nil {
		s.speaking.Lock()
		defer s.speaking.Unlock()
		s.Progress(audit.Event{Doing: what})
	}
}

// mayWrite: rows are changed in a database made for this run, in one on this
// machine, a service of the job among them, and in any other only if its owner
// says so.
func (s *scan) mayWrite(ctx context.Context, up *stage, rows *store.Store) bool {
	given := s.Recipe.Database.URL
	if given.IsZero() || rows.Local() || s.OwnDatabase {
		return true
	}
	hosts, err := store.Hosts(given)
	elsewhere := func(host string) bool { return !up.site.Neighbour(ctx, host) }
	return err == nil && !slices.ContainsFunc(hosts, elsewhere)
}

// handOver is the environment by which the API finds its store. Where the gate
// sees the store and starts the API, the DSN leads through a tap, so that it
// sees what the API does there.
func (s *scan) handOver(ctx context.Context, up *stage, database *recipe.Database, dsn secret.Text) map[string]secret.Text {
	if !s.starts() || dsn.IsZero() {
		return nil // somebody else told the API where its store is
	}
	environment := map[string]secret.Text{}
	if s.witness != nil {
		wire, err := s.listen(ctx, up, dsn)
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

// listen opens the tap where the API can reach it.
func (s *scan) listen(ctx context.Context, up *stage, dsn secret.Text) (*tap.Tap, error) {
	if s.Recipe.Target.Container == nil {
		return tap.Listen(ctx, dsn)
	}
	address, err := up.site.Address(ctx)
	if err != nil {
		return nil, err
	}
	return tap.ListenAt(ctx, dsn, address)
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

func (s *scan) runFiles(ctx context.Context, up *stage, opened *store.Store, database *recipe.Database) error {
	files := s.files(database)
	if len(files) > 0 && !s.mayWrite(ctx, up, opened) {
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

func (s *scan) startTarget(ctx context.Context, up *stage, environment map[string]secret.Text) (*launch.Target, error) {
	target := s.Recipe.Target
	switch {
	case target.Process != nil:
		return s.startProcess(ctx, *target.Process, environment)
	case target.Container != nil:
		return s.startContainer(ctx, up, *target.Container, environment)
	}
	address, err := target.URL.Expand(nothing)
	if err != nil {
		return nil, fmt.Errorf("target.url: %w", err)
	}
	ready, err := s.ready()
	if err != nil {
		return nil, err
	}
	return launch.URL(ctx, strings.TrimSuffix(address.Reveal(), "/"), ready, cmp.Or(target.StartTimeout, urlStart), up.site)
}

func nothing(string) (secret.Text, bool) { return secret.Text{}, false }

// ready is the request that tells whether the API is up.
func (s *scan) ready() (launch.Ready, error) {
	wanted := s.Recipe.Target.Ready
	if wanted.Method == "" {
		return launch.Ready{}, nil
	}
	path, err := wanted.Path.Expand(nothing)
	if err != nil {
		return launch.Ready{}, fmt.Errorf("target.ready: %w", err)
	}
	return launch.Ready{Method: wanted.Method, Path: path.Reveal()}, nil
}

func (s *scan) startProcess(ctx context.Context, process recipe.Process, environment map[string]secret.Text) (*launch.Target, error) {
	ready, err := s.ready()
	if err != nil {
		return nil, err
	}
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
	if err := assign(environment, process.Environment, fill); err != nil {
		return nil, fmt.Errorf("target.process.%w", err)
	}
	return launch.Start(ctx, launch.Process{Command: command, Directory: process.Dir(), Environment: environment,
		Ready: ready, StartTimeout: cmp.Or(s.Recipe.Target.StartTimeout, processStart), Port: port})
}

// assign puts the recipe's variables over those that are there.
func assign(environment map[string]secret.Text, pairs []recipe.Pair, fill func(string) (secret.Text, bool)) error {
	for _, pair := range pairs {
		value, err := pair.Value.Expand(fill)
		if err != nil {
			return fmt.Errorf("environment.%s: %w", pair.Name, err)
		}
		environment[pair.Name] = value
	}
	return nil
}

func (s *scan) startContainer(ctx context.Context, up *stage, container recipe.Container, environment map[string]secret.Text) (*launch.Target, error) {
	ready, err := s.ready()
	if err != nil {
		return nil, err
	}
	if err := assign(environment, container.Environment, nothing); err != nil {
		return nil, fmt.Errorf("target.container.%w", err)
	}
	wanted := s.container(&container)
	wanted.Environment, wanted.Ready = environment, ready
	wanted.StartTimeout = cmp.Or(s.Recipe.Target.StartTimeout, processStart)
	return up.site.Run(ctx, up.image, wanted)
}

// container is the recipe's, with its paths seen from here.
func (s *scan) container(of *recipe.Container) launch.Container {
	made := launch.Container{Image: of.Image, Command: of.Command, Directory: of.Directory, Port: of.Port}
	if of.Build != nil {
		made.Build = &launch.Build{Context: s.Recipe.Path(of.Build.Context), Dockerfile: of.Build.Dockerfile}
	}
	for _, shown := range of.Mount {
		made.Mounts = append(made.Mounts, launch.Mount{Source: s.Recipe.Path(shown.Source), Target: shown.Target})
	}
	return made
}
