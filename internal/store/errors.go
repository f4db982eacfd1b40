package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnreachable is in the chain of every error about a database that cannot
// be used at all.
var ErrUnreachable = errors.New("the database cannot be reached")

var errBadDSN = fmt.Errorf("%w: its URL cannot be read; write postgresql://user:password@host:port/database, with special characters of the password percent-encoded", ErrUnreachable)

// unreachable puts a failed connection into our own words: pgx's hold the user,
// the database and whatever the DSN said.
func unreachable(ctx context.Context, config *pgx.ConnConfig, err error) error {
	at := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if ctx.Err() != nil {
		return fmt.Errorf("the connection to the database at %s was interrupted: %w", at, ctx.Err())
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, refusal(at, err))
}

func refusal(at string, err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return at + " says: " + told(answer) + advice(answer.Code)
	}
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		timeout     net.Error
		system      syscall.Errno
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return at + " refused the connection; start it, or correct database.url"
	case errors.As(err, &name):
		return "the host of " + at + " does not resolve; correct database.url"
	case errors.As(err, &certificate):
		return at + " has a TLS certificate that is not trusted; give sslrootcert in database.url"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return at + " does not answer in time; correct database.url, or look whether a firewall is between"
	case errors.As(err, &system):
		return at + " cannot be connected to (" + system.Error() + "); correct database.url"
	case strings.Contains(err.Error(), "refused TLS"):
		return at + " does not speak TLS; put sslmode=disable into database.url if that is right"
	}
	return at + " does not speak the PostgreSQL protocol with us; correct database.url"
}

func advice(code string) string {
	switch code {
	case "28P01", "28000":
		return "; correct the user or password of database.url"
	case "3D000":
		return "; create the database first, or correct its name in database.url"
	case "53300":
		return "; close other connections, or raise max_connections"
	}
	return ""
}

// told is a server's message. Its details stay out: they quote rows.
func told(answer *pgconn.PgError) string {
	message := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, answer.Message)
	if runes := []rune(message); len(runes) > 500 {
		message = string(runes[:500]) + "…"
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", message, answer.Code)
}

// explain puts the failure of a statement into our own words.
func explain(ctx context.Context, err error) error {
	var answer *pgconn.PgError
	switch {
	case errors.As(err, &answer):
		return errors.New(told(answer))
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return errors.New("the database closed the connection")
}

// is reports whether the server answered with this SQLSTATE.
func is(err error, code string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == code
}
