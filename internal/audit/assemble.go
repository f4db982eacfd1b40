package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/score"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Setting is what a report needs beside the result.
type Setting struct {
	Version  string
	Target   report.Target
	Policy   Policy
	Redactor *secret.Redactor
	Requests int
	Logins   int
	Duration time.Duration
	// Locate gives the place whose code has to change for a finding; never zero.
	// The doubt is why it is not a handler although there are some; often empty.
	Locate func(finding.Finding, finding.Rule) (place finding.Location, doubt string)
	// Flow gives what the source shows of a finding; nil where nobody reads it.
	Flow func(finding.Finding, finding.Rule) []finding.Step
	// Baseline is what findings are compared with; its Gone is filled by the report.
	Baseline Baseline
	Accepted []report.Declared // those not yet expired
	// Ended is why the target stopped during the scan; "" if it did not.
	Ended string
	Users []User
	// Discovered is what was found of the steps that the recipe leaves out.
	Discovered []report.Discovered
}

// Past is a finding of an earlier run, by rule and fingerprint.
type Past struct{ Rule, Fingerprint string }

// Baseline is what an earlier run found. The zero value is none.
type Baseline struct {
	Given  bool
	Source string // where it comes from, or why there is none
	// Findings are those of the baseline; true: somebody dismissed it since.
	Findings map[Past]bool
}

// declared is what accepts a finding: the recipe by its rule or the rule it is
// a variant of, or whoever dismissed the alert.
func (s Setting) declared(found report.Finding) (report.Declared, bool) {
	for _, d := range s.Accepted {
		if d.Rule == found.Rule.ID || d.Rule == found.Rule.Base() {
			return d, true
		}
	}
	dismissed := s.Baseline.Findings[Past{found.Rule.ID, found.Fingerprint}]
	return report.Declared{Rule: found.Rule.ID, Reason: "dismissed in code scanning"}, dismissed
}

// Report is the finished audit: scored, decided, and free of secrets and
// control characters. It is the one place where texts are cleaned.
func (result Result) Report(s Setting) report.Report {
	made := report.Report{
		Version: s.Version, Target: s.Target, Accepted: s.Accepted,
		Requests: s.Requests, Logins: s.Logins, Duration: s.Duration,
		Discovered: slices.Clone(s.Discovered), Calibration: calibrated(result.Facts), Cookies: result.cookies(), Samples: result.samples(),
	}
	if result.Problem.Code != "" {
		made.Problem = sentence(result.Problem)
	}
	if s.Ended != "" {
		made.Problem = s.Ended
	}
	var items, all []score.Item
	for _, outcome := range result.Outcomes {
		made.Results = append(made.Results, rows(outcome)...)
		open := map[string]bool{} // rules with a finding that nobody accepts
		for _, found := range outcome.Verdict.Findings {
			if outcome.Verdict.Outcome == finding.Fail {
				presented := result.present(s, outcome, found)
				open[found.Rule] = open[found.Rule] || presented.Status != report.Accepted
				made.Findings = append(made.Findings, presented)
			}
		}
		if !outcome.Verdict.Reason.Code.Free() {
			all = append(all, weigh(outcome, func(string) bool { return true })...)
			items = append(items, weigh(outcome, func(rule string) bool { return open[rule] })...)
		}
		if blocks(outcome.Probe.Rule, outcome.Verdict) {
			made.Coverage.CoreUntested = append(made.Coverage.CoreUntested, outcome.Probe.Rule.ID)
		}
	}
	for _, row := range made.Results {
		switch row.Outcome {
		case finding.Pass, finding.Fail:
			made.Coverage.Tested++
			made.Coverage.Applicable++
		case finding.NotTested:
			if row.Reason.Code != finding.OtherProfile {
				made.Coverage.Applicable++
			}
		}
	}
	slices.SortStableFunc(made.Findings, func(a, b report.Finding) int {
		return cmp.Or(cmp.Compare(b.Rule.Severity, a.Rule.Severity), cmp.Compare(a.Finding.Rule, b.Finding.Rule), cmp.Compare(a.Subject, b.Subject))
	})
	made.Score, made.WithAccepted = score.Of(items), score.Of(all).Value
	made.Baseline = s.Baseline.compared(made.Findings)
	clean(&made, s.Redactor)
	made.Gate = s.Policy.decide(made, result.Facts.Outside)
	return made
}

func sentence(reason finding.Reason) string {
	if reason.Remedy == "" {
		return reason.Text
	}
	return reason.Text + "; " + reason.Remedy
}

func calibrated(facts trace.Facts) report.Calibration {
	made := report.Calibration{Carrier: facts.CarrierName(), Controls: facts.Controls, Victim: facts.Victim()}
	if len(facts.Carrier) > 0 {
		made.Kind = "server-side session"
		if facts.Stateless {
			made.Kind = "session in the signed id itself"
		}
	}
	if len(facts.Users) > 1 {
		made.Attackers = facts.Users[1]
	}
	return made
}

// rows are the results of a probe's rule and its variants. What one severity
// of a weakness shows, the others do not.
func rows(outcome Outcome) []report.Result {
	var made []report.Result
	for _, rule := range outcome.Probe.Rules() {
		row := report.Result{Rule: rule, Outcome: outcome.Verdict.Outcome, Reason: outcome.Verdict.Reason, Note: outcome.Verdict.Note}
		if outcome.Verdict.Outcome == finding.Fail && !slices.ContainsFunc(outcome.Verdict.Findings, func(f finding.Finding) bool { return f.Rule == rule.ID }) {
			row.Outcome, row.Reason = finding.Pass, outcome.Verdict.Rest
			if row.Reason.Code != "" {
				row.Outcome = finding.NotTested
			}
		}
		made = append(made, row)
	}
	return made
}

// compared says what the baseline has and this scan no longer found.
func (b Baseline) compared(findings []report.Finding) report.Baseline {
	left := maps.Clone(b.Findings)
	for _, found := range findings {
		delete(left, Past{found.Rule.ID, found.Fingerprint})
	}
	made := report.Baseline{Given: b.Given, Source: b.Source}
	for past := range left {
		made.Gone = append(made.Gone, past.Rule)
	}
	slices.Sort(made.Gone)
	return made
}

// weigh gives the score one item for each rule that failed, or one for the
// probe. An accepted risk, which is not open, weighs like a pass.
func weigh(outcome Outcome, open func(rule string) bool) []score.Item {
	rules := outcome.Probe.Rules()
	lowest := rules[0].Severity
	for _, rule := range rules {
		lowest = min(lowest, rule.Severity)
	}
	item := score.Item{Rule: rules[0].ID, Family: rules[0].Family, Outcome: outcome.Verdict.Outcome, Lowest: lowest}
	if outcome.Verdict.Outcome != finding.Fail {
		return []score.Item{item}
	}
	var items []score.Item
	for _, rule := range rules {
		if slices.ContainsFunc(outcome.Verdict.Findings, func(f finding.Finding) bool { return f.Rule == rule.ID }) {
			item.Rule, item.Severity, item.Outcome = rule.ID, rule.Severity, finding.Fail
			if !open(rule.ID) {
				item.Outcome = finding.Pass
			}
			items = append(items, item)
		}
	}
	return items
}

func (result Result) present(s Setting, outcome Outcome, found finding.Finding) report.Finding {
	made := report.Finding{Finding: found, Status: report.New,
		Replay: replay(result.Seen, found, s.Users, s.Redactor)}
	for _, rule := range outcome.Probe.Rules() {
		if rule.ID == found.Rule {
			made.Rule = rule
		}
	}
	made.Location, made.Doubt = s.Locate(found, made.Rule)
	if s.Flow != nil {
		made.Flow = s.Flow(found, made.Rule)
	}
	made.Fingerprint = fingerprint(result.Seen, found)
	if declared, accepted := s.declared(made); accepted {
		made.Status, made.Declared = report.Accepted, declared
	} else if _, known := s.Baseline.Findings[Past{found.Rule, made.Fingerprint}]; known {
		made.Status = report.Known
	}
	return made
}

// fingerprint names a finding over runs: the rule, the request whose handler
// has to change and the subject. No port, id or time goes in, and no line, so
// that moving code keeps it. The form is that of GitHub's primaryLocationLineHash.
func fingerprint(seen []trace.Exchange, found finding.Finding) string {
	request := found.Step
	for _, exchange := range seen {
		if exchange.Step == found.Step && exchange.Hop == 0 {
			request = exchange.Request.Line()
			break
		}
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{found.Rule, request, found.Subject}, "\n")))
	return hex.EncodeToString(sum[:8]) + ":1"
}

// clean takes secrets and control characters out of every text that came from
// the target or was made from it. Rules are our own words.
func clean(r *report.Report, redactor *secret.Redactor) {
	wash := func(texts ...*string) {
		for _, text := range texts {
			*text = printable(redactor.Clean(*text))
		}
	}
	wash(&r.Target.URL, &r.Target.Store, &r.Target.StoreProblem, &r.Target.Name, &r.Problem, &r.Calibration.Carrier, &r.Baseline.Source)
	for i := range r.Results {
		wash(&r.Results[i].Reason.Text, &r.Results[i].Reason.Remedy, &r.Results[i].Note)
	}
	for i := range r.Discovered {
		one := &r.Discovered[i]
		wash(&one.Request, &one.From, &one.Note, &one.Pin)
	}
	for i := range r.Cookies {
		cookie := &r.Cookies[i]
		wash(&cookie.Name, &cookie.Request, &cookie.SameSite, &cookie.Domain, &cookie.Path)
		for j := range cookie.Rejected {
			wash(&cookie.Rejected[j])
		}
	}
	for i := range r.Samples {
		wash(&r.Samples[i].Cookie)
	}
	controls := slices.Clone(r.Calibration.Controls)
	for i := range controls {
		wash(&controls[i].Note)
	}
	r.Calibration.Controls = controls
	for i := range r.Findings {
		found := &r.Findings[i]
		wash(&found.Subject, &found.Message, &found.Doubt)
		if found.Replay = stripped(redactor.Clean(found.Replay)); len(found.Replay) > longestReplay {
			found.Replay = "" // a part of a script is none
		}
		found.Evidence = slices.Clone(found.Evidence)
		for j := range found.Evidence {
			wash(&found.Evidence[j].Actor, &found.Evidence[j].Request, &found.Evidence[j].Note)
		}
		for j := range found.Flow {
			wash(&found.Flow[j].Says)
		}
	}
}

// What a target can put into a report is bounded.
const (
	longestText   = 4000
	longestReplay = 64 << 10 // bytes
)

// printable drops what could steer a terminal or a log: C0, C1, format
// characters such as bidirectional overrides. Line breaks stay.
func printable(text string) string {
	kept := stripped(text)
	if runes := []rune(kept); len(runes) > longestText {
		return string(runes[:longestText]) + "…"
	}
	return kept
}

func stripped(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar, r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
