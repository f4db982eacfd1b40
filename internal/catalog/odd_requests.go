package catalog

import (
	"context"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The rounds of the flow odd-requests. Its base, the round without a name, is
// the victim's login and the controls that all of them share.
const (
	aliasRound     = "other cookie names"
	orderRound     = "two cookies of one name"
	changedRound   = "a changed id"
	pathRound      = "other paths to the id"
	malformedRound = "malformed ids"
	originRound    = "foreign origins"
	cleartextRound = "plain http"
	tossRound      = "a tossed cookie"
)

// oddRequests sends one live id in requests that no browser makes by itself.
// One login of the victim serves all rounds but the last, which is a login with
// two cookies of one name.
var oddRequests = &probe.Flow{
	Name: "odd-requests", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		v := stage.Actor(victim)
		if err := signIn(ctx, v, stage.Facts().Victim()); err != nil {
			return err
		}
		live := v.Carries()
		if live.IsZero() {
			return nil
		}
		holder(stage, whole, live).Identify(ctx, after)
		holder(stage, control, stage.Forge(probe.LikeIssued)).Identify(ctx, after)
		sendCanaries(ctx, stage, live)
		sendAliases(ctx, stage.Round(aliasRound), live)
		lastWins := sendBothOrders(ctx, stage.Round(orderRound), live)
		sendPaths(ctx, stage.Round(pathRound), live)
		sendOrigins(ctx, stage.Round(originRound), live)
		sendCleartext(ctx, stage.Round(cleartextRound), live)
		if err := tamper(ctx, stage.Round(changedRound), live); err != nil {
			return err
		}
		sendMalformed(ctx, stage.Round(malformedRound), live)
		return toss(ctx, stage.Round(tossRound), lastWins)
	},
}

func holder(stage probe.Stage, name string, credential trace.Credential) probe.Actor {
	actor := stage.Actor(name)
	actor.Wear(credential)
	return actor
}

// sender is a browser that sends the credential as it stands, bytes included
// that no jar would hold, where cookies carry it.
func sender(stage probe.Stage, name string, credential trace.Credential) probe.Actor {
	if !inCookies(stage.Facts()) {
		return holder(stage, name, credential)
	}
	actor := stage.Actor(name)
	actor.Dress(probe.Guise{Cookie: []secret.Text{crumbs(credential)}})
	return actor
}

// inCookies reports whether cookies alone carry the session.
func inCookies(facts trace.Facts) bool {
	return len(facts.Carrier) > 0 && len(facts.Cookies()) == len(facts.Carrier)
}

// crumbs is the Cookie line of a credential.
func crumbs(credential trace.Credential) secret.Text {
	var parts []secret.Text
	for i, held := range credential {
		if i > 0 {
			parts = append(parts, secret.New("; "))
		}
		parts = append(parts, secret.New(held.Name+"="), held.ID)
	}
	return secret.Join(parts...)
}

// liveControls says which control of the flow did not hold: the victim is
// signed in, a copy of her id is her in another client, a made-up one is nobody.
func liveControls(t trace.Trace) (finding.Reason, bool) { return guarded(t, guards(t)) }

// guard is a control: who an actor must be.
type guard struct {
	actor string
	want  trace.Who
	fault string
}

func guards(t trace.Trace) []guard {
	user := t.Facts.Victim()
	return []guard{
		{victim, whoIs(user), "after the login the victim's own browser is taken for %s"},
		{whole, whoIs(user), "the live id in another client is taken for %s"},
		{control, whoIs(""), "a made-up id is taken for %s"},
	}
}

func guarded(t trace.Trace, all []guard) (finding.Reason, bool) {
	if t.WasRateLimited() {
		return rateLimited(), true
	}
	base := t.Round("")
	for _, guard := range all {
		reads := base.Reads(guard.actor, after)
		if len(reads) == 0 {
			return unfinished(t, "the controls beside the odd requests were not read"), true
		}
		for _, read := range reads {
			if read.Who != guard.want {
				return broken(guard.fault, read.Who), true
			}
		}
	}
	return finding.Reason{}, false
}

// disguised answers for a round in which the live id is sent in another dress:
// no such read may show the victim. One that does counts beside a decoy in the
// same dress, which stays nobody's.
func disguised(t trace.Trace, name string) answer {
	if reason, bad := liveControls(t); bad {
		return answer{open: reason}
	}
	round, user := t.Round(name), t.Facts.Victim()
	var stolen, lost []trace.Exchange
	attempts := 0
	for _, read := range round.Reads("", after) {
		switch {
		case read.Actor == control && !read.Who.IsAnonymous():
			return answer{open: broken("a made-up id in the same dress is taken for %s", read.Who)}
		case read.Actor == control:
			continue
		case read.Who.Is(user):
			stolen = append(stolen, read)
		case !read.Who.IsAnonymous():
			lost = append(lost, read)
		}
		attempts++
	}
	switch {
	case attempts == 0:
		return answer{open: unfinished(t, "the id was not sent as "+name)}
	case len(stolen) > 0 && len(round.Reads(control, after)) == 0:
		return answer{open: unfinished(t, "the decoy beside it was not sent")}
	case len(stolen) > 0:
		return answer{stolen: stolen}
	case len(lost) > 0:
		return answer{open: unclear(lost[0])}
	}
	return answer{}
}

// tale is the story of the base and of one round, in order.
func tale(t trace.Trace, name string) []finding.Evidence {
	part := t
	part.Exchanges = slices.DeleteFunc(slices.Clone(t.Exchanges), func(e trace.Exchange) bool { return e.Round != "" && e.Round != name })
	return story(part)
}

// cookiesOnly is the verdict of a rule about cookies where something else
// carries the session, too.
func cookiesOnly(t trace.Trace) (finding.Verdict, bool) {
	if len(t.Facts.Carrier) == 0 || inCookies(t.Facts) {
		return finding.Verdict{}, false
	}
	return finding.Untested(finding.NoPrecondition, "the session travels in the "+t.Facts.CarrierName()+", not in cookies alone", ""), true
}

const liveIDElsewhere = "the live id is nobody's in another client, or one with a character changed is still somebody's"
