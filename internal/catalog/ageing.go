package catalog

import (
	"context"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The moments of ageing, each of an alteration and of the read after it.
const (
	twinDeleted  = "without the row"
	untouched    = "with the row touched"
	unused       = "with the last use moved back"
	allUnused    = "with every time moved back"
	expired      = "with the expiry passed"
	nearlyOver   = "shortly before the expiry"
	begunLongAgo = "with the beginning moved back"
	putBack      = "put back"
	ageingLook   = "after use"
)

// beyond is how far an altered moment lies on the other side of its limit: far
// more than the clocks of one machine differ, and than the flow takes.
const beyond = time.Minute

// agedJar reads with a copy of the victim's jar, a new one each time: an answer
// to an aged session may take the cookie back.
const agedJar = "copy of the victim"

// ageing moves the times in a session's row instead of waiting (probes.md §7).
// The controls: a twin's row is deleted and must be missed, the row is touched
// and must not, and whatever was changed is put back and must work again.
var ageing = &probe.Flow{
	Name: "ageing", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		facts := stage.Facts()
		if !facts.Store {
			return nil
		}
		twin := stage.Actor("twin")
		if err := twin.Login(ctx, facts.Victim()); err != nil {
			return err
		}
		twin.Identify(ctx, before)
		if !stage.Alter(ctx, twinDeleted, twin.Carries(), probe.Alteration{Kind: trace.Deleted}) {
			return nil
		}
		twin.Freeze("twin").Identify(ctx, twinDeleted)
		v := stage.Actor(victim)
		if err := signIn(ctx, v, facts.Victim()); err != nil {
			return err
		}
		a := &ager{stage: stage, owner: v, id: v.Carries(), user: facts.Victim()}
		defer a.restore(ctx, putBack) // for a flow that is stopped
		a.change(ctx, untouched, probe.Alteration{Kind: trace.Touched})
		if facts.IdleTimeout > 0 {
			a.idle(ctx, facts.IdleTimeout+beyond)
		}
		a.absolute(ctx, facts.AbsoluteTimeout)
		return ctx.Err()
	},
}

// ager alters one session and reads with it.
type ager struct {
	stage probe.Stage
	owner probe.Actor
	id    trace.Credential
	user  string
	dirty bool
}

func (a *ager) read(ctx context.Context, moment string) trace.Who {
	return a.owner.Freeze(agedJar).Identify(ctx, moment)
}

// change alters and reads; done is false where there was nothing to alter.
func (a *ager) change(ctx context.Context, moment string, change probe.Alteration) (who trace.Who, done bool) {
	if ctx.Err() != nil || !a.stage.Alter(ctx, moment, a.id, change) {
		return trace.Who{}, false
	}
	a.dirty = true
	return a.read(ctx, moment), true
}

// restore runs to its end even where the scan was interrupted: the database
// may be the user's.
func (a *ager) restore(ctx context.Context, moment string) {
	if !a.dirty {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	a.dirty = !a.stage.Alter(ctx, moment, a.id, probe.Alteration{Kind: trace.Restored})
}

// tried is change, and then everything as it was.
func (a *ager) tried(ctx context.Context, moment string, change probe.Alteration) trace.Who {
	who, done := a.change(ctx, moment, change)
	if done {
		back := moment + ", " + putBack
		a.restore(ctx, back)
		a.read(ctx, back)
	}
	return who
}

// idle lets the time go by without a request: first by the time of last use
// alone, then, since some APIs keep an expiry that each use moves on, by all.
func (a *ager) idle(ctx context.Context, away time.Duration) {
	who := a.tried(ctx, unused, probe.Alteration{Kind: trace.Aged, Roles: []string{"seen"}, By: away})
	if !who.IsAnonymous() {
		a.tried(ctx, allUnused, probe.Alteration{Kind: trace.Aged, By: away})
	}
}

// absolute lets the expiry pass, looks whether use moves it on, and lets a
// session that is in use grow older than the policy.
func (a *ager) absolute(ctx context.Context, limit time.Duration) {
	now := time.Now()
	a.tried(ctx, expired, probe.Alteration{Kind: trace.Set, Roles: []string{"expires"}, To: now.Add(-beyond)})
	if limit == 0 {
		return
	}
	if a.stage.Alter(ctx, nearlyOver, a.id, probe.Alteration{Kind: trace.Set, Roles: []string{"expires"}, To: now.Add(beyond)}) {
		a.dirty = true
		a.stage.Look(ctx, nearlyOver, a.id)
		a.read(ctx, nearlyOver)
		a.stage.Look(ctx, ageingLook, a.id)
		a.restore(ctx, putBack)
	}
	a.tried(ctx, begunLongAgo, probe.Alteration{Kind: trace.Aged, Roles: []string{"created"}, By: limit + beyond})
}

// ageingControls says why nothing can be learned from ageing.
func ageingControls(t trace.Trace) (finding.Reason, bool) {
	user := t.Facts.Victim()
	switch {
	case t.WasRateLimited():
		return rateLimited(), true
	case !t.Facts.Store:
		return blind(t.Facts), true
	case t.Facts.Stateless:
		return finding.Reason{Code: finding.NoPrecondition, Text: "the session lives in the id itself; the store has no row to age"}, true
	}
	if reason, failed := unaltered(t, twinDeleted); failed {
		return reason, true
	}
	began, gone := t.Reads("twin", before), t.Reads("twin", twinDeleted)
	switch own := t.Reads(victim, after); {
	case len(began) == 0 || !began[0].Who.Is(user), len(own) == 0 || !own[0].Who.Is(user):
		return unfinished(t, "the victim's login was not completed"), true
	case len(gone) == 0:
		return unfinished(t, "the session whose row was deleted was not read"), true
	case gone[0].Who.Is(user):
		return finding.Reason{Code: finding.Cached, Text: "a session whose row was deleted still works: the API does not go by its store",
			Remedy: "test a configuration in which the API keeps no sessions in memory"}, true
	case !gone[0].Who.IsAnonymous():
		return unclear(gone[0]), true
	}
	if reason, failed := unaltered(t, untouched); failed {
		return reason, true
	}
	if still := t.Reads(agedJar, untouched); len(still) == 0 || !still[0].Who.Is(user) {
		return finding.Reason{Code: finding.NoCalibration, Text: "an update of the row that changes nothing already ends the session",
			Remedy: "look for a trigger or a version column on the table of the sessions"}, true
	}
	for _, read := range t.Reads(agedJar, "") {
		if !read.Who.Is(user) && !read.Who.IsAnonymous() { // the next one may be what it left behind
			return unclear(read), true
		}
	}
	if t.Problem != "" {
		return unfinished(t, ""), true
	}
	return finding.Reason{}, false
}

// unaltered says why rows could not be changed at that moment.
func unaltered(t trace.Trace, moment string) (finding.Reason, bool) {
	altered := alteredAt(t, moment)
	switch {
	case len(altered) == 0:
		return unfinished(t, "the rows of the session were not changed"), true
	case altered[0].Problem != "":
		return finding.Reason{Code: finding.NoDatabase, Text: altered[0].Problem}, true
	}
	return finding.Reason{}, false
}

func alteredAt(t trace.Trace, moment string) []trace.Alteration {
	var found []trace.Alteration
	for _, altered := range t.Altered {
		if altered.Moment == moment {
			found = append(found, altered)
		}
	}
	return found
}

// trial is what one change of a session's times showed.
type trial struct {
	made    bool     // there was something to change
	columns []string // what was changed
	honours bool     // the session ended, and worked again when put back
	ignores bool     // it went on working
	open    finding.Reason
}

// tryOut reads one trial from the trace.
func tryOut(t trace.Trace, moment string) trial {
	altered := alteredAt(t, moment)
	if len(altered) == 0 || altered[0].Problem != "" {
		return trial{}
	}
	found := trial{made: true, columns: altered[0].Columns}
	aged, again := t.Reads(agedJar, moment), t.Reads(agedJar, moment+", "+putBack)
	switch user := t.Facts.Victim(); {
	case len(aged) == 0 || len(again) == 0:
		found.open = unfinished(t, "the reads with the aged session were not made")
	case !again[0].Who.Is(user):
		found.open = finding.Reason{Code: finding.Ambiguous,
			Text: "the session does not work again after its row was put back, so its times need not be what ended it"}
	case aged[0].Who.Is(user):
		found.ignores = true
	case aged[0].Who.IsAnonymous():
		found.honours = true
	default:
		found.open = unclear(aged[0])
	}
	return found
}

// ageingStory is the part of the story that is about one moment.
func ageingStory(t trace.Trace, moment string) []finding.Evidence {
	back := moment + ", " + putBack
	altered := append(alteredAt(t, moment), alteredAt(t, back)...)
	var told []finding.Evidence
	for _, exchange := range t.Exchanges {
		for len(altered) > 0 && altered[0].At.Before(exchange.Began) {
			told = append(told, finding.Evidence{Actor: "gate", Request: "row of " + altered[0].ID.Tag(), Note: altered[0].Describe()})
			altered = altered[1:]
		}
		if exchange.Actor == victim || exchange.Moment == moment || exchange.Moment == back {
			part := t
			part.Exchanges = []trace.Exchange{exchange}
			told = append(told, story(part)...)
		}
	}
	return told
}

// ageless is what can leave those not tested that make a session older.
var ageless = []string{
	"a session whose row was deleted still works, as with a cache in front of the store",
	"an update of the row that changes nothing ends the session, as with a checksum",
}
