package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// attempts is how often a statement that lost a race is sent.
	attempts = 5
	// firstPause doubles after each attempt.
	firstPause = 10 * time.Millisecond
)

// ErrGone is in the chain of the error about a row that is no longer there.
var ErrGone = errors.New("the row is gone")

var errClosed = errors.New("the connection to the database was closed")

// observer is a second connection, for looking: its settings must not reach
// the user's SQL files. It is opened when it is first needed and again after
// it was lost, since an interrupted statement costs its connection.
type observer struct {
	mu         sync.Mutex
	connection *pgx.Conn
	closed     bool
}

func (o *observer) close(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.connection != nil {
		_ = o.connection.Close(ctx)
	}
}

// connected is called with the lock held.
func (s *Store) connected(ctx context.Context) (*pgx.Conn, error) {
	o := &s.observer
	if o.closed {
		return nil, errClosed
	}
	if o.connection != nil && !o.connection.IsClosed() {
		return o.connection, nil
	}
	opened, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return nil, unreachable(ctx, s.config, err)
	}
	settings := []statementName{limitTime, limitNames, useUTC, useISODates, useIntervals, useExactFloats, useHexBytes, useSerializable}
	for _, setting := range settings {
		if _, err := opened.Exec(ctx, setting.with()); err != nil {
			_ = opened.Close(ctx)
			return nil, err
		}
	}
	o.connection = opened
	return opened, nil
}

// record is a row of texts; nil stands for NULL.
type record []*string

// text is the value, "" for NULL.
func (r record) text(at int) string {
	if r[at] == nil {
		return ""
	}
	return *r[at]
}

// ask runs a statement whose columns are all of type TEXT.
func (s *Store) ask(ctx context.Context, statement string, arguments ...any) (records []record, err error) {
	err = s.observe(ctx, func(connection *pgx.Conn) error {
		rows, err := connection.Query(ctx, statement, arguments...)
		if err != nil {
			return err
		}
		records, err = pgx.CollectRows(rows, scanRecord)
		return err
	})
	return records, err
}

func scanRecord(row pgx.CollectableRow) (record, error) {
	found := make(record, len(row.FieldDescriptions()))
	into := make([]any, len(found))
	for i := range found {
		into[i] = &found[i]
	}
	return found, row.Scan(into...)
}

// write runs a statement that changes rows, and counts them.
func (s *Store) write(ctx context.Context, statement string, arguments ...any) (changed int64, err error) {
	err = s.observe(ctx, func(connection *pgx.Conn) error {
		tag, err := connection.Exec(ctx, statement, arguments...)
		changed = tag.RowsAffected()
		return err
	})
	return changed, err
}

// observe repeats what lost a race against the API. Every statement of ours is
// a transaction of its own and gives the same result when it runs twice, which
// 40003 (completion unknown) needs.
func (s *Store) observe(ctx context.Context, do func(*pgx.Conn) error) error {
	s.observer.mu.Lock()
	defer s.observer.mu.Unlock()
	once := func() error {
		connection, err := s.connected(ctx)
		if err != nil {
			return err
		}
		return do(connection)
	}
	had := s.observer.connection
	err := repeat(ctx, once)
	if err != nil && ctx.Err() == nil && had != nil && had == s.observer.connection && had.IsClosed() {
		err = repeat(ctx, once) // the server dropped an idle connection
	}
	return err
}

func repeat(ctx context.Context, do func() error) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || attempt == attempts || !lostRace(err) {
			return err
		}
		if !wait(ctx, pause) {
			return ctx.Err()
		}
		pause *= 2
	}
}

func lostRace(err error) bool { return is(err, "40001") || is(err, "40003") || is(err, "CR000") }

// wait reports whether the pause went by before the end of ctx.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// reasonOf is why a look failed. Unlike explain it leaves the server's message
// out: triggers and casts quote the values of a row in it.
func reasonOf(ctx context.Context, err error) error {
	var answer *pgconn.PgError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w", ctx.Err())
	case errors.Is(err, ErrUnreachable), errors.Is(err, errClosed):
		return err
	case !errors.As(err, &answer):
		return errors.New("the database closed the connection")
	}
	switch code := answer.Code; {
	case code == "42501":
		return errors.New("its user has no permission for that; grant it SELECT on the table (UPDATE, INSERT and DELETE where rows are aged)")
	case code == "57014":
		return errors.New("that took longer than 3 seconds")
	case code == "42P01":
		return errors.New("the table does not exist any more")
	case strings.HasPrefix(code, "23"):
		return errors.New("a constraint of the table refuses the new value (SQLSTATE " + code + ")")
	case strings.HasPrefix(code, "57P"):
		return errors.New("the database is shutting down")
	default:
		return errors.New("the database refuses the statement (SQLSTATE " + code + ")")
	}
}
