package catalog

import (
	"context"
	"errors"
	"strings"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/sync/errgroup"
)

// The recipe steps flows perform.
const (
	visit    = "visit"
	login    = "login"
	identity = "identity"
	logout   = "logout"

	register       = "register"
	recovery       = "recover"
	callback       = "callback"
	stateChange    = "state-change"
	slow           = "slow"
	everywhere     = "logout-everywhere"
	elevate        = "elevate"
	elevated       = "elevate.then" // what is open after it
	changePassword = "change-password"
	deleteAccount  = "delete-account"
)

// optional performs a step if the recipe has it.
func optional(ctx context.Context, stage probe.Stage, actor probe.Actor, step string) error {
	if !stage.Facts().Has(step) {
		return nil
	}
	return actor.Do(ctx, step)
}

// signIn logs in and reads who the actor is now.
func signIn(ctx context.Context, actor probe.Actor, user string) error {
	if err := actor.Login(ctx, user); err != nil {
		return err
	}
	actor.Identify(ctx, after)
	return ctx.Err()
}

// issuedID is WSTG-SESS-03 with an id the server gave out itself: the attacker
// visits, the victim logs in with the attacker's id, and the attacker reads
// with the frozen jar, with it once more after the victim went on, and with
// the jar that follows what the server sets (CVE-2026-41839 exchanges ids).
var issuedID = &probe.Flow{
	Name: "issued-id", Steps: []string{visit, login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		live := stage.Actor(attacker)
		if err := live.Do(ctx, visit); err != nil {
			return err
		}
		if live.Carries().IsZero() {
			return nil // the judges say so
		}
		kept := live.Freeze(frozen)
		kept.Identify(ctx, before)
		stage.Look(ctx, before, kept.Carries())
		stranger := stage.Actor(control)
		if err := stranger.Do(ctx, visit); err != nil {
			return err
		}
		v := kept.Copy(victim)
		if err := v.Do(ctx, visit); err != nil {
			return err
		}
		if err := signIn(ctx, v, stage.Facts().Victim()); err != nil {
			return err
		}
		stage.Look(ctx, after, kept.Carries())
		kept.Identify(ctx, after)
		stranger.Identify(ctx, after)
		v.Identify(ctx, after)
		for range 2 {
			if err := live.Do(ctx, visit); err != nil {
				return err
			}
		}
		live.Identify(ctx, after)
		kept.Identify(ctx, after)
		return ctx.Err()
	},
}

// forgedID is the same with ids the server never issued, in several shapes.
// The id is planted again after the visit, since a cookie tossed from a sibling
// domain wins over the one the server sets.
var forgedID = &probe.Flow{
	Name: "forged-id", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		group, ctx := errgroup.WithContext(ctx)
		if stage.Facts().Crowds() { // a login would end the sessions of the rounds beside it
			group.SetLimit(1)
		}
		shapes := []probe.Shape{probe.LikeIssued, probe.Words}
		if stage.Facts().Deep { // who takes words takes a letter
			shapes = append(shapes, probe.OneChar)
		}
		for _, shape := range shapes {
			group.Go(func() error { return plantForged(ctx, stage.Round(string(shape)), shape, visit) })
		}
		// A server may rotate ids that it has seen before, and adopt those that
		// come with the login itself (CVE-2024-38513).
		if stage.Facts().Has(visit) {
			straight := stage.Round(string(probe.LikeIssued) + ", without a visit")
			group.Go(func() error { return plantForged(ctx, straight, probe.LikeIssued, "") })
		}
		return group.Wait()
	},
}

// plantForged makes one round; first is the step before the login, "" for none.
func plantForged(ctx context.Context, stage probe.Stage, shape probe.Shape, first string) error {
	planted := stage.Forge(shape)
	thief := stage.Actor(attacker)
	thief.Wear(planted)
	thief.Identify(ctx, before)
	v := stage.Actor(victim)
	v.Wear(planted)
	if err := optional(ctx, stage, v, first); err != nil && !refused(err) {
		return err
	}
	v.Wear(planted)
	if err := signIn(ctx, v, stage.Facts().Victim()); err != nil {
		if refused(err) { // the other shapes go on; the judge knows a refusal
			return nil
		}
		return err
	}
	stage.Look(ctx, after, planted)
	thief.Wear(planted) // the read before may have been answered with its deletion (CVE-2021-41246)
	thief.Identify(ctx, after)
	other := stage.Actor(control)
	other.Wear(stage.Forge(probe.LikeIssued))
	other.Identify(ctx, after)
	return ctx.Err()
}

// strangers visits with ids nobody logged in with. The state of an anonymous
// session, where the page shows any, tells whether two jars share it.
var strangers = &probe.Flow{
	Name: "strangers", Steps: []string{visit},
	Run: func(ctx context.Context, stage probe.Stage) error {
		issued := stage.Actor(genuineJar)
		forged, unused := stage.Forge(probe.LikeIssued), stage.Forge(probe.LikeIssued)
		one, two, other := stage.Actor(firstJar), stage.Actor(secondJar), stage.Actor(control)
		one.Wear(forged)
		two.Wear(forged)
		other.Wear(unused)
		for _, visitor := range []probe.Actor{issued, issued, one, two, other, one, two} {
			if err := visitor.Do(ctx, visit); err != nil {
				return err
			}
		}
		stage.Look(ctx, after, forged)
		stage.Look(ctx, after, issued.Carries())
		return plantAtVisit(ctx, stage)
	},
}

// plantAtVisit sends made-up ids beside the carrier, where nobody can log in:
// else the login itself shows what becomes of them. A visit that refuses one
// does not take it, and one without a body has no place for a member.
func plantAtVisit(ctx context.Context, stage probe.Stage) error {
	facts := stage.Facts()
	if !facts.Strangers || len(facts.Cookies()) == 0 {
		return nil
	}
	for _, from := range []channel{
		{kind: probe.Query, names: []string{"session_id", "sid"}}, {kind: probe.Header, names: []string{"X-Session-ID"}},
		{kind: probe.JSON, names: []string{"session_id", "sid"}}, {kind: probe.Path, names: []string{"jsessionid"}},
	} {
		plant := probe.Plant{Channel: from.kind, Names: from.candidates(facts), ID: stage.Forge(probe.LikeIssued)[0].ID}
		if err := stage.Actor(besideCarrier+from.kind.Noun()).Do(ctx, visit, plant); err != nil && !refused(err) && !errors.Is(err, probe.ErrNoPlace) {
			return err
		}
	}
	return nil
}

// The visitors of strangers.
const (
	besideCarrier = "visitor with a "

	genuineJar = "first visitor"
	firstJar   = "forged id, first jar"
	secondJar  = "forged id, second jar"
)

// leftBehind looks at the anonymous session after the login rotated its id: two
// sessions begin alike, one of them logs in, and both are visited alike. What is
// seen is seen twice: workers that take turns may show anything once.
var leftBehind = &probe.Flow{
	Name: "left-behind", Steps: []string{visit, login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		old, other := stage.Actor(attacker), stage.Actor(control)
		for _, visitor := range []probe.Actor{old, other} {
			if err := visitor.Do(ctx, visit); err != nil {
				return err
			}
		}
		if old.Carries().IsZero() {
			return nil
		}
		kept, unused := old.Freeze(frozen), other.Freeze(control)
		v := kept.Copy(victim)
		if err := signIn(ctx, v, stage.Facts().Victim()); err != nil {
			return err
		}
		stage.Look(ctx, after, kept.Carries())
		stage.Look(ctx, after, unused.Carries())
		kept.Identify(ctx, after)
		unused.Identify(ctx, after)
		for _, visitor := range []probe.Actor{kept, v, kept, v, kept, unused, unused, unused, unused, unused} {
			if err := visitor.Do(ctx, visit); err != nil {
				return err
			}
		}
		return nil
	},
}

// crossUser is the second start of WSTG-SESS-03 (steps 7 to 11): the attacker
// plants her own signed-in session.
var crossUser = &probe.Flow{
	Name: "cross-user", Steps: []string{login, identity}, Users: 2,
	Run: func(ctx context.Context, stage probe.Stage) error {
		facts := stage.Facts()
		own, target := facts.Users[0], facts.Users[1]
		other := stage.Actor(control)
		if !facts.Exclusive { // else the next login would end it
			if err := other.Login(ctx, own); err != nil {
				return err
			}
		}
		live := stage.Actor(attacker)
		if err := live.Login(ctx, own); err != nil {
			return err
		}
		live.Identify(ctx, before)
		kept := live.Freeze(frozen)
		stage.Look(ctx, before, kept.Carries())
		v := live.Copy(victim)
		if err := signIn(ctx, v, target); err != nil {
			return err
		}
		stage.Look(ctx, after, kept.Carries())
		kept.Identify(ctx, after)
		live.Identify(ctx, after)
		other.Identify(ctx, after)
		return ctx.Err()
	},
}

// bystanders sends requests without any credential between the victim's: over
// the victim's own connection with her headers, and over fresh ones with others.
var bystanders = &probe.Flow{
	Name: "bystanders", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		v := stage.Actor(victim)
		if err := signIn(ctx, v, stage.Facts().Victim()); err != nil {
			return err
		}
		beside, apart := v.Beside(attacker), stage.Actor("attacker elsewhere")
		for range bystanderReads / 2 {
			beside.Identify(ctx, after)
			apart.Identify(ctx, after)
		}
		v.Identify(ctx, after)
		return ctx.Err()
	},
}

// bystanderReads are the reads between the victim's two. An identity bound to
// the address shows in the first; a leak between requests needs several, and
// the other flows run beside this one.
const bystanderReads = 4

// signOut logs out and reads again with the jar frozen before, at once and
// after the user's next login. It runs alone: some APIs log out everywhere.
var signOut = &probe.Flow{
	Name: "sign-out", Steps: []string{login, identity, logout}, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) error {
		user := stage.Facts().Victim()
		v := stage.Actor(victim)
		if err := v.Login(ctx, user); err != nil {
			return err
		}
		v.Identify(ctx, before)
		kept := v.Freeze(frozen)
		stage.Look(ctx, before, kept.Carries())
		if err := v.Do(ctx, logout); err != nil {
			return err
		}
		stage.Look(ctx, after, kept.Carries())
		v.Identify(ctx, after)
		kept.Identify(ctx, after)
		again := stage.Actor(sameAgain)
		if err := again.Login(ctx, user); err != nil {
			return err
		}
		again.Identify(ctx, afterRelogin)
		kept.Identify(ctx, afterRelogin)
		stage.Actor(control).Identify(ctx, afterRelogin)
		return ctx.Err()
	},
}

const afterRelogin = "after the next login"

// journey is one plain login, and one more inside the session it began. Where
// its answers set the carrier more than once, every value is tried by a jar of
// its own.
var journey = &probe.Flow{
	Name: "journey", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		v := stage.Actor(victim)
		if err := v.Login(ctx, stage.Facts().Victim()); err != nil {
			return err
		}
		offered := v.Offered()
		v.Identify(ctx, after)
		stage.Look(ctx, after, v.Carries())
		if len(offered) > 1 {
			for _, credential := range offered {
				holder(stage, "holder of "+tags(credential), credential).Identify(ctx, after)
			}
		}
		return onceMore(ctx, stage, v)
	},
}

// onceMore logs the user in again inside her session. Where the old id goes on
// working, the same is tried with a wrong password: an API that does not look at
// a login inside a session answers both alike.
func onceMore(ctx context.Context, stage probe.Stage, v probe.Actor) error {
	user := stage.Facts().Victim()
	kept, again := v.Freeze(frozen), v.Copy(sameAgain)
	if err := again.Login(ctx, user); err != nil {
		if refused(err) {
			return nil // the judge knows a refusal
		}
		return err
	}
	again.Identify(ctx, afterRelogin)
	stage.Actor(control).Identify(ctx, afterRelogin)
	if !isVictim(kept.Identify(ctx, afterRelogin), stage.Facts()) {
		return ctx.Err()
	}
	if err := kept.Copy(wrongAgain).LoginWrong(ctx, user); err != nil && !refused(err) {
		return err
	}
	return ctx.Err()
}

// The browsers of a login inside the user's own session.
const (
	sameAgain  = "victim again"
	wrongAgain = "victim with a wrong password"
)

func tags(credential trace.Credential) string {
	var told []string
	for _, held := range credential {
		told = append(told, held.ID.Tag())
	}
	return strings.Join(told, " and ")
}

// errNotSignedIn is a login that was answered as if it had worked, and did not
// sign anybody in: how some APIs refuse one.
var errNotSignedIn = errors.New("the login did not sign the victim in")

// refused reports whether the API answered a login and did not take it, so that
// another form of it can be tried.
func refused(err error) bool {
	var answer *probe.Refused
	return errors.As(err, &answer) || errors.Is(err, errNotSignedIn)
}

// isVictim reports whether a login worked, for flows that go on from there.
func isVictim(who trace.Who, facts trace.Facts) bool { return who.Is(facts.Victim()) }
