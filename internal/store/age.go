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

// original is a whole row as it was before its first change.
type original struct {
	columns []TableColumn
	values  record
}

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
	condition, parameters := r.where(1)
	count, err := s.write(ctx, deleteRow.with("table", r.table.quoted(), "key", condition), parameters...)
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
	count, err := s.putBack(ctx, r, kept)
	if err == nil && count == 0 {
		_, err = s.reinsert(ctx, r, kept)
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

func (s *Store) putBack(ctx context.Context, r identified, kept original) (int64, error) {
	var set []string
	var parameters []any
	for i, column := range kept.columns {
		if r.isSettable(column) {
			set = append(set, fill(isSetTo, "column", quoted(column.Name), "number", fmt.Sprint(len(set)+1)))
			parameters = append(parameters, parameter(column, kept.values[i]))
		}
	}
	if len(set) == 0 { // nothing but a key, which is there or not
		set = []string{r.still()}
	}
	condition, key := r.where(len(parameters) + 1)
	return s.write(ctx, updateRow.with("table", r.table.quoted(), "assignments", strings.Join(set, ", "), "key", condition), append(parameters, key...)...)
}

func (s *Store) reinsert(ctx context.Context, r identified, kept original) (int64, error) {
	statement := insertRow
	var names, places []string
	var parameters []any
	for i, column := range kept.columns {
		if column.computed {
			continue
		}
		if column.always && !s.cockroach() {
			statement = insertRowOverriding
		}
		names = append(names, quoted(column.Name))
		places = append(places, fmt.Sprintf("$%d", len(places)+1))
		parameters = append(parameters, parameter(column, kept.values[i]))
	}
	return s.write(ctx, statement.with("table", r.table.quoted(), "names", strings.Join(names, ", "), "values", strings.Join(places, ", ")), parameters...)
}

// parameter has the type of its column, which the server knows.
func parameter(column TableColumn, value *string) any {
	if value == nil {
		return nil
	}
	return input(column.Type, *value)
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

// update sets the columns. On CockroachDB every other one is set to itself,
// since those with ON UPDATE would change: that of ttl_expire_after is one.
func (s *Store) update(ctx context.Context, r identified, what string, changed map[string]string) error {
	var set []string
	var parameters []any
	for _, column := range r.table.Columns {
		value, is := changed[column.Name]
		switch {
		case is:
			parameters = append(parameters, input(column.Type, value))
			set = append(set, fill(isSetTo, "column", quoted(column.Name), "number", fmt.Sprint(len(parameters))))
		case s.cockroach() && r.isSettable(column):
			set = append(set, fill(staysAsItIs, "column", quoted(column.Name)))
		}
	}
	if len(set) == 0 {
		set = []string{r.still()}
	}
	condition, key := r.where(len(parameters) + 1)
	statement := updateRow.with("table", r.table.quoted(), "assignments", strings.Join(set, ", "), "key", condition)
	count, err := s.write(ctx, statement, append(parameters, key...)...)
	return s.outcome(ctx, r, what, count, err)
}

// still is an assignment that changes nothing.
func (r identified) still() string {
	for _, role := range []string{roleSeen, roleCreated, roleExpires, roleData, ""} {
		for _, column := range r.table.Columns {
			if column.Role == role && r.isSettable(column) {
				return fill(staysAsItIs, "column", quoted(column.Name))
			}
		}
	}
	return fill(staysAsItIs, "column", quoted(r.key[0].Name))
}

func (r identified) isKey(name string) bool {
	return slices.ContainsFunc(r.key, func(c trace.Column) bool { return c.Name == name })
}

// isSettable leaves the key out: it stays, and an identity refuses to be set.
func (r identified) isSettable(column TableColumn) bool {
	return !column.computed && !column.always && !r.isKey(column.Name)
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
