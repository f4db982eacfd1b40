package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	superuser    = "sessiongate"
	initTimeout  = time.Minute
	readyTimeout = 30 * time.Second
	portTries    = 3
)

// cluster is a database that is being made.
type cluster struct {
	bin, folder, password string
	user                  *syscall.Credential // nil: ours
}

func (c *cluster) data() string         { return filepath.Join(c.folder, "data") }
func (c *cluster) passwordFile() string { return filepath.Join(c.folder, "password") }

// prepare makes the directory. PostgreSQL refuses to run as root, so root
// hands it to another user.
func (c *cluster) prepare(parent string) error {
	folder, err := newFolder(parent)
	if err != nil {
		return err
	}
	c.folder = folder
	if err := c.fill(); err != nil {
		return errors.Join(fail("no directory for the database: "+leaf(err), err), remove(folder))
	}
	return nil
}

func (c *cluster) fill() error {
	// A password even here: without one the API under test, and everybody else
	// on the machine, could log in as the administrator.
	if err := os.WriteFile(c.passwordFile(), []byte(c.password+"\n"), 0o600); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	c.user = unprivileged()
	for _, path := range []string{c.passwordFile(), c.folder} {
		if err := os.Chown(path, int(c.user.Uid), int(c.user.Gid)); err != nil {
			return err
		}
	}
	return nil
}

func unprivileged() *syscall.Credential {
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534} // nobody by custom
}

func (c *cluster) start(ctx context.Context) (*Database, error) {
	if err := c.initialise(ctx); err != nil {
		return nil, err
	}
	return retried(func() (*Database, error) {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		return c.serve(ctx, port)
	})
}

// retried starts a server again, on other ports, while somebody else takes
// those it was given.
func retried(serve func() (*Database, error)) (*Database, error) {
	var last error
	for range portTries {
		database, err := serve()
		if err == nil || !errors.Is(err, ErrPortInUse) {
			return database, err
		}
		last = err
	}
	return nil, last
}

// initialise writes the data directory: --no-sync and the smallest log
// segments, since nothing here outlives the run; --no-clean, since freeMemory
// reads what an interrupted initdb would remove; the C locale, so that the
// server's messages are the ones ready looks for.
func (c *cluster) initialise(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	running, err := c.run("initdb", "--pgdata="+c.data(), "--username="+superuser, "--pwfile="+c.passwordFile(),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-clean", "--no-instructions", "--wal-segsize=1")
	if err != nil {
		return err
	}
	select {
	case <-running.gone:
	case <-limit.Done():
		_ = running.stop()
		if ctx.Err() != nil {
			return fail("the start of the database was interrupted", ctx.Err())
		}
	}
	if reason := running.exitReason(); reason != endedWell {
		return fail("initdb "+reason+"; is there room on the disk?"+running.output.tail(5), ErrNoDatabase)
	}
	if err := os.Remove(c.passwordFile()); err != nil {
		return fail("the database's password file cannot be removed: "+leaf(err), err)
	}
	return nil
}

func (c *cluster) serve(ctx context.Context, port int) (*Database, error) {
	settings := []string{
		"fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off",
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(port),
		// No socket file: its path has a length limit that a long TMPDIR breaks.
		"unix_socket_directories=",
		// In the data directory, where it goes when the directory goes.
		"dynamic_shared_memory_type=mmap",
		// Errors are logged with the statement, and statements hold session ids.
		"log_min_messages=log", "log_min_error_statement=panic", "logging_collector=off",
	}
	arguments := []string{"-D", c.data()}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	running, err := c.run("postgres", arguments...)
	if err != nil {
		return nil, err
	}
	if err := ready(ctx, running); err != nil {
		return nil, errors.Join(err, running.stop())
	}
	dsn := url.URL{Scheme: "postgresql", User: url.UserPassword(superuser, c.password), Path: "/postgres",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), RawQuery: "sslmode=disable"}
	return &Database{DSN: secret.New(dsn.String()), Name: "PostgreSQL " + version(running.output.lines()) + " stand-in",
		folder: c.folder, process: running}, nil
}

// run starts one of PostgreSQL's programs. SIGQUIT is its immediate shutdown:
// no checkpoint, and the postmaster still frees its shared memory, which
// SIGKILL would leave behind.
func (c *cluster) run(name string, arguments ...string) (*process, error) {
	running, err := run(program{path: filepath.Join(c.bin, name), arguments: arguments, directory: c.folder, user: c.user,
		// TZ spares initdb the search for the zone; there is no other need of an environment.
		environment: []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"},
		polite:      syscall.SIGQUIT, orphaned: syscall.SIGQUIT}, newOutput(&secret.Redactor{}))
	switch {
	case errors.Is(err, fs.ErrPermission) && c.user != nil:
		return nil, fail(fmt.Sprintf("%s cannot be started as the user with id %d, which cannot enter the directory for temporary files or that of PostgreSQL; "+
			"set TMPDIR to a directory everyone can enter", name, c.user.Uid), ErrNoDatabase, err)
	case err != nil:
		return nil, fail(name+" cannot be started: "+leaf(err), ErrNoDatabase, err)
	}
	return running, nil
}

// ready waits for the line in which the server says that it takes connections.
func ready(ctx context.Context, running *process) error {
	timer := time.NewTimer(readyTimeout)
	defer timer.Stop()
	for {
		for _, line := range running.output.lines() {
			if strings.Contains(line, "database system is ready to accept connections") {
				return nil
			}
		}
		select {
		case <-running.output.grew:
		case <-running.gone:
			return tooEarly("PostgreSQL", running)
		case <-timer.C:
			return fail(fmt.Sprintf("PostgreSQL took no connections within %s%s", readyTimeout, running.output.tail(5)), ErrNoDatabase)
		case <-ctx.Done():
			return fail("the start of the database was interrupted", ctx.Err())
		}
	}
}

func tooEarly(name string, running *process) error {
	tail := running.output.tail(5)
	cause := []error{ErrNoDatabase}
	if portTaken(tail) {
		cause = append(cause, ErrPortInUse)
	}
	return fail(name+" "+running.exitReason()+" before it took connections"+tail, cause...)
}

var started = regexp.MustCompile(`starting PostgreSQL (\S+)`)

func version(lines []string) string {
	for _, line := range lines {
		if match := started.FindStringSubmatch(line); match != nil {
			return match[1]
		}
	}
	return "(version unknown)"
}
