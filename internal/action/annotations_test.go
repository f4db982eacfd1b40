package action

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// GitHub shows ten annotations of a type for a step and drops the rest without
// a word.
func TestTheTenthAnnotationSaysThatThereAreMore(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]struct {
		errors int
		last   string
	}{8: {8, ""}, 9: {9, ""}, 10: {10, "1 more of this kind"}, 30: {10, "21 more of this kind"}} {
		made := report.Report{Gate: report.Gate{ExitCode: audit.ExitNotMet}}
		for range count {
			made.Findings = append(made.Findings, report.Finding{Rule: finding.Rule{Severity: 81, Title: "A title, with: signs"}, Status: report.New,
				Location: finding.Location{File: "app/auth.py", Line: 42}, Finding: finding.Finding{Message: "50% of\nit"}})
		}
		var log bytes.Buffer
		j := &job{runner: newRunner(&log, func(string) string { return "" })}
		j.annotations(made)
		if got := strings.Count(log.String(), "::error "); got != want.errors {
			t.Errorf("%d findings: %d annotations", count, got)
		}
		if !strings.Contains(log.String(), want.last) || want.last == "" && strings.Contains(log.String(), "more of this") {
			t.Errorf("%d findings: the log ends %q", count, log.String()[log.Len()-80:])
		}
		if line := "::error file=app/auth.py,line=42,title=high 8.1%3A A title%2C with%3A signs::50%25 of%0Ait Fix: "; !strings.Contains(log.String(), line) {
			t.Errorf("%q is not in %q", line, log.String())
		}
	}
}

// What is not measured is an annotation of its own, and counts.
func TestTheReasonIsAnnotated(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	j := &job{runner: newRunner(&log, func(string) string { return "" })}
	j.annotations(report.Report{Gate: report.Gate{ExitCode: audit.ExitUnproven, Reason: "core rules could not be tested: x"}})
	if want := "::error title=sessiongate%3A could not measure::core rules could not be tested: x\n"; log.String() != want {
		t.Errorf("%q", log.String())
	}
}

func FuzzTame(f *testing.F) {
	for _, seed := range []string{"::error::x", "a\r::x::", " \t::x::", "##[x]", "#\r##[", "##[[", ":::", "\u2028::x::", "::\r::"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		var out bytes.Buffer
		log := &tamed{to: &out}
		cut = max(0, min(cut, len(text)))
		for _, part := range [][]byte{text[:cut], text[cut:]} {
			if _, err := log.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		log.flush()
		for line := range strings.FieldsFuncSeq(out.String(), func(char rune) bool { return char == '\n' || char == '\r' }) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				t.Errorf("%q", line)
			}
		}
		if plain := strings.NewReplacer(" ", "", "\n", ""); plain.Replace(out.String()) != plain.Replace(string(text)) {
			t.Errorf("%q reads %q", text, out.String())
		}
	})
}

func TestALineThatNeverEndsIsNotHeldBack(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := &tamed{to: &out}
	for range 100 {
		fmt.Fprint(log, strings.Repeat("x", 10_000))
	}
	if out.Len() < 900_000 {
		t.Errorf("%d bytes arrived", out.Len())
	}
}
