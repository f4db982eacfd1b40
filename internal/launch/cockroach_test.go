package launch

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// fakeCockroach builds the program of testdata once: static, so that it runs
// in a container that holds nothing else.
var fakeCockroach = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "launch-cockroach-")
	if err != nil {
		return "", err
	}
	fakeFolder = folder
	path := filepath.Join(folder, "cockroach")
	build := exec.Command("go", "build", "-o", path, "./testdata/cockroach")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", errors.New(string(said))
	}
	return path, nil
})

// fakeFolder is empty as long as nobody needed it.
var fakeFolder string

// installed puts the fake into a directory of its own, in a mode.
func installed(t *testing.T, mode string) (program string) {
	t.Helper()
	built, err := fakeCockroach()
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(t.TempDir(), "cockroach")
	if err := os.Symlink(built, program); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(filepath.Dir(program), "mode"), mode, 0o600)
	return program
}

// bare is a machine on which nothing can be started.
func bare(t *testing.T) machine {
	return machine{path: t.TempDir(), parent: parent(t),
		reach: func(context.Context) (*engine, string) { return nil, "no engine here" }}
}

// withPostgres is one that has the local PostgreSQL and no more.
func withPostgres(t *testing.T) machine {
	m := bare(t)
	m.packaged = packaged
	m.path = os.Getenv("PATH")
	return m
}

func up(t *testing.T, m machine, wanted StoreOptions) *Database {
	t.Helper()
	database, err := m.store(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return database
}

func listens(t *testing.T, database *Database) bool {
	t.Helper()
	dsn, err := url.Parse(database.DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("tcp4", dsn.Host)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

func TestCockroachUpAndDown(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(m *machine, program string){
		"by variable": func(m *machine, program string) { m.binary = program },
		"on the PATH": func(m *machine, program string) { m.path = "relative:/nowhere:" + filepath.Dir(program) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := bare(t)
			place(&m, installed(t, ""))
			database := up(t, m, StoreOptions{})
			if !listens(t, database) || database.Name != "" || database.Note != "" {
				t.Errorf("listens %v, name %q, note %q", listens(t, database), database.Name, database.Note)
			}
			if dsn := database.DSN.Reveal(); !strings.HasPrefix(dsn, "postgresql://root@127.0.0.1:") || !strings.HasSuffix(dsn, "/defaultdb?sslmode=disable") {
				t.Errorf("DSN %s", dsn)
			}
			if len(inside(m.parent)) == 0 {
				t.Error("this test cannot see the server's process")
			}
			for range 2 {
				if err := database.Close(); err != nil {
					t.Error(err)
				}
			}
			gone(t, m.parent)
		})
	}
}

func TestCockroachCancel(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]string{"while running": "", "while starting": "never"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := withPostgres(t)
			m.binary = installed(t, mode)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { _, err := m.store(ctx, StoreOptions{}); done <- err }()
			if mode == "" {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				cancel()
			} else {
				eventually(t, "it runs", func() bool { return len(inside(m.parent)) > 0 })
				cancel()
				wantError(t, <-done, context.Canceled, "interrupted")
			}
			eventually(t, "nothing is left", func() bool {
				entries, err := os.ReadDir(m.parent)
				return err == nil && len(entries) == 0
			})
			gone(t, m.parent)
		})
	}
}

func TestCockroachDiesLater(t *testing.T) {
	t.Parallel()
	m := bare(t)
	m.binary = installed(t, "")
	database := up(t, m, StoreOptions{})
	if err := syscall.Kill(database.process.leader(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-database.process.gone
	if err := database.Close(); err != nil {
		t.Error(err)
	}
	gone(t, m.parent)
}

// Who sets COCKROACH_BINARY means it: nothing else is started in its place.
func TestABrokenCockroachBinaryIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		binary  string
		version string
		says    []string
	}{
		"missing":         {filepath.Join(t.TempDir(), "cockroach"), "", []string{"COCKROACH_BINARY names no program", "no such file", "unset it"}},
		"not executable":  {"cockroach.go", "", []string{"COCKROACH_BINARY names no program", "permission denied"}},
		"a folder":        {t.TempDir(), "", []string{"COCKROACH_BINARY names no program"}},
		"dies":            {installed(t, "dies"), "", []string{"COCKROACH_BINARY ended with exit status 1 before it took connections", "cannot allocate memory"}},
		"no SQL":          {installed(t, "deaf"), "", []string{"COCKROACH_BINARY says that it is ready, but takes no SQL connection"}},
		"ports taken":     {installed(t, "busy"), "", []string{"address already in use"}},
		"another program": {"/bin/false", "", []string{"COCKROACH_BINARY ended with exit status 1", "it printed nothing"}},
		"no version":      {installed(t, "mute"), "v26.2.5", []string{"COCKROACH_BINARY does not tell its version", "illegal instruction"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := withPostgres(t)
			m.binary = test.binary
			_, err := m.store(t.Context(), StoreOptions{Version: test.version})
			wantError(t, err, ErrNoDatabase, test.says...)
			gone(t, m.parent)
		})
	}
}

func TestWhatIsNotThereIsPassedOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode, version string
		note          []string
	}{
		"nothing":       {"none", "", []string{"no cockroach on the PATH and no COCKROACH_BINARY", "no engine here"}},
		"wrong, broken": {"dies", "v1.0.0", []string{"is v26.2.5, not v1.0.0", "no engine here", "before it took connections"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := withPostgres(t)
			if test.mode != "none" {
				m.path = filepath.Dir(installed(t, test.mode))
			}
			database := up(t, m, StoreOptions{Kind: "cockroachdb", Version: test.version})
			if !strings.HasSuffix(database.Name, " stand-in") || strings.Contains(database.Note, "\n") {
				t.Errorf("name %q, note %q", database.Name, database.Note)
			}
			for _, words := range test.note {
				if !strings.Contains(database.Note, words) {
					t.Errorf("%q is not in the note %q", words, database.Note)
				}
			}
		})
	}
}

// A CockroachDB of another version is nearer to what was asked for than a
// PostgreSQL, and says which it is.
func TestVersionThatWasAskedFor(t *testing.T) {
	t.Parallel()
	m := withPostgres(t)
	m.binary = installed(t, "version v25.4.14")
	for _, version := range []string{"v25.4.14", "25.4.14"} {
		if database := up(t, m, StoreOptions{Version: version}); database.Name != "" || database.Note != "" {
			t.Errorf("%s: name %q, note %q", version, database.Name, database.Note)
		}
	}
	database := up(t, m, StoreOptions{Version: "v26.2.5"})
	if database.Name != "" || !strings.Contains(database.Note, "is v25.4.14, not v26.2.5; no engine here") {
		t.Errorf("name %q, note %q", database.Name, database.Note)
	}
	m = bare(t)
	m.path = filepath.Dir(installed(t, "mute"))
	database = up(t, m, StoreOptions{Version: "v26.2.5"})
	if database.Name != "" || !strings.Contains(database.Note, "does not tell its version") {
		t.Errorf("name %q, note %q", database.Name, database.Note)
	}
}

func TestPostgresThatWasAskedFor(t *testing.T) {
	t.Parallel()
	m := withPostgres(t)
	m.binary = installed(t, "")
	m.reach = func(context.Context) (*engine, string) { panic("no container for PostgreSQL") }
	if database := up(t, m, StoreOptions{Kind: "postgres"}); !strings.HasPrefix(database.Name, "PostgreSQL ") || database.Note != "" {
		t.Errorf("name %q, note %q", database.Name, database.Note)
	}
	if database := up(t, m, StoreOptions{Kind: "postgres", Version: "9.1"}); !strings.Contains(database.Note, "another version than the v9.1") {
		t.Errorf("note %q", database.Note)
	}
	m.path, m.packaged = "", nil
	_, err := m.store(t.Context(), StoreOptions{Kind: "postgres"})
	wantError(t, err, ErrNoDatabase, "PostgreSQL is not installed", "takes no container")
}

func TestNothingCanBeStarted(t *testing.T) {
	t.Parallel()
	_, err := bare(t).store(t.Context(), StoreOptions{Kind: "cockroachdb"})
	wantError(t, err, ErrNoDatabase, "there is no CockroachDB (there is no cockroach on the PATH", "no engine here", "no stand-in: PostgreSQL is not installed", "database.url")

	for _, version := range []string{"v26.2.5@sha256:0", "../../other", "v1 --privileged", strings.Repeat("v", 200)} {
		_, err := bare(t).store(t.Context(), StoreOptions{Version: version})
		if err == nil || !strings.Contains(err.Error(), "database.version must be a version") || strings.Contains(err.Error(), version) {
			t.Errorf("%q: %v", version, err)
		}
	}
	_, err = bare(t).store(t.Context(), StoreOptions{Kind: "mysql"})
	if err == nil || !strings.Contains(err.Error(), "cockroachdb or postgres") {
		t.Error(err)
	}
}
