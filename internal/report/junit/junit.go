// Package junit writes a report as JUnit XML, which most CI systems show as a
// list of tests: one case for each rule. It rates nothing.
package junit

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/tame"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suite    suite    `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Time       string     `xml:"time,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testcase `xml:"testcase"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	File    string   `xml:"file,attr,omitempty"`
	Line    int      `xml:"line,attr,omitempty"`
	Failure *failure `xml:"failure"`
	Error   *failure `xml:"error"`
	Skipped *skipped `xml:"skipped"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type skipped struct {
	Message string `xml:"message,attr"`
}

// Write writes the report. Where nothing could be measured, one more case is
// an error, since a list of skipped tests alone looks like success. Its error
// is the writer's.
func Write(w io.Writer, r report.Report) error {
	made := suite{Name: "sessiongate", Time: fmt.Sprintf("%.3f", r.Duration.Seconds()), Properties: properties(r)}
	for _, result := range r.Results {
		made.Cases = append(made.Cases, caseOf(r, result))
	}
	if r.Problem != "" {
		made.Cases = append(made.Cases, testcase{Class: "sessiongate", Name: "measurement", Error: &failure{Message: tame.Line(r.Problem), Type: "problem"}})
	}
	for _, one := range made.Cases {
		made.Tests++
		switch {
		case one.Failure != nil:
			made.Failures++
		case one.Error != nil:
			made.Errors++
		case one.Skipped != nil:
			made.Skipped++
		}
	}
	var whole bytes.Buffer
	whole.WriteString(xml.Header)
	encoder := xml.NewEncoder(&whole)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suites{Name: made.Name, Tests: made.Tests, Failures: made.Failures, Errors: made.Errors,
		Skipped: made.Skipped, Time: made.Time, Suite: made}); err != nil {
		return err
	}
	whole.WriteByte('\n')
	// GitHub's runner obeys "##[command]" anywhere in a line of output. A line
	// never begins with "::", since the encoder writes line breaks as references.
	_, err := w.Write(bytes.ReplaceAll(whole.Bytes(), []byte("##["), []byte("&#35;&#35;[")))
	return err
}

func properties(r report.Report) []property {
	told := []property{{"target", tame.Line(r.Target.URL)}, {"gate", tame.Line(r.Gate.Reason)}}
	if r.Problem == "" { // what was not measured is not rated
		told = append(told, property{"score", fmt.Sprint(r.Score.Value)}, property{"grade", tame.Line(r.Score.Grade)})
	}
	return told
}

func caseOf(r report.Report, result report.Result) testcase {
	made := testcase{Class: "sessiongate." + string(result.Rule.Family), Name: tame.Line(result.Rule.ID)}
	switch result.Outcome {
	case finding.Pass:
	case finding.Fail:
		made.fail(r, result.Rule)
	default:
		made.Skipped = &skipped{tame.Line(why(result))}
	}
	return made
}

func why(result report.Result) string {
	text := cmp.Or(result.Reason.Text, "without a reason")
	if result.Outcome == finding.NotApplicable {
		return "not applicable: " + text
	}
	if result.Reason.Code != "" {
		text = result.Reason.String()
	}
	if result.Reason.Remedy != "" {
		text += "; to test it: " + result.Reason.Remedy
	}
	return "not tested: " + text
}

// fail makes the case a failure, or a skipped one where every finding of the
// rule is accepted: the gate does not count those.
func (c *testcase) fail(r report.Report, rule finding.Rule) {
	var told []string
	var accepted report.Declared
	for _, f := range r.Findings {
		switch {
		case f.Rule.ID != rule.ID:
		case f.Status == report.Accepted:
			accepted = f.Declared
		default:
			if told == nil {
				c.File, c.Line = tame.Line(f.Place().File), f.Place().Line
			}
			told = append(told, story(f))
		}
	}
	if told == nil && accepted.Rule != "" {
		c.Skipped = &skipped{tame.Line("accepted: " + accepted.String())}
		return
	}
	c.Failure = &failure{Message: tame.Line(rule.Title), Type: string(rule.Severity.Level()), Text: strings.Join(told, "\n\n")}
}

func story(f report.Finding) string {
	lines := []string{fmt.Sprintf("%s:%d: %s", f.Place().File, f.Place().Line, f.Subject), f.Message}
	if f.Status == report.Known {
		lines[0] += " (known from the baseline)"
	}
	for i, seen := range f.Evidence {
		answer := "-"
		if seen.Status != 0 {
			answer = fmt.Sprint(seen.Status)
		}
		lines = append(lines, fmt.Sprintf("%d. %s: %s: %s: %s", i+1, seen.Actor, seen.Request, answer, seen.Note))
	}
	for _, step := range f.Flow {
		lines = append(lines, fmt.Sprintf("in the source: %s:%d: %s", step.File, step.Line, step.Says))
	}
	lines = append(lines, "Fix: "+f.Rule.Fix)
	for i, line := range lines {
		lines[i] = tame.Line(line)
	}
	return strings.Join(lines, "\n")
}
