package catalog

import (
	"context"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var puzzle = finding.Rule{
	ID:     "session-puzzling",
	Title:  "A public flow that names a user signs her in",
	Family: finding.Fixation, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{501, 841, 287}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-6.4.3"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-08"},
	Why: "The flow notes in the session whom it is about, and protected endpoints take that for who is signed in: a user name is enough.",
	Fix: "Give each session variable one purpose; let protected code look at a flag that only the end of a login sets.",
	FastAPI: `# pending_auth and sessions are two tables with two cookies
def require_user(session: Session = Depends(current_session)) -> User:
    if session.authenticated_at is None:
        raise HTTPException(401)`,
}

var sessionPuzzling = probe.Probe{
	Rule: puzzle, Steps: []string{login, identity}, Flow: publicFlows, Judge: judgePuzzling,
	Open: []string{"the recipe has no recover step, and a wrong password is answered as a right one is"},
	How: []string{
		"An anonymous browser begins the recover step with the user's name and no secret, and reads the identity endpoint; it fails a login of hers, and reads again. Without a recover step the failed login alone is tried.",
		"It fails when one of the reads shows her profile.",
		"Control: the same with the name of a user that does not exist does not show her.",
	},
}

// The moments of the reads, by the flow that was begun before.
const (
	afterRecovery = "after the recovery began"
	afterFailure  = "after a login that failed"
)

// publicFlows begins what takes a user's name and no secret.
var publicFlows = &probe.Flow{
	Name: "public-flows", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		user := stage.Facts().Victim()
		thief, other := stage.Actor(attacker), stage.Actor(control)
		thief.Become(user)
		other.Become(stage.NewUser())
		if stage.Facts().Has(recovery) {
			if err := thief.Do(ctx, recovery); err != nil {
				return err
			}
			thief.Identify(ctx, afterRecovery)
			if err := other.Do(ctx, recovery); err != nil && !refused(err) { // to say that there is no such user is a matter of its own
				return err
			}
		}
		if !stage.Facts().Skipped("K2") { // else any password signs in
			if err := thief.LoginWrong(ctx, user); err != nil && !refused(err) {
				return err
			}
			thief.Identify(ctx, afterFailure)
		}
		other.Identify(ctx, afterRecovery)
		return ctx.Err()
	},
}

func judgePuzzling(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	guards := t.Reads(control, afterRecovery)
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case len(begun(t)) == 0:
		return finding.Untested(finding.NoPrecondition, "the recipe has no recover step, and a wrong password cannot be told from a right one", "add steps.recover to the recipe")
	case len(guards) == 0:
		return untested(unfinished(t, "the control jar was not read"))
	case !guards[0].Who.IsAnonymous() && !madeUp(guards[0].Who, t.Facts):
		return untested(broken("after the recovery of a user that does not exist, the browser is taken for %s", guards[0].Who))
	}
	var lost *trace.Exchange
	for _, moment := range begun(t) {
		reads := t.Reads(attacker, moment)
		switch {
		case len(reads) == 0:
			return untested(unfinished(t, "the browser was not read "+moment))
		case reads[0].Who.Is(user):
			return reportPuzzle(t, moment)
		case !reads[0].Who.IsAnonymous() && lost == nil:
			lost = &reads[0]
		}
	}
	switch {
	case lost != nil:
		return untested(unclear(*lost))
	case t.Problem != "":
		return untested(unfinished(t, ""))
	}
	if !t.Facts.Has(recovery) {
		return finding.Passed("by a login that failed; add steps.recover for a public flow that takes a user's name")
	}
	return finding.Passed("")
}

// begun are the moments after what this target lets anybody begin.
func begun(t trace.Trace) []string {
	var moments []string
	if t.Facts.Has(recovery) {
		moments = append(moments, afterRecovery)
	}
	if !t.Facts.Skipped("K2") {
		moments = append(moments, afterFailure)
	}
	return moments
}

// madeUp reports whether the read shows the user that does not exist. The API
// then took the bare name for an identity, and tells one name from another.
func madeUp(who trace.Who, facts trace.Facts) bool {
	return who.Kind == trace.SignedIn && !slices.Contains(facts.Users, who.User)
}

func reportPuzzle(t trace.Trace, moment string) finding.Verdict {
	step := recovery
	if moment == afterFailure {
		step = login
	}
	return finding.Failed(finding.Finding{
		Rule: puzzle.ID, Subject: t.Facts.CarrierName(), Step: step,
		Message: "An anonymous browser that gave " + t.Facts.Victim() + "'s name and no secret reads her profile " + moment +
			"; with the name of a user that does not exist it does not.",
		Evidence: story(t),
	})
}
