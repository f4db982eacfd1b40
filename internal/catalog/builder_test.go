package catalog_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// example is a trace whose verdict is known beforehand.
type example struct {
	rule    string // the rule or variant it is about
	outcome finding.Outcome
	name    string // tells it from others of the same rule and outcome; may be empty
	facts   func(*trace.Facts)
	lines   string // see tell
	problem string // why the flow stopped
	limited bool   // by a 429 that another flow got
	log     trace.Log
	looks   []trace.Look // into the store; with one, the gate sees the store
	sql     []trace.Statement
	altered []trace.Alteration // in the store
	users   []trace.StoreUser

	code       finding.Code // of a not-tested one
	subject    string       // of a failing one, as its step
	step       string
	reproduced bool
}

func (e example) String() string {
	name := e.rule + "/" + string(e.outcome)
	if e.name != "" {
		name += ": " + e.name
	}
	return name
}

func (e example) probe(t testing.TB) probe.Probe {
	t.Helper()
	return probeOf(t, e.rule)
}

func (e example) trace(t testing.TB) trace.Trace {
	t.Helper()
	facts := usual()
	if e.facts != nil {
		e.facts(&facts)
	}
	seen := tell(t, facts, e.lines)
	seen.Problem, seen.Log, seen.Looks, seen.Statements, seen.Limited = e.problem, e.log, e.looks, e.sql, e.limited
	seen.Altered, seen.StoreUsers = e.altered, e.users
	seen.Facts.Store = seen.Facts.Store || len(e.looks) > 0 || len(e.altered) > 0 || len(e.users) > 0
	seen.Flow = "everything"
	if flow := e.probe(t).Flow; flow != nil {
		seen.Flow = flow.Name
	}
	for i := range seen.Exchanges {
		seen.Exchanges[i].Flow = seen.Flow
	}
	return seen
}

func probeOf(t testing.TB, rule string) probe.Probe {
	t.Helper()
	all := catalog.All()
	i := slices.IndexFunc(all, func(p probe.Probe) bool {
		return slices.ContainsFunc(p.Rules(), func(r finding.Rule) bool { return r.ID == rule })
	})
	if i < 0 {
		t.Fatalf("the catalogue has no rule %s", rule)
	}
	return all[i]
}

// examples are those of all families.
func examples() []example {
	return slices.Concat(fixationExamples(), stepExamples(), channelExamples(), isolationExamples(), terminationExamples(),
		ageingExamples(), storeUserExamples(), idQualityExamples(), idSampleExamples(), cookieExamples(), exposureExamples(), injectionExamples(),
		openPageExamples(), personalExamples(), oddRequestExamples(), cacheExamples(), foreignLoginExamples(), injectedExamples())
}

// usual is a target with two users and one session cookie.
func usual() trace.Facts {
	return trace.Facts{
		Users:    []string{"alice", "bob"},
		Carrier:  []trace.Slot{{Kind: trace.InCookie, Name: "session"}},
		PreLogin: true,
		Login:    trace.LoginJSON,
		Steps:    map[string]bool{"visit": true, "login": true, "identity": true, "logout": true},
	}
}

func carriedBy(slots ...trace.Slot) func(*trace.Facts) {
	return func(facts *trace.Facts) { facts.Carrier = slots }
}

func cookieSlot(name string) trace.Slot { return trace.Slot{Kind: trace.InCookie, Name: name} }

func bearer() trace.Slot {
	return trace.Slot{Kind: trace.InHeader, Name: "Authorization", Before: "Bearer "}
}

var began = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// tell reads a trace from lines, one exchange each:
//
//	round forged id                                      the lines after it belong to that round
//	victim | login | carries anon#1 | sets alice#1
//	victim | identity after the login | carries alice#1 | alice
//
// The first field is the actor, the second the step and the moment, or a page and
// its path, with the method if it is not GET. The others,
// in any order: "carries" and the ids in the carrier's slots; "sets" and the
// value of a faultless Set-Cookie line for the first of its cookies; who the
// answer is for (a user, anonymous, unrecognised, broken, rate limited); a
// status; "cut", where not all was read; "refused" and a status that the recipe does not expect; "no answer";
// "is" and somebody who is no user of the recipe; "takes" and a duration; "as"
// and who logs in; "plants ID as PLACE"; "asks" and the body of the request;
// "sends" and a header line of it; "over" and its scheme; "took" and how long;
// "says" and the body of the answer; and any header
// line of the answer. A bar within a field is written ¦.
func tell(t testing.TB, facts trace.Facts, lines string) trace.Trace {
	t.Helper()
	told := trace.Trace{Facts: facts}
	round := ""
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if name, is := strings.CutPrefix(line, "round "); is {
			round = name
			continue
		}
		if line == "" {
			continue
		}
		exchange, err := read(facts, line)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		exchange.Seq, exchange.Round = len(told.Exchanges)+1, round
		exchange.Began = began.Add(time.Duration(exchange.Seq) * time.Second)
		told.Exchanges = append(told.Exchanges, exchange)
	}
	return told
}

var requests = map[string]trace.Request{
	"visit":    {Method: "GET", Path: "/"},
	"login":    {Method: "POST", Path: "/login"},
	"identity": {Method: "GET", Path: "/me"},
	"logout":   {Method: "POST", Path: "/logout"},

	"register":          {Method: "POST", Path: "/register"},
	"recover":           {Method: "POST", Path: "/forgot"},
	"callback":          {Method: "GET", Path: "/callback"},
	"state-change":      {Method: "POST", Path: "/email"},
	"slow":              {Method: "GET", Path: "/slow"},
	"logout-everywhere": {Method: "POST", Path: "/logout-all"},
	"elevate":           {Method: "GET", Path: "/admin"},
	"change-password":   {Method: "POST", Path: "/password"},
	"delete-account":    {Method: "DELETE", Path: "/account"},
}

func read(facts trace.Facts, line string) (trace.Exchange, error) {
	fields := strings.Split(line, "|")
	for i := range fields {
		fields[i] = strings.ReplaceAll(strings.TrimSpace(fields[i]), "¦", "|")
	}
	if len(fields) < 2 {
		return trace.Exchange{}, fmt.Errorf("it has no step")
	}
	step, moment, _ := strings.Cut(fields[1], " ")
	request, known := requests[step]
	if path, isPage := strings.CutPrefix(fields[1], "page "); isPage {
		path, method, _ := strings.Cut(path, " with ")
		step, moment, known = fields[1], "", true
		request = trace.Request{Method: cmp.Or(method, "GET"), Path: path}
	}
	if !known {
		return trace.Exchange{}, fmt.Errorf("there is no step %q", step)
	}
	e := trace.Exchange{Actor: fields[0], Step: step, Moment: moment, Request: request, Response: trace.Response{Status: 200}}
	e.Request.URL = secret.New("https://api.test" + request.Path)
	if step == "login" {
		e.User = facts.Victim()
	}
	for _, field := range fields[2:] {
		if err := put(&e, facts, field); err != nil {
			return trace.Exchange{}, err
		}
	}
	return e, nil
}

// answers are the kinds of an identity read and the status each comes with.
var answers = map[string]struct {
	kind   trace.Kind
	status int
}{
	"anonymous":    {trace.Anonymous, 401},
	"unrecognised": {trace.Unknown, 200},
	"broken":       {trace.Broken, 500},
	"rate limited": {trace.TooMany, 429},
}

func put(e *trace.Exchange, facts trace.Facts, field string) error {
	if status, err := strconv.Atoi(field); err == nil {
		e.Response.Status = status
		return nil
	}
	if slices.Contains(facts.Users, field) {
		e.Who = trace.Who{Kind: trace.SignedIn, User: field}
		return nil
	}
	if answer, is := answers[field]; is {
		e.Who, e.Response.Status = trace.Who{Kind: answer.kind}, answer.status
		return nil
	}
	word, rest, _ := strings.Cut(field, " ")
	switch word {
	case "":
	case "carries":
		for i, id := range strings.Split(rest, ",") {
			carry(e, trace.Held{Slot: facts.Carrier[i], ID: secret.New(strings.TrimSpace(id))})
		}
	case "sets":
		return setCookie(e, facts.Cookies()[0]+"="+rest+"; Path=/; Secure; HttpOnly; SameSite=Lax")
	case "as":
		e.User = rest
	case "is":
		e.Who = trace.Who{Kind: trace.SignedIn, User: rest}
	case "refused":
		e.Refused = true
		return put(e, facts, rest)
	case "takes":
		took, err := time.ParseDuration(rest)
		e.Took = took
		return err
	case "plants":
		id, where, _ := strings.Cut(rest, " as ")
		e.Planted = trace.Planted{ID: secret.New(id), Where: where}
		e.Request.URL = secret.New(e.Request.URL.Reveal() + "?planted=" + id)
	case "asks":
		e.Request.Body = secret.New(rest)
	case "cut":
		e.Response.Truncated = true
	case "says":
		e.Response.Body = secret.New(rest)
	case "sends":
		name, value, _ := strings.Cut(rest, ": ")
		e.Request.Header = append(e.Request.Header, trace.Field{Name: name, Value: secret.New(value)})
	case "over":
		e.Request.URL = secret.New(rest + "://api.test" + e.Request.Path)
	case "took":
		took, err := time.ParseDuration(rest)
		e.Took = took
		return err
	case "no":
		e.Response, e.Problem = trace.Response{}, "no answer in time"
	case "Set-Cookie:":
		return setCookie(e, rest)
	default:
		name, is := strings.CutSuffix(word, ":")
		if !is {
			return fmt.Errorf("%q is nothing that an exchange can hold", field)
		}
		e.Response.Header = append(e.Response.Header, trace.Field{Name: name, Value: secret.New(rest)})
	}
	return nil
}

// carry puts the id where a browser would: judges look at the request, too.
func carry(e *trace.Exchange, held trace.Held) {
	e.Carried = append(e.Carried, held)
	wrapped := held.Before + held.ID.Reveal() + held.After
	switch held.Kind {
	case trace.InCookie:
		e.Request.Header = append(e.Request.Header, trace.Field{Name: "Cookie", Value: secret.New(held.Name + "=" + wrapped)})
	case trace.InHeader:
		e.Request.Header = append(e.Request.Header, trace.Field{Name: held.Name, Value: secret.New(wrapped)})
	case trace.InQuery:
		e.Request.URL = secret.New(e.Request.URL.Reveal() + "?" + held.Name + "=" + wrapped)
	case trace.InPath:
		e.Request.URL = secret.New(e.Request.URL.Reveal() + wrapped)
	}
}

func setCookie(e *trace.Exchange, line string) error {
	parsed, err := cookie.Parse(line)
	if err != nil {
		return err
	}
	set := trace.SetCookie{Cookie: parsed, Rejections: parsed.Rejections(cookie.Origin{Host: "api.test", Path: "/", Secure: true})}
	e.Response.SetCookie = append(e.Response.SetCookie, set)
	return nil
}

// looked is what the store held for an id: a cell for each place it stood in.
func looked(moment, id string, places ...trace.Cell) trace.Look {
	return trace.Look{Moment: moment, ID: secret.New(id), At: began, Places: places}
}

// stored is a place in the table of sessions, with the other columns of its
// row by role; "" is NULL.
func stored(form string, columns map[string]string) trace.Cell {
	digest := strings.Contains(form, "sha") || strings.Contains(form, "md5")
	place := trace.Cell{Column: "id", Form: form, Reversible: !digest, Row: trace.Row{Table: "sessions"}}
	place.Row.Columns = []trace.Column{{Name: "id", Role: "id"}}
	for _, role := range slices.Sorted(maps.Keys(columns)) {
		column := trace.Column{Name: role + "_column", Role: role, Null: columns[role] == "", Value: secret.New(columns[role])}
		place.Row.Columns = append(place.Row.Columns, column)
	}
	return place
}

// statement is one that the API sent while the exchange of that number was
// answered, with the id in its text.
func statement(seq int, text, id string) trace.Statement {
	return trace.Statement{Kind: trace.Simple, At: began.Add(time.Duration(seq) * time.Second), Text: secret.New(text),
		Hits: []trace.Hit{{ID: secret.New(id), Form: "raw", Reversible: true}}}
}

var blank = regexp.MustCompile(`\{(\w+)(?:=([^}]*))?\}`)

// with fills the blanks of a story: "{kept=anonymous}" is a blank with what
// stands there otherwise, "{kept}" the same blank again. The pairs are a blank
// and its filling each.
func with(story string, pairs ...string) string {
	fillings := map[string]string{}
	for _, found := range blank.FindAllStringSubmatch(story, -1) {
		if _, known := fillings[found[1]]; !known {
			fillings[found[1]] = found[2]
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if _, known := fillings[pairs[i]]; !known {
			panic("the story has no blank {" + pairs[i] + "}")
		}
		fillings[pairs[i]] = pairs[i+1]
	}
	return blank.ReplaceAllStringFunc(story, func(found string) string {
		return fillings[blank.FindStringSubmatch(found)[1]]
	})
}
