package launch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// query asks with psql, so that this room needs no driver.
func query(t *testing.T, dsn, sql string) (string, error) {
	t.Helper()
	bin, err := findPostgres(os.Getenv("PATH"), packaged)
	if err != nil {
		t.Fatal(err)
	}
	server, err := filepath.EvalSymlinks(filepath.Join(bin, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	psql := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(server), "psql"), "-XAtqw", "-c", sql, dsn)
	output, err := psql.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// parent is a directory that another user can enter, unlike t.TempDir.
func parent(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "launch-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// inside are the processes that work in a directory.
func inside(folder string) []string {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var found []string
	for _, link := range links {
		if where, err := os.Readlink(link); err == nil && strings.HasPrefix(where, folder) {
			found = append(found, filepath.Dir(link))
		}
	}
	return found
}

func TestPostgresUpAndDown(t *testing.T) {
	t.Parallel()
	folder := parent(t)
	began := time.Now()
	database, err := Postgres(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("up after %s", time.Since(began))
	got, err := query(t, database.DSN.Reveal(), "SELECT current_user, current_setting('server_encoding'), current_setting('fsync'), current_setting('server_version')")
	if err != nil {
		t.Fatal(got, err)
	}
	number := strings.Fields(strings.Split(got, "|")[3])[0]
	if diff := cmp.Diff("sessiongate|UTF8|off|"+number, strings.Fields(got)[0]); diff != "" {
		t.Error(diff)
	}
	if want := "PostgreSQL " + number + " stand-in"; database.Name != want {
		t.Errorf("name %q, want %q", database.Name, want)
	}
	if len(inside(folder)) == 0 {
		t.Error("this test cannot see the server's processes")
	}
	if strings.Contains(fmt.Sprintf("%v %+v", database.DSN, database.DSN), "127.0.0.1") {
		t.Error("the DSN prints itself")
	}
	for range 2 {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}
	gone(t, folder)
}

func gone(t *testing.T, folder string) {
	t.Helper()
	eventually(t, "no server process is left", func() bool { return len(inside(folder)) == 0 })
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestPostgresAsksForThePassword(t *testing.T) {
	t.Parallel()
	database, err := Postgres(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	before, after, _ := strings.Cut(database.DSN.Reveal(), "://")
	_, address, _ := strings.Cut(after, "@")
	output, err := query(t, before+"://"+superuser+"@"+address, "SELECT 1")
	if err == nil || !strings.Contains(output, "password") {
		t.Errorf("the administrator gets in without a password: %s, %v", output, err)
	}
	if _, err := os.Stat(filepath.Join(database.folder, "password")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the password file is still there: %v", err)
	}
}

func TestPostgresCancel(t *testing.T) {
	t.Parallel()
	t.Run("while running", func(t *testing.T) {
		t.Parallel()
		folder := parent(t)
		ctx, cancel := context.WithCancel(t.Context())
		database, err := Postgres(ctx, folder)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := database.Close(); err != nil {
			t.Error(err)
		}
		gone(t, folder)
	})
	t.Run("while starting", func(t *testing.T) {
		t.Parallel()
		folder := parent(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := Postgres(ctx, folder); done <- err }()
		eventually(t, "initdb works", func() bool { return len(inside(folder)) > 0 })
		cancel()
		wantError(t, <-done, context.Canceled, "interrupted")
		gone(t, folder)
	})
}

func TestPostgresSurvivesNoCrash(t *testing.T) {
	t.Parallel()
	folder := parent(t)
	database, err := Postgres(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(database.process.leader(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-database.process.gone
	if err := database.Close(); err != nil {
		t.Error(err)
	}
	gone(t, folder)
}

func TestPostgresNotInstalled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "half", "initdb"), "", 0o755)
	for _, version := range []string{"9.6", "14", "16"} {
		write(t, filepath.Join(folder, version, "bin", "initdb"), "", 0o755)
		write(t, filepath.Join(folder, version, "bin", "postgres"), "", 0o755)
	}
	write(t, filepath.Join(folder, "17", "bin", "initdb"), "", 0o755) // client only
	half := filepath.Join(folder, "half")

	_, err := findPostgres(half, []string{filepath.Join(folder, "none*")})
	wantError(t, err, ErrNoDatabase, "PostgreSQL is not installed", "apt-get install postgresql", "database.url")
	got, err := findPostgres(half, []string{"/nowhere", filepath.Join(folder, "1*", "bin")})
	if err != nil || got != filepath.Join(folder, "16", "bin") {
		t.Errorf("newest: %s, %v", got, err)
	}
	path := filepath.Join(folder, "14", "bin")
	if got, err := findPostgres(path, []string{filepath.Join(folder, "*", "bin")}); err != nil || got != path {
		t.Errorf("PATH first: %s, %v", got, err)
	}
}

func TestPostgresNeedsADirectory(t *testing.T) {
	t.Parallel()
	_, err := Postgres(t.Context(), filepath.Join(t.TempDir(), "missing"))
	wantError(t, err, os.ErrNotExist, "set TMPDIR")
	if os.Geteuid() != 0 {
		return // the rest is about handing a directory to another user
	}
	closed := parent(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Postgres(t.Context(), closed)
	wantError(t, err, ErrNoDatabase, "a directory everyone can enter")
	gone(t, closed)
}

func TestPostgresPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bin, err := findPostgres(os.Getenv("PATH"), packaged)
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{bin: bin, password: "password"}
	if err := c.prepare(parent(t)); err != nil {
		t.Fatal(err)
	}
	if err := c.initialise(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = c.serve(t.Context(), taken.Addr().(*net.TCPAddr).Port)
	wantError(t, err, ErrPortInUse, "before it took connections")
	database, err := c.start(t.Context())
	if err == nil {
		_ = database.Close()
	}
	wantError(t, err, ErrNoDatabase) // the directory is initialised already: initdb refuses
}

// A gate that is killed takes everything with it, and the next run sweeps.
func TestKilledGateLeavesNothing(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return // the kernel's help is Linux only
	}
	killed := exec.Command(os.Args[0], "child", "gate")
	killed.Env = append(os.Environ(), "TMPDIR="+parent(t))
	output, err := killed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	killed.Stderr = os.Stderr
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	var api, server int
	var folder string
	if _, err := fmt.Fscanf(bufio.NewReader(io.LimitReader(output, 1000)), "pids %d %d %s\n", &api, &server, &folder); err != nil {
		t.Fatal(err)
	}
	sweep(filepath.Dir(folder))
	if _, err := os.Stat(folder); err != nil {
		t.Errorf("swept the directory of a living gate: %v", err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	eventually(t, "nothing runs", func() bool { return !running(api) && !running(server) && len(inside(folder)) == 0 })
	sweep(filepath.Dir(folder))
	gone(t, filepath.Dir(folder))
}

func TestSweepTouchesOnlyOurs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	gonePID := exec.Command("true")
	if err := gonePID.Run(); err != nil {
		t.Fatal(err)
	}
	stale := fmt.Sprintf("sessiongate-%d-12", gonePID.Process.Pid)
	keep := []string{fmt.Sprintf("sessiongate-%d-12", os.Getpid()), "sessiongate-x-1", "sessiongate-0-1", "sessiongate-999999999999-1", stale + "-other"}
	for _, name := range append(keep, stale) {
		write(t, filepath.Join(folder, name, "file"), "", 0o600)
	}
	victim := t.TempDir()
	write(t, filepath.Join(victim, "file"), "", 0o600)
	if err := os.Symlink(victim, filepath.Join(folder, stale+"3")); err != nil {
		t.Fatal(err)
	}
	sweep(folder)
	sweep(filepath.Join(folder, "missing"))
	if _, err := os.Stat(filepath.Join(folder, stale)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stale directory: %v", err)
	}
	for _, name := range keep {
		if _, err := os.Stat(filepath.Join(folder, name, "file")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(victim, "file")); err != nil {
		t.Errorf("followed a link: %v", err)
	}
}
