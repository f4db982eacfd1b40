package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// blind is the reason of what only the session store could show.
func blind(facts trace.Facts) finding.Reason {
	if facts.StoreProblem != "" {
		return finding.Reason{Code: finding.NoDatabase, Text: facts.StoreProblem}
	}
	return finding.Reason{Code: finding.NoDatabase, Text: "the gate does not see the session store",
		Remedy: "let it start the store or give its URL (database:)"}
}

// witnessed is what the session store saw of an id: the statements that wrote
// with it while the step was answered, and its row before and after. HTTP
// access decides; the store explains (probes.md §2.4).
func witnessed(t trace.Trace, id secret.Text, step string) []finding.Evidence {
	var told []finding.Evidence
	for _, exchange := range t.Step(victim, step) {
		for _, statement := range t.Statements {
			if during(exchange, statement) && statement.Writes() && holds(statement, id) {
				told = append(told, finding.Evidence{Actor: "store", Request: statement.Verb(), Note: statement.Describe()})
			}
		}
	}
	return append(told, rowStory(t, id)...)
}

func during(exchange trace.Exchange, statement trace.Statement) bool {
	return !statement.At.Before(exchange.Began) && !statement.At.After(exchange.Began.Add(exchange.Took))
}

func holds(statement trace.Statement, id secret.Text) bool {
	for _, hit := range statement.Hits {
		if hit.ID == id {
			return true
		}
	}
	return false
}

// rowStory compares the rows that held the id at the first and the last look.
func rowStory(t trace.Trace, id secret.Text) []finding.Evidence {
	var first, last *trace.Look
	for i, look := range t.Looks {
		if look.ID != id || look.Problem != "" {
			continue
		}
		if first == nil {
			first = &t.Looks[i]
		}
		last = &t.Looks[i]
	}
	if last == nil {
		return nil
	}
	var told []finding.Evidence
	for _, place := range last.Places {
		note := place.Column + " holds " + id.Tag() + form(place)
		if user, has := place.Row.With("user"); has {
			note += ", " + user.Name + " " + change(*first, place, user)
		}
		told = append(told, finding.Evidence{Actor: "store", Request: "row of " + place.Row.Table, Note: note})
	}
	return told
}

func form(place trace.Cell) string {
	if place.Form == "raw" {
		return ""
	}
	return " as " + place.Form
}

// change is the user of a row, with what it was at the earlier look.
func change(earlier trace.Look, place trace.Cell, now trace.Column) string {
	for _, before := range earlier.Places {
		if before.Row.Table != place.Row.Table || before.Column != place.Column {
			continue
		}
		if was, has := before.Row.With("user"); has && was != now {
			return was.Show() + " → " + now.Show()
		}
	}
	return "is " + now.Show()
}

// boundTo reports whether the store binds the id to a user at the last look,
// and did not at the first: what an attack that HTTP shows to have failed must
// not leave behind.
func boundTo(t trace.Trace, id secret.Text) (trace.Cell, bool) {
	var first, last *trace.Look
	for i, look := range t.Looks {
		if look.ID == id && look.Problem == "" {
			if first == nil {
				first = &t.Looks[i]
			}
			last = &t.Looks[i]
		}
	}
	if last == nil {
		return trace.Cell{}, false
	}
	for _, place := range last.Places {
		user, has := place.Row.With("user")
		if !has || user.Nobody() || place.Within {
			continue
		}
		if column, has := place.Row.With("id"); has && column.Name == place.Column && (first == last || change(*first, place, user) != "is "+user.Show()) {
			return place, true
		}
	}
	return trace.Cell{}, false
}

// disputed is the reason where the store contradicts a failed attack.
func disputed(place trace.Cell, user string) finding.Reason {
	return finding.Reason{Code: finding.Ambiguous,
		Text:   "over HTTP the planted id is nobody's, but the row of " + place.Row.Table + " that " + place.Column + " finds with it is bound to a user after the login of " + user,
		Remedy: "look whether another endpoint accepts that id, and why the login writes to its row"}
}
