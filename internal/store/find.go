package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The bounds of a search, so that it costs the same whatever the database holds.
const (
	searchedTables = 200   // in one Find
	scannedRows    = 10000 // of a table, the newest first where an index says which they are
	foundRows      = 20    // of a table
	shownColumns   = 50    // of a row
	searchedLength = 65536 // characters of a value
	shownLength    = 8192  // bytes of a value
	searchTime     = 15 * time.Second
	scannedSettled = 1000 // rows of a table, once an index has answered for the columns where ids live
)

// ErrIncomplete is in the chain of the error about an id that was not found by
// a search with gaps: it may be in the store all the same.
var ErrIncomplete = errors.New("the session store could not be searched completely")

// Find returns the cells that hold the id, in any form of package idform, with
// their rows. The tables of first (names as in SQL, of any case) are searched
// before the others; when the id is there no other is asked.
//
// Whole cells are found by index where there is one. Else, and for what stands
// inside texts, JSON and bytes, 10,000 rows of a table are read at most and
// 65,536 characters of a value, in 200 tables and 15 seconds, 3 a statement.
// When nothing was found and one of these bounds, or a missing permission,
// hid something, the error wraps ErrIncomplete; not so when the columns where
// earlier ids stood were searched completely, after which 1,000 rows of a
// table are read instead of 10,000. Ids of less than six bytes are looked for
// as whole cells of id columns only.
//
// A row has 50 columns and a value 8 KiB at most. BYTEA values are hex. The
// column that the id was found in has the role id.
func (s *Store) Find(ctx context.Context, id secret.Text, first []string) ([]trace.Cell, error) {
	return s.FindAt(ctx, "", id, first)
}

// FindAt is Find at a moment that Now returned; "" is the present.
func (s *Store) FindAt(ctx context.Context, at string, id secret.Text, first []string) ([]trace.Cell, error) {
	clause, err := s.asOf(at)
	if err != nil || id.IsZero() {
		return nil, err
	}
	tables, err := s.Tables(ctx)
	if err != nil {
		return nil, err
	}
	l := s.newLook(clause, needlesOf(id))
	if err := l.search(ctx, tables, first); err != nil {
		return nil, err
	}
	if len(l.cells) == 0 {
		if l, err = s.again(ctx, l, tables, first); err != nil {
			return nil, err
		}
	}
	return l.result()
}

// again searches once more when there are other tables than we knew of.
func (s *Store) again(ctx context.Context, l *look, known []Table, first []string) (*look, error) {
	oldest := time.Since(l.began)
	if l.outdated {
		oldest = -1
	}
	tables, err := s.tables(ctx, oldest)
	if err != nil || !l.outdated && reflect.DeepEqual(tables, known) {
		return l, err
	}
	next := s.newLook(l.clause, l.needles)
	next.began = l.began
	return next, next.search(ctx, tables, first)
}

// look is one search.
type look struct {
	store   *Store
	clause  string // AS OF SYSTEM TIME, or nothing
	needles needles
	began   time.Time
	depth   int // rows of a table that a scan reads

	cells    []trace.Cell
	rows     []fingerprint
	homes    []home
	seen     map[string]bool // rows
	doubts   []string        // what was not searched, and why
	answered map[home]bool   // what was searched completely
	slow     map[string]bool // tables that had their time
	outdated bool            // the description of the tables is
}

func (s *Store) newLook(clause string, n needles) *look {
	return &look{store: s, clause: clause, needles: n, began: time.Now(), depth: scannedRows, seen: map[string]bool{}, answered: map[home]bool{}, slow: map[string]bool{}}
}

// search fails only where going on makes no sense; what concerns one table is
// a doubt.
func (l *look) search(ctx context.Context, tables []Table, first []string) error {
	named, others := l.store.inOrder(tables, first)
	if all := len(named) + len(others); all > searchedTables {
		named = named[:min(len(named), searchedTables)]
		others = others[:searchedTables-len(named)]
		l.add("of %d tables only %d were searched", all, searchedTables)
	}
	for _, part := range [][]Table{named, others} {
		for _, way := range []func(context.Context, Table) error{l.byIndex, l.byScan} {
			if err := l.through(ctx, part, way); err != nil || len(l.cells) > 0 {
				return err
			}
			if l.store.ledger.settled(l.answered) {
				l.depth = scannedSettled
			}
		}
	}
	return nil
}

func (l *look) through(ctx context.Context, tables []Table, way func(context.Context, Table) error) error {
	for _, table := range tables {
		if time.Since(l.began) > searchTime {
			l.add("the search was ended after %s before the table %s", searchTime, table)
			return nil
		}
		if l.slow[table.quoted()] {
			continue
		}
		if err := l.doubt(ctx, table, way(ctx, table)); err != nil {
			return err
		}
	}
	return nil
}

// doubt passes on what ends the search.
func (l *look) doubt(ctx context.Context, table Table, err error) error {
	var answer *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, !errors.As(err, &answer):
		return fmt.Errorf("the session store could not be searched: %w", reasonOf(ctx, err))
	case is(err, "42P01"): // dropped meanwhile: it holds nothing
		l.outdated = true
		l.answered[home{table: table.quoted()}] = true
		return nil
	case is(err, "42703"):
		l.outdated = true
	case is(err, "57014"):
		l.slow[table.quoted()] = true
	}
	l.add("the table %s could not be read: %s", table, reasonOf(ctx, err))
	return nil
}

// add notes a doubt once: an index and a scan often fail alike.
func (l *look) add(format string, parts ...any) {
	if doubt := fmt.Sprintf(format, parts...); !slices.Contains(l.doubts, doubt) {
		l.doubts = append(l.doubts, doubt)
	}
}

func (l *look) byIndex(ctx context.Context, table Table) error {
	columns := shown(table)
	var failed error
	for _, column := range columns {
		condition, parameter := l.needles.byIndex(column)
		if condition == "" {
			continue
		}
		statement := l.lookup(table, columns, fill(condition, "column", quoted(column.Name)))
		records, err := l.store.ask(ctx, statement, parameter)
		if is(err, "57014") {
			return err
		}
		if err != nil {
			failed = err // perhaps of this column's type alone
			continue
		}
		l.take(table, columns, records)
		l.answered[home{table.quoted(), column.Name}] = true
	}
	return failed
}

func (l *look) lookup(table Table, columns []TableColumn, condition string) string {
	return findByIndex.with("columns", list(columns, readAs(searchedLength)), "table", table.quoted(), "at", l.clause,
		"condition", condition, "rows", strconv.Itoa(foundRows))
}

func (l *look) byScan(ctx context.Context, table Table) error {
	if len(table.Columns) == 0 {
		l.add("the table %s may not be read; grant SELECT on it to the user of database.url", table)
		return nil
	}
	columns := shown(table)
	statement, parameter := l.scan(table, columns)
	if statement == "" {
		return nil
	}
	records, err := l.store.ask(ctx, statement, parameter)
	if err != nil {
		return err
	}
	l.take(table, columns, records)
	if len(records) > 0 {
		return nil
	}
	beyond, err := l.store.ask(ctx, l.beyond(table))
	switch {
	case err != nil:
		return err
	case len(beyond) == 0:
		l.answered[home{table: table.quoted()}] = true
	default:
		l.add("the table %s has more than %d rows, and no index answers for every column; "+
			"scan against a smaller database, or put an index on the column of the session id", table, l.depth)
	}
	return nil
}

func (l *look) beyond(table Table) string {
	return countBeyond.with("table", table.quoted(), "at", l.clause, "scanned", strconv.Itoa(l.depth))
}

// scan is the statement that reads the table; "" when no column can hold the id.
func (l *look) scan(table Table, columns []TableColumn) (statement string, parameter []string) {
	numbered := func(column TableColumn) string {
		return "c" + strconv.Itoa(slices.IndexFunc(columns, func(c TableColumn) bool { return c.Name == column.Name }))
	}
	read := readAs(searchedLength)
	holes := []string{"table", table.quoted(), "at", l.clause, "order", newest(table), "scanned", strconv.Itoa(l.depth),
		"rows", strconv.Itoa(foundRows), "names", list(columns, numbered),
		"columns", list(columns, func(c TableColumn) string { return read(c) + " AS " + numbered(c) })}
	if l.needles.short {
		ids := only(columns, func(c TableColumn) bool { return c.Role == roleID && isSearched(c) && c.Type != "bytea" })
		conditions := make([]string, len(ids))
		for i, column := range ids {
			conditions[i] = fill(isText, "column", numbered(column))
		}
		if len(ids) == 0 {
			return "", nil
		}
		return findShortByScan.with(append(holes, "condition", strings.Join(conditions, " OR "))...), l.needles.texts
	}
	haystack := only(columns, isSearched)
	if len(haystack) == 0 {
		return "", nil
	}
	parameter = l.needles.within
	if slices.ContainsFunc(haystack, func(c TableColumn) bool { return c.Type == "bytea" }) {
		parameter = append(slices.Clone(parameter), l.needles.hex...)
	}
	return findByScan.with(append(holes, "haystack", fill(joinedText, "columns", list(haystack, read)))...), parameter
}

// take keeps the rows in which the id is: SQL finds a few more than that.
func (l *look) take(table Table, columns []TableColumn, records []record) {
	for _, values := range records {
		key := rowKey(table, values)
		if l.seen[key] {
			continue
		}
		l.seen[key] = true
		for i, column := range columns {
			if values[i] == nil {
				continue
			}
			found, is := l.needles.in(column, *values[i])
			if !is {
				continue
			}
			l.enter(table, column, found, rowOf(table, columns, values, column.Name, !found.within))
		}
	}
}

func (l *look) enter(table Table, column TableColumn, found match, row trace.Row) {
	if !found.within {
		l.homes = append(l.homes, home{table.quoted(), column.Name})
	}
	if key, err := keyOf(table, row); err == nil {
		l.rows = append(l.rows, fingerprintOf(table, key))
	}
	l.cells = append(l.cells, trace.Cell{Column: column.Name, Form: found.form.Name, Reversible: found.form.Reversible, Within: found.within, Row: row})
}

func rowKey(table Table, values record) string {
	var key strings.Builder
	key.WriteString(table.quoted())
	for i := range values {
		fmt.Fprintf(&key, " %t%q", values[i] == nil, values.text(i))
	}
	return key.String()
}

func (l *look) result() ([]trace.Cell, error) {
	if len(l.cells) > 0 {
		l.store.ledger.enter(l.rows, l.homes)
		return l.cells, nil
	}
	if len(l.doubts) == 0 || l.store.ledger.settled(l.answered) {
		return nil, nil
	}
	more := ""
	if len(l.doubts) > 1 {
		more = fmt.Sprintf(" (and %d more such gaps)", len(l.doubts)-1)
	}
	return nil, fmt.Errorf("%w, and the id was not found in the rest: %s%s", ErrIncomplete, l.doubts[0], more)
}
