// Package score turns outcomes into 0..100 points and a grade. It is the only
// place with weights; probes.md §8 derives them and proves that fixing never
// lowers the score and hiding never raises it.
package score

import (
	"cmp"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
)

// Item is one probe's outcome.
type Item struct {
	Rule     string // of the confirmed variant, else of the probe
	Family   finding.Family
	Outcome  finding.Outcome
	Severity finding.Severity // of the confirmed variant; ignored unless fail
	Lowest   finding.Severity // of the probe's variants: what being untested costs a tenth of
}

// Score is the result, with every point explained.
type Score struct {
	Value            int    // 0..100
	Grade            string // A+ A B C D F
	IfUntestedPassed int    // the same findings, everything untested passed
	Deductions       []Deduction
	Cap              int // by the worst finding; 100 without one
}

// Deduction is one line of the explanation. Points are what the rule took after
// family damping, in tenths.
type Deduction struct {
	Rule     string
	Points   int
	Untested bool
}

// full is a perfect score in tenths.
const full = 1000

// Of weighs the outcomes of one catalogue; their order does not matter. The
// deductions are those of the findings and then those of what is untested, each
// dearest first. They add up to all that was taken, which can be more or less
// than the score shows: it stops at 0 and at the cap, and drops its tenths.
// Nothing is listed that costs nothing. No items at all is no measurement: 0.
func Of(items []Item) Score {
	if len(items) == 0 {
		return Score{Grade: "F", Cap: 100}
	}
	failed, open := split(items)
	confirmed, untested := damped(failed), unproven(open)
	limit := limitOf(failed)
	value := points(sum(confirmed)+sum(untested), limit)
	return Score{
		Value:            value,
		Grade:            grade(value, len(open) == 0),
		IfUntestedPassed: points(sum(confirmed), limit),
		Deductions:       append(dearest(confirmed), dearest(untested)...),
		Cap:              limit,
	}
}

// split leaves out what costs nothing. An outcome that is none counts as
// untested: silence is not a pass.
func split(items []Item) (failed, open []Item) {
	for _, item := range items {
		switch item.Outcome {
		case finding.Pass, finding.NotApplicable:
		case finding.Fail:
			failed = append(failed, item)
		default:
			open = append(open, item)
		}
	}
	return failed, open
}

// weight is what one severity takes, in tenths of a point. It jumps where the
// CVSS bands begin, so that many small findings do not outweigh a grave one.
func weight(s finding.Severity) int {
	switch s.Level() {
	case finding.Critical:
		return 6 * int(s)
	case finding.High:
		return 4 * int(s)
	case finding.Medium:
		return 2 * int(s)
	case finding.Low:
		return int(s)
	}
	return 0
}

// damped counts the worst finding of a family fully and the others by a
// quarter, since one root cause fires several probes. A family takes
// floor((3*max + sum) / 4); each other line is rounded down, and what rounding
// leaves over (less than a tenth for each) goes to the line of the worst, so
// that the lines add up to exactly that.
func damped(failed []Item) []Deduction {
	families := map[finding.Family][]Item{}
	for _, item := range failed {
		families[item.Family] = append(families[item.Family], item)
	}
	var lines []Deduction
	for _, members := range families {
		lines = append(lines, family(members)...)
	}
	return lines
}

func family(members []Item) []Deduction {
	// Equally bad rules are told apart by name, whatever order they came in.
	slices.SortFunc(members, func(a, b Item) int {
		return cmp.Or(cmp.Compare(weight(b.Severity), weight(a.Severity)), cmp.Compare(a.Rule, b.Rule))
	})
	worst := weight(members[0].Severity)
	total := 3 * worst
	for _, member := range members {
		total += weight(member.Severity)
	}
	left := total / 4
	var lines []Deduction
	for _, other := range members[1:] {
		quarter := weight(other.Severity) / 4
		left -= quarter
		lines = add(lines, Deduction{Rule: other.Rule, Points: quarter})
	}
	return add(lines, Deduction{Rule: members[0].Rule, Points: left})
}

// unproven takes a tenth of what the mildest variant would cost. A quarter
// would be the most that keeps hiding from paying (probes.md §8.3).
func unproven(open []Item) []Deduction {
	var lines []Deduction
	for _, item := range open {
		lines = add(lines, Deduction{Rule: item.Rule, Points: weight(item.Lowest) / 10, Untested: true})
	}
	return lines
}

func add(lines []Deduction, line Deduction) []Deduction {
	if line.Points == 0 {
		return lines
	}
	return append(lines, line)
}

func sum(lines []Deduction) int {
	total := 0
	for _, line := range lines {
		total += line.Points
	}
	return total
}

// dearest sorts in place.
func dearest(lines []Deduction) []Deduction {
	slices.SortFunc(lines, func(a, b Deduction) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.Rule, b.Rule))
	})
	return lines
}

// limitOf keeps a score from hiding its worst finding.
func limitOf(failed []Item) int {
	limit := 100
	for _, item := range failed {
		limit = min(limit, limits[item.Severity.Level()])
	}
	return limit
}

var limits = map[finding.Level]int{
	finding.Critical: 24,
	finding.High:     49,
	finding.Medium:   79,
	finding.Low:      94,
	finding.Note:     100,
}

func points(taken, limit int) int { return max(0, min(full-taken, 10*limit)) / 10 }

// grade gives A+ only to a whole measurement, even where what is open is a
// note and costs nothing.
func grade(value int, whole bool) string {
	switch {
	case value == 100 && whole:
		return "A+"
	case value >= 90:
		return "A"
	case value >= 80:
		return "B"
	case value >= 65:
		return "C"
	case value >= 50:
		return "D"
	}
	return "F"
}
