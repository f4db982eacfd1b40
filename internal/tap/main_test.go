package tap

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// shared is one PostgreSQL for all tests.
var shared *launch.Database

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if len(os.Args) > 5 && os.Args[1] == "ask" { // see the benchmarks
		if err := ask(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	var err error
	if shared, err = launch.Postgres(context.Background(), ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Close()
	return m.Run()
}

func listen(t testing.TB, dsn secret.Text) *Tap {
	t.Helper()
	tapped, err := Listen(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tapped.Close(); err != nil {
			t.Error(err)
		}
	})
	return tapped
}

func connect(t testing.TB, dsn secret.Text) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(context.Background(), dsn.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func do(t testing.TB, connection *pgx.Conn, sql string, arguments ...any) {
	t.Helper()
	if _, err := connection.Exec(context.Background(), sql, arguments...); err != nil {
		t.Fatal(sql, err)
	}
}

// raw is the protocol without a driver's ideas.
func raw(t testing.TB, dsn secret.Text) *pgconn.HijackedConn {
	t.Helper()
	connection, err := pgconn.Connect(context.Background(), dsn.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	hijacked, err := connection.Hijack()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hijacked.Conn.Close() })
	if err := hijacked.Conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return hijacked
}

// as is the shared database for another user.
func as(t testing.TB, dsn secret.Text, user, password string) secret.Text {
	t.Helper()
	address, err := url.Parse(dsn.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(user, password)
	return secret.New(address.String())
}

// seen is what a statement said, for comparing: text, parameters, hits, error.
type seen struct {
	Kind       trace.StatementKind
	Text       string
	Parameters []string
	Hits       []string
	SQLState   string
	Error      string
}

func reveal(statements []trace.Statement) []seen {
	var all []seen
	for _, s := range statements {
		one := seen{Kind: s.Kind, Text: s.Text.Reveal(), SQLState: s.SQLState, Error: s.Error}
		for _, parameter := range s.Parameters {
			one.Parameters = append(one.Parameters, parameter.Reveal())
		}
		for _, hit := range s.Hits {
			one.Hits = append(one.Hits, fmt.Sprintf("%s in %d", hit.Form, hit.Parameter))
		}
		all = append(all, one)
	}
	return all
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// marker makes an id that no other test uses.
func marker(t testing.TB, kind string) string {
	return kind + "-" + strings.ReplaceAll(t.Name(), "/", "-") + "-7f3a91c2"
}
