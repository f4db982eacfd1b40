package action

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// inWorkspace refuses a file name that leads out of the workspace by itself.
func inWorkspace(name string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%s: %w", name, errOutside)
	}
	return nil
}

// reachable refuses a folder that leads out of the workspace by a link: what is
// checked out may be anybody's. The last element may be a link, since the file
// replaces it.
func reachable(name string) error {
	workspace, err := filepath.EvalSymlinks(".")
	if err != nil {
		return err
	}
	if workspace, err = filepath.Abs(workspace); err != nil {
		return err
	}
	folder, err := filepath.EvalSymlinks(filepath.Join(workspace, filepath.Dir(name)))
	if err != nil {
		return fmt.Errorf("%s: its folder is not there; make it in an earlier step", name)
	}
	inside, err := filepath.Rel(workspace, folder)
	if err != nil || !filepath.IsLocal(inside) {
		return fmt.Errorf("%s: %w", name, errOutside)
	}
	return nil
}

// write writes the files and returns them by format. Nothing that could not be
// measured is written as SARIF: a run without results closes every alert. A
// file of that name is not ours then, and is taken away for the same reason.
func (j *job) write(made report.Report) (map[string]string, error) {
	written := map[string]string{}
	for _, output := range j.inputs.files {
		if err := reachable(output.File); err != nil {
			return written, err
		}
		if output.Format == "sarif" && !complete(made) {
			if err := os.Remove(output.File); err != nil && !os.IsNotExist(err) {
				return written, fmt.Errorf("%s is of another run and cannot be removed", output.File)
			}
			continue
		}
		if err := app.Write(made, []app.Output{output}, nil, app.Style{}); err != nil {
			return written, err
		}
		written[output.Format] = filepath.ToSlash(output.File)
	}
	return written, nil
}

// workflow is the file that the job is written in: "acme/shop/.github/workflows/
// gate.yml@refs/heads/main" names it. "" where it is not checked out.
func workflow(getenv func(string) string) string {
	name, _, _ := strings.Cut(getenv("GITHUB_WORKFLOW_REF"), "@")
	name, ours := strings.CutPrefix(name, getenv("GITHUB_REPOSITORY")+"/")
	if !ours || !isFile(name) {
		return ""
	}
	return name
}

// anchored has every finding at a file of the workspace: one that a recipe names
// and nobody has would be shown without its source. What stands in is the file
// that describes the scan.
func (j *job) anchored(made report.Report) report.Report {
	made.Findings = slices.Clone(made.Findings)
	for i, found := range made.Findings {
		if isFile(found.Location.File) {
			continue
		}
		for _, name := range []string{j.inputs.recipe.File, workflow(j.Getenv)} {
			if name != "" && isFile(name) {
				made.Findings[i].Location = finding.Location{File: filepath.ToSlash(filepath.Clean(name)), Line: 1}
				break
			}
		}
	}
	return made
}

// isFile reports whether a name is a file of the workspace, and no link.
func isFile(name string) bool {
	if !filepath.IsLocal(name) || reachable(name) != nil {
		return false
	}
	info, err := os.Lstat(name)
	return err == nil && info.Mode().IsRegular()
}

// complete reports whether the audit went through, so that a finding that is
// not in it is gone.
func complete(made report.Report) bool { return made.Problem == "" }
