package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Row reads the row of a cell that Find returned once more, by its primary
// key, in a table without one by the cell. It reports whether the row is
// still there.
func (s *Store) Row(ctx context.Context, cell trace.Cell) (row trace.Row, exists bool, err error) {
	return s.RowAt(ctx, "", cell)
}

// RowAt is Row at a moment that Now returned; "" is the present.
func (s *Store) RowAt(ctx context.Context, at string, cell trace.Cell) (row trace.Row, exists bool, err error) {
	clause, err := s.asOf(at)
	if err != nil {
		return trace.Row{}, false, err
	}
	r, err := s.identify(ctx, cell.Row)
	if err != nil {
		return trace.Row{}, false, err
	}
	columns := shown(r.table)
	values, err := s.read(ctx, r, clause, columns, searchedLength)
	switch {
	case errors.Is(err, ErrGone), is(err, "42P01"):
		return trace.Row{}, false, nil
	case err != nil:
		return trace.Row{}, false, r.failed("read", ownOr(ctx, err))
	}
	return rowOf(r.table, columns, values, cell.Column, !cell.Within), true, nil
}

// Change is a column whose value differs between two states of a row.
type Change struct {
	Column, Role     string
	From, To         secret.Text
	FromNull, ToNull bool
}

// Diff lists the columns that differ, in the order of after. A column that one
// of the rows lacks is left out.
func Diff(before, after trace.Row) []Change {
	var changes []Change
	for _, to := range after.Columns {
		at := slices.IndexFunc(before.Columns, func(c trace.Column) bool { return c.Name == to.Name })
		if at < 0 {
			continue
		}
		if from := before.Columns[at]; from.Null != to.Null || from.Value != to.Value {
			changes = append(changes, Change{Column: to.Name, Role: to.Role, From: from.Value, To: to.Value, FromNull: from.Null, ToNull: to.Null})
		}
	}
	return changes
}

// identified is a row with its table and what it is found again by.
type identified struct {
	name  string // for people
	table Table
	key   []trace.Column
	print fingerprint
}

func (r identified) failed(what string, why error) error {
	return fmt.Errorf("the row of %s cannot be %s: %w", r.name, what, why)
}

func (s *Store) identify(ctx context.Context, row trace.Row) (identified, error) {
	r := identified{name: row.Table}
	for _, oldest := range []time.Duration{forever, -1} {
		tables, err := s.tables(ctx, oldest)
		if err != nil {
			return r, err
		}
		at := slices.IndexFunc(tables, func(t Table) bool { return t.String() == row.Table })
		if at < 0 {
			continue
		}
		r.table = tables[at]
		r.key, err = keyOf(r.table, row)
		r.print = fingerprintOf(r.table, r.key)
		return r, err
	}
	return r, fmt.Errorf("the table %s does not exist any more", row.Table)
}

// keyOf is what a row of the table is found again by.
func keyOf(table Table, row trace.Row) ([]trace.Column, error) {
	var key []trace.Column
	for _, column := range row.Columns {
		if slices.Contains(table.Key, column.Name) && isKey(column) {
			key = append(key, column)
		}
	}
	if len(key) > 0 && len(key) == len(table.Key) {
		return key, nil
	}
	if id, has := row.With(roleID); has && isKey(id) {
		return []trace.Column{id}, nil
	}
	return nil, fmt.Errorf("the table %s has no primary key that can be read, so its row cannot be found again", table)
}

// isKey: a value that was cut finds nothing.
func isKey(column trace.Column) bool { return !column.Null && column.Value.Len() < shownLength }

// where is the condition for the row, with its parameters; the first gets the
// number first.
func (r identified) where(first int) (condition string, parameters []any) {
	parts := make([]string, len(r.key))
	for i, column := range r.key {
		parts[i] = fill(keyIs, "column", quoted(column.Name), "number", fmt.Sprint(first+i))
		parameters = append(parameters, input(column.Type, column.Value.Reveal()))
	}
	return strings.Join(parts, " AND "), parameters
}

func (r identified) reading(clause string, columns []TableColumn, length int) (statement string, parameters []any) {
	condition, key := r.where(1)
	return readRow.with("columns", list(columns, readAs(length)), "table", r.table.quoted(), "at", clause, "key", condition), key
}

// input is a value as the server reads it: the driver sends a string as text
// whatever the type of the parameter.
func input(kind, value string) string {
	if kind == "bytea" {
		return `\x` + value
	}
	return value
}

// errSeveral is about a table without primary key.
var errSeveral = errors.New("several rows hold the value by which it was found; give the table a primary key")

// read returns the values of the one row, or ErrGone.
func (s *Store) read(ctx context.Context, r identified, clause string, columns []TableColumn, length int) (record, error) {
	statement, parameters := r.reading(clause, columns, length)
	rows, err := s.ask(ctx, statement, parameters...)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, ErrGone
	case len(rows) > 1:
		return nil, errSeveral
	}
	return rows[0], nil
}

// rowOf is a row as others see it. When the id is the whole of the holder, that
// column has the role id, whatever the others are called.
func rowOf(table Table, columns []TableColumn, values record, holder string, whole bool) trace.Row {
	row := trace.Row{Table: table.String()}
	for i, column := range columns {
		role := column.Role
		switch {
		case whole && column.Name == holder:
			role = roleID
		case whole && role == roleID:
			role = ""
		}
		row.Columns = append(row.Columns, trace.Column{Name: column.Name, Type: column.Type, Role: role,
			Null: values[i] == nil, Value: secret.New(cut(values.text(i), shownLength))})
	}
	return row
}

// cut shortens a text between two characters.
func cut(value string, length int) string {
	if len(value) <= length {
		return value
	}
	for length > 0 && !utf8.RuneStart(value[length]) {
		length--
	}
	return value[:length]
}
