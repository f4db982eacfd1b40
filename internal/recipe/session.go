package recipe

import "strings"

// session reads where the session id travels.
func (r *reader) session(e entry) {
	session := &r.recipe.Session
	session.Pos = e.at
	form := ""
	one := func(read func(entry)) func(entry) {
		return func(e entry) {
			if form != "" {
				r.fault(e.at, "the session has one carrier, and %s is given already: write one of carrier, cookie, header, bearer, query, path", form)
				return
			}
			form = e.name
			read(e)
		}
	}
	seen := r.mapping(e,
		key{"carrier", one(func(e entry) { r.auto(e) })},
		key{"cookie", one(func(e entry) { session.Cookie = r.words(e, tokenForm.MatchString, "the name of a cookie") })},
		key{"header", one(func(e entry) { session.Header = r.word(e); r.fieldName(e, session.Header) })},
		key{"bearer", one(func(e entry) { session.Bearer = r.carrying(e) })},
		key{"query", one(func(e entry) { session.Query = r.word(e) })},
		key{"path", one(func(e entry) { session.Path = r.sessionPath(e) })},
		key{"value", func(e entry) { session.Value = r.carrying(e) }},
	)
	if value, given := seen["value"]; given && form != "header" {
		r.fault(value.at, "value belongs to header: write {header: Authorization, value: \"{{token}}\"}")
	}
	if form != "" && form != "carrier" {
		session.Carrier = form
	}
}

func (r *reader) auto(e entry) {
	if text := r.word(e); text != "" && text != Auto {
		r.fault(r.valueAt(e), `carrier: expected auto, found %q: a known carrier is written as cookie, header, bearer, query or path`, cut(text))
	}
}

// carrying is a template that holds what login captured.
func (r *reader) carrying(e entry) Template {
	before := len(r.problems)
	value := r.template(e)
	if len(r.problems) == before && len(value.Names()) == 0 {
		r.fault(r.valueAt(e), `%s: expected the value that login captures, as in "{{token}}"`, e.name)
	}
	return value
}

// sessionPath holds the session id itself, so its name needs no capture.
func (r *reader) sessionPath(e entry) Template {
	before, used := len(r.problems), len(r.used)
	value := r.template(e)
	r.used = r.used[:used]
	if len(r.problems) == before && (len(value.Names()) != 1 || !strings.HasPrefix(value.start(), "/")) {
		r.fault(r.valueAt(e), `path: expected a path with one place for the session id, as in "/s/{{sid}}/"`)
	}
	return value
}
