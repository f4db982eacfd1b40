package cli_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sessiongate/sessiongate/internal/cli"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sessiongate": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := cli.Main(ctx, os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr, Getenv: cli.Environment})
			stop()
			os.Exit(code)
		},
	})
}

// TestScripts are stories of a user at a shell. `demoapi FLAW...` serves the
// demo API and puts its address into $URL; `matches FILE REGEXP` is grep over a
// file that may hold a report; `absent FILE TEXT` is its opposite, to the letter.
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
