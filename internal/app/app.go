// Package app introduces the rooms to each other: a recipe goes in, a report
// comes out. All doors call Audit, so that they cannot drift apart.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/discover"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/json"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Options of one scan.
type Options struct {
	Recipe            *recipe.Recipe // flags already merged
	Version           string
	AllowInconclusive bool
	Deep              bool // the deep profile
	// Timeout bounds the whole scan; zero is defaultTimeout, or deepTimeout.
	Timeout  time.Duration
	Progress func(audit.Event) // nil: nobody listens
	Store    string            // what is known of the session store beside the recipe; may be empty
	// Workspace is the folder of the API's sources, where locations are relative
	// to; "" is the working directory, as long as the recipe is inside of it.
	Workspace string
	// AskedIn is the file of the workspace that asks for the scan, where findings
	// point if nothing better is known; "" is the recipe that could be written.
	AskedIn string
	// OwnDatabase says that a database.url that is not on this machine may be
	// written to all the same.
	OwnDatabase bool
	// Run labels the containers of this scan, so that launch.Clean finds them
	// from another process; empty: nobody else will look for them.
	Run string
	Now time.Time // decides whether an accepted risk has expired
	// Secrets are what must not be shown beside those of the recipe.
	Secrets []secret.Text
	// Baseline is what findings are compared with; nil: the file that the recipe
	// names.
	Baseline *audit.Baseline
}

const (
	defaultTimeout = 5 * time.Minute
	deepTimeout    = 30 * time.Minute
)

// Audit brings the target up, audits it, takes it down and reports. An error is
// about the user's input, or the context's own; that nothing could be measured is said by the
// report, which has every rule then too.
func Audit(ctx context.Context, options Options) (report.Report, error) {
	began := time.Now()
	if err := check(options.Recipe); err != nil {
		return report.Report{}, err
	}
	if options.Baseline == nil {
		baseline, err := readBaseline(options.Recipe, options.Workspace)
		if err != nil {
			return report.Report{}, err
		}
		options.Baseline = &baseline
	}
	if options.Timeout <= 0 && options.Deep {
		options.Timeout = deepTimeout
	}
	options.Timeout = cmp.Or(max(options.Timeout, 0), defaultTimeout)
	limit, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()

	s := newScan(options)
	result := s.run(limit)
	if err := ctx.Err(); err != nil {
		return report.Report{}, err
	}
	setting := s.setting()
	setting.Duration = time.Since(began)
	return result.Report(setting), nil
}

func newScan(options Options) *scan {
	redactor := &secret.Redactor{}
	redactor.Add(options.Recipe.Secrets...)
	redactor.Add(options.Secrets...)
	for _, user := range options.Recipe.Users {
		redactor.Add(user.Password, secret.Join(secret.New(user.Username+":"), user.Password)) // the pair is HTTP Basic's
	}
	return &scan{Options: options, redactor: redactor, catalogue: catalog.All(), store: options.Store}
}

// scan is one run, with what it started.
type scan struct {
	Options
	redactor *secret.Redactor
	// catalogue is empty where only calibration is wanted.
	catalogue []probe.Probe
	target    *launch.Target
	store     string
	world     *browser.World
	witness   *witness // nil without a store
	ended     string
	found     *discover.Result // nil where the recipe says enough
	speaking  sync.Mutex       // two things may be fetched at a time, but are told one by one
	// blind is why the recipe's store is not seen; "" where it is.
	blind error
}

// run never fails: what went wrong is the reason that nothing was tested.
func (s *scan) run(ctx context.Context) audit.Result {
	launch.Sweep()
	if s.Progress != nil {
		s.Progress(audit.Event{Doing: "bringing the API up"})
	}
	stage, err := s.bringUp(ctx)
	defer stage.close()
	if err != nil {
		return audit.Unmeasured(s.catalogue, s.declared(), unmeasured(ctx, s.Options, err))
	}
	s.target = stage.target
	base, err := url.Parse(stage.target.URL)
	if err != nil {
		return audit.Unmeasured(s.catalogue, s.declared(), unmeasured(ctx, s.Options, err))
	}
	s.discover(ctx, base)
	faces := &audit.Faces{}
	s.world = browser.New(browser.Options{Base: base, Steps: s.steps(), Users: s.Recipe.Users, Session: s.Recipe.Session,
		Version: s.Version, Redactor: s.redactor, Recognise: faces.Who, Witness: s.seesStore()})
	result, err := audit.Run(ctx, audit.Options{
		Catalogue: s.catalogue, World: world{s.world}, Faces: faces, Users: s.users(), Steps: stepNames(s.Recipe),
		Missing: s.missing(), Pages: s.pages(), Login: loginForm(s.Recipe), Chosen: chosen(s.Recipe), Described: s.channels(), Declared: s.world.Declared(), Policy: promise(s.Recipe.Policy),
		Deep: s.Deep, NotApplicable: s.declared(), Redactor: s.redactor, Progress: s.Progress, Log: s.log(), Store: s.seesStatements(), StoreProblem: s.storeProblem(),
	})
	s.ended = ending(ctx, stage.target, result.Seen)
	if err != nil {
		return audit.Unmeasured(s.catalogue, s.declared(), unmeasured(ctx, s.Options, err))
	}
	return result
}

// seesStore is the witness for the browsers, and an interface that is nil
// where there is none: a nil pointer in it would not be.
func (s *scan) seesStore() browser.Witness {
	if s.witness == nil {
		return nil
	}
	return s.witness
}

func (s *scan) seesStatements() audit.Store {
	if s.witness == nil {
		return nil
	}
	return s.witness
}

func promise(p recipe.Policy) audit.Promise {
	return audit.Promise{IdleTimeout: p.IdleTimeout, AbsoluteTimeout: p.AbsoluteTimeout, MaxSessions: p.MaxSessions}
}

// storeProblem is for reports; "" where the store is seen.
func (s *scan) storeProblem() string {
	if s.blind == nil {
		return ""
	}
	return s.redactor.Clean(s.blind.Error())
}

// starts reports whether the gate itself starts the API.
func (s *scan) starts() bool {
	return s.Recipe.Target.Process != nil || s.Recipe.Target.Container != nil
}

// log reads what the API printed; nil where somebody else started it.
func (s *scan) log() func() trace.Log {
	if !s.starts() {
		return nil
	}
	return func() trace.Log {
		text, complete := s.target.Output()
		return trace.Log{Seen: true, Complete: complete, Text: text}
	}
}

// reaping is how long a process that no longer answers may take to be known
// as ended.
const reaping = 2 * time.Second

// ending says how the API ended during the scan, "" if it did not. Where the
// last request got no answer, the end may be about to be known.
func ending(ctx context.Context, target *launch.Target, seen []trace.Exchange) string {
	if len(seen) > 0 && seen[len(seen)-1].Response.Status == 0 && target.Done() != nil {
		select {
		case <-target.Done():
		case <-time.After(reaping):
		case <-ctx.Done():
		}
	}
	reason := target.ExitReason()
	if reason == "" || ctx.Err() != nil {
		return ""
	}
	return "the API ended during the scan (" + reason + "); its last lines: " + strings.Join(last(target.Logs(), 5), " | ")
}

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func unmeasured(ctx context.Context, options Options, err error) finding.Reason {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return finding.Reason{Code: finding.NoCalibration, Text: fmt.Sprintf("the scan did not end within %s", options.Timeout),
			Remedy: "raise --timeout, or look why the API is slow"}
	}
	return finding.Reason{Code: finding.NoCalibration, Text: err.Error()}
}

// world makes the browsers' stages those of the audit.
type world struct{ *browser.World }

func (w world) Open(flow string, facts trace.Facts) audit.Stage { return w.World.Open(flow, facts) }

// check refuses a recipe that names rules we do not have.
func check(r *recipe.Recipe) error {
	if err := r.Validate(); err != nil {
		return err
	}
	var ids []string
	for _, rule := range catalog.Rules() {
		ids = append(ids, rule.ID)
	}
	known := func(id string, at recipe.Pos) error {
		if _, ok := catalog.Rule(id); ok {
			return nil
		}
		problem := r.ErrorAt(at, fmt.Sprintf("there is no rule %q", id))
		problem.Hint = recipe.Nearest(id, ids)
		return problem
	}
	var problems []error
	for _, declared := range r.NotApplicable {
		problems = append(problems, known(declared.Rule, declared.Pos))
	}
	for _, accepted := range r.Accepted {
		problems = append(problems, known(accepted.Rule, accepted.Pos))
	}
	return errors.Join(problems...)
}

func readBaseline(r *recipe.Recipe, workspace string) (audit.Baseline, error) {
	name := r.Gate.Baseline
	if name == "" {
		return audit.Baseline{}, nil
	}
	file, err := os.Open(r.Path(name))
	if err != nil {
		return audit.Baseline{}, fmt.Errorf("baseline %s cannot be read: make it with --out json=%s, or leave gate.baseline out", name, name)
	}
	defer func() { _ = file.Close() }()
	known, err := json.ReadBaseline(file)
	if err != nil {
		return audit.Baseline{}, fmt.Errorf("baseline %s: %w", name, err)
	}
	baseline := audit.Baseline{Given: true, Source: inWorkspace(workspace, r.Path(name)), Findings: map[audit.Past]bool{}}
	for _, one := range known {
		if _, ours := catalog.Rule(one.Rule); ours { // the file may be anybody's
			baseline.Findings[audit.Past{Rule: one.Rule, Fingerprint: one.Fingerprint}] = false
		}
	}
	return baseline, nil
}

func (s *scan) setting() audit.Setting {
	places := &locator{scan: s}
	setting := audit.Setting{
		Version: s.Version, Redactor: s.redactor, Ended: s.ended, Baseline: *s.Baseline, Users: s.users(), Locate: places.locate, Flow: places.flow,
		Discovered: s.discovered(),
		Policy:     audit.Policy{FailUnder: s.Recipe.Gate.FailUnder, FailOn: s.Recipe.Gate.FailOn, AllowInconclusive: s.AllowInconclusive},
		Target:     report.Target{Store: s.store, Name: targetName(s.Recipe)},
	}
	if !errors.Is(s.blind, launch.ErrNoDatabase) { // a machine that has none is no fault of the API's
		setting.Target.StoreProblem = s.storeProblem()
	}
	setting.Target.URL = s.Recipe.Target.URL.String()
	if s.target != nil {
		setting.Target.URL = s.target.URL
	}
	if s.world != nil {
		setting.Requests, setting.Logins = s.world.Requests(), s.world.Logins()
	}
	if s.found != nil {
		setting.Requests, setting.Logins = setting.Requests+s.found.Requests, setting.Logins+s.found.Logins
	}
	for _, accepted := range s.Recipe.Accepted {
		if accepted.Until.IsZero() || s.Now.Before(accepted.Until.AddDate(0, 0, 1)) {
			setting.Accepted = append(setting.Accepted, report.Declared{Rule: accepted.Rule, Reason: accepted.Reason, Until: accepted.Until})
		}
	}
	return setting
}

func targetName(r *recipe.Recipe) string {
	switch {
	case r.Target.Process != nil:
		var words []string
		for _, word := range r.Target.Process.Command {
			words = append(words, word.String())
		}
		return strings.Join(words, " ")
	case r.Target.Container != nil && r.Target.Container.Build != nil:
		return filepath.ToSlash(filepath.Join(r.Target.Container.Build.Context, r.Target.Container.Build.Dockerfile))
	case r.Target.Container != nil:
		return r.Target.Container.Image
	}
	return ""
}

func (s *scan) users() []audit.User {
	var users []audit.User
	for _, user := range s.Recipe.Users {
		users = append(users, audit.User{Name: user.Name, Username: user.Username, Password: user.Password})
	}
	return users
}

func (s *scan) declared() map[string]string {
	declared := map[string]string{}
	for _, one := range s.Recipe.NotApplicable {
		declared[one.Rule] = one.Reason
	}
	return declared
}

func stepNames(r *recipe.Recipe) []string {
	var names []string
	for _, name := range recipe.StepNames {
		step, has := r.Steps[name]
		if has {
			names = append(names, name)
		}
		if len(step.Then) > 0 {
			names = append(names, name+".then") // what is open after it
		}
	}
	return names
}

// loginForm is the encoding of the request that carries the credentials: the
// last of the login step that has a body.
func loginForm(r *recipe.Recipe) trace.LoginForm {
	form := trace.LoginOther
	for _, request := range r.Steps["login"].Requests {
		switch request.Body.Kind {
		case recipe.JSONBody:
			form = trace.LoginJSON
		case recipe.FormBody:
			form = trace.LoginForms
		case recipe.MultipartBody:
			form = trace.LoginMultipart
		}
	}
	return form
}

// chosen finds where the recipe's login sends a session id that the client
// makes up, by channel.
func chosen(r *recipe.Recipe) map[string][]string {
	places := map[string][]string{}
	add := func(channel probe.Channel, name string, value recipe.Template) {
		if slices.Contains(value.Names(), "session_id") {
			places[string(channel)] = append(places[string(channel)], name)
		}
	}
	for _, request := range r.Steps["login"].Requests {
		for _, pair := range request.Query {
			add(probe.Query, pair.Name, pair.Value)
		}
		for _, pair := range request.Headers {
			add(probe.Header, pair.Name, pair.Value)
		}
		for _, pair := range request.Body.Fields {
			add(probe.Form, pair.Name, pair.Value)
		}
		members(request.Body.JSON, "", func(name string, value recipe.Template) { add(probe.JSON, name, value) })
	}
	return places
}

// members visits the texts of a JSON object with their dotted names.
func members(node any, name string, visit func(string, recipe.Template)) {
	switch value := node.(type) {
	case recipe.Template:
		visit(name, value)
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			members(value[key], strings.TrimPrefix(name+"."+key, "."), visit)
		}
	}
}

// inRecipe is the step in the recipe, or the file in which the scan is asked for;
// the zero location where there is neither.
func (s *scan) inRecipe(step string) finding.Location {
	described, known := s.Recipe.Steps[step]
	switch {
	case known && described.Pos.Line > 0 && s.Recipe.File != "":
		return finding.Location{File: inWorkspace(s.Workspace, s.Recipe.File), Line: described.Pos.Line}
	case s.Recipe.File != "":
		return finding.Location{File: inWorkspace(s.Workspace, s.Recipe.File), Line: 1}
	}
	if s.AskedIn != "" {
		return finding.Location{File: s.AskedIn, Line: 1}
	}
	return finding.Location{}
}

// inWorkspace is the path as the repository knows it: relative to the
// workspace. A file outside of it is named alone, since an absolute path says
// nothing to a reader elsewhere.
func inWorkspace(workspace, file string) string {
	here, err := filepath.Abs(workspace)
	if err != nil {
		return filepath.Base(file)
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return filepath.Base(file)
	}
	relative, err := filepath.Rel(here, absolute)
	if err != nil || strings.HasPrefix(relative, "..") {
		return filepath.Base(file)
	}
	return filepath.ToSlash(relative)
}
