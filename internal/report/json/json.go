// Package json writes a report in the JSON form that scripts rely on, and reads
// back what a baseline needs of it. Version 1 only ever gains fields.
package json

import (
	"io"
	"math"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/safejson"
	"github.com/sessiongate/sessiongate/internal/score"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// version is that of the format, not of the tool.
const version = 1

// Write writes the report. An empty list is [], never null. Its error is the
// writer's.
func Write(w io.Writer, r report.Report) error { return safejson.Write(w, of(r)) }

// document has its fields in the order in which they are documented.
type document struct {
	Version             int         `json:"version"`
	Tool                tool        `json:"tool"`
	Target              target      `json:"target"`
	Score               int         `json:"score"`
	Grade               string      `json:"grade"`
	ScoreIfUntestedPass int         `json:"score_if_untested_pass"`
	Gate                gate        `json:"gate"`
	Coverage            coverage    `json:"coverage"`
	Results             []result    `json:"results"`
	Findings            []weakness  `json:"findings"`
	Deductions          []deduction `json:"deductions"`
	Calibration         calibration `json:"calibration"`
	Baseline            *baseline   `json:"baseline,omitempty"`
	Cookies             []cookie    `json:"cookies"`
	Samples             []sample    `json:"samples"`
	Discovered          []found     `json:"discovered,omitempty"`
	Requests            int         `json:"requests"`
	Logins              int         `json:"logins"`
	DurationMS          int64       `json:"duration_ms"`
	Problem             string      `json:"problem,omitempty"`
}

type tool struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Catalogue int    `json:"catalogue"`
}

type target struct {
	URL          string `json:"url"`
	Store        string `json:"store"`
	StoreProblem string `json:"store_problem,omitempty"`
}

type gate struct {
	Passed    bool   `json:"passed"`
	FailUnder int    `json:"fail_under"`
	Reason    string `json:"reason"`
	ExitCode  int    `json:"exit_code"`
}

type coverage struct {
	Tested       int      `json:"tested"`
	Applicable   int      `json:"applicable"`
	CoreUntested []string `json:"core_untested"`
}

type result struct {
	Rule    string          `json:"rule"`
	Outcome finding.Outcome `json:"outcome"`
	Core    bool            `json:"core"`
	Reason  string          `json:"reason,omitempty"`
	Remedy  string          `json:"remedy,omitempty"`
	Note    string          `json:"note,omitempty"`
}

type weakness struct {
	Rule        string        `json:"rule"`
	Title       string        `json:"title"`
	Severity    tenths        `json:"severity"`
	Level       finding.Level `json:"level"`
	Subject     string        `json:"subject"`
	Step        string        `json:"step"`
	Message     string        `json:"message"`
	CWE         []int         `json:"cwe"`
	ASVS        []string      `json:"asvs"`
	OWASPAPI    []string      `json:"owasp_api"`
	Location    location      `json:"location"`
	Fingerprint string        `json:"fingerprint"`
	Status      report.Status `json:"status"`
	Evidence    []evidence    `json:"evidence"`
	Flow        []step        `json:"flow"`
	Replay      string        `json:"replay"`
	Remediation string        `json:"remediation"`
}

type found struct {
	Step    string `json:"step"`
	Request string `json:"request"` // "" where it was not found
	From    string `json:"from,omitempty"`
	Note    string `json:"note,omitempty"`
	Pin     string `json:"pin"`
	// Unproven is true for what was read and is not used.
	Unproven bool `json:"unproven,omitempty"`
}

type location struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Doubt string `json:"doubt,omitempty"`
}

func locationOf(f report.Finding) location {
	place, doubt := f.Place(), f.Doubt
	if place != f.Location {
		doubt = "no file is known; a recipe would stand there"
	}
	return location{place.File, place.Line, doubt}
}

type evidence struct {
	Actor   string `json:"actor"`
	Request string `json:"request"`
	Status  int    `json:"status"`
	Note    string `json:"note"`
}

// step is a station on the way through the source.
type step struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Says string `json:"says"`
}

type deduction struct {
	Rule   string `json:"rule"`
	Points tenths `json:"points"`
}

type calibration struct {
	Carrier   string    `json:"carrier"`
	Kind      string    `json:"kind"`
	Victim    string    `json:"victim"`
	Attackers string    `json:"attackers"`
	Controls  []control `json:"controls"`
}

// baseline is there when the scan was compared with one.
type baseline struct {
	Source string   `json:"source,omitempty"`
	Gone   []string `json:"gone"`
}

type cookie struct {
	Name            string   `json:"name"`
	Request         string   `json:"request"`
	Carrier         bool     `json:"carrier"`
	Secure          bool     `json:"secure"`
	HTTPOnly        bool     `json:"http_only"`
	Partitioned     bool     `json:"partitioned"`
	SameSite        string   `json:"same_site"`
	Domain          string   `json:"domain"`
	Path            string   `json:"path"`
	LifetimeSeconds int64    `json:"lifetime_seconds"`
	Rejected        []string `json:"rejected"`
	Times           int      `json:"times"`
}

type sample struct {
	Cookie   string   `json:"cookie"`
	Count    int      `json:"count"`
	Capacity tenths   `json:"capacity_bits"`
	Places   []tenths `json:"place_bits"`
	Rising   int      `json:"rising"`
}

type control struct {
	Name    string `json:"name"`
	Says    string `json:"says"`
	Held    bool   `json:"held"`
	Skipped bool   `json:"skipped"`
	Note    string `json:"note,omitempty"`
}

// tenths is written with its decimal, and never as a binary fraction: 81 is 8.1.
type tenths int

func (t tenths) MarshalJSON() ([]byte, error) { return []byte(finding.Severity(t).String()), nil }

func of(r report.Report) document {
	return document{
		Version:             version,
		Tool:                tool{Name: "sessiongate", Version: r.Version, Catalogue: report.Catalogue},
		Target:              target{URL: r.Target.URL, Store: r.Target.Store, StoreProblem: r.Target.StoreProblem},
		Score:               r.Score.Value,
		Grade:               r.Score.Grade,
		ScoreIfUntestedPass: r.Score.IfUntestedPassed,
		Gate:                gate{r.Gate.Passed, r.Gate.FailUnder, r.Gate.Reason, r.Gate.ExitCode},
		Coverage:            coverage{r.Coverage.Tested, r.Coverage.Applicable, list(r.Coverage.CoreUntested)},
		Results:             each(r.Results, resultOf),
		Findings:            each(r.Findings, weaknessOf),
		Deductions:          each(r.Score.Deductions, deductionOf),
		Calibration:         calibrationOf(r.Calibration),
		Baseline:            baselineOf(r.Baseline),
		Cookies:             each(r.Cookies, cookieOf),
		Samples:             each(r.Samples, sampleOf),
		Discovered:          each(r.Discovered, func(d report.Discovered) found { return found(d) }),
		Requests:            r.Requests,
		Logins:              r.Logins,
		DurationMS:          r.Duration.Milliseconds(),
		Problem:             r.Problem,
	}
}

// each never returns nil: readers of the report loop over its lists.
func each[From, To any](from []From, convert func(From) To) []To {
	to := make([]To, len(from))
	for i, item := range from {
		to[i] = convert(item)
	}
	return to
}

func list[T any](items []T) []T { return each(items, func(item T) T { return item }) }

func resultOf(r report.Result) result {
	return result{
		Rule: r.Rule.ID, Outcome: r.Outcome, Core: r.Rule.Core,
		Reason: reasonOf(r), Remedy: r.Reason.Remedy, Note: r.Note,
	}
}

func reasonOf(r report.Result) string {
	switch {
	case r.Outcome != finding.NotTested && r.Outcome != finding.NotApplicable:
		return ""
	case r.Reason.Code == "": // in the user's own words
		return r.Reason.Text
	}
	return r.Reason.String()
}

func weaknessOf(f report.Finding) weakness {
	return weakness{
		Rule: f.Rule.ID, Title: f.Rule.Title,
		Severity: tenths(f.Rule.Severity), Level: f.Rule.Severity.Level(),
		Subject: f.Subject, Step: f.Step, Message: f.Message,
		CWE: list(f.Rule.CWE), ASVS: list(f.Rule.ASVS), OWASPAPI: list(f.Rule.OWASPAPI),
		Location:    locationOf(f),
		Fingerprint: f.Fingerprint, Status: f.Status,
		Evidence: each(f.Evidence, evidenceOf), Flow: each(f.Flow, stepOf),
		Replay: f.Replay, Remediation: f.Rule.Fix,
	}
}

func evidenceOf(e finding.Evidence) evidence {
	return evidence{e.Actor, e.Request, e.Status, e.Note}
}

func stepOf(s finding.Step) step { return step{s.File, s.Line, s.Says} }

func deductionOf(d score.Deduction) deduction { return deduction{d.Rule, tenths(d.Points)} }

func calibrationOf(c report.Calibration) calibration {
	return calibration{
		Carrier: c.Carrier, Kind: c.Kind, Victim: c.Victim, Attackers: c.Attackers,
		Controls: each(c.Controls, controlOf),
	}
}

func baselineOf(b report.Baseline) *baseline {
	if !b.Given {
		return nil
	}
	return &baseline{b.Source, list(b.Gone)}
}

func cookieOf(c report.Cookie) cookie {
	return cookie{c.Name, c.Request, c.Carrier, c.Secure, c.HTTPOnly, c.Partitioned, c.SameSite, c.Domain, c.Path,
		int64(c.Lifetime.Seconds()), list(c.Rejected), c.Times}
}

func sampleOf(s report.Sample) sample {
	return sample{s.Cookie, s.Count, tenth(s.Capacity), each(s.Places, tenth), s.Rising}
}

func tenth(bits float64) tenths { return tenths(math.Round(10 * bits)) }

func controlOf(c trace.Control) control {
	return control{c.Name, c.Says, c.Held, c.Skipped, c.Note}
}
