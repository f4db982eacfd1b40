package text_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/internal/report/text"
	"github.com/sessiongate/sessiongate/internal/score"
)

func written(t *testing.T, r report.Report, style text.Style) string {
	t.Helper()
	var out bytes.Buffer
	if err := text.Write(&out, r, style); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func reports() map[string]report.Report {
	return map[string]report.Report{
		"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(), "problem": reporttest.Problem(),
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reporttest.Golden(t, name+".golden", written(t, r, text.Style{}))
		})
	}
}

// TestLinesFit leaves out code and commands, which keep their lines.
func TestLinesFit(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		for _, width := range []int{0, 60, 132} {
			for line := range strings.SplitSeq(written(t, r, text.Style{Width: width}), "\n") {
				most := width
				if width == 0 {
					most = 80
				}
				if utf8.RuneCountInString(line) > most && !strings.HasPrefix(line, "       ") {
					t.Errorf("%s at %d columns: %q", name, width, line)
				}
			}
		}
	}
}

func TestANarrowPageIsFortyColumns(t *testing.T) {
	t.Parallel()
	want := written(t, reporttest.Vulnerable(), text.Style{Width: 40})
	if diff := cmp.Diff(want, written(t, reporttest.Vulnerable(), text.Style{Width: -7})); diff != "" {
		t.Errorf("(-40 columns +less):\n%s", diff)
	}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func TestColourChangesNoWord(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		bare, coloured := written(t, r, text.Style{}), written(t, r, text.Style{Color: true})
		if coloured == bare {
			t.Errorf("%s has no colour", name)
		}
		if diff := cmp.Diff(bare, sgr.ReplaceAllString(coloured, "")); diff != "" {
			t.Errorf("%s (-bare +coloured):\n%s", name, diff)
		}
	}
}

func TestHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	failed := reporttest.Hostile()
	measured := failed
	measured.Problem = ""
	for _, r := range []report.Report{failed, measured, onlyPoison()} {
		for _, width := range []int{40, 80, 4000} {
			bare := written(t, r, text.Style{Width: width})
			reporttest.Inert(t, bare)
			coloured := written(t, r, text.Style{Width: width, Color: true})
			reporttest.Inert(t, sgr.ReplaceAllString(coloured, ""))
		}
	}
}

// onlyPoison has texts that begin with a command, where nothing of ours stands
// before them on a line.
func onlyPoison() report.Report {
	command := "::error::x ##[error]y ::add-mask::z\n::stop-commands::a\n\t\u00a0::b"
	rule := finding.Rule{ID: command, Title: command, Fix: command, FastAPI: command, Severity: 81}
	return report.Report{
		Gate:  report.Gate{Reason: command},
		Score: score.Score{Deductions: []score.Deduction{{Rule: command, Points: 1}}},
		Results: []report.Result{
			{Rule: rule, Outcome: finding.Pass}, {Rule: rule, Outcome: finding.Pass, Note: command},
			{Rule: rule, Outcome: finding.NotTested, Reason: finding.Reason{Text: command, Remedy: command}},
		},
		Findings: []report.Finding{{
			Rule: rule, Replay: command,
			Finding: finding.Finding{Message: command, Evidence: []finding.Evidence{{Actor: command, Note: command}}},
		}},
	}
}

func TestEveryDeductionAndWhatElseBoundsTheScore(t *testing.T) {
	t.Parallel()
	many := func(count int, outcome finding.Outcome) []score.Item {
		items := make([]score.Item, count)
		for i := range items {
			items[i] = score.Item{Rule: fmt.Sprint("rule-", i), Family: finding.Family(fmt.Sprint(i)), Outcome: outcome, Severity: 91, Lowest: 91}
		}
		return items
	}
	for name, test := range map[string]struct {
		items []score.Item
		says  []string
	}{
		"a cap":         {many(1, finding.Fail), []string{"SCORE: 24 of 100, grade F", "  -54.6  rule-0\n", "caps the score at 24."}},
		"below nothing": {many(2, finding.Fail), []string{"SCORE: 0 of 100", "  -54.6  rule-1\n", "the score ends at 0."}},
		"untested":      {many(1, finding.NotTested), []string{"SCORE: 94 of 100, grade A", "   -5.4  rule-0 (not tested)\n", "would be 100 if everything"}},
		"perfect":       {many(1, finding.Pass), []string{"SCORE: 100 of 100, grade A+"}},
	} {
		out := written(t, report.Report{Score: score.Of(test.items)}, text.Style{})
		for _, says := range test.says {
			if !strings.Contains(out, says) {
				t.Errorf("%s: no %q in\n%s", name, says, out)
			}
		}
	}
}

func TestAProblemHasNoScore(t *testing.T) {
	t.Parallel()
	out := written(t, reporttest.Problem(), text.Style{})
	for _, word := range []string{"SCORE", "grade", "NOT TESTED"} {
		if strings.Contains(out, word) {
			t.Errorf("it says %s:\n%s", word, out)
		}
	}
	bare := written(t, report.Report{Problem: "the API did not start"}, text.Style{})
	for _, says := range []string{"COULD NOT MEASURE\n  the API did not start\n", "Nothing: no control could be made."} {
		if !strings.Contains(bare, says) {
			t.Errorf("no %q in\n%s", says, bare)
		}
	}
}

func TestWhatNobodyExplains(t *testing.T) {
	t.Parallel()
	out := written(t, report.Report{Results: []report.Result{{Rule: finding.Rule{ID: "login-csrf"}}}}, text.Style{})
	if want := "NOT TESTED: 1\n  without a reason\n    login-csrf\n"; !strings.Contains(out, want) {
		t.Errorf("a rule without an outcome: want\n%s\nin\n%s", want, out)
	}
}

func TestAcceptedRisks(t *testing.T) {
	t.Parallel()
	variant := finding.Rule{ID: "session-response-cacheable/shared", Severity: 59}
	noProxy := report.Declared{Rule: "session-response-cacheable", Reason: "no proxy"}
	out := written(t, report.Report{
		Findings: []report.Finding{
			{Rule: variant, Status: report.Accepted, Declared: noProxy, Finding: finding.Finding{Subject: "GET /me"}},
			{Rule: finding.Rule{ID: "undeclared"}, Status: report.Accepted},
		},
		Accepted: []report.Declared{noProxy, {Rule: "login-csrf", Reason: "no browser"}},
	}, text.Style{})
	want := "ACCEPTED: 3\n  session-response-cacheable/shared, GET /me: no proxy\n  undeclared\n  login-csrf: no browser; nothing found\n"
	if !strings.Contains(out, want) || strings.Contains(out, "FINDINGS") {
		t.Errorf("want\n%s\nin\n%s", want, out)
	}
}

func TestLongRequestsLeaveRoomForTheNote(t *testing.T) {
	t.Parallel()
	path := "GET /" + strings.Repeat("very/", 12)
	out := written(t, report.Report{Findings: []report.Finding{{
		Location: finding.Location{File: "app.py"},
		Finding: finding.Finding{Evidence: []finding.Evidence{
			{Actor: "attacker", Request: path, Status: 200, Note: "reads the profile"},
			{Actor: "victim", Request: "GET /me", Status: 200},
			{Actor: "victim", Request: path},
		}},
	}}}, text.Style{})
	want := "    1. attacker  " + path + "  200\n       reads the profile\n" +
		"    2. victim    GET /me                   200\n    3. victim    " + path + "    -\n\n   Fix in app.py\n"
	if !strings.Contains(out, want) {
		t.Errorf("want\n%s\nin\n%s", want, out)
	}
}

func TestALongActorHasALineToItself(t *testing.T) {
	t.Parallel()
	out := written(t, report.Report{Findings: []report.Finding{{Finding: finding.Finding{Evidence: []finding.Evidence{
		{Actor: "victim", Request: "POST /login", Status: 200, Note: "signs in"},
		{Actor: "attacker by query parameter", Request: "GET /me", Status: 401, Note: "is anonymous"},
	}}}}}, text.Style{})
	want := "    1. victim              POST /login  200  signs in\n" +
		"    2. attacker by query parameter\n                           GET /me      401  is anonymous\n"
	if !strings.Contains(out, want) {
		t.Errorf("want\n%s\nin\n%s", want, out)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	if err := text.Write(full{}, reporttest.Hardened(), text.Style{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

// A scan that measured a part has findings, and says that it is a part.
func TestAProblemBesideFindings(t *testing.T) {
	t.Parallel()
	r := reporttest.Vulnerable()
	r.Problem = "there are no users to try it with"
	out := written(t, r, text.Style{})
	if !strings.Contains(out, "COULD NOT MEASURE EVERYTHING") || strings.Contains(out, "There is no score") || !strings.Contains(out, "FINDINGS") {
		t.Error(out)
	}
}
