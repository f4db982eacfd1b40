package catalog_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// mutation spoils the traces of examples in one way, after which the answer of
// any judge is known without another look at the example.
type mutation struct {
	of     []finding.Outcome // the examples it spoils
	spoils func(example, trace.Exchange) bool
	// change is what becomes of such an exchange; without it they are left out.
	change func(example, *trace.Exchange)
	// single spoils one exchange at a time. Otherwise it is all of a trace and,
	// in examples that pass and unless whole, all of one round at a time.
	single, whole bool
	// anyRound includes the rounds that decide beside others only.
	anyRound bool
	wanted   []finding.Outcome
	// exempt are the probes that have nothing to spoil, with the reason.
	exempt map[string]string
	// gaps are judges that do not notice yet, with the reason. One that has
	// come to notice leaves the list.
	gaps map[string]string
}

// The reasons of exempt probes.
const (
	twinRow       = "its controls are the victim's own: a twin whose row is deleted, and a row put back"
	ownControl    = "its control is the victim herself, signed in before and after"
	nobodyElse    = "it judges what is declared and stored for the victim, and has no attacker"
	onlyVisits    = "its flow asks nobody who they are, and ends at a visit that fails"
	byCalibration = "its control is the login of calibration, before and after it"
	ownBefore     = "its control is the attacker's own login, before the victim's browser is used"
	onlyHerself   = "it looks at what the victim's own browser holds"
	nobodySigns   = "its attack is that nobody has to sign in, or signs in as the attacker"
	byRequest     = "its control is a request, not a read"
	onlyPages     = "nobody logs in: two strangers with an empty jar open the pages of a description"
	onlyDraws     = "it compares ids with those that were computed from others; no jar attacks and none stands by"
)

// The reasons of gaps.
const (
	wrongSignature = "a made-up id is a payload with a wrong signature, which the weakness lets pass"
	declaredAtAll  = "what was declared and stored is not taken back by a 429"
	ownTrials      = "the other timeouts of the flow are trials of their own"
	byPage         = "what fails it is a page or a request, not a read"
	tooMuch        = "that it signs out too many shows in the control"
)

var (
	decided   = []finding.Outcome{finding.Pass, finding.Fail}
	passed    = []finding.Outcome{finding.Pass}
	failed    = []finding.Outcome{finding.Fail}
	untested  = []finding.Outcome{finding.NotTested}
	notPassed = []finding.Outcome{finding.Fail, finding.NotTested}
	notFailed = []finding.Outcome{finding.Pass, finding.NotTested}
)

func TestNothingSeenIsNothingProved(t *testing.T) {
	t.Parallel()
	for _, p := range catalog.All() {
		for name, facts := range map[string]func(*trace.Facts){
			"usual":      func(*trace.Facts) {},
			"nothing":    func(facts *trace.Facts) { *facts = trace.Facts{} },
			"no carrier": carriedBy(),
			"token":      carriedBy(bearer()),
			"__Host-":    carriedBy(cookieSlot("__Host-session")),
			"stateless":  func(facts *trace.Facts) { facts.Stateless = true },
			"exclusive":  func(facts *trace.Facts) { facts.Exclusive = true },
			"one user":   func(facts *trace.Facts) { facts.Users = facts.Users[:1] },
			"chosen":     func(facts *trace.Facts) { facts.Chosen = map[string][]string{"header": {"X-Session"}} },
			"described":  func(facts *trace.Facts) { facts.Described = map[string][]string{"header": {"X-Session"}} },
		} {
			for _, problem := range []string{"", "step login: POST /login: no answer in time"} {
				seen := trace.Trace{Flow: "empty", Facts: usual(), Problem: problem}
				facts(&seen.Facts)
				verdict := p.Judge(seen)
				if verdict.Outcome != finding.NotTested {
					t.Errorf("%s, facts %s, problem %q: an empty trace is %s", p.Rule.ID, name, problem, verdict.Outcome)
				}
				if flaw := flaw(p, seen, verdict); flaw != "" {
					t.Errorf("%s, facts %s, problem %q: %s", p.Rule.ID, name, problem, flaw)
				}
			}
		}
	}
}

// The probes that have no jar of their own beside the victim's, and why.
var (
	noControlJar = map[string]string{
		"session-identity-from-network":    ownControl,
		"duplicate-set-cookie":             ownControl,
		"session-lifetime-excessive":       nobodyElse,
		"session-id-stored-in-clear":       nobodyElse,
		"cookie-attribute-injection":       byCalibration,
		"session-id-reflected-unencoded":   byCalibration,
		"login-over-get":                   byCalibration,
		"login-csrf":                       ownBefore,
		"idle-timeout-not-enforced":        twinRow,
		"absolute-timeout-not-enforced":    twinRow,
		"logout-client-state-not-cleared":  onlyHerself,
		"session-id-sequential":            onlyDraws,
		"session-id-predictable-prng":      onlyDraws,
		"session-id-collision":             onlyDraws,
		"session-id-derived-from-previous": onlyDraws,
		"personal-data-without-session":    onlyPages,
	}
	noVictim = map[string]string{
		"cookie-attribute-injection":     byCalibration,
		"session-id-reflected-unencoded": byCalibration,
		"login-over-get":                 byCalibration,
		"login-csrf":                     ownBefore,
		"permissive-session-creation":    onlyVisits,
		"session-puzzling":               nobodySigns,
		"oauth-state-not-bound":          nobodySigns,
		"session-id-sequential":          onlyDraws,
		"session-id-predictable-prng":    onlyDraws,
		"personal-data-without-session":  onlyPages,
	}
	noControlRead = map[string]string{
		"permissive-session-creation":   onlyVisits,
		"pre-login-state-carry-over":    byRequest,
		"personal-data-without-session": onlyPages,
	}
	noAttacker = map[string]string{
		"logout-client-state-not-cleared":  onlyHerself,
		"permissive-session-creation":      onlyVisits,
		"session-lifetime-excessive":       nobodyElse,
		"session-id-stored-in-clear":       nobodyElse,
		"session-id-sequential":            onlyDraws,
		"session-id-predictable-prng":      onlyDraws,
		"session-id-collision":             onlyDraws,
		"session-id-derived-from-previous": onlyDraws,
		"personal-data-without-session":    onlyPages,
	}
)

func TestTheControlMustBeThere(t *testing.T) {
	t.Parallel()
	mutation{of: decided, wanted: untested, spoils: byControls, exempt: noControlJar,
		gaps: map[string]string{"session-cookie-tamperable": wrongSignature}}.try(t)
}

func TestTheControlMustStayWhatItWas(t *testing.T) {
	t.Parallel()
	exempt := maps.Clone(noControlJar)
	maps.Copy(exempt, noControlRead)
	controls := and(isRead, byControls)
	t.Run("the victim", func(t *testing.T) {
		t.Parallel()
		mutation{of: decided, wanted: untested, spoils: controls, change: showVictim, exempt: exempt,
			gaps: map[string]string{
				"session-cookie-tamperable":                  wrongSignature,
				"session-id-sql-injection":                   "an id whose end is not looked at is matched as no pattern",
				"session-id-not-rotated-on-privilege-change": "its control is another session of the victim's",
			}}.try(t)
	})
	for name, change := range map[string]func(example, *trace.Exchange){
		"not read":     nil,
		"unrecognised": show(trace.Unknown, 200),
		"broken":       show(trace.Broken, 500),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutation{of: decided, wanted: untested, spoils: controls, change: change, exempt: exempt,
				gaps: map[string]string{"session-cookie-tamperable": wrongSignature}}.try(t)
		})
	}
}

func TestTheVictimMustBeSignedIn(t *testing.T) {
	t.Parallel()
	own := and(isRead, byVictim)
	mutation{of: decided, wanted: untested, spoils: own, exempt: noVictim}.try(t)
	for name, change := range map[string]func(example, *trace.Exchange){
		"unrecognised":   show(trace.Unknown, 200),
		"broken":         show(trace.Broken, 503),
		"the other user": showOther,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mutation{of: decided, wanted: untested, spoils: and(own, showsVictim), change: change, exempt: noVictim}.try(t)
			mutation{of: passed, wanted: untested, spoils: and(own, showsVictim), change: change, exempt: noVictim, single: true}.try(t)
		})
	}
}

// A login that leaves the victim nobody may be the refusal of one round, beside
// others that worked. It never shows an attack.
func TestTheVictimMustNotBeNobody(t *testing.T) {
	t.Parallel()
	own, nobody := and(isRead, byVictim, showsVictim), show(trace.Anonymous, 401)
	mutation{of: decided, wanted: untested, spoils: own, change: nobody, exempt: noVictim, whole: true}.try(t)
	mutation{of: passed, wanted: notFailed, spoils: own, change: nobody, exempt: noVictim, single: true}.try(t)
}

func TestNoPassAfterARateLimit(t *testing.T) {
	t.Parallel()
	mutation{of: passed, wanted: untested, single: true, anyRound: true,
		spoils: func(example, trace.Exchange) bool { return true },
		change: func(_ example, x *trace.Exchange) {
			x.Response = trace.Response{Status: 429}
			if x.Who.Kind != trace.Unanswered {
				x.Who = trace.Who{Kind: trace.TooMany}
			}
		},
		gaps: map[string]string{
			"duplicate-set-cookie":       declaredAtAll,
			"session-lifetime-excessive": declaredAtAll,
			"session-id-stored-in-clear": declaredAtAll,
		}}.try(t)
}

func TestNoPassUnlessTheAttackWasSeenToFail(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(example, *trace.Exchange){
		"broken":       show(trace.Broken, 500),
		"no answer":    show(trace.Broken, 0),
		"unrecognised": show(trace.Unknown, 200),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gaps := map[string]string{}
			if name == "no answer" {
				gaps["session-over-plain-http"] = "that nobody answers over plain http is as it should be"
			}
			mutation{of: passed, wanted: untested, single: true, spoils: and(isRead, byAttackers), change: change, exempt: noAttacker, gaps: gaps}.try(t)
		})
	}
}

func TestNoPassWithoutTheAttack(t *testing.T) {
	t.Parallel()
	mutation{of: passed, wanted: untested, spoils: and(isRead, byAttackers), exempt: noAttacker}.try(t)
}

func TestNoPassIfTheAttackWorked(t *testing.T) {
	t.Parallel()
	stranger := func(e example, x trace.Exchange) bool { return !showsVictim(e, x) }
	mutation{of: passed, wanted: notPassed, single: true, spoils: and(isRead, byAttackers, stranger), change: showVictim, exempt: noAttacker,
		gaps: map[string]string{
			"idle-timeout-not-enforced":                  ownTrials,
			"absolute-timeout-not-enforced":              ownTrials,
			"cors-credentials-any-origin":                "every such request carries the victim's cookie; what fails it is a header",
			"session-id-not-rotated-on-privilege-change": byPage,
		}}.try(t)
}

func TestNoFailUnlessTheAttackWorked(t *testing.T) {
	t.Parallel()
	mutation{of: failed, wanted: notFailed, spoils: and(isRead, byAttackers), change: show(trace.Anonymous, 401), exempt: noAttacker,
		gaps: map[string]string{
			"duplicate-set-cookie":              "two scopes of one name are a fault whatever is signed in (RFC 6265bis)",
			"pre-login-session-not-invalidated": byPage,
			"pre-login-state-carry-over":        byPage,
			"logout-everywhere-incomplete":      tooMuch,
			"session-id-reflected-unencoded":    "what fails it is a page or a header, not a read",
			"cookie-attribute-injection":        "what fails it is a cookie that is set, not a read",
			"session-over-plain-http":           "its variant fails by a header that is missing",
			"session-id-sql-injection":          "the wire to the store and three errors decide without a read",
		}}.try(t)
}

// A refusal of the planted id says something only beside a login that works.
func TestARefusalNeedsThePlainLogin(t *testing.T) {
	t.Parallel()
	found := 0
	for _, e := range channelExamples() {
		seen := e.trace(t)
		if e.outcome != finding.Pass || len(seen.Reads("attacker", "")) > 0 {
			continue
		}
		found++
		plain := func(_ example, x trace.Exchange) bool { return x.Round == "without the planted id" }
		for name, way := range map[string]trace.Trace{
			"left out": spoil(e, seen, plain, nil),
			"refused": spoil(e, seen, plain, func(_ example, x *trace.Exchange) {
				x.Response.Status, x.Who = 401, trace.Who{}
			}),
			"without effect": spoil(e, seen, plain, func(_ example, x *trace.Exchange) {
				if x.Who.Kind != trace.Unanswered {
					x.Who = trace.Who{Kind: trace.Anonymous}
				}
			}),
		} {
			if got := e.probe(t).Judge(way).Outcome; got != finding.NotTested {
				t.Errorf("%s, the plain login %s: %s", e, name, got)
			}
		}
	}
	if found == 0 {
		t.Error("no example passes by refusals alone")
	}
}

// try applies the mutation to all examples that it is for.
func (m mutation) try(t *testing.T) {
	t.Helper()
	spoilt, noticed, told := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, e := range examples() {
		p := e.probe(t)
		told[p.Rule.ID] = true
		if p.Flow == nil || !slices.Contains(m.of, e.outcome) {
			continue
		}
		for i, way := range m.ways(e, e.trace(t)) {
			spoilt[p.Rule.ID]++
			verdict := p.Judge(way)
			if flaw := flaw(p, way, verdict); flaw != "" {
				t.Errorf("%s, way %d: %s", e, i+1, flaw)
			}
			if slices.Contains(m.wanted, verdict.Outcome) {
				noticed[p.Rule.ID]++
			} else if m.gaps[p.Rule.ID] == "" {
				t.Errorf("%s, way %d: %s, want %s; the trace was\n%s", e, i+1, verdict.Outcome, m.wanted, retell(way))
			}
		}
	}
	for _, p := range catalog.All() {
		id := p.Rule.ID
		switch {
		case p.Flow == nil || !told[id]: // TestEveryRuleHasAnExampleOfEachOutcome says so
		case m.exempt[id] != "" && spoilt[id] > 0:
			t.Errorf("%s is exempt (%s), yet there is something to spoil", id, m.exempt[id])
		case m.exempt[id] == "" && spoilt[id] == 0:
			t.Errorf("no example of %s has anything to spoil", id)
		case m.gaps[id] != "" && noticed[id] == spoilt[id]:
			t.Errorf("%s notices now, so it is no gap any more: %s", id, m.gaps[id])
		}
	}
}

// ways are the spoilt forms of a trace; none where there is nothing to spoil.
func (m mutation) ways(e example, seen trace.Trace) []trace.Trace {
	var spoilable []trace.Exchange
	for _, x := range seen.Exchanges {
		if m.spoils(e, x) {
			spoilable = append(spoilable, x)
		}
	}
	if len(spoilable) == 0 {
		return nil
	}
	var ways []trace.Trace
	some := func(chosen func(trace.Exchange) bool) {
		matches := func(e example, x trace.Exchange) bool { return m.spoils(e, x) && chosen(x) }
		if slices.ContainsFunc(seen.Exchanges, func(x trace.Exchange) bool { return matches(e, x) }) {
			ways = append(ways, spoil(e, seen, matches, m.change))
		}
	}
	if m.single {
		for _, one := range spoilable {
			if m.anyRound || !besideTheRounds(one.Round) {
				some(func(x trace.Exchange) bool { return x.Seq == one.Seq })
			}
		}
		return ways
	}
	some(func(trace.Exchange) bool { return true })
	if rounds := seen.Rounds(); e.outcome == finding.Pass && !m.whole && len(rounds) > 1 {
		for _, round := range rounds {
			if !besideTheRounds(round) {
				some(func(x trace.Exchange) bool { return x.Round == round })
			}
		}
	}
	return ways
}

// besideTheRounds are those of a channel that decide only where all the others
// were refused; TestARefusalNeedsThePlainLogin spoils them.
func besideTheRounds(round string) bool {
	return round == "without the planted id" || round == "the other encoding"
}

// spoil is a copy of the trace in which the exchanges that match are changed,
// or left out.
func spoil(e example, seen trace.Trace, matches func(example, trace.Exchange) bool, change func(example, *trace.Exchange)) trace.Trace {
	spoilt := seen
	spoilt.Exchanges = nil
	for _, x := range seen.Exchanges {
		if matches(e, x) {
			if change == nil {
				continue
			}
			change(e, &x)
		}
		spoilt.Exchanges = append(spoilt.Exchanges, x)
	}
	return spoilt
}

func and(all ...func(example, trace.Exchange) bool) func(example, trace.Exchange) bool {
	return func(e example, x trace.Exchange) bool {
		return !slices.ContainsFunc(all, func(one func(example, trace.Exchange) bool) bool { return !one(e, x) })
	}
}

func isRead(_ example, x trace.Exchange) bool { return x.Who.Kind != trace.Unanswered }

func byVictim(_ example, x trace.Exchange) bool { return x.Actor == "victim" }

func showsVictim(e example, x trace.Exchange) bool { return x.Who == victimOf(e) }

// byControls are the jars that an attack must leave alone: the control jar, and
// a disguise of an id that not even SQL sees through.
func byControls(_ example, x trace.Exchange) bool {
	return slices.Contains([]string{"control", "L'||lower('')||'R, altered", "id with ~"}, x.Actor)
}

// byAttackers are all jars that are neither hers nor a control, once the attack
// can have worked. What an id with a quote reads as is no matter; see the errors.
func byAttackers(e example, x trace.Exchange) bool {
	beside := strings.HasPrefix(x.Actor, "victim") || slices.Contains([]string{"the id itself", "id'", "id''"}, x.Actor)
	return !beside && !byControls(e, x) && x.Moment != "before the login"
}

// victimOf is whose profile the attack is for: in cross-user it is the second
// user, who logs in inside a session of the first; a callback is the second
// user's; and an account that is deleted is none of the recipe's.
func victimOf(e example) trace.Who {
	users := usual().Users
	switch e.rule {
	case "cross-user-session-reuse", "login-csrf", "oauth-state-not-bound":
		return trace.Who{Kind: trace.SignedIn, User: users[1]}
	case "session-survives-account-deletion":
		return trace.Who{Kind: trace.SignedIn, User: "dave"}
	}
	return trace.Who{Kind: trace.SignedIn, User: users[0]}
}

func showVictim(e example, x *trace.Exchange) {
	x.Who, x.Response.Status = victimOf(e), 200
}

func showOther(e example, x *trace.Exchange) {
	for _, user := range usual().Users {
		if user != victimOf(e).User {
			x.Who, x.Response.Status = trace.Who{Kind: trace.SignedIn, User: user}, 200
		}
	}
}

func show(kind trace.Kind, status int) func(example, *trace.Exchange) {
	return func(_ example, x *trace.Exchange) {
		x.Who, x.Response = trace.Who{Kind: kind}, trace.Response{Status: status}
		if status == 0 {
			x.Problem = "no answer in time"
		}
	}
}

// retell is the trace for a reader of a failed test.
func retell(seen trace.Trace) string {
	var told strings.Builder
	for _, x := range seen.Exchanges {
		fmt.Fprintf(&told, "%s | %s | %s %s | %s | %d\n", x.Round, x.Actor, x.Step, x.Moment, x.Who, x.Response.Status)
	}
	return told.String()
}
