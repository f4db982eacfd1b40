package browser

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// actor is one browser. It is used by one goroutine at a time.
type actor struct {
	stage       *Stage
	name        string
	agent       string
	connections *http.Transport
	jar         *cookie.Jar
	worn        map[trace.Slot]secret.Text // tokens beside the cookies
	captured    map[string]secret.Text
	user        string
	guise       probe.Guise
	last        []trace.Exchange // of the step performed last
	insists     bool             // sends after a 429, too
	kept        *cookie.Jar      // what a frozen browser holds again after each read; nil for the others
}

func (a *actor) Become(user string) { a.user = user }

func (a *actor) Dress(guise probe.Guise) { a.guise = guise }

func (a *actor) Do(ctx context.Context, step string, plants ...probe.Plant) error {
	return a.perform(ctx, attempt{step: step, plants: plants})
}

func (a *actor) Login(ctx context.Context, user string, plants ...probe.Plant) error {
	a.user = user
	return a.perform(ctx, attempt{step: "login", plants: plants})
}

func (a *actor) LoginAs(ctx context.Context, user string, form trace.LoginForm, plants ...probe.Plant) error {
	a.user = user
	return a.perform(ctx, attempt{step: "login", plants: plants, form: form})
}

func (a *actor) LoginWrong(ctx context.Context, user string) error {
	a.user = user
	return a.perform(ctx, attempt{step: "login", password: secret.New("wrong-" + pick(lower+digits, 16))})
}

func (a *actor) LoginWith(ctx context.Context, user string, password secret.Text) error {
	a.user = user
	return a.perform(ctx, attempt{step: "login", password: password})
}

func (a *actor) ChangePassword(ctx context.Context, step string, from, to secret.Text) error {
	if to.IsZero() {
		own, _ := a.stage.world.user(a.user)
		to = own.Password
	}
	return a.perform(ctx, attempt{step: step, password: from, renewed: to})
}

func (a *actor) Begin(ctx context.Context, step string) error {
	return a.perform(ctx, attempt{step: step, part: allButLast})
}

func (a *actor) Finish(ctx context.Context, step, moment string, values map[string]secret.Text) error {
	err := a.perform(ctx, attempt{step: step, part: lastOnly, values: values})
	a.date(moment)
	return err
}

func (a *actor) Enter(ctx context.Context, step, moment string) error {
	err := a.perform(ctx, attempt{step: step, part: afterwards, anyStatus: true})
	a.date(moment)
	return err
}

func (a *actor) Ask(ctx context.Context, method, target string) (trace.Response, error) {
	a.last = nil
	path := recipe.Literal(target)
	if step, known := a.stage.world.options.Steps[target]; known && len(step.Requests) > 0 {
		path = step.Requests[len(step.Requests)-1].Path
	}
	name := trace.PageStep(shownPath(path))
	if method != http.MethodGet {
		name += " with " + method
	}
	if a.held() {
		return trace.Response{}, fmt.Errorf("%s: %w", name, probe.ErrRateLimited)
	}
	err := a.request(ctx, attempt{step: name, anyStatus: true}, recipe.Request{Method: method, Path: path})
	if len(a.last) == 0 {
		return trace.Response{}, err
	}
	return a.last[len(a.last)-1].Response, err
}

// date writes down the moment of the answer that a performance ended with.
func (a *actor) date(moment string) {
	if len(a.last) > 0 {
		a.stage.amend(a.last[len(a.last)-1].Seq, func(x *trace.Exchange) { x.Moment = moment })
	}
}

func (a *actor) Insist() { a.insists = true }

func (a *actor) Captured(step string) map[string]secret.Text {
	values := map[string]secret.Text{}
	for _, request := range a.stage.world.options.Steps[step].Requests {
		for _, capture := range request.Capture {
			if value, has := a.captured[capture.Name]; has {
				values[capture.Name] = value
			}
		}
	}
	return values
}

func (a *actor) Identify(ctx context.Context, moment string, plants ...probe.Plant) trace.Who {
	err := a.perform(ctx, attempt{step: "identity", plants: plants, anyStatus: true})
	if a.kept != nil { // an attacker keeps an id that the API takes away
		a.jar = a.kept.Clone()
	}
	who := trace.Who{Kind: trace.Broken}
	if errors.Is(err, probe.ErrRateLimited) {
		who.Kind = trace.TooMany
	}
	if len(a.last) == 0 {
		return who
	}
	read := a.last[len(a.last)-1]
	var refused *probe.Refused
	switch {
	case who.Kind == trace.TooMany:
	case read.Response.Status == 0 || err != nil && !errors.As(err, &refused) && !errors.Is(err, errCapture):
	default:
		who = a.stage.world.recognise(read.Response)
	}
	a.stage.amend(read.Seq, func(x *trace.Exchange) { x.Moment, x.Who = moment, who })
	return who
}

// attempt is one performance of a step.
type attempt struct {
	step      string
	plants    []probe.Plant
	form      trace.LoginForm // another encoding of the body; "" for the recipe's
	password  secret.Text     // instead of the user's; zero for the user's
	anyStatus bool
	chosen    secret.Text            // the session id this browser chose, for {{session_id}}
	renewed   secret.Text            // for {{new_password}}; zero for a fresh one
	values    map[string]secret.Text // in place of what was captured
	part      part
}

// part is which requests of a step are made.
type part int

const (
	whole part = iota
	allButLast
	lastOnly
	afterwards // those of what is open after the step
)

func (p part) of(step recipe.Step) []recipe.Request {
	last := max(0, len(step.Requests)-1)
	switch p {
	case allButLast:
		return step.Requests[:last]
	case lastOnly:
		return step.Requests[last:]
	case afterwards:
		return step.Then
	}
	return step.Requests
}

// perform makes the requests of a step in order. A refusal, a missing capture
// or no answer ends it.
func (a *actor) perform(ctx context.Context, try attempt) error {
	a.last = nil
	step, known := a.stage.world.options.Steps[try.step]
	if !known {
		return fmt.Errorf("step %s: the recipe does not have it", try.step)
	}
	if a.held() {
		return fmt.Errorf("step %s: %w", try.step, probe.ErrRateLimited)
	}
	requests := try.part.of(step)
	if a.guise.Foreign {
		requests = requests[max(0, len(requests)-1):]
	}
	for _, plant := range try.plants {
		if !slices.ContainsFunc(requests, func(r recipe.Request) bool { return holds(encode(r.Body, try.form), plant.Channel) }) {
			return fmt.Errorf("step %s: %w as %s: it sends no such body", try.step, probe.ErrNoPlace, plant.Channel.Noun())
		}
	}
	if try.step == "login" {
		a.stage.world.logins.Add(1)
	}
	try.chosen = secret.New(pick("0123456789abcdef", 32))
	if try.renewed.IsZero() {
		try.renewed = a.stage.NewPassword()
	}
	a.stage.world.watch(try.chosen)
	for _, request := range requests {
		if err := a.request(ctx, try, request); err != nil {
			return err
		}
	}
	return nil
}

// held reports whether nothing more is to be sent since the API answered 429.
func (a *actor) held() bool {
	held := a.stage.world.limited.Load() && !a.insists
	if held {
		a.stage.record.limited.Store(true)
	}
	return held
}

func (a *actor) request(ctx context.Context, try attempt, request recipe.Request) error {
	draft, err := a.draft(try, request)
	if err != nil {
		return fmt.Errorf("step %s: %w", try.step, err)
	}
	exchange, body, err := a.exchange(ctx, try, draft, 0)
	for hop := 1; err == nil && request.Follow && isRedirect(exchange.Response.Status); hop++ {
		if hop > maxHops {
			return fmt.Errorf("step %s: %s redirects more than %d times; leave out follow: true or fix the redirect", try.step, draft.line(), maxHops)
		}
		if draft, err = a.follow(draft, exchange.Response); err != nil {
			return fmt.Errorf("step %s: %w", try.step, err)
		}
		exchange, body, err = a.exchange(ctx, try, draft, hop)
	}
	if err != nil {
		return fmt.Errorf("step %s: %s: %w", try.step, draft.line(), err)
	}
	return a.settle(ctx, try, request, exchange, body)
}

// settle reads what the recipe wants from the last answer of a request.
func (a *actor) settle(ctx context.Context, try attempt, request recipe.Request, exchange trace.Exchange, body []byte) error {
	status := exchange.Response.Status
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case status == 0:
		return fmt.Errorf("step %s: %s: %s", try.step, exchange.Request.Line(), exchange.Problem)
	case status == http.StatusTooManyRequests:
		a.stage.world.limited.Store(true)
		a.stage.record.limited.Store(true)
		return fmt.Errorf("step %s: %s: %w", try.step, exchange.Request.Line(), probe.ErrRateLimited)
	case !try.anyStatus && !expected(request, status):
		a.stage.amend(exchange.Seq, func(x *trace.Exchange) { x.Refused = true })
		return &probe.Refused{Step: try.step, Line: exchange.Request.Line(), Status: status, Wanted: wanted(request)}
	}
	for _, capture := range request.Capture {
		value, err := take(capture, exchange.Response, body)
		if err != nil {
			return fmt.Errorf("step %s: %s answered %d: %w", try.step, exchange.Request.Line(), status, err)
		}
		a.captured[capture.Name] = value
		a.stage.world.options.Redactor.Add(value)
	}
	if token, renewed := a.stage.world.session.token(a.captured, request.Capture); renewed {
		a.accept(token)
	}
	return nil
}

// accept wears a token that the server gave.
func (a *actor) accept(token secret.Text) {
	a.worn[a.stage.world.session.slot] = token
	a.stage.world.options.Redactor.Add(token)
}

func expected(request recipe.Request, status int) bool {
	if len(request.Expect) > 0 {
		return slices.Contains(request.Expect, status)
	}
	return status < 400
}

func wanted(request recipe.Request) string {
	if len(request.Expect) == 0 {
		return "a status below 400"
	}
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(request.Expect)), " or "), "[]")
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// Everything is each cookie and token it holds.
func (a *actor) Everything() trace.Credential {
	var all trace.Credential
	for _, pair := range a.jar.Cookies(a.stage.world.protected(), time.Now()) {
		all = append(all, trace.Held{Slot: trace.Slot{Kind: trace.InCookie, Name: pair.Name}, ID: pair.Value})
	}
	for _, slot := range sortedSlots(a.worn) {
		all = append(all, trace.Held{Slot: slot, ID: a.worn[slot]})
	}
	return all
}

func sortedSlots(worn map[trace.Slot]secret.Text) []trace.Slot {
	slots := make([]trace.Slot, 0, len(worn))
	for slot := range worn {
		slots = append(slots, slot)
	}
	slices.SortFunc(slots, func(x, y trace.Slot) int { return strings.Compare(x.String(), y.String()) })
	return slots
}

// Carries is what it would authenticate with; empty when a slot is.
func (a *actor) Carries() trace.Credential {
	everything := a.Everything()
	var carried trace.Credential
	for _, slot := range a.stage.facts.Carrier {
		i := slices.IndexFunc(everything, func(held trace.Held) bool { return held.Slot == slot })
		if i < 0 {
			return nil
		}
		carried = append(carried, everything[i])
	}
	return carried
}

func (a *actor) Offered() []trace.Credential {
	var offered []trace.Credential
	carried := a.Carries()
	for at, own := range carried {
		var values []secret.Text
		for _, exchange := range a.last {
			for _, held := range exchange.Issued([]trace.Slot{own.Slot}) {
				if !slices.Contains(values, held.ID) {
					values = append(values, held.ID)
				}
			}
		}
		for _, value := range values {
			whole := slices.Clone(carried)
			whole[at].ID = value
			if len(values) > 1 || len(offered) == 0 {
				offered = append(offered, whole)
			}
		}
	}
	return offered
}

func (a *actor) Wear(credential trace.Credential) {
	for _, held := range credential {
		if held.Kind == trace.InCookie {
			a.jar.Set(a.stage.world.origin("/"), a.stage.world.path(held.Name), held.Name, held.ID)
			continue
		}
		a.worn[held.Slot] = held.ID
	}
}

func (a *actor) Freeze(name string) probe.Actor {
	kept := a.stage.open(name, a.stage.connections())
	kept.jar = a.jar.Only(a.stage.facts.Cookies()...)
	kept.kept = kept.jar.Clone()
	for _, slot := range a.stage.facts.Carrier {
		if id, worn := a.worn[slot]; worn {
			kept.worn[slot] = id
		}
	}
	kept.user = a.user
	return kept
}

func (a *actor) Copy(name string) probe.Actor {
	twin := a.stage.open(name, a.stage.connections())
	twin.jar = a.jar.Clone()
	for slot, id := range a.worn {
		twin.worn[slot] = id
	}
	maps.Copy(twin.captured, a.captured)
	twin.user = a.user
	return twin
}

func (a *actor) Learn(from probe.Actor) {
	if other, is := from.(*actor); is {
		maps.Copy(a.captured, other.captured)
	}
}

func (a *actor) Beside(name string) probe.Actor {
	twin := a.stage.open(name, a.connections)
	twin.agent = a.agent
	return twin
}
