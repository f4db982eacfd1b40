package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// server is one real PostgreSQL for all tests; each makes databases of its own.
var server *launch.Database

func TestMain(m *testing.M) {
	code := 1
	started, err := launch.Postgres(context.Background(), "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		server = started
		code = m.Run()
		_ = started.Close()
	}
	os.Exit(code)
}

var names atomic.Int32

// unique makes a name that no test has used, so that tests can run again on
// the same server.
func unique(name string) string { return fmt.Sprintf("%s%d", name, names.Add(1)) }

// fresh opens an empty database as the administrator.
func fresh(t testing.TB) *Store {
	t.Helper()
	admin := open(t, server.DSN)
	name := unique("test")
	if err := admin.exec(t.Context(), "CREATE DATABASE "+quoted(name)); err != nil {
		t.Fatal(err)
	}
	inside, err := admin.In(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inside.Close() })
	return inside
}

func open(t testing.TB, dsn secret.Text) *Store {
	t.Helper()
	opened, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// value is the answer to a question with one row and column, as text.
func value(t *testing.T, s *Store, question string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer string
	if err := s.connection.QueryRow(t.Context(), question).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return answer
}

func sqlFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "schema.sql")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantError wants one line with all the parts in it.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("several lines: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}
