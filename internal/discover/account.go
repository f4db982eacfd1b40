package discover

import (
	"context"
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// mostPrivileged are the pages that are asked for before a step up and after it.
const mostPrivileged = 4

// account proves the steps that a signed-in user takes: a step up in privilege,
// and a new password. What is not proved is in Unproven, with the reason.
func (s *search) account(ctx context.Context) {
	for _, one := range []struct {
		step purpose
		fits ranking
		try  func(context.Context, operation) (note, why string)
	}{{forElevate, isElevation, s.elevate}, {forChange, isPasswordChange, s.change}} {
		if s.has(one.step) {
			continue
		}
		described := slices.DeleteFunc(slices.Clone(s.operations), func(op operation) bool { return op.conventional() || op.page != "" })
		for _, op := range rank(described, one.fits, 1) {
			step, ok := op.step(one.step)
			if !ok {
				continue
			}
			note, why := one.try(ctx, op)
			if why != "" {
				s.result.Unproven[string(one.step)] = step
				note = why
			}
			s.found(one.step, op, note)
		}
	}
}

// hinders says why an operation is not tried on an account; "" where nothing
// speaks against it.
func (s *search) hinders(ctx context.Context, op operation, logins int) string {
	asks := func(f field) bool {
		return f.required && len(f.fields) == 0 && (f.role() == other || f.role() == oneTime)
	}
	switch {
	case !s.has(forLogin) || !s.has(forIdentity) || len(s.users) == 0:
		return "it was not tried, since nobody could be signed in"
	case slices.ContainsFunc(flat(op.fields), asks):
		return "it was not tried, since it wants more than a password"
	case s.over(ctx) || s.knocks+logins > mostKnocks:
		return "it was not tried, since discovery had spent its requests or logins"
	}
	return ""
}

// elevate gives the user's own password once more, which changes no account. It
// is proved by a page that was closed to her before, and is open afterwards.
func (s *search) elevate(ctx context.Context, op operation) (note, why string) {
	if why := s.hinders(ctx, op, 1); why != "" {
		return "", why
	}
	login, identity, session := s.proved()
	steps := s.variants(op, forElevate, login)
	pages := s.privileged(identity)
	for _, page := range pages {
		steps[page.line()], _ = page.step(purpose(page.line()))
	}
	t := s.open(Trial{Steps: steps, Users: s.users, Session: session}, way{op: op})
	defer t.end()
	actor := t.Actor(t.first.Name)
	if err := actor.Login(ctx, t.first.Name); err != nil {
		return "", "it was not tried, since the login did not work again"
	}
	closed := slices.DeleteFunc(pages, func(page operation) bool { return !isClosed(t.do(ctx, actor, page.line())) })
	if len(closed) == 0 {
		return "", "it was not tried, since no page was found that is closed to a user who has signed in"
	}
	made, answer := t.insist(forElevate, steps, func(step string) error { return actor.Do(ctx, step) })
	if !isAnswered(answer) {
		return "", refusal(answer)
	}
	for _, page := range closed {
		if isOpen(t.do(ctx, actor, page.line())) {
			made.Then = steps[page.line()].Requests
			s.result.Steps[string(forElevate)] = made
			return page.line() + " is closed before it and open after it", ""
		}
	}
	return "", "it was answered, but no page was found that is closed before it and open after it"
}

// privileged are pages that a step up may open, the likelier first.
func (s *search) privileged(identity recipe.Step) []operation {
	asked := identity.Requests[len(identity.Requests)-1]
	fits := func(op operation) int {
		if op.path == asked.Path.String() {
			return 0
		}
		return isPrivileged(op) + points(isPrivileged(op) >= 0 && s.shut[op.line()], 50)
	}
	return slices.DeleteFunc(rank(s.operations, fits, mostPrivileged), func(op operation) bool {
		_, ok := op.step(forVisit)
		return !ok
	})
}

// change gives an account another password, and so is tried with a user that
// discovery has registered itself and with nobody else's. It is proved by the
// old password, which no longer signs her in, and the new one, which does.
func (s *search) change(ctx context.Context, op operation) (note, why string) {
	if !s.enrolled && len(s.users) > 0 {
		return "", "it changes an account, so that it is not tried with users who were given"
	}
	if why := s.hinders(ctx, op, 3); why != "" {
		return "", why
	}
	login, identity, session := s.proved()
	steps := s.variants(op, forChange, login)
	steps[identityStep(0)] = identity
	t := s.open(Trial{Steps: steps, Users: s.users, Session: session}, way{op: op})
	defer t.end()
	user := s.users[len(s.users)-1]
	actor := t.Actor(user.Name)
	if err := actor.Login(ctx, user.Name); err != nil {
		return "", "it was not tried, since the login did not work again"
	}
	own := t.do(ctx, actor, identityStep(0))
	renewed := t.NewPassword()
	made, answer := t.insist(forChange, steps, func(step string) error { return actor.ChangePassword(ctx, step, secret.Text{}, renewed) })
	if !isAnswered(answer) {
		return "", refusal(answer)
	}
	signsIn := func(name string, password secret.Text) bool {
		again := t.Actor(name)
		if t.failed(again.LoginWith(ctx, user.Name, password)) {
			return false
		}
		read := t.do(ctx, again, identityStep(0))
		return isOpen(read) && (names(read, user) || read.Body == own.Body)
	}
	switch {
	case signsIn("old password", user.Password):
		return "", "it was answered, but the old password still signs the user in"
	case !signsIn("new password", renewed):
		return "", "it was answered, but the new password does not sign the user in"
	}
	s.result.Steps[string(forChange)] = made
	return "the old password no longer signs a user in who was registered for this, and the new one does", ""
}

func isAnswered(answer trace.Response) bool { return answer.Status > 0 && answer.Status < 400 }

func isOpen(answer trace.Response) bool { return answer.Status >= 200 && answer.Status < 300 }

func isClosed(answer trace.Response) bool { return answer.Status >= 300 && answer.Status < 500 }

func refusal(answer trace.Response) string {
	if answer.Status == 0 {
		return "it was tried, and not answered"
	}
	return fmt.Sprintf("it was tried, and answered %d", answer.Status)
}
