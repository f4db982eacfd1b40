package score_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/score"
)

func failed(rule string, family finding.Family, severity finding.Severity) score.Item {
	return score.Item{Rule: rule, Family: family, Outcome: finding.Fail, Severity: severity, Lowest: severity}
}

func open(rule string, lowest finding.Severity) score.Item {
	return score.Item{Rule: rule, Family: finding.Cookie, Outcome: finding.NotTested, Lowest: lowest}
}

// among puts the items into a catalogue where all else passed.
func among(items ...score.Item) []score.Item {
	passed := score.Item{Rule: "passed", Family: finding.Exposure, Outcome: finding.Pass, Lowest: 91}
	declared := score.Item{Rule: "declared", Family: finding.Exposure, Outcome: finding.NotApplicable, Lowest: 91}
	return append([]score.Item{passed, declared}, items...)
}

// lowest are the mildest variants of the 63 probes of probes.md §4, in tenths.
var lowest = []finding.Severity{
	68, 81, 31, 81, 81, 68, 81, 31, 81, 31, 81, 68, 31, 54, 53, 91, 59, 91, 68, 68, 53,
	53, 65, 59, 59, 42, 42, 31, 59, 31, 0, 74, 74, 91, 91, 91, 91, 91, 91, 31, 53, 42,
	31, 31, 31, 42, 31, 31, 0, 53, 31, 31, 37, 37, 91, 75, 53, 54, 43, 54, 65, 31, 43,
}

func nothingTested() []score.Item {
	items := make([]score.Item, len(lowest))
	for i, severity := range lowest {
		items[i] = open(fmt.Sprint("rule-", i), severity)
	}
	return items
}

func TestWorkedValues(t *testing.T) {
	t.Parallel()
	plainHTTP := []score.Item{open("secure", 53), open("prefix-bypass", 53), open("prefix", 31), open("rejected", 31), open("tls", 31)}
	for name, test := range map[string]struct {
		items     []score.Item
		value     int
		grade     string
		ifPassed  int
		highestOK int
	}{
		"all pass":         {among(), 100, "A+", 100, 100},
		"plain http":       {among(plainHTTP...), 97, "A", 100, 100},
		"nothing tested":   {nothingTested(), 0, "F", 100, 100},
		"no items":         {nil, 0, "F", 0, 100},
		"no HttpOnly":      {among(failed("httponly", finding.Cookie, 42)), 79, "C", 79, 79},
		"no prefix":        {among(failed("prefix", finding.Cookie, 31)), 94, "A", 94, 94},
		"no rotation":      {among(failed("rotation", finding.Fixation, 81)), 49, "F", 49, 49},
		"SQL injection":    {among(failed("sql", finding.Exposure, 98)), 24, "F", 24, 24},
		"a note":           {among(failed("note", finding.Cookie, 0)), 100, "A+", 100, 100},
		"a note untested":  {among(open("note", 0)), 100, "A", 100, 100},
		"no outcome":       {among(score.Item{Rule: "silent", Lowest: 81}), 96, "A", 100, 100},
		"worse than worst": {among(failed("a", finding.Cookie, 91), failed("b", finding.Fixation, 91)), 0, "F", 0, 24},
		"four at once": {among(failed("rotation", finding.Fixation, 81), failed("reuse", finding.Fixation, 68),
			failed("logout", finding.Termination, 65), failed("httponly", finding.Cookie, 42)), 42, "F", 42, 49},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := score.Of(test.items)
			if got.Value != test.value || got.Grade != test.grade || got.IfUntestedPassed != test.ifPassed || got.Cap != test.highestOK {
				t.Errorf("got %d %s, %d if untested passed, cap %d; want %d %s, %d, %d",
					got.Value, got.Grade, got.IfUntestedPassed, got.Cap, test.value, test.grade, test.ifPassed, test.highestOK)
			}
		})
	}
}

func TestGradesBeginWhereTheyAreSaidTo(t *testing.T) {
	t.Parallel()
	for value, grade := range map[int]string{90: "A", 80: "B", 65: "C", 50: "D"} {
		at := leaving(value)
		if got := score.Of(at); got.Value != value || got.Grade != grade {
			t.Errorf("got %d %s, want %d %s", got.Value, got.Grade, value, grade)
		}
		if got := score.Of(append(at, open("last straw", 31))); got.Value != value-1 || got.Grade == grade {
			t.Errorf("below %d: got %d %s", value, got.Value, got.Grade)
		}
	}
}

// leaving has so much untested that exactly that many points remain: 8.1 takes
// 32 tenths, 3.1 takes 3.
func leaving(value int) []score.Item {
	var items []score.Item
	for left := 1000 - 10*value; left > 0; {
		severity, takes := finding.Severity(31), 3
		if left%3 != 0 {
			severity, takes = 81, 32
		}
		items = append(items, open(fmt.Sprint("rule-", len(items)), severity))
		left -= takes
	}
	return items
}

func TestDeductionsNameWhatEachRuleTook(t *testing.T) {
	t.Parallel()
	got := score.Of(among(
		failed("b-low", finding.Fixation, 31), failed("rotation", finding.Fixation, 81), failed("query", finding.Fixation, 81),
		failed("a-low", finding.Fixation, 31), failed("reuse", finding.Fixation, 67), failed("note", finding.Cookie, 0),
		open("tls", 31), open("quiet", 0),
	)).Deductions
	want := []score.Deduction{
		// 324 and what rounding left of 324/4 + 134/4 + 31/4 + 31/4 = 130.
		{Rule: "query", Points: 326},
		{Rule: "rotation", Points: 81},
		{Rule: "reuse", Points: 33},
		{Rule: "a-low", Points: 7},
		{Rule: "b-low", Points: 7},
		{Rule: "tls", Points: 3, Untested: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deductions (-want +got):\n%s", diff)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		items, _ := draw(random)
		want := score.Of(items)
		random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		if diff := cmp.Diff(want, score.Of(items)); diff != "" {
			t.Fatalf("another order, another score (-want +got):\n%s", diff)
		}
	}
}

func TestOfKeepsItsItems(t *testing.T) {
	t.Parallel()
	items, _ := draw(rand.New(rand.NewPCG(5, 6)))
	before := slices.Clone(items)
	score.Of(items)
	if diff := cmp.Diff(before, items); diff != "" {
		t.Errorf("the items changed (-before +after):\n%s", diff)
	}
}

// TestWorseIsNeverBetter takes single steps down the order of probes.md §8.3,
// and compares the explanation with the formula of §8.2 on the way.
func TestWorseIsNeverBetter(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for steps := 0; steps < 50_000; {
		items, variants := draw(random)
		before := score.Of(items)
		for range 20 {
			at := random.IntN(len(items))
			worse, ok := worsened(random, items[at], variants[at])
			if !ok {
				continue
			}
			was := items[at]
			items[at] = worse
			after := score.Of(items)
			if after.Value > before.Value || after.IfUntestedPassed > before.IfUntestedPassed {
				t.Fatalf("%+v made of %+v raised %d (%d) to %d (%d)", worse, was,
					before.Value, before.IfUntestedPassed, after.Value, after.IfUntestedPassed)
			}
			explained(t, items, after)
			before = after
			steps++
		}
	}
}

func explained(t *testing.T, items []score.Item, got score.Score) {
	t.Helper()
	lines := 0
	for _, line := range got.Deductions {
		if line.Points <= 0 {
			t.Fatalf("a line that takes nothing: %+v", line)
		}
		lines += line.Points
	}
	taken := formula(items)
	if lines != taken {
		t.Fatalf("the lines take %d tenths, the formula %d: %+v", lines, taken, got)
	}
	if want := max(0, min(1000-taken, 10*got.Cap)) / 10; got.Value != want {
		t.Fatalf("value %d, the formula says %d: %+v", got.Value, want, got)
	}
}

// formula is §8.2 written down a second time: all that is taken, in tenths.
func formula(items []score.Item) int {
	d := func(s finding.Severity) int {
		switch {
		case s < 40:
			return int(s)
		case s < 70:
			return 2 * int(s)
		case s < 90:
			return 4 * int(s)
		}
		return 6 * int(s)
	}
	worst, total, taken := map[finding.Family]int{}, map[finding.Family]int{}, 0
	for _, item := range items {
		switch item.Outcome {
		case finding.Fail:
			worst[item.Family] = max(worst[item.Family], d(item.Severity))
			total[item.Family] += d(item.Severity)
		case finding.NotTested:
			taken += d(item.Lowest) / 10
		}
	}
	for family := range total {
		taken += (3*worst[family] + total[family]) / 4
	}
	return taken
}

// draw makes a catalogue in a random state; variants are the severities that
// each of its probes can be confirmed with, mildest first.
func draw(random *rand.Rand) ([]score.Item, [][]finding.Severity) {
	families := []finding.Family{finding.Fixation, finding.Isolation, finding.Termination, finding.IDQuality}
	items := make([]score.Item, 1+random.IntN(60))
	variants := make([][]finding.Severity, len(items))
	for i := range items {
		for range 1 + random.IntN(3) {
			variants[i] = append(variants[i], finding.Severity(random.IntN(101)))
		}
		slices.Sort(variants[i])
		items[i] = score.Item{
			Rule: fmt.Sprint("rule-", i), Family: families[random.IntN(len(families))], Lowest: variants[i][0],
			Outcome: []finding.Outcome{finding.Pass, finding.Pass, finding.NotApplicable, finding.NotTested, finding.Fail}[random.IntN(5)],
		}
		if items[i].Outcome == finding.Fail {
			items[i].Severity = variants[i][random.IntN(len(variants[i]))]
		}
	}
	return items, variants
}

func worsened(random *rand.Rand, item score.Item, variants []finding.Severity) (score.Item, bool) {
	switch item.Outcome {
	case finding.Pass, finding.NotApplicable:
		item.Outcome = finding.NotTested
	case finding.NotTested:
		item.Outcome, item.Severity = finding.Fail, variants[random.IntN(len(variants))]
	default:
		graver := slices.DeleteFunc(slices.Clone(variants), func(s finding.Severity) bool { return s <= item.Severity })
		if len(graver) == 0 {
			return item, false
		}
		item.Severity = graver[0]
	}
	return item, true
}
