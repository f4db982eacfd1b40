// Package audit calibrates, runs each flow once, lets the judges judge, and
// builds the report. It sends nothing itself and knows no rule by name.
package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// World opens the stages of a run.
type World interface {
	Open(flow string, facts trace.Facts) Stage
	Requests() int
	Logins() int
}

// Stage is a probe.Stage whose record can be read.
type Stage interface {
	probe.Stage
	Know(trace.Facts)
	Exchanges() []trace.Exchange
	Looks() []trace.Look
	Altered() []trace.Alteration
	Limited() bool
	Close()
}

// Store is the session store as the tap on its wire saw it.
type Store interface {
	Statements() []trace.Statement
	// Users are the names under which the API logged in there.
	Users(ctx context.Context) []trace.StoreUser
}

// Options of an audit.
type Options struct {
	Catalogue     []probe.Probe
	World         World
	Faces         *Faces // shared with the world's browsers
	Users         []User
	Steps         []string                  // of the recipe
	Missing       map[string]finding.Reason // why there is no such step, or NoPrecondition for one that was only read; nil where nobody looked
	Pages         []trace.Page              // that strangers may open; those that neither a description names nor promise sessions are read only where nobody can log in
	Login         trace.LoginForm
	Chosen        map[string][]string // see trace.Facts
	Described     map[string][]string // see trace.Facts
	Declared      []trace.Slot        // the carrier the recipe names; nil: found by trying
	Policy        Promise
	Deep          bool              // the deep profile
	NotApplicable map[string]string // rule or base rule -> the user's reason
	Redactor      *secret.Redactor
	// Store sees what the API did with its session store; nil without one.
	Store Store
	// StoreProblem is why there is none, where there should be one.
	StoreProblem string
	Log          func() trace.Log // what the API printed; nil where it is not ours
	Progress     func(Event)      // nil: nobody listens
}

// Promise is what the recipe says of the API's sessions; zero: nothing.
type Promise struct {
	IdleTimeout, AbsoluteTimeout time.Duration
	MaxSessions                  int
}

// User is an account as calibration needs it.
type User struct {
	Name, Username string
	Password       secret.Text // zero: it has none
}

// Event is a piece of progress. Done counts flows; Total is 0 before it is known
// how many there are.
type Event struct {
	Doing       string
	Done, Total int
	Requests    int  // sent so far
	Ended       bool // rather than begun
}

// Outcome is one probe's verdict.
type Outcome struct {
	Probe   probe.Probe
	Verdict finding.Verdict
}

// Result is what an audit established.
type Result struct {
	Facts    trace.Facts
	Outcomes []Outcome // in the order of the catalogue
	// Seen is every exchange of the run, for evidence and replay.
	Seen []trace.Exchange
	// Problem says why calibration could not go on; "" when it held.
	Problem finding.Reason
}

// run is the state of one audit.
type run struct {
	Options
	facts   trace.Facts
	problem finding.Reason // of calibration
	damage  finding.Reason // what the attacks left behind (K7)
	users   []trace.StoreUser

	mu     sync.Mutex
	traces map[string][]trace.Trace // by flow, one for each time it ran
	judged map[extent]finding.Verdict
	done   int
	total  int
}

// maxSideBySide bounds the flows in flight: the target is somebody's CI runner.
const maxSideBySide = 8

// Run audits. Its error is the context's alone: whatever the target does ends
// in an outcome.
func Run(ctx context.Context, options Options) (Result, error) {
	r := &run{Options: options, traces: map[string][]trace.Trace{}, judged: map[extent]finding.Verdict{}}
	r.facts = trace.Facts{Store: options.Store != nil, StoreProblem: options.StoreProblem, Deep: options.Deep,
		Login: options.Login, Chosen: options.Chosen, Described: options.Described, IdleTimeout: options.Policy.IdleTimeout, AbsoluteTimeout: options.Policy.AbsoluteTimeout,
		MaxSessions: options.Policy.MaxSessions, Pages: options.Pages, Steps: map[string]bool{}, Usernames: map[string]string{}}
	for _, step := range options.Steps {
		r.facts.Steps[step] = true
	}
	for _, user := range options.Users {
		r.facts.Users = append(r.facts.Users, user.Name)
		r.facts.Usernames[user.Name] = user.Username
	}
	r.tell("calibrating", false)
	r.problem = r.calibrate(ctx)
	r.perform(ctx, r.wanted())
	r.perform(ctx, r.doubtful())
	r.damage = r.recalibrate(ctx)
	if r.Store != nil {
		r.users = r.Store.Users(ctx)
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	result := Result{Problem: r.problem, Facts: r.facts, Seen: r.everything().Exchanges}
	for _, p := range options.Catalogue {
		result.Outcomes = append(result.Outcomes, Outcome{p, r.conclude(p, result.Outcomes)})
	}
	return result, nil
}

func (r *run) tell(doing string, ended bool) {
	if r.Progress != nil {
		r.Progress(Event{Doing: doing, Done: r.done, Total: r.total, Requests: r.World.Requests(), Ended: ended})
	}
}

// wanted are the flows that the probes which can be tested need.
func (r *run) wanted() []*probe.Flow {
	var flows []*probe.Flow
	for _, p := range r.Catalogue {
		if p.Flow != nil && !slices.Contains(flows, p.Flow) && r.excuse(p) == nil {
			flows = append(flows, p.Flow)
		}
	}
	return flows
}

// doubtful are the flows that showed a weakness once: before it is believed it
// is shown again with fresh ids (K6). A probe without a flow of its own has the
// one repeated that its evidence comes from.
func (r *run) doubtful() []*probe.Flow {
	var flows []*probe.Flow
	var judged []Outcome
	for _, p := range r.Catalogue {
		if r.excuse(p) != nil {
			continue
		}
		first := r.judge(p, r.material(p))
		judged = append(judged, Outcome{p, first})
		if first.Outcome != finding.Fail || first.Reproduced || contained(p, judged) {
			continue
		}
		flow := p.Flow
		if flow == nil {
			flow = r.flowOf(first)
		}
		if flow != nil && !slices.Contains(flows, flow) {
			flows = append(flows, flow)
		}
	}
	return flows
}

// perform runs flows side by side, and then, one by one, those that end the
// users' sessions. Where a login ends the earlier sessions of its user, flows
// side by side would end each other's.
func (r *run) perform(ctx context.Context, flows []*probe.Flow) {
	r.total += len(flows)
	slots := make(chan struct{}, maxSideBySide)
	var group sync.WaitGroup
	for _, flow := range flows {
		if flow.Alone || r.facts.Crowds() {
			continue
		}
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			r.act(ctx, flow)
		})
	}
	group.Wait()
	for _, flow := range flows {
		if flow.Alone || r.facts.Crowds() {
			r.act(ctx, flow)
		}
	}
}

// act runs a flow on a stage of its own and keeps the trace. A flow that
// panics is our own error and no reason to lose the others.
func (r *run) act(ctx context.Context, flow *probe.Flow) {
	r.mu.Lock()
	doing := flow.Name
	if len(r.traces[flow.Name]) > 0 {
		doing = "repeating " + flow.Name
	}
	r.tell(doing, false)
	r.mu.Unlock()
	stage := r.World.Open(flow.Name, r.facts)
	seen := trace.Trace{Flow: flow.Name, Facts: r.facts}
	defer func() {
		if fault := recover(); fault != nil {
			seen.Problem = "the flow " + flow.Name + " broke inside sessiongate; please report it"
		}
		seen.Exchanges, seen.Looks, seen.Altered, seen.Limited = stage.Exchanges(), stage.Looks(), stage.Altered(), stage.Limited()
		stage.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.traces[flow.Name] = append(r.traces[flow.Name], seen)
		r.done++
		r.tell(doing, true)
	}()
	if err := flow.Run(ctx, stage); err != nil {
		seen.Problem = r.Redactor.Clean(err.Error())
	}
}

// excuse is the verdict of a probe that cannot be tried here, nil if it can.
func (r *run) excuse(p probe.Probe) *finding.Verdict {
	if reason, declared := r.declared(p.Rule); declared {
		return &finding.Verdict{Outcome: finding.NotApplicable, Reason: finding.Reason{Code: finding.Declared, Text: reason}}
	}
	if r.facts.Strangers && p.Strangers || r.facts.Outside && p.Anybody {
		return nil
	}
	if r.problem.Code != "" && !(p.Bare && r.Faces.Learned()) {
		return &finding.Verdict{Outcome: finding.NotTested, Reason: r.problem}
	}
	if p.Deep && !r.Deep {
		verdict := finding.Untested(finding.OtherProfile, "the core profile does not test it", "scan with --profile deep, nightly perhaps")
		return &verdict
	}
	needs := p.Steps
	users := p.Users
	if p.Flow != nil {
		needs = append(slices.Clone(needs), p.Flow.Steps...)
		users = max(users, p.Flow.Users)
	}
	if verdict := r.lacks(needs); verdict != nil {
		return verdict
	}
	if len(r.facts.Users) < users {
		verdict := finding.Untested(finding.NoPrecondition, fmt.Sprintf("it needs %d users, the recipe has %d", users, len(r.facts.Users)),
			"add a second user to the recipe, or --user with --password-env once more")
		return &verdict
	}
	return nil
}

// flagged are the steps that a flag can give, too.
var flagged = []string{visit, login, identity, "logout"}

// lacks is the verdict where steps are missing, nil where none is. All of them
// are named, so that one look at the recipe is enough.
func (r *run) lacks(needs []string) *finding.Verdict {
	var missing, words, keys []string
	for _, step := range needs {
		if r.facts.Has(step) || slices.Contains(missing, step) {
			continue
		}
		word := "no " + step + " step"
		if strings.Contains(step, ".") { // a part of a step: elevate.then
			word = "nothing under " + step
		}
		missing, words, keys = append(missing, step), append(words, word), append(keys, "steps."+step)
	}
	if len(missing) == 0 {
		return nil
	}
	if reason, read := r.readOnly(missing); read {
		return &finding.Verdict{Outcome: finding.NotTested, Reason: reason}
	}
	remedy := "add " + strings.Join(keys, " and ") + " to the recipe"
	if len(missing) == 1 && slices.Contains(flagged, missing[0]) {
		remedy += ", or --" + missing[0]
	}
	verdict := finding.Untested(finding.NoPrecondition, "the recipe has "+strings.Join(words, " and "), remedy)
	return &verdict
}

// readOnly is why a step was found and is not used, where nothing else is missing.
func (r *run) readOnly(missing []string) (finding.Reason, bool) {
	step, _, _ := strings.Cut(missing[0], ".")
	for _, other := range missing[1:] {
		if base, _, _ := strings.Cut(other, "."); base != step {
			return finding.Reason{}, false
		}
	}
	reason, known := r.Missing[step]
	return reason, known && reason.Code == finding.NoPrecondition
}

func (r *run) declared(rule finding.Rule) (string, bool) {
	for _, id := range []string{rule.ID, rule.Base()} {
		if reason, found := r.NotApplicable[id]; found {
			return reason, true
		}
	}
	return "", false
}

// conclude judges one probe, and believes a failure only if the weakness was
// shown twice.
func (r *run) conclude(p probe.Probe, graver []Outcome) finding.Verdict {
	if excuse := r.excuse(p); excuse != nil {
		return *excuse
	}
	first := r.judge(p, r.material(p))
	if r.facts.Outside && first.Rest.Code == "" { // nor do the severities it did not show pass
		first.Rest = r.problem
	}
	switch {
	case r.facts.Outside && first.Outcome != finding.Fail: // a pass would speak of sessions that nobody saw
		return finding.Verdict{Outcome: finding.NotTested, Reason: r.problem}
	case first.Outcome == finding.Pass && r.damage.Code != "":
		return finding.Verdict{Outcome: finding.NotTested, Reason: r.damage}
	case first.Outcome != finding.Fail:
		return first
	case contained(p, graver):
		return finding.Untested(finding.Decided, "it is a part of "+p.PartOf+", which failed", "")
	case first.Reproduced:
		return first
	}
	again := r.again(p)
	switch {
	case again.Outcome == finding.Fail:
		return first
	case again.Outcome == finding.NotTested:
		why := again.Reason.Text
		if problem := r.material(p).Problem; problem != "" && p.Flow != nil { // what went wrong first explains the rest
			why = problem
		}
		return finding.Untested(finding.Flaky, "the attack worked once and could not be repeated: "+why, again.Reason.Remedy)
	}
	return finding.Untested(finding.Flaky, "the attack worked once and failed when it was repeated with fresh ids",
		"scan again; an answer that changes from time to time is worth a look by itself")
}

// material is what a probe judges: its flow's first trace, or all that was seen.
func (r *run) material(p probe.Probe) trace.Trace {
	if p.Flow == nil {
		return r.everything()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ran := r.traces[p.Flow.Name]; len(ran) > 0 {
		return ran[0]
	}
	return trace.Trace{Flow: p.Flow.Name, Facts: r.facts}
}

// again is the verdict on the second trace of the flow. A probe that judges the
// whole run says by itself whether it saw the weakness twice.
func (r *run) again(p probe.Probe) finding.Verdict {
	if p.Flow == nil {
		return finding.Untested(finding.Flaky, "it was seen once only", "scan again")
	}
	r.mu.Lock()
	ran := slices.Clone(r.traces[p.Flow.Name])
	r.mu.Unlock()
	if len(ran) < 2 {
		return finding.Untested(finding.Crashed, "its flow was not run again", "please report it to the sessiongate project")
	}
	return r.judge(p, ran[1])
}

// flowOf is the flow that made the exchange a finding rests on.
func (r *run) flowOf(verdict finding.Verdict) *probe.Flow {
	for _, found := range verdict.Findings {
		for _, evidence := range found.Evidence {
			for _, exchange := range r.everything().Exchanges {
				if exchange.Seq != evidence.Exchange {
					continue
				}
				for _, p := range r.Catalogue {
					if p.Flow != nil && p.Flow.Name == exchange.Flow {
						return p.Flow
					}
				}
			}
		}
	}
	return nil
}

// everything is one trace of all flows, in the order things happened.
func (r *run) everything() trace.Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := trace.Trace{Flow: "everything", Facts: r.facts}
	for _, name := range slices.Sorted(maps.Keys(r.traces)) {
		for _, seen := range r.traces[name] {
			all.Exchanges = append(all.Exchanges, seen.Exchanges...)
			all.Looks = append(all.Looks, seen.Looks...)
			if all.Problem == "" {
				all.Problem = seen.Problem
			}
		}
	}
	slices.SortFunc(all.Exchanges, func(a, b trace.Exchange) int { return a.Seq - b.Seq })
	return all
}

// extent is how much a judge was shown. Records grow and are not rewritten: the
// tap has a statement's error by the time the API reads it, looks for an id in old
// statements as soon as an exchange brings one, and is full for good at its bound.
// So equal extents are equal material.
type extent struct {
	rule, flow                 string
	first, exchanges, looks    int
	altered, statements, users int
	log                        trace.Log
}

// judge is the verdict of a probe on what was seen. Nobody is asked twice about
// the same: a dictionary of millions takes its time.
func (r *run) judge(p probe.Probe, seen trace.Trace) finding.Verdict {
	if r.Store != nil {
		seen.Statements, seen.StoreUsers = r.Store.Statements(), r.users
	}
	if r.Log != nil {
		seen.Log = r.Log()
	}
	shown := extent{rule: p.Rule.ID, flow: seen.Flow, exchanges: len(seen.Exchanges), looks: len(seen.Looks), altered: len(seen.Altered),
		statements: len(seen.Statements), users: len(seen.StoreUsers), log: seen.Log}
	if len(seen.Exchanges) > 0 {
		shown.first = seen.Exchanges[0].Seq
	}
	verdict, asked := r.judged[shown]
	if !asked {
		verdict = ask(p, seen)
		r.judged[shown] = verdict
	}
	return verdict
}

// ask asks a judge and takes no nonsense: a panic or an empty verdict is our
// own error, never a pass.
func ask(p probe.Probe, seen trace.Trace) (verdict finding.Verdict) {
	crashed := finding.Untested(finding.Crashed, "the judge of "+p.Rule.ID+" broke", "please report it to the sessiongate project")
	defer func() {
		if fault := recover(); fault != nil {
			verdict = crashed
		}
	}()
	verdict = p.Judge(seen)
	switch {
	case verdict.Outcome == finding.Fail && len(verdict.Findings) == 0:
		return crashed
	case verdict.Outcome == finding.NotTested && verdict.Reason.Code == "":
		return crashed
	case !slices.Contains([]finding.Outcome{finding.Pass, finding.Fail, finding.NotTested}, verdict.Outcome):
		return crashed
	}
	return verdict
}

// contained reports whether a graver form of the weakness failed before. The
// catalogue lists the graver form first.
func contained(p probe.Probe, before []Outcome) bool {
	return slices.ContainsFunc(before, func(o Outcome) bool {
		return o.Probe.Rule.ID == p.PartOf && o.Verdict.Outcome == finding.Fail
	})
}

// errNoFaces is returned by Learn when answers do not tell users apart.
var errNoFaces = errors.New("the identity answers do not tell the users apart")
