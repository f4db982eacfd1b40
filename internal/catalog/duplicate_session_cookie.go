package catalog

import (
	"context"
	"slices"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var tossed = finding.Rule{
	ID:     "duplicate-session-cookie",
	Title:  "A second cookie of the session's name, tossed before login, becomes the session",
	Family: finding.Fixation, Severity: 68, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384, 565, 346}, ASVS: []string{"v5.0.0-3.3.3", "v5.0.0-3.5.4"}, OWASPAPI: []string{"API2:2023"},
	WSTG: []string{"WSTG-SESS-03", "WSTG-SESS-02"},
	Why:  "A sibling domain adds a cookie of the same name; the browser sends both, and which one a server believes is chance (RFC 6265bis §4.2.2).",
	Fix:  "Use a __Host- name, and refuse requests with more than one session cookie.",
	FastAPI: `def one_session(request: Request) -> None:
    sent = [c for line in request.headers.getlist("cookie") for c in line.split(";") if c.strip().startswith("__Host-session_id=")]
    if len(sent) > 1:      # request.cookies keeps the last one silently
        raise HTTPException(400)`,
}

var oneOfTwo = variant(tossed, "one-of-two", "Of two session cookies that contradict each other one is believed silently", 0, "")

var duplicateSessionCookie = probe.Probe{
	Rule: tossed, Variants: []finding.Rule{oneOfTwo}, Steps: []string{login, identity}, Flow: oddRequests,
	PartOf: "session-id-not-rotated-on-login", Judge: judgeDuplicateCookies,
	Open: []string{liveIDElsewhere},
	How: []string{
		"A live id and a made-up one are sent as two cookies of the session's name, in both orders.",
		"The victim logs in with an id of the attacker's and another one, in the order that favours the attacker; the attacker reads with her id.",
		"It fails when that is the victim's profile; it is a note where the server believes one of the two and the name has no prefix.",
		"Controls: the victim is signed in, another made-up id is nobody's. The deep profile sends the two in a header line each as well.",
	},
}

const (
	firstLive = "the live id and then a made-up one"
	lastLive  = "a made-up id and then the live one"
	twoLines  = "two Cookie lines"
)

// sendBothOrders reports whether the last of two cookies wins.
func sendBothOrders(ctx context.Context, stage probe.Stage, live trace.Credential) bool {
	if !inCookies(stage.Facts()) {
		return false
	}
	forged := stage.Forge(probe.LikeIssued)
	send := func(name string, lines ...secret.Text) bool {
		actor := stage.Actor(name)
		actor.Dress(probe.Guise{Cookie: lines})
		return isVictim(actor.Identify(ctx, after), stage.Facts())
	}
	one, other := crumbs(live), crumbs(forged)
	first := send(firstLive, secret.Join(one, secret.New("; "), other))
	last := send(lastLive, secret.Join(other, secret.New("; "), one))
	switch { // once more, or the whole flow would be repeated for a note
	case first:
		send(firstLive, secret.Join(one, secret.New("; "), other))
	case last:
		send(lastLive, secret.Join(other, secret.New("; "), one))
	}
	if stage.Facts().Deep {
		send(twoLines, one, other)
	}
	return last && !first
}

// toss is the login with the attacker's cookie beside another one.
func toss(ctx context.Context, stage probe.Stage, lastWins bool) error {
	facts := stage.Facts()
	if !inCookies(facts) {
		return nil
	}
	thief := stage.Actor(attacker)
	planted := stage.Forge(probe.LikeIssued)
	if facts.PreLogin {
		if err := thief.Do(ctx, visit); err != nil {
			return err
		}
		if planted = thief.Carries(); planted.IsZero() {
			return nil
		}
	}
	thief.Wear(planted)
	mine, other := crumbs(planted), crumbs(stage.Forge(probe.LikeIssued))
	both := secret.Join(mine, secret.New("; "), other)
	if lastWins {
		both = secret.Join(other, secret.New("; "), mine)
	}
	v := stage.Actor(victim)
	v.Dress(probe.Guise{Cookie: []secret.Text{both}})
	if err := v.Login(ctx, facts.Victim()); err != nil {
		if refused(err) {
			return nil // the judge sees the refusal
		}
		return err
	}
	if !v.Carries().IsZero() {
		v.Dress(probe.Guise{})
	}
	v.Identify(ctx, after)
	thief.Identify(ctx, after)
	holder(stage, control, stage.Forge(probe.LikeIssued)).Identify(ctx, after)
	return nil
}

func judgeDuplicateCookies(t trace.Trace) finding.Verdict {
	if verdict, other := cookiesOnly(t); other {
		return verdict
	}
	if reason, bad := liveControls(t); bad {
		return untested(reason)
	}
	round, user := t.Round(tossRound), t.Facts.Victim()
	round.Looks = nil
	got := takeover{victim: user}.decide(round)
	switch {
	case len(got.stolen) > 0:
		return finding.Failed(finding.Finding{Rule: tossed.ID, Subject: t.Facts.CarrierName(), Step: login,
			Message:  "The login had two cookies of the session's name, and the attacker's became the session: with it she reads " + user + "'s profile, while another made-up id is nobody's.",
			Evidence: story(round)})
	case !got.conclusive() && !turnedDown(round):
		return untested(got.open)
	}
	return judgeOrders(t, user)
}

func judgeOrders(t trace.Trace, user string) finding.Verdict {
	believed, times := "", map[string]int{}
	reads := t.Round(orderRound).Reads("", after)
	if len(reads) < 2 {
		return untested(unfinished(t, "the two cookies were not sent in both orders"))
	}
	for _, read := range reads {
		switch {
		case read.Who.Is(user):
			believed = read.Actor
			times[believed]++
		case !read.Who.IsAnonymous():
			return untested(unclear(read))
		}
	}
	prefixed := !slices.ContainsFunc(t.Facts.Cookies(), func(name string) bool { return cookie.Prefix(name) == "" })
	switch {
	case believed == "":
		return finding.Passed("two session cookies that contradict each other are refused")
	case prefixed:
		return finding.Passed("one of two session cookies is believed, and the prefix of the name keeps others from setting a second")
	}
	verdict := finding.Failed(finding.Finding{Rule: oneOfTwo.ID, Subject: t.Facts.CarrierName(), Step: identity,
		Message: "Of two session cookies that contradict each other the server silently believes one (sent as " + believed +
			"), and without a prefix a sibling domain can set the second.", Evidence: tale(t, orderRound)})
	verdict.Reproduced = times[firstLive] > 1 || times[lastLive] > 1
	return verdict
}
