package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// packaged is where distributions put the servers they keep off the PATH.
var packaged = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"}

// Database is a throw-away server on 127.0.0.1.
type Database struct {
	DSN  secret.Text // of the administrator, in the database "postgres"
	Name string      // for people: "PostgreSQL 15.18 stand-in"

	folder  string
	process *process
	once    sync.Once
	err     error
}

// Close ends the server and removes its files. It may be called again.
func (d *Database) Close() error {
	d.once.Do(func() { d.err = errors.Join(d.process.stop(), remove(d.folder)) })
	return d.err
}

// Postgres starts an empty PostgreSQL that lives until Close or the end of
// ctx, with its files in a new directory below parent (empty: the system's
// place for temporary files). The error wraps ErrNoDatabase when PostgreSQL is
// not installed.
func Postgres(ctx context.Context, parent string) (*Database, error) {
	bin, err := findPostgres(os.Getenv("PATH"), packaged)
	if err != nil {
		return nil, err
	}
	if parent == "" {
		parent = os.TempDir()
	}
	c := cluster{bin: bin, password: rand.Text()}
	if err := c.prepare(parent); err != nil {
		return nil, err
	}
	database, err := c.start(ctx)
	if err != nil {
		return nil, errors.Join(err, remove(c.folder))
	}
	go func() {
		select {
		case <-ctx.Done():
			_ = database.Close()
		case <-database.process.gone:
		}
	}()
	return database, nil
}

// findPostgres looks for a directory that holds both programs: on the PATH
// first, then the newest packaged one.
func findPostgres(path string, patterns []string) (string, error) {
	folders := filepath.SplitList(path)
	var found []string
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern) // fails on a bad pattern only; ours are constants
		found = append(found, matches...)
	}
	slices.SortStableFunc(found, func(a, b string) int { return major(b) - major(a) })
	for _, folder := range append(folders, found...) {
		if filepath.IsAbs(folder) && isProgram(filepath.Join(folder, "initdb")) && isProgram(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", fail("PostgreSQL is not installed: there is no initdb on the PATH; install it (Debian: apt-get install postgresql), "+
		"or give a running database in database.url", ErrNoDatabase)
}

var release = regexp.MustCompile(`(\d{1,4})(?:\.\d+)?/bin$`)

// major is the number in a path such as .../postgresql/15/bin; 0 without one.
func major(path string) int {
	match := release.FindStringSubmatch(path)
	if match == nil {
		return 0
	}
	number, _ := strconv.Atoi(match[1])
	return number
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
