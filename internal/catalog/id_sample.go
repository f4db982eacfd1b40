package catalog

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
	"golang.org/x/sync/errgroup"
)

// The rounds of the sample. Order and time are judged where one request waited
// for the other; a generator that breaks under load shows in the second.
const (
	inTurn  = "one after the other"
	crowded = "side by side"
)

// ration is what a sample may cost. Where the target is slow, drawing stops
// when the time is spent and the fewest ids have been drawn that the rules on
// order can do with.
type ration struct {
	visits, logins, crowd int
	wall                  time.Duration
	jars                  int // that share a connection: a target has only so many
}

// The fewest ids of a kind that are drawn in turn: two predictions need five.
const fewestInTurn = 5

func rationOf(facts trace.Facts) ration {
	r := ration{visits: 12, logins: fewestInTurn, crowd: 4, wall: 500 * time.Millisecond, jars: 4}
	if facts.Deep { // 312 ids of 64 bits show the state of MT19937, 156 of 128 (probes.md §5.4)
		r = ration{visits: 1700, logins: 240, crowd: 60, wall: 2 * time.Minute, jars: 50}
	}
	if !visitsGiveIDs(facts) {
		r.visits, r.crowd, r.logins = 0, 0, 6
		if facts.Deep {
			r.logins = 2000
		}
	}
	return r
}

// visitsGiveIDs reports whether a visit draws an id that its answer shows.
func visitsGiveIDs(facts trace.Facts) bool {
	return facts.PreLogin && facts.Has(visit) && len(facts.Cookies()) == len(facts.Carrier)
}

// idSample draws ids: one jar for each, first by visits, which cost the target
// little, and then by logins, whose ids may come from another generator. A jar
// logs in with the id of its visit, or twice where visits give none, so that
// there are ids before and after; where a login keeps the id, it is an empty
// jar that logs in. The sample runs alone: an id drawn by another flow in
// between would hide the step of a counter.
var idSample = &probe.Flow{
	Name: "id-sample", Steps: []string{login, identity}, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) error {
		d := &drawer{stage: stage.Round(inTurn), ration: rationOf(stage.Facts()), began: time.Now()}
		if err := d.visit(ctx); err != nil {
			return err
		}
		if err := d.login(ctx); err != nil {
			return err
		}
		return crowd(ctx, stage.Round(crowded), d.crowd)
	},
}

type drawer struct {
	ration
	stage probe.Stage
	began time.Time
	last  []probe.Actor // the jars that visited last
	first probe.Actor   // whose connection the next jars share
}

// open is an empty jar, the i-th of its kind.
func (d *drawer) open(kind string, i int) probe.Actor {
	name := fmt.Sprintf("%s %d", kind, i/d.jars+1)
	if i%d.jars == 0 {
		d.first = d.stage.Actor(name)
		return d.first
	}
	return d.first.Beside(name)
}

// spent reports whether that part of the time is over. The logins are left
// half of it.
func (d *drawer) spent(part float64) bool {
	return time.Since(d.began) > time.Duration(part*float64(d.wall))
}

func (d *drawer) visit(ctx context.Context) error {
	for i := range d.visits {
		if i >= fewestInTurn && d.spent(0.5) {
			break
		}
		jar := d.open("visitor", i)
		if err := jar.Do(ctx, visit); err != nil {
			return err
		}
		if d.last = append(d.last, jar); len(d.last) > d.logins {
			d.last = d.last[1:]
		}
	}
	return nil
}

func (d *drawer) login(ctx context.Context) error {
	facts, kept, fewest := d.stage.Facts(), false, fewestInTurn
	var jar probe.Actor
	for i := 0; i < d.logins; i++ {
		if i >= fewest && d.spent(1) {
			break
		}
		switch {
		case i < len(d.last):
			jar = d.last[i]
		case i%2 == 0: // it logs in once more in the next turn
			jar = d.open("user", i/2)
		case kept: // it would go on with the id it has
			jar = d.open("user", i)
		}
		before := jar.Carries()
		if err := d.signIn(ctx, jar, facts, i); err != nil {
			return err
		}
		if !kept && !before.IsZero() && !drew(jar, before) {
			kept, d.last = true, nil
			d.logins, fewest = d.logins+1, fewest+1
		}
	}
	return nil
}

// drew reports whether the login gave the jar an id that it did not hold.
// Tokens do not show here, and are given by each login.
func drew(jar probe.Actor, before trace.Credential) bool {
	shown := false
	for _, offered := range jar.Offered() {
		shown = true
		if !slices.ContainsFunc(before, func(held trace.Held) bool { return held.ID == offered[0].ID }) {
			return true
		}
	}
	return !shown && !jar.Carries().Same(before)
}

// signIn logs one jar in. Users take turns, since an id may follow from the
// user: two for the one, two for the other. A copy of the id alone is read for some: for all where the answer of
// the login does not show it, else for the victim's.
func (d *drawer) signIn(ctx context.Context, jar probe.Actor, facts trace.Facts, i int) error {
	user := facts.Victim()
	if len(facts.Users) > 1 && i/2%2 == 1 {
		user = facts.Users[1]
	}
	if err := jar.Login(ctx, user); err != nil {
		return err
	}
	shown := len(facts.Cookies()) == len(facts.Carrier)
	switch {
	case user == facts.Victim() && (i < 2 || !shown):
		jar.Freeze(victim).Identify(ctx, after)
	case !shown:
		jar.Identify(ctx, after)
	}
	return ctx.Err()
}

// crowd visits side by side.
func crowd(ctx context.Context, stage probe.Stage, visitors int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(6)
	for i := range visitors {
		group.Go(func() error { return stage.Actor(fmt.Sprintf("visitor in a crowd, %d", i%6+1)).Do(ctx, visit) })
	}
	return group.Wait()
}

// series is the ids that the server made in a step for one slot of the
// carrier, in the order of the requests.
type series struct {
	slot  trace.Slot
	step  string
	drawn []drawn
}

type drawn struct {
	idquality.Issue
	by trace.Exchange // the request whose answer gave it
}

func (s series) issues() []idquality.Issue {
	issues := make([]idquality.Issue, len(s.drawn))
	for i, one := range s.drawn {
		issues[i] = one.Issue
	}
	return issues
}

func (s series) ids() []secret.Text { return idquality.IDs(s.issues()) }

// distinct leaves out ids that were seen before.
func (s series) distinct() series {
	seen := map[secret.Text]bool{}
	left := series{slot: s.slot, step: s.step}
	for _, one := range s.drawn {
		if !seen[one.ID] {
			seen[one.ID] = true
			left.drawn = append(left.drawn, one)
		}
	}
	return left
}

// guarded reports whether another slot of the carrier is a secret by itself: an
// id in two cookies is known to nobody who computes one of them.
func (s series) guarded(facts trace.Facts, all []series) bool {
	return slices.ContainsFunc(all, func(other series) bool {
		return other.slot != s.slot && other.step == s.step && idquality.Capacity(unsigned(facts, other.distinct().ids())) >= largeBound
	})
}

// evidence is the last three of the requests that drew an id of the series.
func (s series) evidence(t trace.Trace) trace.Trace {
	part := t
	part.Exchanges = nil
	for _, one := range s.drawn[max(0, len(s.drawn)-3):] {
		part.Exchanges = append(part.Exchanges, one.by)
	}
	return part
}

// drawnIDs are the series of a trace, those of visits first. What the request
// itself had brought, in the carrier or elsewhere, is not the server's work.
func drawnIDs(t trace.Trace, steps ...string) []series {
	c := &collector{facts: t.Facts, words: knownWords(t), last: map[string]trace.Exchange{}, seen: map[secret.Text]bool{}}
	for _, exchange := range t.Exchanges {
		if slices.Contains(steps, exchange.Step) {
			c.given(exchange)
		}
		if slices.Contains(steps, login) {
			c.used(exchange)
		}
	}
	slices.SortStableFunc(c.all, func(a, b series) int { return slices.Index(steps, a.step) - slices.Index(steps, b.step) })
	return c.all
}

type collector struct {
	facts trace.Facts
	words map[string][]secret.Text
	last  map[string]trace.Exchange // the login of a round that came last
	seen  map[secret.Text]bool      // tokens
	all   []series
}

// given are the ids that an answer sets.
func (c *collector) given(exchange trace.Exchange) {
	for _, held := range exchange.Issued(c.facts.Carrier) {
		before, echoed := secret.Text{}, exchange.Request.Brought(held.ID)
		for _, own := range exchange.Carried {
			echoed = echoed || own.ID == held.ID
			if own.Slot == held.Slot {
				before = own.ID
			}
		}
		if !echoed {
			c.add(held, before, exchange)
		}
	}
}

// used are the tokens, which are given in bodies and seen when they are used.
func (c *collector) used(exchange trace.Exchange) {
	round := exchange.Flow + "\n" + exchange.Round
	if exchange.Step == login {
		c.last[round] = exchange
	}
	if exchange.Who.Kind != trace.SignedIn {
		return
	}
	by, fresh := c.last[round] // a login that nobody has read after may have given an old token again
	if !fresh || by.Who.Kind != trace.Unanswered {
		fresh, by = false, exchange
	}
	for _, held := range exchange.Carried {
		if held.Kind == trace.InCookie || held.ID.IsZero() || c.seen[held.ID] && !fresh {
			continue
		}
		c.seen[held.ID] = true
		by.User = exchange.Who.User
		c.add(held, secret.Text{}, by)
	}
	if fresh {
		by.Who = exchange.Who
		c.last[round] = by
	}
}

func (c *collector) add(held trace.Held, before secret.Text, by trace.Exchange) {
	step := by.Step
	if held.Kind != trace.InCookie {
		step = login
	}
	i := slices.IndexFunc(c.all, func(s series) bool { return s.slot == held.Slot && s.step == step })
	if i < 0 {
		i = len(c.all)
		c.all = append(c.all, series{slot: held.Slot, step: step})
	}
	c.all[i].drawn = append(c.all[i].drawn, drawn{by: by, Issue: idquality.Issue{
		ID: held.ID, From: by.Began, To: by.Began.Add(by.Took), Known: c.words[by.User], Before: before}})
}

var address = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64})+`)

// knownWords are by user what others know of her: her name and the addresses
// that her profile shows.
func knownWords(t trace.Trace) map[string][]secret.Text {
	words := map[string][]secret.Text{}
	for _, user := range t.Facts.Users {
		name := user
		if other := t.Facts.Usernames[user]; other != "" {
			name = other
		}
		words[user] = []secret.Text{secret.New(name)}
	}
	for _, read := range t.Exchanges {
		user := read.Who.User
		if read.Who.Kind != trace.SignedIn || len(words[user]) != 1 {
			continue
		}
		for _, found := range address.FindAllString(read.Response.Body.Reveal(), 2) {
			if word := secret.New(found); !slices.Contains(words[user], word) {
				words[user] = append(words[user], word)
			}
		}
	}
	return words
}

// inOrder are the series of the sample's first round, whose ids were drawn one
// after the other by nobody else.
func inOrder(t trace.Trace) []series {
	return drawnIDs(t.Round(inTurn), visit, login)
}

// fewDrawn is what can leave those not tested that look at a sample of ids.
var fewDrawn = []string{
	"logins fail or are limited, so that fewer ids are drawn than are needed; --profile deep draws more",
	"the server makes no ids of its own, it takes the client's",
}

const idsTooShort = "the ids have no room for 64 bits; session-id-insufficient-length decides"
