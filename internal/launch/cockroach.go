package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	nodeTimeout    = time.Minute      // until a node takes SQL; a fast machine needs a second
	versionTimeout = 10 * time.Second // for a program to say which version it is
	sqlTimeout     = 5 * time.Second  // for the port of a node that calls itself ready
)

// silentNode keeps a node from reporting its use to its vendor. It counts only
// before the first start.
const silentNode = "COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING=true"

// nodeArguments start the lightest node there is: in memory, where 640 MiB is
// the least that CockroachDB takes, with small caches. Insecure means no TLS
// and no passwords; privileges are enforced all the same.
func nodeArguments(sql, web string) []string {
	return []string{"start-single-node", "--insecure", "--store=type=mem,size=640MiB", "--cache=64MiB", "--max-sql-memory=128MiB",
		"--listen-addr=" + sql, "--http-addr=" + web}
}

// nodeDSN is root's, the administrator of an insecure node.
func nodeDSN(address string) secret.Text {
	return secret.New("postgresql://root@" + address + "/defaultdb?sslmode=disable")
}

// cockroachDB are the ways to a real one, best first: a program of the right
// version, a container, a program of another version.
func (m machine) cockroachDB(wanted StoreOptions) []source {
	program, reason, err := m.findCockroach()
	if err != nil || reason != "" {
		return []source{
			func(context.Context) (*Database, string, error) { return nil, reason, err },
			m.contained(wanted),
		}
	}
	run := func(ctx context.Context) (*Database, string, error) { return m.runCockroach(ctx, program) }
	if wanted.Version == "" {
		return []source{run, m.contained(wanted)}
	}
	fits := false
	return []source{
		func(ctx context.Context) (*Database, string, error) {
			found, reason, err := m.versionOf(ctx, program)
			if err != nil || reason != "" {
				return nil, reason, err
			}
			if fits = found == wanted.Version; !fits {
				return nil, fmt.Sprintf("%s is %s, not %s", m.called(program), found, wanted.Version), nil
			}
			return run(ctx)
		},
		m.contained(wanted),
		func(ctx context.Context) (*Database, string, error) {
			if fits {
				return nil, "", nil // tried already
			}
			database, reason, err := run(ctx)
			if database != nil {
				database.other = true
			}
			return database, reason, err
		},
	}
}

// findCockroach looks where design and custom say: COCKROACH_BINARY, PATH.
func (m machine) findCockroach() (program, reason string, err error) {
	if m.binary != "" {
		path, err := filepath.Abs(m.binary)
		if err == nil {
			path, err = exec.LookPath(path)
		}
		if err != nil {
			return "", "", fail("COCKROACH_BINARY names no program that can be run: "+leaf(err)+"; correct it, or unset it", ErrNoDatabase, err)
		}
		return path, "", nil
	}
	for _, folder := range filepath.SplitList(m.path) {
		if path := filepath.Join(folder, "cockroach"); filepath.IsAbs(path) && isProgram(path) {
			return path, "", nil
		}
	}
	return "", "there is no cockroach on the PATH and no COCKROACH_BINARY", nil
}

// called is the program as the user knows it.
func (m machine) called(program string) string {
	if m.binary != "" {
		return "the program in COCKROACH_BINARY"
	}
	return program
}

// unusable decides what a program that does not work means: an error where the
// user named it, a reason to look further where it just lay on the PATH.
func (m machine) unusable(err error) (reason string, final error) {
	if m.binary != "" || !errors.Is(err, ErrNoDatabase) {
		return "", err
	}
	return oneLine(err), nil
}

func (m machine) runCockroach(ctx context.Context, program string) (*Database, string, error) {
	folder, err := newFolder(m.parent)
	if err != nil {
		return nil, "", err
	}
	database, err := retried(func() (*Database, error) { return m.serve(ctx, program, folder) })
	if err != nil {
		reason, err := m.unusable(err)
		return nil, reason, errors.Join(err, remove(folder))
	}
	return database, "", nil
}

// start runs the program. It is ended with SIGKILL at once: a node drains for
// seconds when it is asked, and nothing of what it holds outlives the run.
func (m machine) start(path, folder string, arguments ...string) (*process, error) {
	running, err := run(program{path: path, arguments: arguments, directory: folder,
		environment: []string{"PATH=" + m.path, "HOME=" + folder, "TMPDIR=" + folder, "LC_ALL=C", "TZ=UTC", silentNode},
		polite:      syscall.SIGKILL, orphaned: syscall.SIGKILL}, newOutput(&secret.Redactor{}))
	if err != nil {
		return nil, fail(m.called(path)+" cannot be started: "+leaf(err), ErrNoDatabase, err)
	}
	return running, nil
}

// serve chooses both ports: a node says only that of SQL in a file.
func (m machine) serve(ctx context.Context, program, folder string) (*Database, error) {
	sqlPort, err := FreePort()
	if err != nil {
		return nil, err
	}
	webPort, err := FreePort()
	if err != nil {
		return nil, err
	}
	sql, web := onLoopback(sqlPort), onLoopback(webPort)
	running, err := m.start(program, folder, nodeArguments(sql, web)...)
	if err != nil {
		return nil, err
	}
	switch reason := nodeReady(ctx, sql, web, running.gone); {
	case reason == "":
		return &Database{DSN: nodeDSN(sql), folder: folder, process: running}, nil
	case ctx.Err() != nil:
		err = fail("the start of the database was interrupted", ctx.Err())
	case running.exitReason() != "":
		err = tooEarly(m.called(program), running)
	default:
		err = fail(m.called(program)+" "+reason+running.output.tail(5), ErrNoDatabase)
	}
	return nil, errors.Join(err, running.stop())
}

func onLoopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// nodeReady waits until a node takes SQL: it says so itself, and its port is
// open. It returns a clause that says why not, "" for success.
func nodeReady(ctx context.Context, sql, web string, ended <-chan struct{}) string {
	ask, err := newCheck("http://"+web, Ready{Path: "/health?ready=1"})
	if err != nil {
		return "cannot be asked: " + leaf(err)
	}
	ask.exactly = http.StatusOK // 503 until it takes SQL; anything else is no CockroachDB
	limit, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	if why := ask.wait(limit, ended); why != "" {
		return fmt.Sprintf("was not ready within %s (%s)", nodeTimeout, why)
	}
	dialer := net.Dialer{Timeout: sqlTimeout}
	connection, err := dialer.DialContext(ctx, "tcp4", sql)
	if err != nil {
		return "says that it is ready, but takes no SQL connection: " + leaf(err)
	}
	_ = connection.Close()
	return ""
}

// versionOf asks the program for its build tag.
func (m machine) versionOf(ctx context.Context, program string) (version, reason string, err error) {
	running, err := m.start(program, m.parent, "version", "--build-tag")
	if err == nil {
		version, err = m.said(ctx, program, running)
	}
	if err != nil {
		reason, err = m.unusable(err)
	}
	return version, reason, err
}

func (m machine) said(ctx context.Context, program string, running *process) (string, error) {
	limit, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	select {
	case <-running.gone:
	case <-limit.Done():
		_ = running.stop()
	}
	lines := running.output.lines()
	if running.exitReason() != endedWell || len(lines) == 0 || !tagged.MatchString(lines[0]) {
		return "", fail(m.called(program)+" does not tell its version: it "+running.exitReason()+running.output.tail(5), ErrNoDatabase)
	}
	return lines[0], nil
}

// oneLine is an error as a clause among others.
func oneLine(err error) string {
	head, _, _ := strings.Cut(err.Error(), "; its last lines:")
	return strings.Join(strings.Fields(head), " ")
}
