package audit

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report/tame"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// replay is the evidence as a script for bash and curl that makes the attack
// again. Session ids are variables: one that a probe made up gets a fresh value
// of the same form, one that the server issued is taken from its answer, for
// which requests before the evidence are added where they are needed.
// Passwords come from the environment.
//
// Where the evidence is no request, as with the length of ids, the request
// whose handler has to change is made.
func replay(seen []trace.Exchange, found finding.Finding, users []User, redactor *secret.Redactor) string {
	s := &script{seen: seen, users: users, hidden: redactor, names: map[secret.Text]string{}, from: map[secret.Text]int{}}
	for _, exchange := range seen {
		s.issue(exchange)
	}
	s.borrow(found.Evidence)
	notes := map[int]string{}
	for _, told := range found.Evidence {
		if told.Exchange > 0 {
			s.add(told.Exchange, 0)
			notes[told.Exchange] = told.Note
		}
	}
	if at := slices.IndexFunc(seen, func(e trace.Exchange) bool { return e.Step == found.Step }); at >= 0 && len(s.steps) == 0 {
		s.add(seen[at].Seq, 0)
	}
	if len(s.steps) == 0 {
		return ""
	}
	slices.SortFunc(s.steps, func(a, b trace.Exchange) int { return a.Seq - b.Seq })
	s.share()
	for i, step := range s.steps {
		s.perform(fmt.Sprintf("%d. %s: %s: %s", i+1, step.Actor, step.Request.Line(), expected(step, notes[step.Seq])), step)
	}
	head := s.head()
	if s.byHand {
		head += ByHand + "\n"
	}
	if slices.ContainsFunc(found.Evidence, func(told finding.Evidence) bool { return told.Actor == "gate" }) {
		head += "# In between the gate changed the row of the session in its store, which curl cannot.\n"
	}
	return head + s.body.String()
}

// ByHand is the comment of a script that cannot run by itself.
const ByHand = "# What stands as «…» is not written down, or was made from another id: put it in by hand."

// expected is what the answer was during the scan. What was carried stands in
// the command.
func expected(step trace.Exchange, note string) string {
	told := []string{"no answer"}
	if step.Response.Status != 0 {
		told[0] = fmt.Sprint(step.Response.Status)
	}
	for part := range strings.SplitSeq(note, ", ") {
		if part != "" && !strings.HasPrefix(part, "carries ") {
			told = append(told, part)
		}
	}
	return strings.Join(told, ", ")
}

// script is the replay while it is written.
type script struct {
	seen  []trace.Exchange
	users []User
	steps []trace.Exchange
	from  map[secret.Text]int // the exchange that issued an id; 0: a client made it up
	known []secret.Text       // the keys of from, the longest first once they are needed
	names map[secret.Text]string
	order []secret.Text // of the names
	body  strings.Builder
	asks  []string // variables of the environment
	// hidden knows what will not be shown, and byHand says that some of it is sent.
	hidden *secret.Redactor
	byHand bool
	// What all requests have in common.
	address string
	common  []trace.Field
}

// shortest is the length from which an id is no accident in a text.
const shortest = 6

// issue notes who first had each id: a client that sent it, or the server.
func (s *script) issue(exchange trace.Exchange) {
	note := func(id secret.Text, seq int) {
		if _, had := s.from[id]; !had && id.Len() >= shortest {
			s.from[id] = seq
			s.known = append(s.known, id)
		}
	}
	note(exchange.Planted.ID, 0)
	for _, held := range exchange.Carried {
		note(held.ID, s.inBody(held.ID, exchange.Seq))
	}
	for _, set := range exchange.Response.SetCookie {
		note(set.Value, exchange.Seq)
	}
}

// borrow has an actor of the evidence take an id from the page that showed it: who
// was given it first is somebody else.
func (s *script) borrow(evidence []finding.Evidence) {
	var told []trace.Exchange
	for _, one := range evidence {
		if at := slices.IndexFunc(s.seen, func(e trace.Exchange) bool { return e.Seq == one.Exchange }); at >= 0 {
			told = append(told, s.seen[at])
		}
	}
	for _, taker := range told {
		for _, page := range told {
			for _, held := range taker.Carried {
				if page.OfPage() && page.Actor == taker.Actor && page.Seq < taker.Seq && page.Response.Body.Contains(held.ID) {
					s.from[held.ID] = page.Seq
				}
			}
		}
	}
}

// inBody is the first answer before the exchange whose body holds the id, as a
// login that issues a token has it; 0 if there is none.
func (s *script) inBody(id secret.Text, before int) int {
	if id.Len() < shortest {
		return 0
	}
	for _, exchange := range s.seen {
		if exchange.Seq < before && exchange.Response.Body.Contains(id) {
			return exchange.Seq
		}
	}
	return 0
}

// most bounds the requests of a script: one that needs more is no help.
const most = 40

// add takes an exchange, and before it those that issue what it sends.
func (s *script) add(seq, depth int) {
	at := slices.IndexFunc(s.seen, func(e trace.Exchange) bool { return e.Seq == seq })
	if at < 0 || len(s.steps) >= most || slices.ContainsFunc(s.steps, func(e trace.Exchange) bool { return e.Seq == seq }) {
		return
	}
	s.steps = append(s.steps, s.seen[at])
	for _, id := range s.sent(s.seen[at]) {
		if from := s.from[id]; from > 0 && depth < most {
			s.add(from, depth+1)
		}
	}
}

// sent are the known ids in what an exchange sends.
func (s *script) sent(exchange trace.Exchange) []secret.Text {
	texts := []secret.Text{exchange.Request.URL, exchange.Request.Body}
	for _, field := range exchange.Request.Header {
		texts = append(texts, field.Value)
	}
	var ids []secret.Text
	for _, id := range s.known {
		if slices.ContainsFunc(texts, func(text secret.Text) bool { return text.Contains(id) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *script) line(text string) { s.body.WriteString(text + "\n") }

// share finds what all requests have in common, which is written once: the
// address, so that the script can be pointed at another, and header fields.
func (s *script) share() {
	first := s.steps[0].Request
	s.address = address.FindString(first.URL.Reveal())
	if len(s.steps) == 1 {
		return
	}
	for _, field := range first.Header {
		missing := slices.ContainsFunc(s.steps, func(step trace.Exchange) bool { return !slices.Contains(step.Request.Header, field) })
		alone := trace.Exchange{Request: trace.Request{Header: []trace.Field{field}}}
		if !missing && !strings.EqualFold(field.Name, "Cookie") && len(s.sent(alone)) == 0 {
			s.common = append(s.common, field)
		}
	}
}

var address = regexp.MustCompile(`^https?://[^/?#]*`)

// perform writes the request, and takes from its answer what later ones send.
func (s *script) perform(title string, step trace.Exchange) {
	for _, id := range s.sent(step) {
		if s.from[id] == 0 && s.names[id] == "" {
			s.line(s.name(id) + "=" + fresh(id) + "   # " + id.Tag() + ", made up")
			// Nobody would take a fresh one for anybody: it was made from a live id.
			s.byHand = s.byHand || step.Who.Kind == trace.SignedIn && !s.before(id, step.Seq)
		}
	}
	s.line("try " + literal(title) + s.curl(step))
	for _, id := range s.needed(step) {
		found, which := s.pattern(step, id)
		s.line(fmt.Sprintf("%s=$(sed -n %s <<<\"$answer\" | %s)   # %s", s.name(id), literal(found), which, id.Tag()))
	}
}

// before reports whether an earlier request sent the id.
func (s *script) before(id secret.Text, seq int) bool {
	return slices.ContainsFunc(s.seen, func(earlier trace.Exchange) bool {
		return earlier.Seq < seq && slices.Contains(s.sent(earlier), id)
	})
}

// needed are the ids that this step issued and a later one sends.
func (s *script) needed(step trace.Exchange) []secret.Text {
	var ids []secret.Text
	for _, id := range s.known {
		if s.from[id] == step.Seq && slices.ContainsFunc(s.steps, func(later trace.Exchange) bool {
			return later.Seq > step.Seq && slices.Contains(s.sent(later), id)
		}) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *script) name(id secret.Text) string {
	if s.names[id] == "" {
		s.order = append(s.order, id)
		s.names[id] = fmt.Sprintf("ID_%d", len(s.order))
	}
	return s.names[id]
}

// pattern is the sed command that finds a fresh id where the old one stood, and
// the command that picks it among others of that name.
func (s *script) pattern(step trace.Exchange, id secret.Text) (find, pick string) {
	const last = "tail -n 1"
	named := map[string]int{}
	for i, set := range step.Response.SetCookie {
		if named[set.Name]++; set.Value != id {
			continue
		}
		pick := last
		if slices.ContainsFunc(step.Response.SetCookie[i+1:], func(later trace.SetCookie) bool { return later.Name == set.Name }) || named[set.Name] > 1 {
			pick = fmt.Sprintf("sed -n %dp", named[set.Name])
		}
		return `s/^[Ss]et-[Cc]ookie: *` + basic(set.Name) + `=\([^;[:space:]]*\).*/\1/p`, pick
	}
	const context = 24
	body := step.Response.Body.Reveal() // what stands around the id, and not the id, is written down
	at := strings.Index(body, id.Reveal())
	before := body[:max(at, 0)]
	if from := strings.LastIndexByte(before, '\n'); from >= 0 {
		before = before[from+1:]
	}
	for len(before) > context {
		before = before[1:]
	}
	before = before[runOfWord.FindStringIndex(before)[1]:] // a list of ids has another one there
	return `s/.*` + basic(strings.ToValidUTF8(before, "")) + `\([A-Za-z0-9._~+/=-]*\).*/\1/p`, last
}

// runOfWord is all of a text up to the end of the last word that is long enough to
// be a part of an id.
var runOfWord = regexp.MustCompile(`^(?:.*[A-Za-z0-9_~+/-]{12,})?`)

var special = regexp.MustCompile(`[][\\.*^$/]`)

// basic makes a text one in a basic regular expression.
func basic(text string) string { return special.ReplaceAllString(tame.Line(text), `\$0`) }

// unsent are fields that curl sends by itself or that change nothing.
var unsent = []string{"user-agent", "accept", "accept-encoding", "cache-control", "content-length", "host", "connection"}

// curl is what try hands on to curl.
func (s *script) curl(exchange trace.Exchange) string {
	command := ""
	if exchange.Request.Method != "GET" {
		command += " -X " + literal(exchange.Request.Method)
	}
	if path, is := strings.CutPrefix(exchange.Request.URL.Reveal(), s.address); is {
		command += ` "$U"` + s.word(secret.New(path))
	} else {
		command += " " + s.word(exchange.Request.URL)
	}
	command += s.fields(exchange.Request.Header, s.common)
	if exchange.Request.Body.Len() > 0 {
		command += " --data-raw " + s.word(exchange.Request.Body)
	}
	return command
}

func (s *script) fields(header, without []trace.Field) string {
	options := ""
	for _, field := range header {
		if !slices.Contains(unsent, strings.ToLower(field.Name)) && !slices.Contains(without, field) {
			options += " -H " + s.word(secret.New(field.Name+": "+field.Value.Reveal()))
		}
	}
	return options
}

// piece is a part of a word: a text, or a variable in its place.
type piece struct{ text, variable string }

// word is a text as one shell word, in which ids and passwords are variables.
func (s *script) word(text secret.Text) string {
	pieces := []piece{{text: text.Reveal()}}
	ids := slices.Clone(s.order)
	slices.SortStableFunc(ids, func(a, b secret.Text) int { return b.Len() - a.Len() }) // one may hold another
	for _, id := range ids {
		pieces = cut(pieces, form{value: id.Reveal()}, s.names[id])
	}
	for _, user := range s.users {
		name := variable(user.Name) + "_PASSWORD"
		for _, stands := range spellings(user.Password) {
			before := len(pieces)
			if pieces = cut(pieces, stands, name); len(pieces) > before && !slices.Contains(s.asks, name) {
				s.asks = append(s.asks, name)
			}
		}
	}
	var word strings.Builder
	for _, part := range pieces {
		switch {
		case part.variable != "":
			word.WriteString(`"$` + part.variable + `"`)
		case part.text != "":
			s.byHand = s.byHand || s.hidden.Clean(part.text) != part.text
			word.WriteString(literal(part.text))
		}
	}
	return word.String()
}

// cut puts the variable in the place of a value, wherever it stands.
func cut(pieces []piece, stands form, variable string) []piece {
	if stands.value == "" {
		return pieces
	}
	var made []piece
	for _, part := range pieces {
		if part.variable != "" {
			made = append(made, part)
			continue
		}
		parts := strings.Split(part.text, stands.before+stands.value+stands.after)
		for i, text := range parts {
			if i > 0 {
				made = append(made, piece{variable: variable})
				text = stands.after + text
			}
			if i < len(parts)-1 {
				text += stands.before
			}
			made = append(made, piece{text: text})
		}
	}
	return made
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_:/.=-]+$`)

// literal is a text that no shell reads anything into, on one line.
func literal(text string) string {
	if bare.MatchString(text) {
		return text
	}
	return `'` + strings.ReplaceAll(tame.Line(text), `'`, `'\''`) + `'`
}

// head says what the script needs, and what a try is.
func (s *script) head() string {
	head := "# Needs bash and curl"
	if len(s.asks) > 0 {
		head += ", and the passwords in " + strings.Join(s.asks, " and ")
	}
	head += ". Set U to try another address.\n"
	for _, name := range s.asks {
		head += ": \"${" + name + ":?}\"\n"
	}
	return head + "U=${U:-" + literal(s.address) + "}\n" +
		`try() { echo "--- $1"; answer=$(curl -sS -i` + s.fields(s.common, nil) + ` "${@:2}"); echo "$answer"; }` + "\n"
}

// fresh is a shell expression for an id of the same form that nobody has used:
// random digits at its end, and all else made up anew here.
func fresh(id secret.Text) string {
	value := []rune(id.Reveal())
	from := len(value)
	for from > 0 && len(value)-from < 12 && value[from-1] <= unicode.MaxASCII && (unicode.IsLetter(value[from-1]) || unicode.IsDigit(value[from-1])) {
		from--
	}
	tail := string(value[from:])
	switch {
	case len(tail) >= 5 && strings.Trim(tail, "0123456789") == "":
		return literal(zeroed(value[:len(value)-5])) + `$(printf '%05d' $RANDOM)`
	case len(tail) >= 4:
		size := len(tail) / 2
		return literal(zeroed(value[:len(value)-2*size])) + fmt.Sprintf(`$(od -An -N%d -tx1 /dev/urandom | tr -d ' \n')`, size)
	}
	return `planted-$RANDOM$RANDOM`
}

// zeroed keeps the form of a text: its digits are 7, its letters a or A.
func zeroed(text []rune) string {
	return strings.Map(func(char rune) rune {
		switch {
		case unicode.IsDigit(char):
			return '7'
		case unicode.IsUpper(char):
			return 'A'
		case unicode.IsLetter(char):
			return 'a'
		}
		return char
	}, string(text))
}

// variable is a user's name as a shell can hold it.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// form is how a value stands in a request, and what is around it.
type form struct{ before, value, after string }

// spellings are the forms of a password: a member of JSON, a field of a form,
// and the value as it is, unless it is so short that it may be part of any word.
func spellings(password secret.Text) []form {
	value := password.Reveal()
	if value == "" {
		return nil
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	forms := []form{{`"`, strings.Trim(string(quoted), `"`), `"`}, {"=", url.QueryEscape(value), ""}}
	if len(value) >= shortest {
		forms = append(forms, form{value: value})
	}
	return forms
}
