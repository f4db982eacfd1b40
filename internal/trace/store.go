package trace

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// StatementKind says which of the two sub-protocols carried a statement.
type StatementKind string

// The kinds: SQL text alone, or a parsed text with parameters bound to it.
const (
	Simple   StatementKind = "simple"
	Extended StatementKind = "extended"
)

// Statement is SQL that the API sent to its database.
type Statement struct {
	Seq        int64 // order on the wire over all connections, from 1
	At         time.Time
	Connection int // from 1, in the order the API opened them
	Kind       StatementKind
	Text       secret.Text
	Parameters []secret.Text // as sent, text or binary; NULL is the zero Text; Extended only
	Hits       []Hit         // the watched ids it holds; in the text first, then by parameter
	SQLState   string        // of the server's error; "" when it gave none
	Error      string        // the server's message, which may quote values: clean it before showing it
}

// Hit is a session id found in a statement.
type Hit struct {
	ID         secret.Text
	Form       string // an idform name: "raw", "sha256 hex"
	Parameter  int    // 0: in the text, else the parameter's number
	Reversible bool   // who reads the form knows the id
}

// Row is one row of the session store.
type Row struct {
	Table   string
	Columns []Column
}

// Column is one value of a row.
type Column struct {
	Name  string
	Type  string
	Role  string // id, user, created, expires, seen, data; "" for any other
	Null  bool
	Value secret.Text // the zero Text when Null
}

// Look is what the store held for an id at a moment of a flow.
type Look struct {
	Flow, Round, Actor, Moment string
	At                         time.Time
	ID                         secret.Text
	Places                     []Cell
	Problem                    string // why the store could not be read; one clause, without secrets
}

// Cell is a place in the store where a form of the id stands.
type Cell struct {
	Column     string
	Form       string // an idform name
	Reversible bool
	Within     bool // inside a text or JSON value rather than the whole of it
	Row        Row
}

// Alteration is what the gate did to the rows of a session that it had made
// itself. It is put back afterwards.
type Alteration struct {
	Flow, Round, Moment string
	At                  time.Time
	ID                  secret.Text
	Kind                AlterationKind
	By                  time.Duration // with Aged
	To                  time.Time     // with Set
	Columns             []string      // that were changed: "sessions.last_seen", "sessions.data: exp"
	// Problem is why nothing was changed; one clause, without secrets.
	Problem string
}

// AlterationKind is what was done.
type AlterationKind string

// The kinds of probes.md §7. The first changes nothing, and is the control for
// the others.
const (
	Touched  AlterationKind = "touched"
	Aged     AlterationKind = "aged"     // moments moved back, as if time had passed
	Set      AlterationKind = "set"      // moments set to another
	Deleted  AlterationKind = "deleted"  // rows removed
	Restored AlterationKind = "restored" // made what it was at first, byte for byte
)

// Describe is the alteration for a reader.
func (a Alteration) Describe() string {
	switch a.Kind {
	case Touched:
		return "updated to what it holds"
	case Deleted:
		return "deleted"
	case Restored:
		return "put back as it was"
	case Set:
		return strings.Join(a.Columns, ", ") + " set to " + a.To.UTC().Format(time.DateTime)
	}
	return strings.Join(a.Columns, ", ") + " moved back by " + a.By.String()
}

// StoreUser is a name under which the API logged in to its database.
type StoreUser struct {
	Name  string
	Admin bool // it may do everything, whatever was granted
	// Problem is why its privileges are not known; one clause, without secrets.
	Problem string
}

// Verb is what a statement does: "INSERT INTO sessions", "SELECT". It names the
// first table only.
func (s Statement) Verb() string {
	words := strings.Fields(s.Text.Reveal())
	if len(words) == 0 {
		return ""
	}
	count := map[string]int{"INSERT": 3, "UPSERT": 3, "UPDATE": 2, "DELETE": 3, "MERGE": 3}[strings.ToUpper(words[0])]
	verb := strings.Join(words[:min(max(count, 1), len(words))], " ")
	verb, _, _ = strings.Cut(verb, "(")
	return verb
}

// Writes reports whether the statement changes rows.
func (s Statement) Writes() bool {
	verb := strings.ToUpper(s.Verb())
	return strings.HasPrefix(verb, "INSERT") || strings.HasPrefix(verb, "UPSERT") || strings.HasPrefix(verb, "UPDATE") ||
		strings.HasPrefix(verb, "DELETE") || strings.HasPrefix(verb, "MERGE") || strings.HasPrefix(verb, "WITH")
}

// longestStatement is how much of one a message shows.
const longestStatement = 300

// Describe is the statement for a reader: the ids of its hits as tags, every
// other value left out, since it may be anybody's password hash.
func (s Statement) Describe() string {
	text := strings.Join(strings.Fields(hideLiterals(s.Text.Reveal(), s.Hits)), " ")
	if runes := []rune(text); len(runes) > longestStatement {
		text = string(runes[:longestStatement]) + "…"
	}
	for _, hit := range s.Hits {
		if hit.Parameter > 0 {
			form := ""
			if hit.Form != "raw" {
				form = " (" + hit.Form + ")"
			}
			text += fmt.Sprintf(" with $%d = %s%s", hit.Parameter, hit.ID.Tag(), form)
		}
	}
	return text
}

// hideLiterals replaces each quoted literal by the tag of the id it holds, or
// by dots.
func hideLiterals(text string, hits []Hit) string {
	var shown strings.Builder
	for {
		from := strings.IndexByte(text, '\'')
		if from < 0 {
			return shown.String() + text
		}
		to := from + 1
		for to < len(text) && (text[to] != '\'' || to+1 < len(text) && text[to+1] == '\'') {
			if text[to] == '\'' {
				to++
			}
			to++
		}
		literal := secret.New(text[from+1 : min(to, len(text))])
		shown.WriteString(text[:from] + "'" + holder(literal, hits) + "'")
		text = text[min(to+1, len(text)):]
	}
}

func holder(literal secret.Text, hits []Hit) string {
	for _, hit := range hits {
		if literal.Contains(hit.ID) {
			return hit.ID.Tag()
		}
	}
	for _, hit := range hits {
		if hit.Parameter == 0 && hit.Form != "raw" {
			return hit.ID.Tag() + " (" + hit.Form + ")"
		}
	}
	return "…"
}

// With is the row's first column of that role.
func (r Row) With(role string) (Column, bool) {
	for _, column := range r.Columns {
		if column.Role == role {
			return column, true
		}
	}
	return Column{}, false
}

// Nobody reports whether a column for a user names none: NULL, or one of the
// values that stand for it where NULL is not allowed.
func (c Column) Nobody() bool {
	return c.Null || slices.Contains([]string{"", "0", "00000000-0000-0000-0000-000000000000"}, strings.TrimSpace(c.Value.Reveal()))
}

// Show is the column's value for a reader, shortened.
func (c Column) Show() string {
	const longest = 40
	value := c.Value.Reveal()
	switch {
	case c.Null:
		return "NULL"
	case len([]rune(value)) > longest:
		return string([]rune(value)[:longest]) + "…"
	}
	return value
}

// layouts are how databases and APIs write a time.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07",
	"2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"}

// Time reads the value as a moment: a timestamp, or seconds or milliseconds
// since 1970. A time without a zone is UTC.
func (c Column) Time() (time.Time, bool) {
	value := c.Value.Reveal()
	for _, layout := range layouts {
		if at, err := time.Parse(layout, value); err == nil {
			return at, true
		}
	}
	seconds, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || seconds < 1e9:
		return time.Time{}, false
	case seconds > 1e11:
		seconds /= 1000
	}
	return time.UnixMilli(int64(seconds * 1000)), true
}

// Tables are the names behind FROM, INTO, UPDATE and JOIN, as they are written.
// It is a hint where to look first, not a parser.
func (s Statement) Tables() []string {
	words := strings.FieldsFunc(s.Text.Reveal(), func(r rune) bool { return strings.ContainsRune(" \t\r\n(),;", r) })
	var tables []string
	for i := 0; i+1 < len(words); i++ {
		switch strings.ToUpper(words[i]) {
		case "FROM", "INTO", "UPDATE", "JOIN":
			tables = append(tables, strings.ReplaceAll(words[i+1], `"`, ""))
		}
	}
	return tables
}
