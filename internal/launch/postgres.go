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
)

// packaged is where distributions put the servers they keep off the PATH.
var packaged = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"}

// Postgres starts an empty PostgreSQL that lives until Close or the end of
// ctx, with its files in a new directory below parent (empty: the system's
// place for temporary files). Its DSN is in the database "postgres". The error
// wraps ErrNoDatabase when PostgreSQL is not installed.
func Postgres(ctx context.Context, parent string) (*Database, error) {
	return startPostgres(ctx, parent, os.Getenv("PATH"), packaged)
}

func startPostgres(ctx context.Context, parent, path string, packaged []string) (*Database, error) {
	bin, err := findPostgres(path, packaged)
	if err != nil {
		return nil, err
	}
	c := cluster{bin: bin, password: rand.Text()}
	if err := c.prepare(parent); err != nil {
		return nil, err
	}
	database, err := c.start(ctx)
	if err != nil {
		return nil, errors.Join(err, remove(c.folder))
	}
	return database.closeWith(ctx), nil
}

// errNotInstalled is in the chain of the error about a missing PostgreSQL.
var errNotInstalled = errors.New("not installed")

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
		"or give a running database in database.url", ErrNoDatabase, errNotInstalled)
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
