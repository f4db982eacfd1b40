package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// calibration is the name of its stage.
const calibration = "calibration"

// The steps calibration performs.
const (
	register = "register"
	visit    = "visit"
	login    = "login"
	identity = "identity"
)

// calibrate makes the experiments K0 to K5 of probes.md §2.2 and fills the
// facts. What cannot be established is the reason that everything depending on
// it is not tested.
func (r *run) calibrate(ctx context.Context) finding.Reason {
	stage := r.World.Open(calibration, r.facts)
	defer func() {
		r.traces[calibration] = []trace.Trace{{Flow: calibration, Facts: r.facts, Exchanges: stage.Exchanges()}}
		stage.Close()
	}()
	c := &calibrator{run: r, stage: stage}
	for _, establish := range []func(context.Context) *finding.Reason{
		c.recipe, c.registration, c.strangers, c.logins, c.faces, c.bystander, c.wrongPassword, c.carrier, c.forged, c.anonymous, c.sessions,
	} {
		if reason := establish(ctx); reason != nil {
			reason.Text = r.Redactor.Clean(reason.Text)
			if r.Missing != nil && len(r.facts.Controls) == 0 {
				c.visitors(ctx)
			}
			return *reason
		}
	}
	return finding.Reason{}
}

// recalibrate logs the victim in once more after all attacks (K7). Where that
// no longer works, an attack may have failed for what another one broke, and
// no pass is believed.
func (r *run) recalibrate(ctx context.Context) finding.Reason {
	const says = "the victim can still log in after the attacks"
	if r.problem.Code != "" || ctx.Err() != nil {
		return finding.Reason{}
	}
	stage := r.World.Open("calibration again", r.facts)
	defer stage.Close()
	user := r.Users[0].Name
	actor := stage.Actor(user)
	control := trace.Control{Name: "K7", Says: says, Held: true}
	var reason finding.Reason
	if err := actor.Login(ctx, user); err != nil {
		reason = *loginProblem(r.Users[0], err)
	} else if who := actor.Identify(ctx, calibration); !who.Is(user) {
		reason = finding.Reason{Code: finding.NoCalibration, Text: fmt.Sprintf("after the login of %s the identity step says %s", user, who),
			Remedy: "look whether the API locked the user or ran out of something"}
	}
	if reason.Code != "" {
		reason.Text = r.Redactor.Clean("after the attacks " + reason.Text)
		control.Held, control.Note = false, reason.Text
	}
	r.facts.Controls = append(r.facts.Controls, control)
	return reason
}

type calibrator struct {
	*run
	stage Stage

	mu      sync.Mutex
	outside []trace.Response // K0
	inside  []sitting        // K1
	first   probe.Actor      // the victim's earlier session
	second  probe.Actor
}

func (c *calibrator) hold(name, says, note string) {
	c.facts.Controls = append(c.facts.Controls, trace.Control{Name: name, Says: says, Held: true, Note: note})
}

func (c *calibrator) skip(name, says, note string) {
	c.facts.Controls = append(c.facts.Controls, trace.Control{Name: name, Says: says, Skipped: true, Note: note})
}

// lost records the control that did not hold and is the reason that follows.
func (c *calibrator) lost(name, says, text, remedy string) *finding.Reason {
	c.facts.Controls = append(c.facts.Controls, trace.Control{Name: name, Says: says, Note: c.Redactor.Clean(text)})
	return &finding.Reason{Code: finding.NoCalibration, Text: text, Remedy: remedy}
}

// recipe looks whether there is anything to try.
func (c *calibrator) recipe(context.Context) *finding.Reason {
	for _, step := range []string{login, identity} {
		if reason, known := c.Missing[step]; known && !c.facts.Has(step) {
			return &reason
		}
		if !c.facts.Has(step) {
			return &finding.Reason{Code: finding.NoCalibration, Text: "the recipe has no " + step + " step",
				Remedy: "add steps." + step + " to the recipe, or --" + step}
		}
	}
	if len(c.Users) == 0 {
		return &finding.Reason{Code: finding.NoCalibration, Text: "the recipe has no users",
			Remedy: "add one under users:, or --user NAME with --password-env VAR"}
	}
	return nil
}

// registration creates the users, where the recipe says how.
func (c *calibrator) registration(ctx context.Context) *finding.Reason {
	if !c.facts.Has(register) {
		return nil
	}
	for _, user := range c.Users {
		actor := c.stage.Actor("registering " + user.Name)
		actor.Become(user.Name)
		if err := actor.Do(ctx, register); err != nil {
			return c.lost("K1", "users can be registered", err.Error(), "run the register step by hand and compare it with the recipe")
		}
	}
	return nil
}

const k0 = "nobody is anonymous at the identity step"

// strangers reads the identity step without any credential, three times (K0).
func (c *calibrator) strangers(ctx context.Context) *finding.Reason {
	for range 3 {
		c.stage.Actor("stranger").Identify(ctx, "calibration")
		last, asked := c.lastAnswer("stranger", identity)
		switch {
		case !asked:
			return c.lost("K0", k0, "the identity step could not be made", "check its path and its placeholders in the recipe")
		case last.Response.Status == 0:
			return c.lost("K0", k0, fmt.Sprintf("the target does not answer: %s: %s", last.Request.Line(), last.Problem),
				"start the API, or correct the target in the recipe")
		case last.Response.Status == tooManyRequests:
			return limited()
		case last.Response.Status >= 500:
			return c.lost("K0", k0, fmt.Sprintf("%s answers %d to a request without a session", last.Request.Line(), last.Response.Status),
				"a protected endpoint should answer 401 or redirect; look at the API's log")
		}
		c.outside = append(c.outside, last.Response)
	}
	return nil
}

const tooManyRequests = 429

func limited() *finding.Reason {
	return &finding.Reason{Code: finding.RateLimited, Text: "the API answered 429 Too Many Requests",
		Remedy: "lift the login rate limit for the test environment"}
}

func (c *calibrator) lastAnswer(actor, step string) (trace.Exchange, bool) {
	exchanges := c.stage.Exchanges()
	for i := len(exchanges) - 1; i >= 0; i-- {
		if exchanges[i].Actor == actor && exchanges[i].Step == step {
			return exchanges[i], true
		}
	}
	return trace.Exchange{}, false
}

// logins signs every user in twice, users side by side (K1).
func (c *calibrator) logins(ctx context.Context) *finding.Reason {
	reasons := make([]*finding.Reason, len(c.Users))
	c.inside = make([]sitting, len(c.Users))
	var group sync.WaitGroup
	for i, user := range c.Users[:min(len(c.Users), 2)] {
		group.Go(func() { reasons[i] = c.sit(ctx, i, user) })
	}
	group.Wait()
	c.inside = c.inside[:min(len(c.Users), 2)]
	for _, reason := range reasons {
		if reason != nil {
			c.facts.Controls = append(c.facts.Controls, trace.Control{Name: "K1", Says: "users can log in", Note: c.Redactor.Clean(reason.Text)})
			return reason
		}
	}
	return nil
}

func (c *calibrator) sit(ctx context.Context, i int, user User) *finding.Reason {
	s := sitting{user: user.Name, username: user.Username}
	stage := c.stage.Round(user.Name) // users sign in side by side
	for n, name := range []string{user.Name, user.Name + " again"} {
		actor := stage.Actor(name)
		if err := actor.Login(ctx, user.Name); err != nil {
			return loginProblem(user, err)
		}
		actor.Identify(ctx, calibration)
		read, asked := c.lastAnswer(name, identity)
		if !asked {
			return &finding.Reason{Code: finding.NoCalibration, Text: "the identity step could not be made after the login of " + user.Name,
				Remedy: "check its placeholders in the recipe"}
		}
		if read.Response.Status == 0 {
			return &finding.Reason{Code: finding.NoCalibration, Text: fmt.Sprintf("after the login of %s: %s: %s", user.Name, read.Request.Line(), read.Problem),
				Remedy: "look why the API stopped answering"}
		}
		if read.Response.Status == tooManyRequests {
			return limited()
		}
		s.answers = append(s.answers, read.Response)
		if i == 0 && n == 0 {
			c.first = actor
		} else if i == 0 {
			c.second = actor
		}
	}
	c.mu.Lock()
	c.inside[i] = s
	c.mu.Unlock()
	return nil
}

func loginProblem(user User, err error) *finding.Reason {
	var refused *probe.Refused
	reason := &finding.Reason{Code: finding.NoCalibration, Text: user.Name + " cannot log in: " + err.Error(),
		Remedy: "run the login by hand and compare it with the recipe"}
	switch {
	case errors.Is(err, probe.ErrRateLimited):
		return limited()
	case errors.As(err, &refused) && (refused.Status == 401 || refused.Status == 403):
		reason.Remedy = "check the user name and password of " + user.Name + ", and whether the login wants a CSRF token"
	case errors.As(err, &refused) && (refused.Status == 400 || refused.Status == 415 || refused.Status == 422):
		reason.Remedy = "check the names and the encoding (json, form) of the login's fields"
	case errors.As(err, &refused) && (refused.Status == 404 || refused.Status == 405):
		reason.Remedy = "check the path and the method of the login step"
	case errors.As(err, &refused) && refused.Status >= 500:
		reason.Remedy = "the API itself fails; look at its log"
	}
	return reason
}

// faces learns who is who (K4), and then looks back at the first reads.
func (c *calibrator) faces(context.Context) *finding.Reason {
	const says = "the identity step tells users from each other and from nobody"
	for _, s := range c.inside {
		answer, stranger := s.answers[0], c.outside[0]
		if answer.Status == stranger.Status && answer.Body == stranger.Body {
			text := fmt.Sprintf("the identity step answers %s exactly as it answers a stranger (status %d)", s.user, answer.Status)
			if answer.Status < 300 {
				return c.lost("K4", says, text, "choose an endpoint that needs a session and names its user")
			}
			return c.lost("K1", "users can log in", text+": the login did not sign "+s.user+" in",
				"check the login's fields and password, and session: if the id does not travel in a cookie")
		}
	}
	if err := c.Faces.learn(c.outside, c.inside); err != nil {
		return c.lost("K4", says, err.Error(), "choose an endpoint whose answer names its user")
	}
	for _, s := range c.inside {
		for _, answer := range s.answers {
			if who := c.Faces.Who(answer); !who.Is(s.user) {
				return c.lost("K1", "users can log in", fmt.Sprintf("after the login of %s the identity step says %s", s.user, who),
					"check the login's fields and password in the recipe")
			}
		}
	}
	for _, answer := range c.outside {
		if who := c.Faces.Who(answer); !who.IsAnonymous() {
			return c.lost("K0", k0, fmt.Sprintf("a request without a session is taken for %s", who),
				"choose an endpoint that needs a session")
		}
	}
	c.hold("K0", k0, "")
	c.hold("K1", "users can log in", "")
	note := ""
	if len(c.inside) < 2 {
		note = "with one user only: telling two apart was not tried"
	}
	c.hold("K4", says, note)
	return nil
}

// bystander reads with an empty jar while somebody is signed in (K0').
func (c *calibrator) bystander(ctx context.Context) *finding.Reason {
	const says = "nobody is anonymous while somebody is signed in"
	who := c.stage.Actor("bystander").Identify(ctx, calibration)
	if who.Kind == trace.Broken {
		return c.lost("K0'", says, "the identity step gives no usable answer any more", "look why the API stopped answering")
	}
	if !who.IsAnonymous() {
		return c.lost("K0'", says, fmt.Sprintf("a request without any credential is taken for %s once %s is signed in", who, c.Users[0].Name),
			"the API knows users by something other than a session id; see session-identity-from-network")
	}
	c.hold("K0'", says, "")
	return nil
}

// wrongPassword excludes a login that lets everybody in (K2).
func (c *calibrator) wrongPassword(ctx context.Context) *finding.Reason {
	const says = "a wrong password signs nobody in"
	user := c.Users[0]
	if user.Password.IsZero() {
		c.skip("K2", says, user.Name+" has no password, so that the login proves nothing about who asks was not excluded")
		return nil
	}
	actor := c.stage.Actor("wrong password")
	err := actor.LoginWrong(ctx, user.Name)
	if errors.Is(err, probe.ErrRateLimited) {
		return limited()
	}
	if who := actor.Identify(ctx, calibration); !who.IsAnonymous() {
		return c.lost("K2", says, fmt.Sprintf("a login of %s with a wrong password reads as %s", user.Name, who),
			"use a login that checks passwords; a stub proves nothing")
	}
	c.hold("K2", says, "")
	return nil
}

// carrier finds the smallest set of cookies and tokens that authenticates, by
// leaving out one after the other (K3). Names are never a guide.
func (c *calibrator) carrier(ctx context.Context) *finding.Reason {
	const says = "what carries the session is known and works from another client"
	user := c.Users[0].Name
	held := c.second.Everything()
	if len(c.Declared) > 0 {
		held = slices.DeleteFunc(held, func(h trace.Held) bool { return !slices.Contains(c.Declared, h.Slot) })
	}
	if len(held) == 0 {
		return c.lost("K3", says, "the login left neither a cookie nor a captured token in the browser",
			"if the id travels in a header, capture it at login and say so under session:")
	}
	// In the order of their names: what is found must not depend on the order in
	// which an answer happened to set them, or fingerprints would.
	slices.SortFunc(held, func(a, b trace.Held) int { return strings.Compare(a.Slot.String(), b.Slot.String()) })
	if len(held) > maxCandidates {
		held = held[:maxCandidates]
	}
	tell := func(set trace.Credential) trace.Who {
		other := c.stage.Actor("another client")
		other.Wear(set)
		return other.Identify(ctx, calibration)
	}
	for i := 0; i < len(held) && len(held) > 1; {
		rest := slices.Delete(slices.Clone(held), i, i+1)
		if tell(rest).Is(user) {
			held = rest
			continue
		}
		i++
	}
	if who := tell(held); !who.Is(user) {
		return c.lost("K3", says, fmt.Sprintf("a copy of the session in another client reads as %s, not as %s", who, user),
			"the session may be bound to a header, a certificate or a one-time token; name its carrier under session:")
	}
	c.facts.Sample = held
	for _, h := range held {
		c.facts.Carrier = append(c.facts.Carrier, h.Slot)
	}
	c.facts.Stateless = slices.ContainsFunc(held, func(h trace.Held) bool { return selfContained(h.ID) })
	c.stage.Know(c.facts)
	c.hold("K3", says, c.facts.CarrierName())
	return nil
}

// maxCandidates bounds the leaving out, one request each.
const maxCandidates = 12

// forged excludes a server that takes any id for somebody (K5).
func (c *calibrator) forged(ctx context.Context) *finding.Reason {
	const says = "a made-up id is nobody's"
	actor := c.stage.Actor("made-up id")
	actor.Wear(c.stage.Forge(probe.LikeIssued))
	if who := actor.Identify(ctx, calibration); !who.IsAnonymous() {
		return c.lost("K5", says, fmt.Sprintf("a made-up id of the right shape is taken for %s", who),
			"the API accepts ids that it never issued, before any login; look at how it finds sessions")
	}
	c.hold("K5", says, "")
	return nil
}

// anonymous sees whether a visit issues an id, and that it is nobody's (K5).
func (c *calibrator) anonymous(ctx context.Context) *finding.Reason {
	const says = "an id issued before login is nobody's"
	if !c.facts.Has(visit) {
		c.skip("K5", says, "the recipe has no visit step")
		return nil
	}
	actor := c.stage.Actor("visitor")
	if err := actor.Do(ctx, visit); err != nil {
		if errors.Is(err, probe.ErrRateLimited) {
			return limited()
		}
		return c.lost("K5", says, err.Error(), "check the visit step")
	}
	if actor.Carries().IsZero() {
		c.skip("K5", says, "the visit issues none")
		return nil
	}
	if who := actor.Identify(ctx, calibration); !who.IsAnonymous() {
		return c.lost("K5", says, fmt.Sprintf("the id of a fresh visit is taken for %s", who), "check the visit step")
	}
	c.facts.PreLogin = true
	c.stage.Know(c.facts)
	c.hold("K5", says, "")
	return nil
}

// sessions sees whether the user's second login ended the first session.
func (c *calibrator) sessions(ctx context.Context) *finding.Reason {
	c.facts.Exclusive = c.first.Identify(ctx, calibration).IsAnonymous()
	return nil
}
