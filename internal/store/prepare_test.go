package store

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// refusing is a server that calls itself CockroachDB and refuses every
// statement. It hands over what it was asked once the client has gone.
func refusing(t *testing.T) (dsn secret.Text, asked <-chan []string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	all := make(chan []string, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		all <- refuse(pgproto3.NewBackend(connection, connection))
	}()
	return secret.New("postgresql://root@" + listener.Addr().String() + "/defaultdb?sslmode=disable"), all
}

func refuse(client *pgproto3.Backend) (asked []string) {
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return nil
	}
	client.Send(&pgproto3.AuthenticationOk{})
	client.Send(&pgproto3.ParameterStatus{Name: "crdb_version", Value: "CockroachDB CCL v26.2.5 (x86_64)"})
	for {
		client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if client.Flush() != nil {
			return asked
		}
		message, err := client.Receive()
		if err != nil {
			return asked
		}
		query, is := message.(*pgproto3.Query)
		if !is {
			return asked
		}
		asked = append(asked, query.String)
		client.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42501", Message: "not allowed"})
	}
}

// Settings are tried on a server of our own only, each by itself, and a refused
// one is no failure.
func TestOnlyAThrowawayServerIsSet(t *testing.T) {
	t.Parallel()
	for _, throwaway := range []bool{true, false} {
		dsn, asked := refusing(t)
		s := open(t, dsn)
		_, err := s.Prepare(t.Context(), Plan{Database: "run", User: "api", Throwaway: throwaway})
		wantError(t, err, "the database run cannot be created")
		_ = s.Close()
		var want []string
		if throwaway {
			for _, name := range quickSettings {
				want = append(want, texts[name])
			}
		}
		want = append(want, `CREATE DATABASE "run"`)
		if got := <-asked; strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("throwaway %t: asked\n%s", throwaway, strings.Join(got, "\n"))
		}
	}
}
