package catalog

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// monitoringPages are where frameworks and applications show what a server is
// doing. Each can hold the session ids of other people by its own documentation,
// or has them by its name. What shows a browser its own request only (phpinfo),
// needs a script to show anything (Telescope, the consoles), masks its values
// (/actuator/env) or makes the server work hard (a heap dump) is not asked for.
var monitoringPages = []string{
	"/debug/sessions", "/sessions", "/api/sessions", "/admin/sessions", // applications' own
	"/actuator/httpexchanges",         // Spring Boot 3: the last requests, with session.id where it is included
	"/actuator/httptrace",             // the same of Spring Boot 2
	"/_profiler/latest?panel=request", // Symfony: cookies and session of the last request
	"/server-status",                  // Apache httpd: the request lines in progress, ids in a path or query among them
	"/debug",
	"/debug/vars", // Go's expvar: whatever the program published
	"/metrics",    // Prometheus: labels, where a session id is one by mistake
}

// mostAsked bounds the pages. With the login, the methods and the reads beside
// them the flow stays below twenty requests.
const mostAsked = 12

// sessionsOf is Spring Session's page of the sessions of a user by name, which is no
// secret.
const sessionsOf = "/actuator/sessions?username="

// pagesToAsk are those that the API itself names, and then the usual ones.
func pagesToAsk(facts trace.Facts) []string {
	var paths []string
	if name := facts.Usernames[facts.Victim()]; name != "" {
		paths = append(paths, sessionsOf+url.QueryEscape(name))
	}
	for _, page := range facts.Pages {
		if page.Monitors {
			paths = append(paths, page.Path)
		}
	}
	for _, path := range monitoringPages {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths[:min(len(paths), mostAsked)]
}

// openPages asks, with an empty jar, for pages on which a server may show the
// sessions of others, while somebody has one. A page that does is asked again once
// another session is there: that one cannot have stood in the first answer. Then
// the stranger wears what it read and shows who it is. Where nobody can log in,
// somebody is a visitor.
var openPages = &probe.Flow{
	Name: "open-pages", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		facts := stage.Facts()
		v, stranger := stage.Actor(victim), stage.Actor(attacker)
		if err := begin(ctx, stage, v, after); err != nil {
			return err
		}
		if v.Carries().IsZero() {
			return nil // the judge says so
		}
		if err := askOtherwise(ctx, facts, v, stranger); err != nil {
			return err
		}
		shown, _, silent := askAll(ctx, stranger, pagesToAsk(facts), v.Carries())
		if isLast(ctx, silent) {
			return silent
		}
		if len(shown) > 0 {
			if err := askAgain(ctx, stage, stranger, shown); err != nil {
				return err
			}
		}
		if !facts.Strangers {
			stranger.Identify(ctx, after)
			stage.Actor(control).Identify(ctx, after)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return silent // what was not answered may show an id, too
	},
}

// isAsked reports whether an exchange is the stranger's with a page.
func isAsked(exchange trace.Exchange) bool { return exchange.Actor == attacker && exchange.OfPage() }

// begin gives the actor a session: the user's own, or a visitor's.
func begin(ctx context.Context, stage probe.Stage, actor probe.Actor, moment string) error {
	if stage.Facts().Strangers {
		return actor.Do(ctx, visit)
	}
	if err := actor.Login(ctx, stage.Facts().Victim()); err != nil {
		return err
	}
	actor.Identify(ctx, moment)
	return ctx.Err()
}

// askOtherwise sends methods that were made for looking into a server: TRACE with
// the session, which a server that takes it repeats (RFC 9110 §9.3.8), and from
// the stranger TRACE and OPTIONS. No answer is one, too.
func askOtherwise(ctx context.Context, facts trace.Facts, v, stranger probe.Actor) error {
	step := identity
	if facts.Strangers {
		step = visit
	}
	for _, one := range []struct {
		by     probe.Actor
		method string
	}{{v, traceMethod}, {stranger, traceMethod}, {stranger, "OPTIONS"}} {
		if _, err := one.by.Ask(ctx, one.method, step); isLast(ctx, err) {
			return err
		}
	}
	return nil
}

const traceMethod = "TRACE"

// mostSilent is how many requests in a row may stay without an answer: one page may
// hang by itself, and a server that answers nothing is not asked for more.
const mostSilent = 3

// silence is what stayed without an answer. The zero value: nothing so far.
type silence struct {
	row   int   // requests in a row
	first error // of the first of them, or what ended it all
}

// goesOn takes what a request ended with, and reports whether to make the next.
func (s *silence) goesOn(ctx context.Context, err error) bool {
	var refused *probe.Refused
	switch {
	case err == nil, errors.As(err, &refused):
		s.row = 0
		return true
	case isLast(ctx, err):
		s.first = err
		return false
	case s.first == nil:
		s.first = err
	}
	s.row++
	return s.row < mostSilent
}

// isLast reports whether an error says that nothing more can be sent.
func isLast(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, probe.ErrRateLimited) || errors.Is(err, probe.ErrSpent)
}

// askAll are the pages that show the credential, or a part of it, and what they show.
// The error is that of the first page without an answer, or what ended the asking.
func askAll(ctx context.Context, stranger probe.Actor, paths []string, of trace.Credential) (shown []string, copied trace.Credential, err error) {
	var silent silence
	for _, path := range paths {
		answer, err := stranger.Ask(ctx, "GET", path)
		if !silent.goesOn(ctx, err) {
			break
		}
		if held := shownOf(answer, of); len(held) > 0 {
			shown, copied = append(shown, path), append(copied, held...)
		}
	}
	return shown, copied, silent.first
}

// shownOf is the part of a credential that an answer shows.
func shownOf(answer trace.Response, of trace.Credential) trace.Credential {
	var shown trace.Credential
	for _, held := range of {
		if held.ID.Len() >= shortestSearched && answer.Shows(held.ID) {
			shown = append(shown, held)
		}
	}
	return shown
}

// askAgain asks for the pages once there is another session, and wears what they
// show of it.
func askAgain(ctx context.Context, stage probe.Stage, stranger probe.Actor, paths []string) error {
	again := stage.Actor(sameAgain)
	if err := begin(ctx, stage, again, afterRelogin); err != nil {
		return err
	}
	_, copied, silent := askAll(ctx, stranger, paths, again.Carries())
	if isLast(ctx, silent) {
		return silent
	}
	stranger.Wear(copied)
	return nil
}
