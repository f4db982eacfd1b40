package action

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/codescanning"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/summary"
)

// uploaded is what became of the upload.
type uploaded struct {
	says   string // one sentence; "" where nobody asked for it
	failed bool   // and the user asked for it to count
}

func (u uploaded) markdown() string {
	if u.says == "" {
		return ""
	}
	return "**Code scanning:** " + summary.Escape(u.says) + "\n"
}

var errIncomplete = errors.New("nothing was uploaded, since the scan is not complete: an analysis without results would close the alerts there are")

// upload hands the analysis to code scanning. A refusal is a warning, unless
// the user wants it always.
func (j *job) upload(ctx context.Context, made report.Report) uploaded {
	if j.inputs.upload == uploadNever {
		return uploaded{}
	}
	always := j.inputs.upload == uploadAlways
	reason := j.event.mayUpload(always, !j.inputs.token.IsZero())
	if !complete(made) {
		reason = errIncomplete
	}
	if reason != nil {
		j.runner.log.say("code scanning: %v", reason)
		return uploaded{says: reason.Error(), failed: always}
	}
	err := j.send(ctx, made)
	if err == nil {
		return uploaded{says: "uploaded, and processed by GitHub."}
	}
	level := "warning"
	pending := errors.Is(err, codescanning.ErrPending)
	if always && !pending {
		level = "error"
	}
	j.runner.annotate(annotation{level: level, title: "sessiongate: code scanning", text: err.Error()})
	return uploaded{says: err.Error(), failed: always && !pending}
}

func (j *job) send(ctx context.Context, made report.Report) error {
	client, err := j.client()
	if err != nil {
		return err
	}
	var sarif bytes.Buffer
	if err := app.Write(made, []app.Output{{Format: "sarif", File: "-", Category: j.inputs.category}}, &sarif, app.Style{}); err != nil {
		return fmt.Errorf("the analysis cannot be written: %w", err)
	}
	id, err := client.Upload(ctx, codescanning.Analysis{Commit: j.event.sha, Ref: j.event.ref, Started: j.began, SARIF: sarif.Bytes()})
	if err != nil {
		return err
	}
	return client.Wait(ctx, id)
}
