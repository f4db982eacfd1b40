package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// The kinds of store that can be asked for.
const (
	cockroachDB = "cockroachdb"
	postgreSQL  = "postgres"
)

// usualVersion is the CockroachDB that a container gets when none was asked
// for: the newest maintained line, pinned so that two runs test on the same.
const usualVersion = "v26.2.5"

// StoreOptions say which throw-away session store is wanted.
type StoreOptions struct {
	Kind string // "cockroachdb", also when empty, or "postgres"
	// Version is a tag of CockroachDB such as v26.2.5; empty: whatever the
	// binary is, v26.2.5 in a container.
	Version string
	Local   bool // only what is on this machine already: no image is pulled
	// Site is where a container goes, so that the site's others reach it; nil: it
	// is reached through ports of 127.0.0.1, and labelled with Run.
	Site *Site
	Run  string // names the run for Clean; empty: one that nobody knows
	// Progress is told before something that may take minutes; nil: nobody is.
	Progress func(doing string)
}

// Database is a throw-away server on 127.0.0.1 or on a site.
type Database struct {
	DSN secret.Text // of the administrator
	// Name is for people: "PostgreSQL 15.18 stand-in". It is empty for a
	// CockroachDB, whose own greeting says more.
	Name string
	// Note says in a sentence why this is not what was asked for. It is empty
	// when it is.
	Note string

	other   bool // a CockroachDB of another version than was asked for
	folder  string
	process *process
	down    func() error // of a container; nil: a process and its folder
	once    sync.Once
	err     error
}

// Close ends the server and removes its files or its container. It may be
// called again.
func (d *Database) Close() error {
	d.once.Do(func() {
		if d.down != nil {
			d.err = d.down()
			return
		}
		d.err = errors.Join(d.process.stop(), remove(d.folder))
	})
	return d.err
}

// closeWith ends the server when ctx ends.
func (d *Database) closeWith(ctx context.Context) *Database {
	context.AfterFunc(ctx, func() { _ = d.Close() })
	return d
}

// Store starts an empty session store that lives until Close or the end of
// ctx. For CockroachDB it takes the program in COCKROACH_BINARY or on the PATH,
// then a container, then a local PostgreSQL as a stand-in; for PostgreSQL the
// local one only. What is not there is passed over and said in Note; a
// COCKROACH_BINARY that does not work is an error, since somebody meant it. The
// error wraps ErrNoDatabase when nothing could be started.
func Store(ctx context.Context, wanted StoreOptions) (*Database, error) {
	here := machine{binary: os.Getenv("COCKROACH_BINARY"), path: os.Getenv("PATH"), parent: os.TempDir(), packaged: packaged, reach: reach}
	return here.store(ctx, wanted)
}

// machine is where a store can come from.
type machine struct {
	binary   string // what COCKROACH_BINARY says
	path     string // what PATH says
	parent   string // for the directories of servers
	packaged []string
	reach    func(context.Context) (*engine, string)
}

// source is one way to a store. Where it gives none, reason says why in a
// clause; an error ends the search.
type source func(context.Context) (database *Database, reason string, err error)

func (m machine) store(ctx context.Context, wanted StoreOptions) (*Database, error) {
	version, err := tag(wanted.Version)
	if err != nil {
		return nil, err
	}
	var sources []source
	switch wanted.Kind {
	case "", cockroachDB:
		wanted.Version = version
		sources = m.cockroachDB(wanted)
	case postgreSQL:
	default:
		return nil, fail(fmt.Sprintf("the ephemeral database is cockroachdb or postgres, not %.40q", wanted.Kind))
	}
	var missed []string
	for _, begin := range sources {
		database, reason, err := begin(ctx)
		switch {
		case ctx.Err() != nil:
			if database != nil {
				err = database.Close()
			}
			return nil, errors.Join(fail("the start of the database was interrupted", ctx.Err()), err)
		case err != nil:
			return nil, err
		case database != nil:
			if database.other {
				database.Note = instead(missed)
			}
			return database.closeWith(ctx), nil
		case reason != "":
			missed = append(missed, reason)
		}
	}
	return m.standIn(ctx, version, wanted.Kind == postgreSQL, missed)
}

// standIn is the local PostgreSQL, the last resort or the one that was meant.
func (m machine) standIn(ctx context.Context, version string, meant bool, missed []string) (*Database, error) {
	database, err := startPostgres(ctx, m.parent, m.path, m.packaged)
	switch {
	case err != nil && meant && errors.Is(err, errNotInstalled):
		return nil, fail(err.Error()+"; ephemeral: postgres takes no container", err)
	case err != nil && len(missed) > 0 && errors.Is(err, ErrNoDatabase):
		return nil, fail("there is no CockroachDB ("+strings.Join(missed, "; ")+"), and no stand-in: "+err.Error(), err)
	case err != nil:
		return nil, err
	case !meant:
		database.Note = instead(missed)
	case version != "" && !strings.HasPrefix(database.Name, "PostgreSQL "+strings.TrimPrefix(version, "v")):
		database.Note = "the local PostgreSQL has another version than the " + version + " that was asked for"
	}
	return database, nil
}

func instead(missed []string) string {
	if len(missed) == 0 {
		return ""
	}
	return "this is not the CockroachDB that was asked for: " + strings.Join(missed, "; ")
}

var tagged = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// tag is a version as CockroachDB's images and programs spell it.
func tag(version string) (string, error) {
	switch {
	case version == "":
		return "", nil
	case !tagged.MatchString(version):
		return "", fail("database.version must be a version of CockroachDB, such as " + usualVersion)
	case version[0] >= '0' && version[0] <= '9':
		return "v" + version, nil
	}
	return version, nil
}
