// Package action is the door for GitHub Actions: the step's inputs become a
// recipe, and what the audit found becomes outputs, a summary, annotations and
// an analysis in code scanning. Its exit code is the gate's, and nothing that
// GitHub refuses changes the verdict unless the user asks for that.
//
// Facts about the runner: actions/runner, ContainerActionHandler.cs,
// ActionCommand.cs, FileCommandManager.cs.
package action

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/codescanning"
	"github.com/sessiongate/sessiongate/internal/report"
)

// Step is the step of a workflow as which this process runs.
type Step struct {
	Getenv  func(string) string
	Out     io.Writer // read by the runner, line by line
	Version string
	// Pauses and Retry are codescanning's; zero: the usual ones.
	Pauses []time.Duration
	Retry  time.Duration
}

// Run does the whole job and returns the exit code, ExitUsage for inputs that
// are wrong. An interrupted context is the caller's to report.
func (s Step) Run(ctx context.Context) int {
	to := newRunner(s.Out, s.Getenv)
	defer to.log.flush()
	in, err := readInputs(s.Getenv)
	if in.recipe != nil {
		to.mask(in.secrets()...)
	}
	if err != nil {
		return refuse(to, err)
	}
	job := &job{Step: s, runner: to, inputs: in, event: readEvent(s.Getenv)}
	return job.run(ctx)
}

// refuse says what is wrong with the inputs or the recipe.
func refuse(to *runner, err error) int {
	to.output("passed", "false")
	to.annotate(annotation{level: "error", title: "sessiongate: configuration", text: err.Error()})
	return audit.ExitUsage
}

// job is one run with its inputs.
type job struct {
	Step
	runner *runner
	inputs inputs
	event  event
	began  time.Time
}

func (j *job) run(ctx context.Context) int {
	j.began = time.Now()
	baseline := j.baseline(ctx)
	options := app.Options{
		Recipe: j.inputs.recipe, Version: j.Version, Run: app.RunName(lookup(j.Getenv)), Now: j.began, Progress: j.progress, Baseline: baseline, AskedIn: workflow(j.Getenv),
		Deep: j.inputs.deep, AllowInconclusive: j.inputs.allowInconclusive, OwnDatabase: j.inputs.ownDatabase, Secrets: j.inputs.secrets(),
	}
	j.runner.group("sessiongate: the attacks")
	made, err := app.Audit(ctx, options)
	j.runner.endGroup()
	switch {
	case ctx.Err() != nil:
		return audit.ExitUnproven // the caller knows that it was interrupted
	case err != nil:
		return refuse(j.runner, err)
	}
	return j.report(ctx, made)
}

// report writes what was found to every place, the summary last: it says what
// became of the others.
func (j *job) report(ctx context.Context, made report.Report) int {
	made = j.anchored(made)
	if err := app.Write(made, []app.Output{{Format: "text", File: "-"}}, j.runner.log, app.Style{Width: 100}); err != nil {
		return refuse(j.runner, err)
	}
	code := made.Gate.ExitCode
	files, err := j.write(made)
	if err != nil {
		j.runner.annotate(annotation{level: "error", title: "sessiongate: report", text: err.Error()})
		code = max(code, audit.ExitUnproven)
	}
	upload := j.upload(ctx, made)
	if upload.failed {
		code = max(code, audit.ExitNotMet)
	}
	j.outputs(made, files, code)
	var page bytes.Buffer
	if err := app.Write(made, []app.Output{{Format: "markdown", File: "-"}}, &page, app.Style{}); err == nil {
		j.runner.summary(page.String() + "\n" + upload.markdown())
	}
	j.annotations(made)
	return code
}

// progress is a line for each attack that begins.
func (j *job) progress(e audit.Event) {
	switch {
	case e.Ended:
	case e.Total > 0:
		j.runner.log.say("%s (%d of %d)", e.Doing, e.Done, e.Total)
	default:
		j.runner.log.say("%s", e.Doing)
	}
}

func (j *job) outputs(made report.Report, files map[string]string, code int) {
	fresh, untested := 0, 0
	for _, found := range made.Counted() {
		if found.Status == report.New {
			fresh++
		}
	}
	for _, group := range made.Open() {
		untested += len(group.Rules)
	}
	score, grade := fmt.Sprint(made.Score.Value), made.Score.Grade
	if !complete(made) { // what was not measured is not rated
		score, grade = "", ""
	}
	for _, output := range []struct{ name, value string }{
		{"score", score}, {"grade", grade}, {"passed", fmt.Sprint(code == audit.ExitMet)},
		{"findings-count", fmt.Sprint(len(made.Counted()))}, {"new-findings-count", fmt.Sprint(fresh)}, {"not-tested-count", fmt.Sprint(untested)},
		{"sarif-file", files["sarif"]}, {"report-file", files["json"]}, {"html-file", files["html"]},
	} {
		j.runner.output(output.name, output.value)
	}
}

// baseline is what findings are compared with: the file of the recipe, which
// app reads, else the last analysis of the default branch, else none.
func (j *job) baseline(ctx context.Context) *audit.Baseline {
	if j.inputs.recipe.Gate.Baseline != "" {
		return nil
	}
	none := func(why string) *audit.Baseline { return &audit.Baseline{Source: why} }
	client, err := j.client()
	switch {
	case err != nil:
		return none(err.Error())
	case j.event.defaultBranch == "":
		return none("the event does not name the default branch")
	}
	last, err := client.Last(ctx, "refs/heads/"+j.event.defaultBranch, app.Category(j.inputs.category))
	if err != nil {
		return none(err.Error())
	}
	found := audit.Baseline{Given: true, Source: "the analysis of " + short(last.Commit) + " on " + j.event.defaultBranch, Findings: map[audit.Past]bool{}}
	for _, known := range last.Known {
		found.Findings[audit.Past{Rule: known.Rule, Fingerprint: known.Fingerprint}] = known.Dismissed
	}
	return &found
}

func short(commit string) string { return commit[:min(len(commit), 7)] }

func (j *job) client() (*codescanning.Client, error) {
	if j.inputs.token.IsZero() {
		return nil, errNoToken
	}
	return codescanning.New(codescanning.Repository{API: j.event.api, Name: j.event.repository, Token: j.inputs.token,
		Version: j.Version, Pauses: j.Pauses, Retry: j.Retry})
}

var errOutside = errors.New("the file must lie in the workspace: give a path relative to it, without \"..\"")
