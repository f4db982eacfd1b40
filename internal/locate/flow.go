package locate

import (
	"maps"
	"slices"
	"strings"
)

// sink is a place where a value becomes the id of a session, or may.
type sink struct {
	value *sentValue
	step  Step
	// sure says that the source calls it a session; else it is one where a session's
	// cookie gets the same value.
	sure   bool
	cookie bool
	joined bool // put into the text of a statement
}

// mostFlowSteps bounds a flow.
const mostFlowSteps = 16

// Flow is how a value of the request becomes the session's id in a handler: a
// value that a statement keeps in the column of the id, or that the cookie is
// set to. The name of the session's cookie may be empty. Without such a way, or
// where the handler is not known, it is empty.
func (s *Source) Flow(handler Place, cookie string) []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.at(handler)
	if found == nil {
		return nil
	}
	return stepsOf(sinksOf(s.python.watch(found), cookie))
}

// stepsOf are the origins of what flows, what it is kept in, and the sinks.
func stepsOf(sinks []sink) []Step {
	if len(sinks) == 0 {
		return nil
	}
	whole := sinks[0].value
	var ends []Step
	for _, one := range sinks {
		whole = whole.or(one.value).(*sentValue)
		ends = append(ends, one.step)
	}
	var made []Step
	for i, from := range whole.origins {
		if !isCredential(from.name) && !slices.ContainsFunc(whole.origins[:i], from.isSame) {
			made = append(made, from.step())
		}
	}
	made = append(made, whole.kept...)
	var last []Step
	for _, end := range ends {
		if len(made)+len(last) < mostFlowSteps && !slices.Contains(last, end) {
			last = append(last, end)
		}
	}
	return append(made, last...)
}

// sinksOf are those that a session's id goes into.
func sinksOf(done []deed, carrier string) []sink {
	var all []sink
	for _, one := range done {
		for _, found := range one.sinks(carrier) {
			if found.value = found.value.chosen(); found.value != nil && found.value.mayBeID() {
				all = append(all, found)
			}
		}
	}
	var kept []sink
	for _, one := range all {
		shared := func(other sink) bool { return other.cookie && other.sure && other.value.shares(one.value) }
		if one.sure || !one.cookie && slices.ContainsFunc(all, shared) {
			kept = append(kept, one)
		}
	}
	return kept
}

func (v *sentValue) mayBeID() bool {
	return slices.ContainsFunc(v.origins, func(o origin) bool { return !isCredential(o.name) })
}

// isNamed reports whether the request calls the value a session's id.
func (v *sentValue) isNamed() bool {
	return slices.ContainsFunc(v.origins, func(o origin) bool { return isSession(o.name) })
}

func (v *sentValue) shares(other *sentValue) bool {
	return slices.ContainsFunc(v.origins, func(o origin) bool { return slices.ContainsFunc(other.origins, o.isSame) })
}

// isSame reports whether it is the same value of the request, read at another
// line maybe.
func (o origin) isSame(other origin) bool {
	if o.name == "" {
		return o == other
	}
	return o.name == other.name && o.from == other.from && o.model == other.model
}

func (d deed) sinks(carrier string) []sink {
	if found, ok := d.cookieSink(carrier); ok {
		return []sink{found}
	}
	switch {
	case slices.Contains(executing, d.name):
		return append(d.statementSinks(), d.builtSinks()...)
	case d.name == "values" || d.name == "insert_one" || d.name == "insert":
		return d.columnSinks(d.what, d.membersAt(0), "written to the columns of "+shown(firstOf(d.what)))
	case d.name == "create" || d.name == "acreate" || d.name == "get_or_create" || d.name == "update_or_create":
		return d.columnSinks(d.what, d.arguments.named, "kept in a new "+shown(firstOf(d.what)))
	case slices.Contains([]string{"add", "merge", "add_all", "save", "persist"}, d.name):
		return d.objectSinks()
	case slices.Contains([]string{"set", "setex", "psetex", "setnx", "hset", "hmset", "[]="}, d.name):
		return d.keySinks()
	}
	return nil
}

// cookieSink is a cookie that is set to a value of the client's.
func (d deed) cookieSink(carrier string) (sink, bool) {
	name, sets := d.cookie()
	if !sets {
		return sink{}, false
	}
	v, ok := d.cookieValue().(*sentValue)
	if !ok {
		return sink{}, false
	}
	said := "set as the cookie " + shown(name)
	if strings.Contains(name, unknownPart) {
		said = "set as a cookie"
	}
	sure := carrier != "" && name == carrier || isSession(name) || strings.Contains(name, unknownPart) && v.isNamed()
	return sink{value: v, step: Step{d.at, said}, sure: sure, cookie: true}, true
}

// cookieValue is what the cookie is set to.
func (d deed) cookieValue() value {
	if d.name == "set_cookie" || d.name == "set_signed_cookie" {
		return d.arguments.get("value", 1)
	}
	line := d.headerLine()
	given, ok := line.(*sentValue)
	if !ok {
		return nil
	}
	name, rest, _ := strings.Cut(given.whole, "=")
	before := strings.Count(name, unknownPart)
	set, _, _ := strings.Cut(rest, ";")
	if strings.TrimSpace(set) != unknownPart || before >= len(given.inside) {
		return nil
	}
	return given.inside[before]
}

// headerLine is the Set-Cookie line that is set or added.
func (d deed) headerLine() value {
	if members, ok := d.arguments.named["headers"].(dict); ok {
		for key, v := range members {
			if strings.EqualFold(key, "set-cookie") {
				return v
			}
		}
	}
	return d.arguments.get("value", 1)
}

// executing are what drivers call running a statement.
var executing = []string{"execute", "executemany", "execute_many", "fetch", "fetchrow", "fetchval", "fetchone", "fetch_one", "fetch_all", "fetchall",
	"fetch_val", "run", "query", "exec", "raw", "scalar", "scalars", "exec_driver_sql"}

// statementSinks are the columns that a statement of SQL writes.
func (d deed) statementSinks() []sink {
	statement, whole := d.statement()
	if statement == "" {
		return nil
	}
	var made []sink
	for _, column := range writes(statement) {
		for _, at := range column.slots {
			v, ok := d.parameter(at, whole).(*sentValue)
			if !ok {
				continue
			}
			sure := column.isID() || column.column == "" && isSession(column.table) && v.isNamed()
			if column.finds && !sure {
				continue
			}
			made = append(made, sink{value: v, step: Step{d.at, column.says()}, sure: sure, joined: at.inText})
		}
	}
	return made
}

func (w written) isID() bool {
	return isSession(w.column) || isSession(w.table) && slices.Contains(idColumns, w.column)
}

func (w written) says() string {
	switch table := shown(w.table); {
	case w.finds:
		return "chooses the row of " + table + " that the UPDATE gives to the user"
	case w.verb == "UPDATE":
		return "written to " + table + " by the UPDATE"
	default:
		return "written to the INSERT into " + table
	}
}

// statement is the text that is run, and the value that it was made with.
func (d deed) statement() (string, *sentValue) {
	for _, name := range []string{"query", "statement", "sql", "operation"} {
		if v, named := d.arguments.named[name]; named {
			return statementOf(v)
		}
	}
	return statementOf(d.arguments.get("", 0))
}

func statementOf(v value) (string, *sentValue) {
	switch known := v.(type) {
	case text:
		return string(known), nil
	case *sentValue:
		return known.whole, known
	case *instance:
		last := string(known.of)[strings.LastIndex(string(known.of), ".")+1:]
		if last == "text" || last == "SQL" || last == "TextClause" {
			return statementOf(known.arguments.get("text", 0))
		}
	}
	return "", nil
}

// parameter is the value for a slot of a statement.
func (d deed) parameter(at slot, whole *sentValue) value {
	if at.inText {
		if whole != nil && at.number < len(whole.inside) {
			return whole.inside[at.number]
		}
		return nil
	}
	switch given := d.parameters().(type) {
	case list:
		if at.number >= 0 && at.number < len(given) {
			return given[at.number]
		}
	case dict:
		return given[at.name]
	case *sentPart:
		if at.name != "" {
			return given.value(at.name, d.at)
		}
	}
	return nil
}

// parameters are a list or a dict, or those that stand after the statement.
func (d deed) parameters() value {
	var given value
	for _, name := range []string{"params", "parameters", "values", "vars", "args"} {
		if v, named := d.arguments.named[name]; named {
			given = v
		}
	}
	after := d.arguments.positional
	if len(after) > 0 {
		after = after[1:]
	}
	if given == nil && len(after) > 0 {
		given = after[0]
	}
	switch known := given.(type) {
	case list:
		if len(known) > 0 { // many rows
			switch row := known[0].(type) {
			case list, dict:
				return row
			}
		}
		return known
	case dict, *sentPart:
		return known
	}
	return list(after)
}

// builtSinks are the columns of a statement that was built without SQL, given
// beside it.
func (d deed) builtSinks() []sink {
	made, ok := d.arguments.get("", 0).(*instance)
	if !ok || !strings.HasSuffix(string(made.of), ".insert") {
		return nil
	}
	table := nameOf(made.arguments.get("table", 0))
	members, _ := d.parameters().(dict)
	return d.columnSinks(table, members, "written to the INSERT into "+shown(table))
}

// membersAt are the named arguments, or those of a dict.
func (d deed) membersAt(at int) map[string]value {
	if members, ok := d.arguments.get("values", at).(dict); ok {
		return members
	}
	return d.arguments.named
}

func (d deed) columnSinks(table string, columns map[string]value, says string) []sink {
	var made []sink
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		v, ok := columns[name].(*sentValue)
		if !ok {
			continue
		}
		column := written{table: table, column: strings.ToLower(name)}
		if isUser(column.column) {
			continue
		}
		made = append(made, sink{value: v, step: Step{d.at, says}, sure: column.isID()})
	}
	return made
}

// objectSinks are the fields of an object that is given to a session of an ORM.
func (d deed) objectSinks() []sink {
	var made []sink
	given := slices.Clone(d.arguments.positional)
	if d.name == "save" {
		given = append(given, d.of)
	}
	for _, one := range given {
		many, ok := one.(list)
		if !ok {
			many = list{one}
		}
		for _, each := range many {
			object, ok := each.(*instance)
			if !ok {
				continue
			}
			fields := map[string]value{}
			for name, v := range object.arguments.named {
				fields[name] = v
			}
			for name, v := range object.attributes {
				fields[name] = v
			}
			made = append(made, d.columnSinks(object.table(), fields, "kept in a new "+shown(object.className()))...)
		}
	}
	return made
}

func (i *instance) className() string {
	if i.class != nil {
		return i.class.name()
	}
	return lastOf(string(i.of))
}

// table is the name of the class and that of its table.
func (i *instance) table() string {
	name := i.className()
	if i.class != nil {
		if table, ok := i.class.member("__tablename__").(text); ok {
			name += " " + string(table)
		}
	}
	return name
}

// keySinks are the keys of a store like Redis, or of a dict.
func (d deed) keySinks() []sink {
	key, ok := d.arguments.get("name", 0).(*sentValue)
	if !ok {
		return nil
	}
	sure := isSession(d.what) && d.what != "request.session" || isSession(strings.ReplaceAll(key.whole, unknownPart, " ")) || key.isNamed()
	if d.name == "[]=" && !isSession(d.what) {
		return nil // any dict
	}
	return []sink{{value: key, step: Step{d.at, "becomes a key of " + shown(d.what)}, sure: sure}}
}

// firstOf is the name in "insert(sessions)" and "sessions.insert()".
func firstOf(source string) string {
	if _, inner, called := strings.Cut(source, "("); called && !strings.HasPrefix(inner, ")") {
		source, _, _ = strings.Cut(inner, ")")
	}
	source, _, _ = strings.Cut(source, ".insert")
	source, _, _ = strings.Cut(source, ".update")
	return strings.TrimSuffix(source, ".objects")
}

func lastOf(dotted string) string { return dotted[strings.LastIndex(dotted, ".")+1:] }

func nameOf(v value) string {
	switch known := v.(type) {
	case *class:
		return known.name()
	case external:
		return lastOf(string(known))
	case *instance:
		return textOf(known.arguments.get("name", 0))
	}
	return ""
}
