package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/sync/errgroup"
)

var loginRace = finding.Rule{
	ID:     "concurrent-login-race",
	Title:  "Requests during the login undo the rotation of the session id",
	Family: finding.Fixation, Severity: 59, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
	CWE: []int{362, 384}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-15.4.2"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
	Why: "Whoever planted the id keeps asking with it; one answer that saves its stale session at the right moment ties the old id to the victim.",
	Fix: "Rotate in one serializable transaction and retry it on 40001; save sessions with UPDATE alone, so that a row that is gone stays gone.",
	FastAPI: `# CockroachDB is SERIALIZABLE by default: retry on psycopg.errors.SerializationFailure
connection.execute("UPDATE sessions SET data = %s WHERE id_hash = %s", (data, id_hash))   # 0 rows: no INSERT`,
}

var concurrentLoginRace = probe.Probe{
	Rule: loginRace, Steps: []string{visit, login, identity}, Flow: racing, Judge: judgeRace,
	Deep: true, PartOf: "session-id-not-rotated-on-login",
	Open: []string{noIDBeforeLogin, oldIDSignedIn, "no visit is under way during a login; a slower page as the visit step helps"},
	How: []string{
		fmt.Sprintf("In up to %d rounds the victim logs in with an anonymous id while %d visits with the same id are under way.", raceRounds, racers),
		"When all have been answered, the old id reads the identity endpoint, and again two seconds later where it was hers.",
		"It fails when the old id is hers both times; what was under way is never judged itself.",
		"Controls: without the visits the old id is nobody's; the victim is signed in; a made-up id is nobody's.",
	},
}

const (
	raceRounds = 20
	racers     = 8

	calmRound = "without a race"
	stillMine = "two seconds later"
)

// racing logs in with an id that others use at the same moment, until that has
// undone the rotation twice.
var racing = &probe.Flow{
	Name: "racing", Steps: []string{visit, login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		if _, err := race(ctx, stage.Round(calmRound), 0); err != nil {
			return err
		}
		for n, won := 1, 0; n <= raceRounds && won < 2; n++ {
			stable, err := race(ctx, stage.Round(fmt.Sprintf("race %d", n)), racers)
			if err != nil {
				return err
			}
			if stable {
				won++
			}
		}
		return ctx.Err()
	},
}

// race is one round. It reports whether the old id became the victim's to stay.
func race(ctx context.Context, stage probe.Stage, others int) (stable bool, err error) {
	visitor := stage.Actor(attacker)
	if err := visitor.Do(ctx, visit); err != nil {
		return false, err
	}
	if visitor.Carries().IsZero() {
		return false, nil // the judge says so
	}
	kept, v := visitor.Freeze(frozen), visitor.Copy(victim)
	var group errgroup.Group
	for range others {
		busy := visitor.Freeze(underWay)
		group.Go(func() error { return busy.Do(ctx, visit) })
	}
	group.Go(func() error { return v.Login(ctx, stage.Facts().Victim()) })
	if err := group.Wait(); err != nil {
		return false, err
	}
	v.Identify(ctx, after)
	hit := isVictim(kept.Identify(ctx, after), stage.Facts())
	other := stage.Actor(control)
	other.Wear(stage.Forge(probe.LikeIssued))
	other.Identify(ctx, after)
	if !hit || others == 0 {
		return false, ctx.Err()
	}
	pause(ctx, 2*time.Second)
	return isVictim(kept.Identify(ctx, stillMine), stage.Facts()), ctx.Err()
}

func judgeRace(t trace.Trace) finding.Verdict {
	if verdict, none := noPreLoginID(t); none {
		return verdict
	}
	question := takeover{victim: t.Facts.Victim()}
	calm := question.decide(t.Round(calmRound))
	switch {
	case !calm.conclusive():
		return untested(calm.open)
	case len(calm.stolen) > 0:
		return finding.Untested(finding.Decided, "the old id is signed in without any race; session-id-not-rotated-on-login and session-fixation-dangling-id decide", "")
	}
	var stable []trace.Trace
	met, fleeting, rounds := false, 0, 0
	for _, name := range t.Rounds() {
		if name == calmRound {
			continue
		}
		round := t.Round(name)
		got := question.decide(round)
		if !got.conclusive() {
			return untested(got.open)
		}
		rounds++
		met = met || overlapped(round, round.Step(underWay, visit), login)
		again := round.Reads(frozen, stillMine)
		switch {
		case len(got.stolen) == 0:
		case len(again) == 0:
			return untested(unfinished(t, "the old id was not read again two seconds later"))
		case again[0].Who.Is(question.victim):
			stable = append(stable, round)
		default:
			fleeting++
		}
	}
	switch {
	case len(stable) > 0:
		return reportRace(t, stable, rounds)
	case fleeting > 0:
		return finding.Untested(finding.Flaky, "the old id was the victim's right after the login and no longer two seconds later", "look whether the API caches sessions")
	case rounds == 0:
		return untested(unfinished(t, "no login was made beside other requests"))
	case !met:
		return finding.Untested(finding.TooFew, "no visit was under way during a login", "scan again, or make a slower page the visit step")
	}
	return finding.Passed("")
}

func reportRace(t trace.Trace, stable []trace.Trace, rounds int) finding.Verdict {
	first := stable[0]
	return finding.Failed(finding.Finding{
		Rule: loginRace.ID, Subject: t.Facts.CarrierName(), Step: login,
		Message: fmt.Sprintf("In %d of %d logins during which other requests used the same anonymous id, that id read %s's profile afterwards, "+
			"and still two seconds later; without such requests it does not.", len(stable), rounds, t.Facts.Victim()),
		Evidence: append(story(first), witnessed(first, plantedID(first), login)...),
	})
}
