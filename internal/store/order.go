package store

import (
	"slices"
	"strconv"
	"strings"
)

// inOrder takes the tables of first apart and puts those of sessions before
// the other ones.
func (s *Store) inOrder(tables []Table, first []string) (named, others []Table) {
	taken := map[string]bool{}
	for _, name := range first {
		for _, table := range tables {
			if isCalled(table, name) && !taken[table.quoted()] {
				taken[table.quoted()] = true
				named = append(named, table)
			}
		}
	}
	for _, table := range tables {
		if !taken[table.quoted()] {
			others = append(others, table)
		}
	}
	slices.SortStableFunc(others, func(a, b Table) int { return s.rank(a) - s.rank(b) })
	return named, others
}

func (s *Store) rank(table Table) int {
	name := strings.ToLower(table.Name)
	switch {
	case s.ledger.isHome(table):
		return 0
	case strings.Contains(name, "sess") || strings.Contains(name, "token") || strings.Contains(name, "auth"):
		return 1
	}
	return 2
}

// isCalled compares with a name from a statement: its schema may be missing,
// the database may stand before it, and quotes may have been lost.
func isCalled(table Table, name string) bool {
	name = strings.ReplaceAll(name, `"`, "")
	plain, full := strings.ReplaceAll(table.Name, `"`, ""), strings.ReplaceAll(table.Schema+"."+table.Name, `"`, "")
	return strings.EqualFold(name, plain) || strings.EqualFold(name, full) ||
		len(name) > len(full) && strings.EqualFold(name[len(name)-len(full)-1:], "."+full)
}

// shown are the columns that are read: of a wide table those that matter.
func shown(table Table) []TableColumn {
	if len(table.Columns) <= shownColumns {
		return table.Columns
	}
	weight := func(c TableColumn) int {
		switch {
		case slices.Contains(table.Key, c.Name), c.Indexed && isSearched(c):
			return 0
		case c.Role != "":
			return 1
		case isSearched(c):
			return 2
		}
		return 3
	}
	sorted := slices.Clone(table.Columns)
	slices.SortStableFunc(sorted, func(a, b TableColumn) int { return weight(a) - weight(b) })
	kept := sorted[:shownColumns]
	return only(table.Columns, func(c TableColumn) bool {
		return slices.ContainsFunc(kept, func(k TableColumn) bool { return k.Name == c.Name })
	})
}

// newest orders by an index that may tell the age of a row, so that a new
// session is among those that are read. It must be an index: everything would
// be sorted without.
func newest(table Table) string {
	for _, column := range table.Columns {
		if column.Indexed && (column.Role == roleCreated || column.Role == roleSeen) {
			return fill(newestFirst, "columns", fill(descending, "column", quoted(column.Name)))
		}
	}
	if len(table.Key) == 0 || slices.Contains(table.Key, "") {
		return ""
	}
	parts := make([]string, len(table.Key))
	for i, name := range table.Key {
		parts[i] = fill(descending, "column", quoted(name))
	}
	return fill(newestFirst, "columns", strings.Join(parts, ", "))
}

// readAs makes the expressions that read columns as text.
func readAs(length int) func(TableColumn) string {
	return func(column TableColumn) string {
		form := asText
		if column.Type == "bytea" {
			form = bytesAsText
		}
		return fill(form, "column", quoted(column.Name), "length", strconv.Itoa(length))
	}
}

func list(columns []TableColumn, each func(TableColumn) string) string {
	parts := make([]string, len(columns))
	for i, column := range columns {
		parts[i] = each(column)
	}
	return strings.Join(parts, ", ")
}

func only(columns []TableColumn, keep func(TableColumn) bool) []TableColumn {
	return slices.DeleteFunc(slices.Clone(columns), func(c TableColumn) bool { return !keep(c) })
}
