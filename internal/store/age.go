package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/trace"
)

// largestValue is the length in characters above which a row is not changed:
// it must be kept to be put back.
const largestValue = 1 << 20

var errNotFound = errors.New("only rows in which this run found a session id are changed")

// Touch updates the row to what it holds: the control for every other change
// (probes.md §7). It works on rows that Find returned, as Age, SetTime, Delete
// and Restore do; the error wraps ErrGone when the row is gone. Each is one
// statement. The row as it was before the first of them is kept for Restore.
func (s *Store) Touch(ctx context.Context, row trace.Row) error {
	r, _, err := s.hold(ctx, row)
	if err != nil {
		return r.failed("touched", err)
	}
	return s.update(ctx, r, "touched", nil)
}

// Age moves the moments back by that much. None may be part of the primary key.
func (s *Store) Age(ctx context.Context, row trace.Row, by time.Duration, which ...Time) error {
	return s.change(ctx, row, func(at time.Time) time.Time { return at.Add(-by) }, which)
}

// SetTime sets the moments to the given one, written as they were.
func (s *Store) SetTime(ctx context.Context, row trace.Row, to time.Time, which ...Time) error {
	return s.change(ctx, row, func(time.Time) time.Time { return to }, which)
}

func (s *Store) change(ctx context.Context, row trace.Row, move func(time.Time) time.Time, which []Time) error {
	r, now, err := s.hold(ctx, row)
	if err != nil {
		return r.failed("aged", err)
	}
	changed, err := r.moved(now, move, which)
	if err != nil {
		return r.failed("aged", err)
	}
	return s.update(ctx, r, "aged", changed)
}

// moved are the new values of the columns with the moments.
func (r identified) moved(now original, move func(time.Time) time.Time, which []Time) (map[string]string, error) {
	if len(which) == 0 {
		return nil, errors.New("no time of it was named")
	}
	changed := map[string]string{}
	for _, t := range which {
		at := slices.IndexFunc(now.columns, func(c TableColumn) bool { return c.Name == t.Column })
		if at < 0 || now.columns[at].computed || r.isKey(t.Column) {
			return nil, fmt.Errorf("its column %s cannot be set", plainName(t.Column))
		}
		value, again := changed[t.Column]
		if !again {
			value = now.values.text(at)
		}
		value, is := rewritten(now.columns[at].Type, value, t, move)
		if !is {
			return nil, fmt.Errorf("its column %s holds no time there any more", plainName(t.Column))
		}
		changed[t.Column] = value
	}
	return changed, nil
}

// Delete removes the row.
func (s *Store) Delete(ctx context.Context, row trace.Row) error {
	r, _, err := s.hold(ctx, row)
	if err != nil {
		return r.failed("deleted", err)
	}
	statement, parameters := r.deleting()
	count, err := s.write(ctx, statement, parameters...)
	return s.outcome(ctx, r, "deleted", count, err)
}

// Restore makes the row what it was before the first Touch, Age, SetTime or
// Delete, byte for byte, and reads it to be sure. A row that is gone is
// inserted. Without a change before, it does nothing.
func (s *Store) Restore(ctx context.Context, row trace.Row) error {
	r, err := s.mine(ctx, row)
	if err != nil {
		return r.failed("put back", err)
	}
	kept, has := s.ledger.original(r.print)
	if !has {
		return nil
	}
	statement, parameters := r.puttingBack(kept)
	count, err := s.write(ctx, statement, parameters...)
	if err == nil && count == 0 {
		statement, parameters = r.inserting(kept, s.cockroach())
		_, err = s.write(ctx, statement, parameters...)
	}
	// An insert whose outcome got lost is sent again, and refused then.
	if err != nil && !is(err, "23505") {
		return r.failed("put back", reasonOf(ctx, err))
	}
	if problem := s.compare(ctx, r, kept); problem != nil {
		if err != nil {
			problem = reasonOf(ctx, err)
		}
		return r.failed("put back", problem)
	}
	s.ledger.forget(r.print)
	return nil
}

func (s *Store) compare(ctx context.Context, r identified, kept original) error {
	values, err := s.read(ctx, r, "", kept.columns, largestValue)
	if err != nil {
		return ownOr(ctx, err)
	}
	var differ []string
	for i, column := range kept.columns {
		if (values[i] == nil) != (kept.values[i] == nil) || values.text(i) != kept.values.text(i) {
			differ = append(differ, plainName(column.Name))
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("a trigger or somebody else changed %s meanwhile", strings.Join(differ, ", "))
	}
	return nil
}

// mine refuses rows that Find did not return.
func (s *Store) mine(ctx context.Context, row trace.Row) (identified, error) {
	r, err := s.identify(ctx, row)
	if err == nil && !s.ledger.has(r.print) {
		err = errNotFound
	}
	return r, err
}

// hold reads the row and keeps it if it was not changed before.
func (s *Store) hold(ctx context.Context, row trace.Row) (identified, original, error) {
	r, err := s.mine(ctx, row)
	if err != nil {
		return r, original{}, err
	}
	now := original{columns: r.table.Columns}
	now.values, err = s.read(ctx, r, "", now.columns, largestValue)
	if err != nil {
		return r, original{}, ownOr(ctx, err)
	}
	for i := range now.values {
		if len(now.values.text(i)) >= largestValue {
			return r, original{}, fmt.Errorf("its column %s is too large to be put back afterwards", plainName(now.columns[i].Name))
		}
	}
	if _, kept := s.ledger.original(r.print); !kept {
		s.ledger.keep(r.print, now)
	}
	return r, now, nil
}

// ownOr is one of our own errors as it is, or the reason of the server's.
func ownOr(ctx context.Context, err error) error {
	if errors.Is(err, ErrGone) || errors.Is(err, errSeveral) {
		return err
	}
	return reasonOf(ctx, err)
}

func (s *Store) update(ctx context.Context, r identified, what string, changed map[string]string) error {
	statement, parameters := r.updating(changed, s.cockroach())
	count, err := s.write(ctx, statement, parameters...)
	return s.outcome(ctx, r, what, count, err)
}

func (s *Store) outcome(ctx context.Context, r identified, what string, count int64, err error) error {
	switch {
	case err != nil:
		return r.failed(what, reasonOf(ctx, err))
	case count == 0:
		return r.failed(what, ErrGone)
	}
	return nil
}
