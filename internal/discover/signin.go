package discover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	tooMany        = 429
	mostLogins     = 12 // that are tried of one kind of source
	mostIdentities = 8
)

// way is one way to log in.
type way struct {
	op      operation
	step    recipe.Step
	note    string
	carrier carrier
	written bool // the recipe has it
}

func (w way) key() string { return fmt.Sprint(w.op.line(), w.step.Requests, w.carrier) }

// settle tries what reading has found so far: a login and an identity step
// prove each other, and what ends a session is tried last.
func (s *search) settle(ctx context.Context) {
	if s.enroll(ctx); len(s.users) == 0 {
		return
	}
	if !s.has(forLogin) || !s.has(forIdentity) {
		s.signIn(ctx)
	}
	if s.has(forLogin) && s.has(forIdentity) && !s.has(forLogout) {
		s.signOut(ctx)
	}
}

// signIn tries the logins, the likelier first, until one is proved.
func (s *search) signIn(ctx context.Context) {
	for _, first := range s.ways() {
		queue := []way{first}
		for i := 0; i < len(queue) && !s.over(ctx) && !s.knocked(); i++ {
			one := queue[i]
			if s.tried[one.key()] {
				continue
			}
			status, signed := s.try(ctx, one)
			if s.has(forLogin) && s.has(forIdentity) {
				return
			}
			if !signed {
				s.tried[one.key()] = true
			}
			if i == 0 && !signed && !one.written {
				queue = append(queue, s.others(ctx, one, status)...)
			}
		}
	}
}

// ways are the login of the recipe, or those that reading has found.
func (s *search) ways() []way {
	if written, has := s.Recipe.Steps[string(forLogin)]; has {
		return []way{{step: written, carrier: carrier{session: s.Recipe.Session}, written: true}}
	}
	var ways []way
	for _, op := range rank(s.operations, isLogin, mostLogins) {
		if step, ok := op.step(forLogin); ok {
			ways = append(ways, way{op: op, step: step, carrier: carrier{session: s.Recipe.Session}})
		}
	}
	// What handed something out before, and lacked an identity step only, is likelier than any name.
	slices.SortStableFunc(ways, func(a, b way) int { return points(s.supposes(b), 1) - points(s.supposes(a), 1) })
	return ways
}

func (s *search) supposes(one way) bool {
	return s.supposed != nil && s.supposed.op.line() == one.op.line()
}

// notThere are the answers of a login that is none.
var notThere = []int{0, 404, 405, 501}

// others are the same login in other words, after it was refused: with a CSRF
// token, in another encoding, by the user's address. A login that is not there
// is not asked again.
func (s *search) others(ctx context.Context, one way, status int) []way {
	if slices.Contains(notThere, status) {
		return nil
	}
	ways := s.guarded(ctx, one)
	if one.op.page != "" {
		return ways
	}
	if basic, ok := one.op.basic(); ok && status == 401 {
		ways = append(ways, way{op: one.op, step: basic, carrier: one.carrier, note: "with HTTP Basic"})
	}
	add := func(op operation, note string) {
		if step, ok := op.step(forLogin); ok {
			ways = append(ways, way{op: op, step: step, carrier: one.carrier, note: note})
		}
	}
	switch one.op.body {
	case recipe.JSONBody:
		form := one.op
		form.body = recipe.FormBody
		add(form, "as a form")
	case recipe.FormBody:
		json := one.op
		json.body = recipe.JSONBody
		add(json, "as JSON")
		parts := one.op
		parts.body = recipe.MultipartBody
		add(parts, "as multipart")
	}
	if one.op.conventional() {
		mail := one.op
		mail.fields = []field{{name: "email", required: true}, {name: "password", required: true, secret: true}}
		add(mail, "by email")
	}
	return ways
}

// try logs in one way and looks for an identity step that proves it. signed
// says that the login was not refused; whether it signs anybody in is proved
// by has.
func (s *search) try(ctx context.Context, one way) (status int, signed bool) {
	identities := s.identities(one)
	carriers := []carrier{one.carrier}
	for i := 0; i < len(carriers) && i < mostCarriers && !s.over(ctx) && !s.knocked(); i++ {
		attempt := one
		attempt.carrier = carriers[i]
		attempt.step = carriers[i].with(one.step)
		answer, signedIn := s.attempt(ctx, attempt, identities)
		if i == 0 {
			status, signed = answer.Status, signedIn
			if auto(one.carrier.session) && signedIn {
				carriers = append(carriers, tokens(answer)...)
			}
		}
		if s.has(forLogin) && s.has(forIdentity) {
			return status, true
		}
	}
	return status, signed
}

// identities are the identity step of the recipe, or those that reading has
// found; those that share the login's first segment stand before.
func (s *search) identities(one way) []operation {
	if written, has := s.Recipe.Steps[string(forIdentity)]; has && len(written.Requests) > 0 {
		last := written.Requests[len(written.Requests)-1]
		return []operation{{method: last.Method, path: last.Path.String()}}
	}
	near := func(op operation) int {
		worth := isIdentity(op)
		if worth > 0 && one.op.path != "" && folder(op.path) == folder(one.op.path) {
			worth += 5
		}
		return worth
	}
	return slices.DeleteFunc(rank(s.operations, near, mostIdentities+len(s.unfit)), func(op operation) bool { return s.unfit[op.line()] })
}

func folder(path string) string { return path[:strings.LastIndex(path, "/")+1] }

// trial is a stage in which one way to log in is tried.
type trial struct {
	*search
	Stage
	way
	first recipe.User
	actor probe.Actor
	shut  []string // identity paths that refused the user
	lost  bool     // a request was not sent, since there were none left
}

// open begins a trial with the requests that are left.
func (s *search) open(what Trial, one way) *trial {
	what.Most = s.left()
	return &trial{search: s, Stage: s.World.Open(what), way: one, first: what.Users[0]}
}

// over is search.over with what this trial has sent.
func (t *trial) over(ctx context.Context) bool {
	return t.lost || len(t.Exchanges()) >= t.left() || t.search.over(ctx)
}

// failed reports whether a step did, and remembers why nothing more will be sent.
func (t *trial) failed(err error) bool {
	t.lost = t.lost || errors.Is(err, probe.ErrSpent)
	t.limited = t.limited || errors.Is(err, probe.ErrRateLimited)
	return err != nil
}

func identityStep(i int) string { return fmt.Sprintf("identity %d", i) }

// attempt logs the first user in and reads the identity steps one after the
// other, until one is proved.
func (s *search) attempt(ctx context.Context, one way, identities []operation) (trace.Response, bool) {
	steps := recipe.Steps{string(forLogin): one.step}
	for i, op := range identities {
		if written, has := s.Recipe.Steps[string(forIdentity)]; has {
			steps[identityStep(i)] = written
		} else if step, ok := op.step(forIdentity); ok {
			steps[identityStep(i)] = step
		}
	}
	t := s.open(Trial{Steps: steps, Users: s.users, Session: one.carrier.session}, one)
	defer t.end()
	t.actor = t.Actor(t.first.Name)
	err := t.actor.Login(ctx, t.first.Name)
	answer, _ := t.last(string(forLogin))
	if t.failed(err) {
		s.refused(one, err)
		return answer, false
	}
	s.answer = answer
	if s.supposed == nil && (len(answer.SetCookie) > 0 || len(tokens(answer)) > 0) {
		s.supposed = &one
	}
	var weaker []int
	for i, op := range identities {
		if t.over(ctx) {
			break
		}
		switch t.read(ctx, i, op) {
		case named:
			if t.proves(ctx, i, op, true) {
				return answer, true
			}
		case different:
			weaker = append(weaker, i)
		case unfit:
			s.unfit[op.line()] = true
		case refusedToRead:
		}
	}
	for _, i := range weaker {
		if !t.over(ctx) && t.proves(ctx, i, identities[i], false) {
			return answer, true
		}
	}
	return answer, true
}

// end counts what the stage has sent.
func (t *trial) end() {
	for _, sent := range t.Exchanges() {
		t.result.Requests++
		if sent.Step == string(forLogin) && sent.Hop == 0 && sent.Request.Method != "GET" {
			t.result.Logins++
			// What is only guessed and refused is no login, most often: many APIs
			// answer so wherever they have nothing.
			if status := sent.Response.Status; !slices.Contains(notThere, status) && !(t.op.conventional() && status >= 400) {
				t.knocks++
			}
		}
	}
	t.Close()
}

// last is the answer to the last request of a step.
func (t *trial) last(step string) (trace.Response, bool) {
	exchanges := t.Exchanges()
	for i := len(exchanges) - 1; i >= 0; i-- {
		if exchanges[i].Step == step {
			return exchanges[i].Response, true
		}
	}
	return trace.Response{}, false
}

// do performs a step and gives the last answer to it, whatever its status.
func (t *trial) do(ctx context.Context, actor probe.Actor, step string) trace.Response {
	return t.answerTo(step, func(step string) error { return actor.Do(ctx, step) })
}

// answerTo is the last answer to a step, whoever performs it; the zero answer
// where it was not performed wholly.
func (t *trial) answerTo(step string, perform func(step string) error) trace.Response {
	before := len(t.Exchanges())
	t.failed(perform(step))
	if len(t.Exchanges()) == before || t.lost {
		return trace.Response{}
	}
	answer, _ := t.last(step)
	return answer
}

// reading is what an identity step was found to say.
type reading int

const (
	refusedToRead reading = iota
	unfit                 // it answers a stranger in the same way, or nobody
	different             // from what a stranger gets
	named                 // it names the user
)

// read asks an identity step as the user and as a stranger.
func (t *trial) read(ctx context.Context, i int, op operation) reading {
	inside := t.do(ctx, t.actor, identityStep(i))
	if inside.Status == 401 || inside.Status == 403 {
		t.shut = append(t.shut, op.line())
	}
	switch {
	case inside.Status == 404 || inside.Status == 405 || inside.Status >= 500:
		return unfit
	case inside.Status == 0 || inside.Status >= 300:
		return refusedToRead
	}
	outside := t.stranger(ctx, i, op)
	switch {
	case outside == nil || outside.Status == 0:
		return unfit
	case outside.Status == inside.Status && outside.Body == inside.Body:
		return refusedToRead // or nobody is signed in
	case names(inside, t.first) && !names(*outside, t.first):
		return named
	}
	return different
}

func (t *trial) stranger(ctx context.Context, i int, op operation) *trace.Response {
	if known, asked := t.asked[op.line()]; asked {
		return known
	}
	answer := t.do(ctx, t.Actor("stranger"), identityStep(i))
	if t.lost {
		return nil
	}
	t.asked[op.line()] = &answer
	return &answer
}

func names(answer trace.Response, user recipe.User) bool {
	body := strings.ToLower(answer.Body.Reveal())
	return strings.Contains(body, strings.ToLower(user.Username)) || strings.Contains(body, strings.ToLower(user.Name))
}

// proves tells the users apart by an identity step, and a wrong password from
// the right one. A step that does not name its user has to answer the same
// twice, so that what differs is no clock.
func (t *trial) proves(ctx context.Context, i int, op operation, byName bool) bool {
	own := t.do(ctx, t.actor, identityStep(i))
	if own.Status == 0 || own.Status >= 300 {
		return false
	}
	if again := t.do(ctx, t.actor, identityStep(i)); !byName && again.Body != own.Body {
		return false
	}
	if len(t.users) > 1 {
		other := t.Actor(t.users[1].Name)
		if err := other.Login(ctx, t.users[1].Name); t.failed(err) {
			t.refused(t.way, err)
			return false
		}
		theirs := t.do(ctx, other, identityStep(i))
		if theirs.Body == own.Body || byName && !names(theirs, t.users[1]) {
			return false
		}
	}
	if !t.first.Password.IsZero() {
		wrong := t.Actor("wrong password")
		t.failed(wrong.LoginWrong(ctx, t.first.Name))
		read := t.do(ctx, wrong, identityStep(i))
		if read.Status < 300 && (read.Body == own.Body || byName && names(read, t.first)) {
			t.refusals = append(t.refusals, t.op.line()+" signs in with a wrong password, too")
			t.supposed, t.careless = nil, true
			return false
		}
	}
	if t.lost { // the last of it was not shown
		return false
	}
	t.accept(i, op)
	return true
}

// accept keeps a login and an identity step that prove each other.
func (t *trial) accept(i int, op operation) {
	for _, line := range t.shut {
		t.search.shut[line] = true
	}
	note := "it tells " + t.first.Name + " from a stranger"
	if len(t.users) > 1 {
		note = "it tells " + t.users[0].Name + ", " + t.users[1].Name + " and a stranger apart"
	}
	if !t.has(forLogin) {
		t.result.Steps[string(forLogin)] = t.step
		t.found(forLogin, t.op, strings.TrimPrefix(strings.Join([]string{t.note, "it signs " + t.first.Name + " in"}, ", "), ", "))
	}
	if !t.has(forIdentity) {
		if step, ok := op.step(forIdentity); ok {
			t.result.Steps[string(forIdentity)] = step
			t.found(forIdentity, op, note)
		}
	}
	if auto(t.Recipe.Session) && !auto(t.carrier.session) {
		session := t.carrier.session
		t.result.Session = &session
		t.result.Found = append(t.result.Found, Found{Step: "carrier", Request: t.carrier.String(), From: "the answer of " + t.op.line()})
	}
}

// supposeLogin keeps a login that nothing proved, so that the user is asked for
// the identity step alone.
func (s *search) supposeLogin() {
	if s.has(forLogin) || s.supposed == nil || s.careless || s.has(forIdentity) {
		return
	}
	s.result.Steps[string(forLogin)] = s.supposed.step
	s.found(forLogin, s.supposed.op, "it was not refused; no identity step proves it yet")
}

// refused keeps why a login did not work, once for each.
func (s *search) refused(one way, err error) {
	if errors.Is(err, probe.ErrSpent) {
		return
	}
	var refused *probe.Refused
	if errors.As(err, &refused) && (refused.Status == 404 || refused.Status == 405) && one.op.conventional() {
		return
	}
	text := err.Error()
	if refused != nil {
		text = fmt.Sprintf("%s answered %d", refused.Line, refused.Status)
	}
	if !slices.Contains(s.refusals, text) {
		s.refusals = append(s.refusals, text)
	}
}

// enroll registers two users to try with, where the recipe has none. Those of
// the scan are others, since the scan registers its users itself.
func (s *search) enroll(ctx context.Context) {
	if len(s.Recipe.Users) > 0 || s.enrolled {
		return
	}
	for _, op := range rank(s.operations, isRegister, 3) {
		step, ok := op.step(forRegister)
		if !ok || s.over(ctx) || op.conventional() {
			continue
		}
		fresh := []recipe.User{s.invented("sgtrya"), s.invented("sgtryb")}
		t := s.open(Trial{Steps: recipe.Steps{string(forRegister): step}, Users: fresh, Session: s.Recipe.Session}, way{op: op})
		made := true
		for _, user := range fresh {
			actor := t.Actor(user.Name)
			actor.Become(user.Name)
			if err := actor.Do(ctx, string(forRegister)); t.failed(err) {
				s.refused(t.way, err)
				made = false
				break
			}
		}
		t.end()
		if s.enrolled = made; made {
			s.users = fresh
			s.result.Users = []recipe.User{s.invented("alice"), s.invented("bob")}
			s.result.Steps[string(forRegister)] = step
			s.found(forRegister, op, "two users were registered to try with; the scan registers its own")
			return
		}
	}
}

func (s *search) invented(name string) recipe.User {
	password := s.Password()
	return recipe.User{Name: name, Username: name + strings.ToLower(tail(s.Password())), Password: password}
}

// tail is a part of a drawn password that makes a name unlike any other.
func tail(drawn secret.Text) string {
	text := drawn.Reveal()
	return text[max(0, len(text)-8):]
}
