package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/trace"
)

// original is a whole row as it was before its first change.
type original struct {
	columns []TableColumn
	values  record
}

// updating sets the columns. On CockroachDB every other one is set to itself,
// since those with ON UPDATE would change: that of ttl_expire_after is one.
func (r identified) updating(changed map[string]string, cockroach bool) (statement string, parameters []any) {
	var set []string
	for _, column := range r.table.Columns {
		value, is := changed[column.Name]
		switch {
		case is:
			parameters = append(parameters, input(column.Type, value))
			set = append(set, fill(isSetTo, "column", quoted(column.Name), "number", fmt.Sprint(len(parameters))))
		case cockroach && r.isSettable(column):
			set = append(set, fill(staysAsItIs, "column", quoted(column.Name)))
		}
	}
	return r.assigning(set, parameters)
}

func (r identified) assigning(set []string, values []any) (statement string, parameters []any) {
	if len(set) == 0 {
		set = []string{r.still()}
	}
	condition, key := r.where(len(values) + 1)
	return updateRow.with("table", r.table.quoted(), "assignments", strings.Join(set, ", "), "key", condition), append(values, key...)
}

func (r identified) deleting() (statement string, parameters []any) {
	condition, key := r.where(1)
	return deleteRow.with("table", r.table.quoted(), "key", condition), key
}

func (r identified) puttingBack(kept original) (statement string, parameters []any) {
	var set []string
	for i, column := range kept.columns {
		if r.isSettable(column) {
			set = append(set, fill(isSetTo, "column", quoted(column.Name), "number", fmt.Sprint(len(set)+1)))
			parameters = append(parameters, parameter(column, kept.values[i]))
		}
	}
	return r.assigning(set, parameters)
}

func (r identified) inserting(kept original, cockroach bool) (statement string, parameters []any) {
	insert := insertRow
	var names, places []string
	for i, column := range kept.columns {
		if column.computed {
			continue
		}
		if column.always && !cockroach {
			insert = insertRowOverriding
		}
		names = append(names, quoted(column.Name))
		places = append(places, fmt.Sprintf("$%d", len(places)+1))
		parameters = append(parameters, parameter(column, kept.values[i]))
	}
	return insert.with("table", r.table.quoted(), "names", strings.Join(names, ", "), "values", strings.Join(places, ", ")), parameters
}

// parameter has the type of its column, which the server knows.
func parameter(column TableColumn, value *string) any {
	if value == nil {
		return nil
	}
	return input(column.Type, *value)
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
