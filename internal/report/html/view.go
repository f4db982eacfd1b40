package html

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/ladder"
	"github.com/sessiongate/sessiongate/internal/report/tame"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// view is the report as the page needs it. Words and figures only: markup is
// the template's business.
type view struct {
	report.Report
	Style         template.CSS
	Policy        string
	Word, Mood    string // "Gate not met", "bad"
	Lost          []trace.Control
	Deductions    []deduction
	Taken         string
	Capped, Open  bool
	Counted       []attack
	Untested      []report.Open
	UntestedTotal int
	Families      []family
	Declared      []declared
	Known, New    []string
	Plots         []plot
	Dial          dial
}

// notMeasured is the exit code of a gate that cannot answer.
const notMeasured = 3

func viewOf(r report.Report) view {
	v := view{Report: r, Style: template.CSS(style), Policy: policy(), Word: "Gate not met", Mood: "bad", Dial: dialOf(r.Score.Value)}
	switch {
	case r.Gate.Passed:
		v.Word, v.Mood = "Gate met", "good"
	case r.Gate.ExitCode == notMeasured:
		v.Word, v.Mood = "Gate undecided", "open"
	}
	for _, control := range r.Calibration.Controls {
		if !control.Held && !control.Skipped {
			v.Lost = append(v.Lost, control)
		}
	}
	v.Deductions, v.Taken, v.Capped, v.Open = deductions(r)
	for i, f := range r.Counted() {
		v.Counted = append(v.Counted, attackOf(i+1, f, r.Calibration.Victim))
	}
	if r.Problem == "" {
		v.Untested = r.Open()
	}
	for _, open := range v.Untested {
		v.UntestedTotal += len(open.Rules)
	}
	v.Families = families(r)
	v.Declared = declarations(r)
	v.New, v.Known = named(r.With(report.New)), named(r.With(report.Known))
	for _, sample := range r.Samples {
		v.Plots = append(v.Plots, plotOf(sample))
	}
	return v
}

func named(findings []report.Finding) []string {
	var names []string
	for _, f := range findings {
		names = append(names, f.Rule.ID+", "+f.Subject)
	}
	return names
}

// dial is the score as a ring: the length of its arc and of the rest.
type dial struct{ Arc, Rest string }

const around = 2 * math.Pi * 52 // the ring's radius in the template

func dialOf(score int) dial {
	arc := around * float64(score) / 100
	return dial{fmt.Sprintf("%.1f", arc), fmt.Sprintf("%.1f", around-arc)}
}

type deduction struct {
	Rule, Points string
	Width        int // of 100
	Untested     bool
}

func deductions(r report.Report) (lines []deduction, taken string, capped, open bool) {
	const full = 1000
	total, most := 0, 300 // a bar for less than 30 points is not to look like a disaster
	for _, line := range r.Score.Deductions {
		total += line.Points
		most = max(most, line.Points)
		open = open || line.Untested
	}
	for _, line := range r.Score.Deductions {
		lines = append(lines, deduction{line.Rule, points(line.Points), max(1, 100*line.Points/most), line.Untested})
	}
	return lines, points(total), full-total > 10*r.Score.Cap, open
}

func points(tenths int) string { return finding.Severity(tenths).String() }

// attack is a finding with its story.
type attack struct {
	report.Finding
	Number  int
	Level   finding.Level
	Score   string // "8.1"; "" for a note
	Parties []ladder.Party
	Rungs   []rung
	Traced  string
}

// rung is a line of the story and where it is drawn: lanes are numbered from 1.
type rung struct {
	ladder.Rung
	From, To    int  // From is left of To
	Lanes       int  // it spans
	LabelFrom   int  // where its words begin: they may need more room
	Still       bool // nothing travels
	Traced      bool
	Actor, Seen string
	Ok          string // of the answer: "ok", "no" or "none"
	Harm        bool   // the attacker reads what is the victim's
}

func attackOf(number int, f report.Finding, victim string) attack {
	rungs := ladder.Of(f.Finding)
	made := attack{Finding: f, Number: number, Level: f.Rule.Severity.Level(), Parties: ladder.Parties(rungs), Traced: ladder.Traced(rungs)}
	if f.Rule.Severity > 0 {
		made.Score = f.Rule.Severity.String()
	}
	for _, one := range rungs {
		drawn := rungOf(one, made.Parties, made.Traced)
		drawn.Harm = one.From == ladder.Attacker && victim != "" && strings.HasPrefix(one.Answer, "reads "+victim+"'s")
		made.Rungs = append(made.Rungs, drawn)
	}
	return made
}

func rungOf(one ladder.Rung, parties []ladder.Party, traced string) rung {
	from, to := slices.Index(parties, one.From)+1, slices.Index(parties, one.To)+1
	made := rung{Rung: one, From: min(from, to), To: max(from, to), Still: from == to, Traced: one.Has(traced), Actor: one.From.String()}
	made.Lanes = made.To - made.From + 1
	made.LabelFrom = made.From
	if one.To == ladder.Store || made.Still { // a statement is long, and its arrow short
		made.LabelFrom = max(1, made.To-2)
	}
	if made.Still {
		made.From = made.LabelFrom
	}
	if one.As != "" {
		made.Actor += " (" + one.As + ")"
	}
	switch {
	case !one.IsRequest():
		made.Ok = "none"
	case one.Status >= 200 && one.Status < 400:
		made.Ok, made.Seen = "ok", fmt.Sprint(one.Status)
	default:
		made.Ok, made.Seen = "no", fmt.Sprint(one.Status)
		if one.Status == 0 {
			made.Seen = "no answer"
		}
	}
	return made
}

// piece is a part of a text; the traced id is shown in one colour everywhere.
type piece struct {
	ladder.Piece
	Traced bool
}

func pieces(text, traced string) []piece {
	var made []piece
	for _, part := range ladder.Pieces(tame.Line(text)) {
		made = append(made, piece{part, part.IsID && part.Text == traced})
	}
	return made
}

func place(l finding.Location) string {
	if l.Line < 1 {
		return l.File
	}
	return fmt.Sprintf("%s:%d", l.File, l.Line)
}

// family is a part of the coverage matrix.
type family struct {
	Name   string
	Rows   []row
	Fail   bool
	Counts string // "1 failed, 4 held"
}

type row struct {
	report.Result
	Level, Score string
	Word, Class  string
	Said         string
}

// families keeps the order in which the catalogue first names each.
func families(r report.Report) []family {
	var all []family
	for _, result := range r.Results {
		at := slices.IndexFunc(all, func(f family) bool { return f.Name == string(result.Rule.Family) })
		if at < 0 {
			at, all = len(all), append(all, family{Name: string(result.Rule.Family)})
		}
		one := row{Result: result, Level: string(result.Rule.Severity.Level()), Said: said(result)}
		if result.Rule.Severity > 0 {
			one.Score = result.Rule.Severity.String()
		}
		one.Word, one.Class = outcomeOf(result.Outcome)
		all[at].Rows = append(all[at].Rows, one)
		all[at].Fail = all[at].Fail || result.Outcome == finding.Fail
	}
	for i := range all {
		all[i].Counts = counts(all[i].Rows)
	}
	return all
}

func outcomeOf(outcome finding.Outcome) (word, class string) {
	switch outcome {
	case finding.Pass:
		return "held", "pass"
	case finding.Fail:
		return "failed", "fail"
	case finding.NotApplicable:
		return "not applicable", "without"
	}
	return "not tested", "open"
}

func counts(rows []row) string {
	var told []string
	for _, word := range []string{"failed", "held", "not tested", "not applicable"} {
		number := 0
		for _, one := range rows {
			if one.Word == word {
				number++
			}
		}
		if number > 0 {
			told = append(told, fmt.Sprintf("%d %s", number, word))
		}
	}
	return strings.Join(told, ", ")
}

func said(result report.Result) string {
	switch result.Outcome {
	case finding.Pass:
		return result.Note
	case finding.Fail:
		return ""
	}
	if result.Reason.Text == "" {
		return "without a reason"
	}
	return result.Reason.Text
}

// declared is what the user has said of a rule.
type declared struct{ Kind, Rule, Subject, Reason string }

func declarations(r report.Report) []declared {
	var all []declared
	for _, f := range r.With(report.Accepted) {
		all = append(all, declared{"accepted", f.Rule.ID, f.Subject, f.Declared.String()})
	}
	for _, result := range r.Results {
		if result.Outcome == finding.NotApplicable {
			all = append(all, declared{"not applicable", result.Rule.ID, "", result.Reason.Text})
		}
	}
	return all
}

func lifetime(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return "until the browser closes"
	case d >= 2*day:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f minutes", math.Ceil(d.Minutes()))
}

// plot is the entropy of each place of the sampled ids, as bars.
type plot struct {
	report.Sample
	Bars          []bar
	Width, Height int
	Bits, Most    string
	Order, Says   string
}

type bar struct{ X, Y, Width, Height int }

const (
	tall  = 96
	thick = 8
	gap   = 2
)

func plotOf(sample report.Sample) plot {
	most := 1.0
	for _, bits := range sample.Places {
		most = max(most, bits)
	}
	made := plot{Sample: sample, Width: len(sample.Places) * (thick + gap), Height: tall,
		Bits: fmt.Sprintf("%.0f", sample.Capacity), Most: fmt.Sprintf("%.1f", most)}
	fixed := 0
	for i, bits := range sample.Places {
		height := int(math.Round(tall * bits / most))
		if bits == 0 {
			fixed++
			height = 1
		}
		made.Bars = append(made.Bars, bar{i * (thick + gap), tall - height, thick, height})
	}
	steps := sample.Count - 1
	made.Order = fmt.Sprintf("%d of %d ids are greater than the one issued before: %s", sample.Rising, steps, order(sample.Rising, steps))
	made.Says = fmt.Sprintf("%d places, %d of them never change, the others show up to %s bits each", len(sample.Places), fixed, made.Most)
	return made
}

// order says what the figure means; within three standard deviations of a
// sequence in no order, (n+1)/12, it means nothing.
func order(rising, steps int) string {
	off := float64(rising) - float64(steps)/2
	switch limit := 3 * math.Sqrt(float64(steps+2)/12); {
	case math.Abs(off) <= limit:
		return "time does not order them"
	case off > 0:
		return "they rise with time"
	}
	return "they fall with time"
}
