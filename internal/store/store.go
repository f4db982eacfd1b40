// Package store talks to the database that holds an API's sessions: it opens
// it, prepares one for a run and gives the API a login of its own there; it
// finds session ids in the tables, compares their rows, and ages a row and puts
// it back. It starts no server and judges nothing. It works on PostgreSQL and
// on CockroachDB through the PostgreSQL protocol.
//
// No error of this package holds a DSN or a password: the driver's own errors
// do, so none of them is in a chain or quoted as it is.
package store

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const connectTimeout = 10 * time.Second

// Store is a connection to a database, and a second one for looking at its
// rows. It is safe for concurrent use; calls wait for each other.
type Store struct {
	config *pgx.ConnConfig

	mu         sync.Mutex
	connection *pgx.Conn

	observer observer
	schema   schema
	ledger   ledger
}

// Open connects. Errors about a database that does not let us in wrap
// ErrUnreachable.
func Open(ctx context.Context, dsn secret.Text) (*Store, error) {
	config, err := parse(dsn.Reveal())
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.RuntimeParams["application_name"] = "sessiongate"
	// The schema changes under our feet, which prepared statements do not survive.
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	return connect(ctx, config)
}

// dialect is how SQLAlchemy and others spell the scheme of a DSN.
var dialect = regexp.MustCompile(`^(?:postgres|postgresql|cockroachdb)(?:\+\w+)?://`)

// parse refuses what pgx would take for keywords and values, or for nothing
// said: it would connect to the machine's own server then.
func parse(dsn string) (*pgx.ConnConfig, error) {
	dsn = dialect.ReplaceAllLiteralString(strings.TrimSpace(dsn), "postgresql://")
	scheme, _, isURL := strings.Cut(dsn, "://")
	if dsn == "" || isURL && scheme != "postgresql" && !strings.Contains(scheme, "=") {
		return nil, errBadDSN
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errBadDSN
	}
	return config, nil
}

func connect(ctx context.Context, config *pgx.ConnConfig) (*Store, error) {
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, unreachable(ctx, config, err)
	}
	return &Store{config: config, connection: connection}, nil
}

// In opens another database of the same server as the same user.
func (s *Store) In(ctx context.Context, database string) (*Store, error) {
	config := s.config.Copy()
	config.Database = database
	return connect(ctx, config)
}

// Close ends the connection. It may be called again.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// The farewell is a courtesy; it must not hold up an interrupted run.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.connection.Close(ctx)
	s.observer.close(ctx)
	return nil
}

// Local reports whether the database is on this machine: behind a socket file
// or a loopback address.
func (s *Store) Local() bool {
	for _, other := range s.config.Fallbacks {
		if !Local(other.Host) {
			return false
		}
	}
	return Local(s.config.Host)
}

// Version is the server for people: "PostgreSQL 15.18", "CockroachDB v26.2.5".
// It asks nothing: both servers say it when they greet.
func (s *Store) Version(context.Context) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	greeting := s.connection.PgConn()
	return version(greeting.ParameterStatus("crdb_version"), greeting.ParameterStatus("server_version"))
}

var release = regexp.MustCompile(`v\d[\w.+-]*`)

func version(cockroach, postgres string) string {
	if cockroach != "" {
		return strings.TrimSpace("CockroachDB " + release.FindString(cockroach))
	}
	number, _, _ := strings.Cut(postgres, " ")
	return strings.TrimSpace("PostgreSQL " + number)
}

// cockroach reports whether the server is CockroachDB.
func (s *Store) cockroach() bool {
	return strings.HasPrefix(s.Version(context.Background()), "CockroachDB")
}

// exec runs one statement without arguments and drops its rows.
func (s *Store) exec(ctx context.Context, statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.connection.Exec(ctx, statement)
	return err
}
