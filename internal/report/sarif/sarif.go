// Package sarif writes a report as SARIF 2.1.0, in the part of it that GitHub
// code scanning reads. It is the only room that knows the SARIF library; it
// uploads nothing.
package sarif

import (
	"io"
	"regexp"
	"strings"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/safejson"
)

const home = "https://github.com/sessiongate/sessiongate"

// Write writes the report as one run of that category, "sessiongate/api/";
// without one, whoever uploads the file chooses. Accepted findings are left out,
// since code scanning reads no suppressions and would show them as open. A
// report with a problem says that it failed: a run that says it succeeded
// closes every alert it does not repeat.
func Write(w io.Writer, r report.Report, category string) error {
	document, err := sarif.New(sarif.Version210)
	if err != nil {
		return err
	}
	document.AddRun(runOf(r, category))
	return safejson.Write(w, document)
}

func runOf(r report.Report, category string) *sarif.Run {
	run := sarif.NewRun(*sarif.NewSimpleTool("sessiongate"))
	run.Tool.Driver = driverOf(r)
	for _, f := range r.Findings {
		if f.Status != report.Accepted {
			run.AddResult(resultOf(f))
		}
	}
	run.AddInvocations(invocationOf(r.Problem))
	if category != "" {
		// GitHub takes what stands before the last slash.
		id := strings.TrimSuffix(category, "/") + "/"
		run.WithAutomationDetails(sarif.NewRunAutomationDetails().WithID(id))
	}
	return run
}

var semantic = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)$`)

func driverOf(r report.Report) *sarif.ToolComponent {
	driver := sarif.NewDriver("sessiongate").WithInformationURI(home)
	if r.Version != "" {
		driver.WithVersion(r.Version)
	}
	if parts := semantic.FindStringSubmatch(r.Version); parts != nil {
		driver.SemanticVersion = &parts[1]
	}
	for _, rule := range rulesOf(r) {
		driver.Rules = append(driver.Rules, descriptorOf(rule))
	}
	return driver
}

func invocationOf(problem string) *sarif.Invocation {
	invocation := sarif.NewInvocation().WithExecutionSuccess(problem == "")
	if problem != "" {
		invocation.AddTToolExecutionNotification(sarif.NewNotification().
			WithLevel("error").WithTextMessage(sentence(problem)))
	}
	return invocation
}

func resultOf(f report.Finding) *sarif.Result {
	// The library's setter for one fingerprint panics on a new result.
	made := sarif.NewRuleResult(f.Rule.ID).
		WithLevel(levelOf(f.Rule.Severity)).
		WithMessage(sarif.NewTextMessage(messageOf(f))).
		WithLocations([]*sarif.Location{locationOf(f.Place())}).
		WithPartialFingerPrints(map[string]any{"primaryLocationLineHash": f.Fingerprint})
	if len(f.Flow) > 0 {
		made.WithCodeFlows([]*sarif.CodeFlow{codeFlowOf(f.Flow)}).WithRelatedLocations(relatedTo(f.Flow))
	}
	return made
}

func levelOf(severity finding.Severity) string {
	switch severity.Level() {
	case finding.Critical, finding.High:
		return "error"
	case finding.Medium:
		return "warning"
	}
	return "note"
}
