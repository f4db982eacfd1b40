package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	mostTables  = 2000  // described
	mostColumns = 50000 // of all tables together
)

// Table is a table of the database. Views, foreign tables, partitions and what
// belongs to the server are none.
type Table struct {
	Schema, Name string
	Columns      []TableColumn // those that may be read; none: nothing may
	Key          []string      // columns of the primary key; empty without one
}

// TableColumn is one column.
type TableColumn struct {
	Name string
	Type string // udt_name: "text", "timestamptz"; of a domain what is below it
	Role string // as in trace.Column
	// Indexed says that an index begins with the column, so that a value is
	// found in it whatever the size of the table.
	Indexed bool

	computed bool // the server writes it
	always   bool // an identity that takes no value unless told twice
}

// String is the table for people and for trace.Row: without its schema when
// that is public, in quotes where a dot would be read wrongly.
func (t Table) String() string {
	name := plainName(t.Name)
	if t.Schema == "public" {
		return name
	}
	return plainName(t.Schema) + "." + name
}

func plainName(name string) string {
	isOdd := func(r rune) bool { return r == '.' || r == '"' || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if name == "" || strings.ContainsFunc(name, isOdd) {
		return strconv.Quote(name)
	}
	return name
}

func (t Table) quoted() string { return quoted(t.Schema) + "." + quoted(t.Name) }

func (t Table) column(name string) (TableColumn, bool) {
	for _, column := range t.Columns {
		if column.Name == name {
			return column, true
		}
	}
	return TableColumn{}, false
}

// schema is the last description of the tables.
type schema struct {
	mu     sync.Mutex
	tables []Table
	at     time.Time // zero: none yet
}

// Tables describes the tables, by schema and name. The answer is kept; a Find
// that finds nothing looks again whether there are new ones.
func (s *Store) Tables(ctx context.Context) ([]Table, error) { return s.tables(ctx, forever) }

// forever is the age of a description that is always young enough.
const forever = 1<<63 - 1

// tables returns a description that is not older than that.
func (s *Store) tables(ctx context.Context, oldest time.Duration) ([]Table, error) {
	s.schema.mu.Lock()
	defer s.schema.mu.Unlock()
	if !s.schema.at.IsZero() && time.Since(s.schema.at) <= oldest {
		return s.schema.tables, nil
	}
	began := time.Now()
	tables, err := s.describe(ctx)
	if err != nil {
		return nil, fmt.Errorf("the tables of the session store cannot be listed: %w", reasonOf(ctx, err))
	}
	s.schema.tables, s.schema.at = tables, began
	return tables, nil
}

func (s *Store) describe(ctx context.Context) ([]Table, error) {
	limit := strconv.Itoa(mostColumns)
	listed, err := s.ask(ctx, listTables.with("tables", strconv.Itoa(mostTables)))
	if err != nil {
		return nil, err
	}
	columns, err := s.ask(ctx, listColumns.with("columns", limit))
	if err != nil {
		return nil, err
	}
	indexes, err := s.ask(ctx, listIndexes.with("columns", limit))
	if err != nil {
		return nil, err
	}
	tables := make([]Table, len(listed))
	byName := map[[2]string]*Table{}
	for i, row := range listed {
		tables[i] = Table{Schema: row.text(0), Name: row.text(1)}
		byName[[2]string{row.text(0), row.text(1)}] = &tables[i]
	}
	addColumns(byName, columns)
	addIndexes(byName, indexes)
	for i := range tables {
		oneLastSeen(tables[i].Columns)
	}
	return tables, nil
}

func addColumns(tables map[[2]string]*Table, rows []record) {
	for _, row := range rows {
		table := tables[[2]string{row.text(0), row.text(1)}]
		if table == nil { // a view
			continue
		}
		name, kind := row.text(2), row.text(4)
		table.Columns = append(table.Columns, TableColumn{Name: name, Type: kind, Role: roleOf(name, kind),
			// PostgreSQL says ALWAYS, CockroachDB YES.
			computed: row.text(5) == "ALWAYS" || row.text(5) == "YES",
			always:   row.text(6) == "ALWAYS"})
	}
}

// oneLastSeen: updated_at is the last use of a session where nothing better is.
func oneLastSeen(columns []TableColumn) {
	isUpdate := func(c TableColumn) bool {
		return c.Role == roleSeen && (strings.HasPrefix(strings.ToLower(c.Name), "updated") || strings.HasPrefix(strings.ToLower(c.Name), "modified"))
	}
	if !slices.ContainsFunc(columns, func(c TableColumn) bool { return c.Role == roleSeen && !isUpdate(c) }) {
		return
	}
	for i := range columns {
		if isUpdate(columns[i]) {
			columns[i].Role = ""
		}
	}
}

var digits = regexp.MustCompile(`\d+`)

// shard is the column that CockroachDB puts before those of a hash-sharded
// index; it computes it from the others, so a value is found without it.
var shard = regexp.MustCompile(`^crdb_internal_.*_shard_\d+$`)

// addIndexes takes a row for each column of each index. indkey is a vector,
// whose subscripts and whose text the two servers do not agree about: its
// numbers are read from the text.
func addIndexes(tables map[[2]string]*Table, rows []record) {
	names := map[string]map[string]string{} // index, number of the column, name
	for _, row := range rows {
		if names[row.text(2)] == nil {
			names[row.text(2)] = map[string]string{}
		}
		names[row.text(2)][row.text(5)] = row.text(4)
	}
	seen := map[string]bool{}
	for _, row := range rows {
		table, index := tables[[2]string{row.text(0), row.text(1)}], row.text(2)
		if table == nil || seen[index] {
			continue
		}
		seen[index] = true
		table.addIndex(keyColumns(row, names[index]), row.text(3) == "true")
	}
}

// keyColumns are the names of an index's columns in order; "" is an expression.
func keyColumns(row record, names map[string]string) []string {
	var columns []string
	for _, number := range digits.FindAllString(row.text(6), -1) {
		columns = append(columns, names[number])
	}
	if count, err := strconv.Atoi(row.text(7)); err == nil && count >= 0 && count < len(columns) {
		columns = columns[:count] // the rest is INCLUDEd
	}
	return columns
}

func (t *Table) addIndex(columns []string, primary bool) {
	if primary {
		t.Key = columns
	}
	if len(columns) > 0 && shard.MatchString(columns[0]) {
		columns = columns[1:]
	}
	for i := range t.Columns {
		if len(columns) > 0 && t.Columns[i].Name == columns[0] {
			t.Columns[i].Indexed = true
		}
	}
}
