package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// channel is one way for a session id to reach a login beside the carrier.
type channel struct {
	kind  probe.Channel
	form  trace.LoginForm // the body it needs; "" for any
	names []string        // tried beside the carrier's own name
	reads bool            // a request without a body can carry it too
}

// The rounds of a channel's flow. A round with one name tried is
// "<round>: <name>".
const (
	forgedRound   = "forged id"
	issuedRound   = "issued id"
	plainRound    = "without the planted id"
	encodingRound = "the other encoding" // accepted, it is no round of its own
)

// flow plants an id under all names at once, which costs one login. Only when
// that is refused (a strict schema) or works (which name was it?) are the names
// tried one by one; the hit by one name is the repetition with fresh ids.
func (c channel) flow() *probe.Flow {
	return &probe.Flow{Name: "channel-" + string(c.kind), Steps: []string{login, identity},
		Run: func(ctx context.Context, stage probe.Stage) error {
			names := c.candidates(stage.Facts())
			if c.foreign(stage.Facts()) {
				if closed, err := c.closed(ctx, stage); closed || err != nil {
					return err
				}
			}
			hit, err := c.try(ctx, stage, forgedRound, names)
			strict := refused(err)
			if strict || hit {
				names, hit, err = c.oneByOne(ctx, stage, names, strict)
			}
			if hit || err != nil {
				return err
			}
			if len(names) > 0 && c.issuedToo(stage.Facts()) {
				_, err := c.try(ctx, stage, issuedRound, names)
				if err != nil && !refused(err) {
					return err
				}
				strict = strict || refused(err)
			}
			if strict {
				return signIn(ctx, stage.Round(plainRound).Actor(victim), stage.Facts().Victim())
			}
			return nil
		}}
}

// issuedToo reports whether an id that the server issued is tried as well, since
// there are logins that take known ids only. A header is the rarest way to plant
// one, and is left to the deep profile.
func (c channel) issuedToo(facts trace.Facts) bool {
	return facts.PreLogin && (facts.Deep || c.kind != probe.Header)
}

// closed reports whether the login refuses the channel's encoding as such, so
// that nothing in it can be read. The plain login beside it is the control.
func (c channel) closed(ctx context.Context, stage probe.Stage) (bool, error) {
	facts := stage.Facts()
	err := stage.Round(encodingRound).Actor(victim).LoginAs(ctx, facts.Victim(), c.form)
	if !refused(err) {
		return false, err
	}
	return true, signIn(ctx, stage.Round(plainRound).Actor(victim), facts.Victim())
}

// foreign reports whether the login of the recipe has another encoding.
func (c channel) foreign(facts trace.Facts) bool {
	return c.form != "" && c.form != facts.Login && !(c.form == trace.LoginForms && facts.Login == trace.LoginMultipart)
}

// singles are the names that the core profile tries alone where all at once are
// refused, beside the known ones.
const singles = 4

// oneByOne stops at the first name that works and else returns those under
// which the login was not refused.
func (c channel) oneByOne(ctx context.Context, stage probe.Stage, names []string, strict bool) (taken []string, hit bool, err error) {
	if strict && !stage.Facts().Deep {
		names = names[:min(len(names), singles+len(c.known(stage.Facts())))]
	}
	for _, name := range names {
		hit, err := c.try(ctx, stage, forgedRound+": "+name, []string{name})
		switch {
		case hit:
			return nil, true, nil
		case err == nil:
			taken = append(taken, name)
		case !refused(err):
			return nil, false, err
		}
	}
	return taken, false, nil
}

// try is one takeover through the channel: T2 of probes.md §5.1 with a forged
// id, T3 with one the server issued to the attacker.
func (c channel) try(ctx context.Context, stage probe.Stage, round string, names []string) (hit bool, err error) {
	stage = stage.Round(round)
	facts := stage.Facts()
	planted := stage.Forge(probe.LikeIssued)
	v := stage.Actor(victim)
	if round == issuedRound {
		visitor := stage.Actor(attacker)
		if err := visitor.Do(ctx, visit); err != nil {
			return false, err
		}
		if planted = visitor.Carries(); planted.IsZero() {
			return false, nil
		}
	}
	thief := stage.Actor(attacker)
	thief.Wear(planted) // that it is nobody's, the control and calibration (K5) show
	plant := probe.Plant{Channel: c.kind, Names: names, ID: firstID(planted)}
	if err := c.login(ctx, v, facts, plant); err != nil {
		return false, err
	}
	who := v.Identify(ctx, after)
	if !isVictim(who, facts) && c.reads { // where links are rewritten, the id stays in the URL and in no cookie
		who = v.Identify(ctx, after, plant)
	}
	stage.Look(ctx, after, planted)
	hit = isVictim(thief.Identify(ctx, after), facts)
	if c.reads {
		hit = isVictim(stage.Actor("attacker by "+c.kind.Noun()).Identify(ctx, after, plant), facts) || hit
	}
	other := stage.Actor(control)
	other.Wear(stage.Forge(probe.LikeIssued))
	other.Identify(ctx, after)
	if !isVictim(who, facts) { // read first: the id may work where it was planted only
		return false, errNotSignedIn
	}
	return hit, ctx.Err()
}

func (c channel) login(ctx context.Context, v probe.Actor, facts trace.Facts, plant probe.Plant) error {
	if c.foreign(facts) {
		return v.LoginAs(ctx, facts.Victim(), c.form, plant)
	}
	return v.Login(ctx, facts.Victim(), plant)
}

func firstID(credential trace.Credential) secret.Text {
	for _, held := range credential {
		if !held.ID.IsZero() {
			return held.ID
		}
	}
	return secret.Text{}
}

// known are the names the recipe itself sends an id under, and those that the
// API's description has for one.
func (c channel) known(facts trace.Facts) []string {
	return slices.Concat(facts.Chosen[string(c.kind)], facts.Described[string(c.kind)])
}

// candidates are the known names, the carrier's own and then the dictionary. A header that is the carrier is not an
// alternative to itself.
func (c channel) candidates(facts trace.Facts) []string {
	var taken []string
	names := c.known(facts)
	for _, slot := range facts.Carrier {
		if string(slot.Kind) == string(c.kind) {
			taken = append(taken, strings.ToLower(slot.Name))
			continue
		}
		if slot.Name != "" && (c.kind != probe.Header || slot.Kind == trace.InCookie) {
			names = append(names, slot.Name)
		}
	}
	names = append(names, c.names...)
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(name string) bool {
		folded := strings.ToLower(name)
		gone := seen[name] || slices.Contains(taken, folded)
		seen[name] = true
		return gone
	})
}

// judge folds the rounds: one takeover fails, a refusal counts as long as the
// same login works without the planted id, and an open question stays open.
func (c channel) judge(rule finding.Rule) func(trace.Trace) finding.Verdict {
	return func(t trace.Trace) finding.Verdict {
		question := takeover{victim: t.Facts.Victim()}
		if t.WasRateLimited() {
			return untested(rateLimited())
		}
		if len(t.Exchanges) == 0 {
			return untested(unfinished(t, "the login with a planted id was not made"))
		}
		var hits []hit
		var open finding.Reason
		decided, refusals := 0, 0
		for _, name := range t.Rounds() {
			round := t.Round(name)
			if name == plainRound || name == encodingRound && !turnedDown(round) {
				continue
			}
			if turnedDown(round) {
				refusals++
				continue
			}
			got := question.decide(byThePlant(round))
			switch {
			case name == forgedRound && len(got.stolen) == 0 && triedSingly(t):
				// The names that are tried one by one answer for it.
			case len(got.stolen) > 0:
				hits = append(hits, hit{round, got.stolen})
			case got.conclusive():
				decided++
			case open.Code == "":
				open = got.open
			}
		}
		switch {
		case len(hits) > 0:
			return c.report(rule, t, hits)
		case open.Code != "":
			return untested(open)
		case refusals > 0 && !c.worksWithout(t):
			return untested(unfinished(t, "the login with a planted id was refused, and the plain login beside it did not work either"))
		case decided+refusals == 0:
			return untested(unfinished(t, "the login with a planted id was not made"))
		case decided == 0:
			return finding.Passed("every login that carried an id as " + c.kind.Noun() + " was refused, the plain login works")
		}
		return finding.Passed("")
	}
}

// byThePlant is the round without the victim's reads that lacked the planted id,
// where she is signed in by it alone: a link that was rewritten carries it.
func byThePlant(round trace.Trace) trace.Trace {
	carried := slices.ContainsFunc(round.Reads(victim, after), func(read trace.Exchange) bool {
		return !read.Planted.ID.IsZero() && read.Who.Kind == trace.SignedIn
	})
	if !carried {
		return round
	}
	round.Exchanges = slices.DeleteFunc(slices.Clone(round.Exchanges), func(e trace.Exchange) bool {
		return e.Actor == victim && e.Moment == after && e.Planted.ID.IsZero() && e.Who.IsAnonymous()
	})
	return round
}

type hit struct {
	round  trace.Trace
	stolen []trace.Exchange
}

func triedSingly(t trace.Trace) bool {
	return slices.ContainsFunc(t.Rounds(), func(name string) bool { return strings.HasPrefix(name, forgedRound+": ") })
}

// turnedDown reports whether the API itself refused the login of a round: it
// said so, or it answered and left the victim nobody, the attacker included. An
// error is no refusal.
func turnedDown(round trace.Trace) bool {
	logins := round.Step(victim, login)
	if len(logins) == 0 {
		return false
	}
	status := logins[len(logins)-1].Response.Status
	reads := round.Reads(victim, after)
	if len(reads) > 0 {
		taken := slices.ContainsFunc(round.Reads("", after), func(read trace.Exchange) bool { return !read.Who.IsAnonymous() })
		return status > 0 && status < 500 && !taken
	}
	return status >= 400 && status < 500 && status != tooManyRequests
}

func (c channel) worksWithout(t trace.Trace) bool {
	reads := t.Round(plainRound).Reads(victim, after)
	return len(reads) > 0 && reads[0].Who.Is(t.Facts.Victim())
}

func (c channel) report(rule finding.Rule, t trace.Trace, hits []hit) finding.Verdict {
	best := hits[0]
	subject := c.kind.Noun()
	for _, h := range hits {
		if _, name, single := strings.Cut(h.round.Exchanges[0].Round, ": "); single {
			best, subject = h, c.kind.Noun()+" "+name
			break
		}
	}
	user := t.Facts.Victim()
	verdict := finding.Failed(finding.Finding{
		Rule: rule.ID, Subject: subject, Step: login,
		Message: "The login took a session id that the attacker had chosen from the " + subject + ": after " + user +
			" had logged in, the attacker read " + user + "'s profile with it, while a jar with another made-up id did not.",
		Evidence: append(story(best.round), witnessed(best.round, plantedID(best.round), login)...),
	})
	verdict.Reproduced = len(hits) > 1
	return verdict
}

const plantRefused = "a login that carries an id there is refused, and the plain login beside it fails as well"
