package store

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Plan is a database for one run and the login an API gets in it.
type Plan struct {
	Database string // must not exist yet
	User     string // must not exist yet
	// Files are run in the new database, in this order, by the administrator.
	// Without any the API makes its tables itself, and may.
	Files []string
	// Throwaway says that the whole server was started for this run. Only then
	// may its settings be changed: to those that make a CockroachDB quick.
	Throwaway bool
}

// Prepare carries a plan out and returns the DSN of the login, whose password
// is random; when it is one of the files that failed, with the error. It may read and write rows and use sequences; it owns nothing and,
// unless there are no files, creates nothing. On a CockroachDB in insecure mode
// there are no passwords, and the DSN has none.
func (s *Store) Prepare(ctx context.Context, plan Plan) (secret.Text, error) {
	if plan.Database == "" || plan.User == "" {
		return secret.Text{}, errors.New("a plan for the database needs a database and a user")
	}
	if plan.Throwaway {
		s.hasten(ctx)
	}
	if err := s.exec(ctx, createDatabase.with("database", quoted(plan.Database))); err != nil {
		return secret.Text{}, fmt.Errorf("the database %s cannot be created: %w", plan.Database, explain(ctx, err))
	}
	password, err := s.createUser(ctx, plan.User)
	if err != nil {
		return secret.Text{}, err
	}
	inside, err := s.In(ctx, plan.Database)
	if err != nil {
		return secret.Text{}, err
	}
	defer inside.Close()
	var failed error
	for _, file := range plan.Files {
		if failed = inside.RunFile(ctx, file); failed != nil {
			break
		}
	}
	if err := inside.grant(ctx, plan); err != nil {
		if failed == nil {
			failed = fmt.Errorf("the user %s cannot be given its privileges: %w", plan.User, explain(ctx, err))
		}
		return secret.Text{}, failed
	}
	return inside.login(plan, password), failed
}

// hasten sets what CockroachDB's own page on local testing asks for, one
// statement at a time since settings go through no transaction. A version that
// lacks one is slower, no more. Its gc.ttlseconds of ten minutes is left out: it
// gains nothing in a short run, and in a long one the past could not be read.
func (s *Store) hasten(ctx context.Context) {
	if !s.cockroach() {
		return
	}
	for _, setting := range quickSettings {
		_ = s.exec(ctx, setting.with())
	}
}

// createUser puts the password into the statement, since a definition takes no
// parameters; rand.Text has letters and digits only.
func (s *Store) createUser(ctx context.Context, name string) (string, error) {
	password := rand.Text()
	err := s.exec(ctx, createUser.with("user", quoted(name), "password", password))
	if is(err, "28P01") && s.cockroach() { // insecure mode refuses passwords
		password = ""
		err = s.exec(ctx, createOpenUser.with("user", quoted(name)))
	}
	if err != nil {
		return "", fmt.Errorf("the user %s cannot be created: %w", name, explain(ctx, err))
	}
	return password, nil
}

func (s *Store) grant(ctx context.Context, plan Plan) error {
	user := quoted(plan.User)
	statements := []string{grantConnect.with("database", quoted(plan.Database), "user", user)}
	schemas, err := s.schemas(ctx)
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		// Old PostgreSQL and CockroachDB let everybody create tables in public.
		for _, one := range []statementName{revokeCreate, grantUsage, grantRows, grantSequences} {
			statements = append(statements, one.with("schema", quoted(schema), "user", user))
		}
	}
	if len(plan.Files) == 0 {
		statements = append(statements, grantCreate.with("user", user))
	}
	for _, statement := range statements {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) schemas(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.connection.Query(ctx, listSchemas.with())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// login is the DSN of the plan's user. It asks for TLS when we have it.
func (s *Store) login(plan Plan, password string) secret.Text {
	s.mu.Lock()
	_, encrypted := s.connection.PgConn().Conn().(*tls.Conn)
	s.mu.Unlock()
	query := url.Values{"sslmode": {"disable"}}
	if encrypted {
		query.Set("sslmode", "require")
	}
	dsn := url.URL{Scheme: "postgresql", User: url.User(plan.User), Path: "/" + plan.Database}
	if password != "" {
		dsn.User = url.UserPassword(plan.User, password)
	}
	if strings.HasPrefix(s.config.Host, "/") { // a socket's directory has no place in a URL's host
		query.Set("host", s.config.Host)
		query.Set("port", strconv.Itoa(int(s.config.Port)))
	} else {
		dsn.Host = net.JoinHostPort(s.config.Host, strconv.Itoa(int(s.config.Port)))
	}
	dsn.RawQuery = query.Encode()
	return secret.New(dsn.String())
}
