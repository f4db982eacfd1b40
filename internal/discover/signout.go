package discover

import (
	"context"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const mostLogouts = 5

// signOut logs in once for each logout and takes the first that answers. It
// need not end the session: whether it does is what the gate is there to judge.
func (s *search) signOut(ctx context.Context) {
	login, identity, session := s.proved()
	for _, op := range rank(s.operations, isLogout, mostLogouts) {
		if s.tried[op.line()] || s.over(ctx) || s.knocked() {
			continue
		}
		s.tried[op.line()] = true
		if s.leaves(ctx, op, login, identity, session) {
			return
		}
	}
}

// proved are the login and the identity step that hold, and their session.
func (s *search) proved() (login, identity recipe.Step, session recipe.Session) {
	either := func(step purpose) recipe.Step {
		if written, has := s.Recipe.Steps[string(step)]; has {
			return written
		}
		return s.result.Steps[string(step)]
	}
	session = s.Recipe.Session
	if s.result.Session != nil {
		session = *s.result.Session
	}
	return either(forLogin), either(forIdentity), session
}

// nowhere is a path that no API has: what answers there like a logout is no
// logout.
const nowhere = "/sessiongate-is-not-here"

func (s *search) leaves(ctx context.Context, op operation, login, identity recipe.Step, session recipe.Session) bool {
	op, login = s.sends(op, login)
	steps := s.variants(op, forLogout, login)
	if steps == nil {
		return false
	}
	steps[identityStep(0)] = identity
	if absent, ok := (operation{method: op.method, path: nowhere}).step(forLogout); ok {
		steps["nowhere"] = absent
	}
	t := s.open(Trial{Steps: steps, Users: s.users, Session: session}, way{op: op})
	defer t.end()
	actor := t.Actor(t.first.Name)
	if t.failed(actor.Login(ctx, t.first.Name)) {
		return false
	}
	step, answer := t.insist(forLogout, steps, func(step string) error { return actor.Do(ctx, step) })
	if !isAnswered(answer) {
		return false
	}
	note := "it answers"
	after := t.do(ctx, actor, identityStep(0))
	if after.Status != 0 && !names(after, t.first) {
		note = "its browser is signed out afterwards"
	} else if op.conventional() {
		if absent := t.do(ctx, actor, "nowhere"); absent.Status < 400 {
			return false
		}
	}
	if _, written := s.Recipe.Steps[string(forLogin)]; !written {
		s.result.Steps[string(forLogin)] = login // with what the logout takes from it
	}
	s.result.Steps[string(forLogout)] = step
	s.found(forLogout, op, note)
	return true
}

// The names of the variants.
const (
	withToken = "with a token"
	withBody  = "with a body"
)

// variants are the login, and a step that needs it: as it stands, and where it
// could be, as CSRF protection wants it: with the login's token, or of a media
// type that no form has. nil where the step cannot be made.
func (s *search) variants(op operation, why purpose, login recipe.Step) recipe.Steps {
	step, ok := op.step(why)
	if !ok {
		return nil
	}
	steps := recipe.Steps{string(forLogin): login, string(why): step}
	if guard, has := guardOf(login); has {
		steps[withToken] = guard.guard(step)
	}
	if step.Requests[0].Body.Kind == recipe.NoBody && op.method != "GET" {
		empty := step
		empty.Requests = slices.Clone(step.Requests)
		empty.Requests[0].Body = recipe.Body{Kind: recipe.JSONBody, JSON: map[string]any{}}
		steps[withBody] = empty
	}
	return steps
}

// insist performs a step, and its variants as long as it is refused. It gives
// the one that was performed last, under the name of the step.
func (t *trial) insist(why purpose, steps recipe.Steps, perform func(step string) error) (recipe.Step, trace.Response) {
	step := steps[string(why)]
	answer := t.answerTo(string(why), perform)
	for _, name := range []string{withToken, withBody} {
		if another, has := steps[name]; has && wantsMore(answer.Status) {
			step = another
			answer = t.answerTo(name, perform)
		}
	}
	step.Name = string(why)
	return step, answer
}

// wantsMore reports whether a request is there and was refused.
func wantsMore(status int) bool {
	return slices.Contains([]int{400, 401, 403, 415, 419, 422}, status)
}

// guardOf is the CSRF token that a login sends, which a logout may want too.
func guardOf(login recipe.Step) (csrf, bool) {
	if len(login.Requests) < 2 {
		return csrf{}, false
	}
	before, last := login.Requests[0], login.Requests[len(login.Requests)-1]
	for _, pair := range last.Headers {
		for _, capture := range before.Capture {
			if slices.Contains(pair.Value.Names(), capture.Name) {
				return csrf{path: before.Path.String(), capture: capture, header: pair.Name}, true
			}
		}
	}
	return csrf{}, false
}

// sends has the fields of a logout that the login's answer holds, such as a
// refresh token, captured there.
func (s *search) sends(op operation, login recipe.Step) (operation, recipe.Step) {
	op.fields = slices.Clone(op.fields)
	for i := range op.fields {
		one := &op.fields[i]
		if path := memberPath(s.answer, one.name); one.required && path != "" {
			one.taken = strings.Join(words(one.name), "_")
			login = carrier{path: path, name: one.taken}.with(login)
		}
	}
	return op, login
}
