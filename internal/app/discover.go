package app

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/discover"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// discoverable are the steps that a scan cannot do without.
var discoverable = []string{"login", "identity"}

// discover fills the steps that the recipe leaves out. What is written there
// stays: who wrote both steps has said all that a scan needs.
func (s *scan) discover(ctx context.Context, base *url.URL) {
	lacks := slices.ContainsFunc(discoverable, func(step string) bool { _, has := s.Recipe.Steps[step]; return !has })
	if !lacks {
		return
	}
	s.doing("looking for login, identity and logout")
	found := discover.Run(ctx, discover.Options{Base: base, World: finder{s, base}, Recipe: s.Recipe, Password: s.drawn})
	s.found = &found
	for _, one := range found.Found {
		s.doing("found " + one.String())
	}
	for _, one := range found.Missing {
		s.doing("missing " + one.String())
	}
	whole := *s.Recipe
	whole.Steps = maps.Clone(whole.Steps)
	maps.Copy(whole.Steps, found.Steps)
	if found.Session != nil {
		whole.Session = *found.Session
	}
	if len(whole.Users) == 0 {
		whole.Users = found.Users
	}
	s.Recipe = &whole
}

// drawn is a password that nobody has.
func (s *scan) drawn() secret.Text {
	world := browser.New(browser.Options{Base: &url.URL{}, Redactor: s.redactor})
	return world.Open("discovery", trace.Facts{}).NewPassword()
}

// finder makes the browsers those of the discovery.
type finder struct {
	*scan
	base *url.URL
}

func (f finder) Open(trial discover.Trial) discover.Stage {
	world := browser.New(browser.Options{Base: f.base, Steps: trial.Steps, Users: trial.Users, Session: trial.Session,
		Version: f.Version, Redactor: f.redactor, Most: trial.Most, Recognise: func(trace.Response) trace.Who { return trace.Who{} }})
	return world.Open("discovery", trace.Facts{})
}

func (f finder) Fetch(ctx context.Context, path string, most discover.Limit) (discover.Document, error) {
	read, err := browser.Fetch(ctx, f.base, f.Version, path, browser.Limit(most))
	return discover.Document(read), err
}

// missing is why the scan has to do without a step, for the audit.
func (s *scan) missing() map[string]finding.Reason {
	reasons := map[string]finding.Reason{}
	if s.found == nil {
		return reasons
	}
	for _, one := range s.found.Missing {
		reasons[one.Step] = finding.Reason{Code: finding.NoCalibration, Text: one.Why, Remedy: one.Remedy}
	}
	for _, one := range s.found.Found {
		if _, unproven := s.found.Unproven[one.Step]; unproven {
			reasons[one.Step] = finding.Reason{Code: finding.NoPrecondition, Text: one.String(), Remedy: uncomment(one.Step)}
		}
	}
	return reasons
}

// steps are the recipe's, and the pages that strangers may open.
func (s *scan) steps() recipe.Steps {
	if s.found == nil {
		return s.Recipe.Steps
	}
	all := maps.Clone(s.found.Pages)
	maps.Copy(all, s.Recipe.Steps)
	return all
}

func (s *scan) pages() []trace.Page {
	if s.found == nil {
		return nil
	}
	return s.found.Open
}

// mostDescribed are the names of one channel that the probes are given: each may
// cost a login.
const mostDescribed = 4

// channels are the names that a description has for session ids, by channel.
func (s *scan) channels() map[string][]string {
	if s.found == nil {
		return nil
	}
	kinds := map[string]probe.Channel{"query": probe.Query, "header": probe.Header, "path": probe.Path, "json": probe.JSON, "form": probe.Form}
	names := map[string][]string{}
	for _, one := range s.found.Channels {
		kind, known := kinds[one.In]
		if known && one.Plant != "" && len(names[string(kind)]) < mostDescribed {
			names[string(kind)] = append(names[string(kind)], one.Plant)
		}
	}
	return names
}

// discovered is what the report says of it.
func (s *scan) discovered() []report.Discovered {
	var all []report.Discovered
	if s.found == nil {
		return nil
	}
	for _, one := range s.found.Found {
		_, unproven := s.found.Unproven[one.Step]
		made := report.Discovered{Step: one.Step, Request: one.Request, From: one.From, Note: one.Note, Pin: pin(one), Unproven: unproven}
		if unproven {
			made.Pin = uncomment(one.Step)
		}
		all = append(all, made)
	}
	for _, one := range s.found.Missing {
		all = append(all, report.Discovered{Step: one.Step, Note: one.Why, Pin: one.Remedy})
	}
	return all
}

// pin is how a step that was found is written down.
func pin(one discover.Found) string {
	if one.Step == discover.ChannelStep { // nothing has to be written: the probes know it
		return ""
	}
	if slices.Contains([]string{"login", "identity", "logout", "visit"}, one.Step) {
		return "sessiongate init, or --" + one.Step + ` "` + one.Request + `"`
	}
	return "sessiongate init"
}

// uncomment is how a step that was only read is taken into use.
func uncomment(step string) string {
	return "sessiongate init writes it as a comment: take the # away before " + step
}

// Found is what discovery and one calibration made of a recipe.
type Found struct {
	Recipe      *recipe.Recipe // with the steps that were found
	Written     *recipe.Recipe // as it was given
	Unproven    recipe.Steps   // read, and not to be used
	Discovered  []report.Discovered
	Calibration report.Calibration
	Problem     string // why calibration did not hold; "" when it did
	Requests    int
}

// Discover brings the target up, finds the steps that the recipe leaves out,
// and calibrates once, without a single attack. Its error is about the user's
// input, or the context's own.
func Discover(ctx context.Context, options Options) (Found, error) {
	if err := check(options.Recipe); err != nil {
		return Found{}, err
	}
	options.Timeout = cmp.Or(max(options.Timeout, 0), defaultTimeout)
	limit, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	options.Baseline = &audit.Baseline{}
	s := newScan(options)
	s.catalogue = nil
	result := s.run(limit)
	if err := ctx.Err(); err != nil {
		return Found{}, err
	}
	made := result.Report(s.setting())
	found := Found{Recipe: s.Recipe, Written: options.Recipe, Discovered: made.Discovered, Calibration: made.Calibration, Problem: made.Problem, Requests: made.Requests}
	if s.found != nil {
		found.Unproven = s.found.Unproven
	}
	return found, nil
}
