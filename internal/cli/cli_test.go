package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sessiongate/sessiongate/internal/cli"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sessiongate": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: cli.Environment})
			stop()
			os.Exit(code)
		},
	})
}

// TestScripts are stories of a user at a shell. `demoapi FLAW...` serves the
// demo API and puts its address into $URL; `matches FILE REGEXP` is grep over a
// file that may hold a report; `absent FILE TEXT` is its opposite, to the letter;
// `running FILE` waits for a process id in the file, `gone FILE` for its end.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"demoapi": func(ts *testscript.TestScript, _ bool, flaws []string) {
				api, err := demoapi.New(flaws...)
				ts.Check(err)
				server := httptest.NewServer(api)
				ts.Defer(server.Close)
				ts.Setenv("URL", server.URL)
			},
			"matches": func(ts *testscript.TestScript, not bool, args []string) {
				found := regexp.MustCompile(args[1]).MatchString(ts.ReadFile(args[0]))
				if found == not {
					ts.Fatalf("%s: %q found: %v", args[0], args[1], found)
				}
			},
			"running": func(ts *testscript.TestScript, _ bool, args []string) { running(ts, args[0]) },
			"gone":    func(ts *testscript.TestScript, _ bool, args []string) { gone(ts, args[0]) },
			"absent": func(ts *testscript.TestScript, _ bool, args []string) {
				if i := strings.Index(ts.ReadFile(args[0]), args[1]); i >= 0 {
					ts.Fatalf("%s holds %q at byte %d", args[0], args[1], i)
				}
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("ALICE_PASSWORD", demoapi.AlicePassword)
			env.Setenv("BOB_PASSWORD", demoapi.BobPassword)
			return nil
		},
	})
}

// patience bounds the waiting for a process; a loaded machine needs some.
const patience = 20 * time.Second

func running(ts *testscript.TestScript, file string) {
	until(ts, "no process id in "+file, func() bool {
		_, err := os.Stat(ts.MkAbs(file))
		return err == nil
	})
}

func gone(ts *testscript.TestScript, file string) {
	id, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(file)))
	ts.Check(err)
	until(ts, fmt.Sprintf("process %d is still there", id), func() bool {
		return errors.Is(syscall.Kill(id, 0), syscall.ESRCH) || zombie(id)
	})
	ts.Check(os.Remove(ts.MkAbs(file)))
}

// zombie reports whether the process has ended and only waits to be collected:
// an orphan's new parent may take its time.
func zombie(id int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	return err == nil && strings.Contains(string(status), ") Z ")
}

func until(ts *testscript.TestScript, problem string, done func() bool) {
	limit := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-limit:
			ts.Fatalf("%s", problem)
		case <-tick.C:
		}
	}
}
