package catalog

import (
	"context"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/sync/errgroup"
)

var resurrected = finding.Rule{
	ID:     "session-resurrection",
	Title:  "A session that was logged out comes back",
	Family: finding.Termination, Severity: 59, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
	CWE: []int{613, 362}, ASVS: []string{"v5.0.0-7.4.1", "v5.0.0-15.4.2"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-06"},
	Why: "A request that was under way while the user logged out saves the session it had loaded, and the id works again.",
	Fix: "Save sessions with UPDATE alone: no row means that there is no session any more. Read them where logouts are seen at once, not from a follower or a cache.",
	FastAPI: `saved = connection.execute("UPDATE sessions SET data = %s WHERE id_hash = %s", (data, id_hash))
if saved.rowcount == 0:
    raise HTTPException(401)      # never INSERT or UPSERT on save`,
}

var sessionResurrection = probe.Probe{
	Rule: resurrected, Steps: []string{login, identity, logout}, Flow: lateSave, Judge: judgeResurrection,
	Deep: true, PartOf: "logout-session-not-invalidated",
	Open: []string{
		"no request is under way during the logout; a slow step helps",
		"the old id works for a while after the logout, as with a cache of sessions",
	},
	How: []string{
		"The user logs out while requests of her session are under way: the slow step, or without one twenty reads.",
		"When they have ended, a copy of her jar reads the identity endpoint: at once, a second and five seconds later.",
		"It fails when the copy is signed in at the end. What was under way is never judged itself.",
		"Controls: she was signed in; a request was under way during the logout; an empty jar is nobody.",
	},
}

const (
	underWay = "request under way"
	atOnce   = 20 // requests at once where there is no slow step
	headway  = 50 * time.Millisecond

	soonAfter = "a second later"
	longAfter = "five seconds later"
)

// lateSave logs out while other requests of the session are under way.
var lateSave = &probe.Flow{
	Name: "late-save", Steps: []string{login, identity, logout}, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) error {
		v := stage.Actor(victim)
		if err := v.Login(ctx, stage.Facts().Victim()); err != nil {
			return err
		}
		v.Identify(ctx, before)
		kept := v.Freeze(frozen)
		var group errgroup.Group
		if stage.Facts().Has(slow) {
			busy := v.Copy(underWay)
			group.Go(func() error { return busy.Do(ctx, slow) })
		} else {
			for range atOnce {
				busy := v.Copy(underWay)
				group.Go(func() error { busy.Identify(ctx, before); return nil })
			}
		}
		wait := headway
		if !stage.Facts().Has(slow) {
			wait = 0 // they are as short as the logout itself
		}
		pause(ctx, wait)
		err := v.Do(ctx, logout)
		if late := group.Wait(); err == nil && !refused(late) { // ended meanwhile, it may be refused
			err = late
		}
		if err != nil {
			return err
		}
		kept.Identify(ctx, after)
		pause(ctx, time.Second)
		kept.Identify(ctx, soonAfter)
		pause(ctx, 4*time.Second)
		kept.Identify(ctx, longAfter)
		stage.Actor(control).Identify(ctx, longAfter)
		return ctx.Err()
	},
}

// pause waits, or until the scan is cancelled.
func pause(ctx context.Context, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func judgeResurrection(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	got := survival{user: user, jars: []string{frozen}, moment: longAfter}.decide(t)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case !overlapped(t, t.Step(underWay, slow), logout) && !overlapped(t, t.Step(underWay, identity), logout):
		return finding.Untested(finding.TooFew, "no request was under way during the logout", "name a slow endpoint of the session as the slow step")
	}
	for _, moment := range []string{after, soonAfter} {
		reads := t.Reads(frozen, moment)
		switch {
		case len(reads) == 0:
			return untested(unfinished(t, "the copy of the jar was not read "+moment))
		case reads[0].Who.Is(user) && len(got.stolen) == 0:
			return finding.Untested(finding.Ambiguous, "the old id worked for a while after the logout", "check whether the API caches sessions")
		case !reads[0].Who.Is(user) && !reads[0].Who.IsAnonymous():
			return untested(unclear(reads[0]))
		}
	}
	if len(got.stolen) == 0 {
		return finding.Passed("")
	}
	return finding.Failed(finding.Finding{
		Rule: resurrected.ID, Subject: t.Facts.CarrierName(), Step: logout,
		Message: user + " logged out while a request of her session was under way; when it had ended, a copy of her id read her profile " +
			"again, five seconds later, too: the request saved the session back.",
		Evidence: append(story(t), witnessed(t, plantedID(t), logout)...),
	})
}

// overlapped reports whether one of the requests was under way while the victim
// performed the step.
func overlapped(t trace.Trace, requests []trace.Exchange, step string) bool {
	for _, event := range t.Step(victim, step) {
		for _, request := range requests {
			if request.Began.Before(event.Began.Add(event.Took)) && request.Began.Add(request.Took).After(event.Began) {
				return true
			}
		}
	}
	return false
}
