// Package drivers_test lets the Python drivers that APIs use talk through the
// tap to a real database, and looks at what the tap made of it.
package drivers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/tap"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	id     = "7d0f3a91-c25e-4b6f-8a11-0c9d2e4f5a6b"
	quoted = id + "'quoted"
)

var database *launch.Database

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if output, err := exec.Command("./install").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", output, err)
		return 1
	}
	var err error
	if database, err = launch.Postgres(context.Background(), ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer database.Close()
	return m.Run()
}

// play runs the program through a tap and returns what the tap kept.
func play(t *testing.T, driver, scheme string) (*tap.Tap, []trace.Statement) {
	t.Helper()
	dsn := secret.New(strings.Replace(database.DSN.Reveal(), "postgresql", scheme, 1))
	tapped, err := tap.Listen(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tapped.Close() })
	tapped.Watch(secret.New(id))
	program := exec.CommandContext(t.Context(), ".venv/bin/python", "play.py", driver, id)
	program.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "DATABASE_URL=" + tapped.DSN().Reveal()}
	for name, value := range tapped.Environment() {
		program.Env = append(program.Env, name+"="+value.Reveal())
	}
	if output, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	tapped.Watch(secret.New(quoted)) // looks back
	return tapped, tapped.Statements()
}

// short is a statement in a line: what is in it, where, and how it went.
func short(statement trace.Statement) string {
	verb, _, _ := strings.Cut(statement.Text.Reveal(), " ")
	line := fmt.Sprintf("%s %s %d:", statement.Kind, verb, len(statement.Parameters))
	for _, hit := range statement.Hits {
		which := ""
		if hit.ID == secret.New(quoted) {
			which = "quoted "
		}
		line += fmt.Sprintf(" %s%s in %d", which, hit.Form, hit.Parameter)
	}
	if statement.SQLState != "" {
		line += " " + statement.SQLState
	}
	return line
}

// How the three ways of a driver to send values show on the wire. What psycopg
// gets without parameters it sends as a simple query, asyncpg never does.
var (
	spliced = []string{
		"simple INSERT 0: raw in 0 sha256 hex in 0",
		"simple SELECT 0: raw in 0",
		"simple INSERT 0: raw in 0 quoted raw in 0",
		"simple SELECT 0: raw in 0 quoted raw in 0 42601",
		"simple INSERT 0: raw in 0",
		"simple SELECT 0: raw in 0",
	}
	bound = []string{
		"extended INSERT 3: raw in 1 sha256 bytes in 2 hex-decoded in 3",
		"simple SELECT 0: raw in 0",
		"extended INSERT 3: raw in 1 quoted raw in 1 hex-decoded in 3",
		"simple SELECT 0: raw in 0 quoted raw in 0 42601",
		"extended INSERT 3: raw in 1",
		"extended SELECT 1: raw in 1",
	}
	alwaysBound = []string{bound[0], "extended SELECT 0: raw in 0", bound[2],
		"extended SELECT 0: raw in 0 quoted raw in 0 42601", bound[4], bound[5]}
)

func TestDrivers(t *testing.T) {
	t.Parallel()
	for name, driver := range map[string]struct {
		play, scheme string
		want         []string
	}{
		"psycopg2":                {"psycopg2", "postgresql", spliced},
		"psycopg 3":               {"psycopg", "postgresql", bound},
		"asyncpg":                 {"asyncpg", "postgresql", alwaysBound},
		"SQLAlchemy on psycopg 3": {"sqlalchemy", "postgresql+psycopg", bound},
		"SQLAlchemy on asyncpg":   {"sqlalchemy", "postgresql+asyncpg", alwaysBound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tapped, statements := play(t, driver.play, driver.scheme)
			var got []string
			for _, statement := range statements {
				got = append(got, short(statement))
			}
			if diff := cmp.Diff(driver.want, got); diff != "" {
				t.Fatal(diff)
			}
			if last := statements[len(statements)-1]; last.Connection != 2 || statements[0].Connection != 1 {
				t.Error("the second connection has another number")
			}
			if counts := tapped.Counts(); counts.Connections != 2 || counts.Errors != 1 || counts.Statements < 500 {
				t.Errorf("%+v", counts)
			}
			if parameters := statements[0].Parameters; parameters != nil {
				wantValues(t, parameters)
			} else if !strings.Contains(statements[2].Text.Reveal(), "''quoted'") {
				t.Error("an id with a quote is sent otherwise than this test supposes")
			}
		})
	}
}

// wantValues: the id as text, its digest and its UUID in binary.
func wantValues(t *testing.T, parameters []secret.Text) {
	t.Helper()
	digest := sha256.Sum256([]byte(id))
	key, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{id, string(digest[:]), string(key)} {
		if got := parameters[i].Reveal(); got != want {
			t.Errorf("parameter %d: %q, want %q", i+1, got, want)
		}
	}
}
