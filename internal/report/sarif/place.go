package sarif

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
)

func locationOf(place finding.Location) *sarif.Location {
	uri, line := uriOf(place.File), max(1, place.Line)
	if uri == "" {
		uri, line = recipe.DefaultFile, 1 // it stands in for a place that is not in the repository
	}
	region := sarif.NewRegion().WithStartLine(line).WithStartColumn(1).WithEndLine(line).WithEndColumn(2)
	return sarif.NewLocation().WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewSimpleArtifactLocation(uri)).WithRegion(region))
}

// uriOf is the file as code scanning takes it: relative to the repository, with
// forward slashes, escaped (RFC 3986). It is "" for what has no such form: an
// absolute path or a URL has GitHub refuse the whole file.
func uriOf(file string) string {
	file = strings.ReplaceAll(filepath.ToSlash(file), `\`, "/")
	if file == "" || strings.Contains(file, "://") || hasDrive(file) {
		return ""
	}
	file = path.Clean(file)
	if path.IsAbs(file) || file == "." || file == ".." || strings.HasPrefix(file, "../") {
		return ""
	}
	return (&url.URL{Path: file}).String()
}

func hasDrive(file string) bool { return len(file) > 1 && file[1] == ':' }

// codeFlowOf shows the steps as one way through the source.
func codeFlowOf(steps []finding.Step) *sarif.CodeFlow {
	thread := sarif.NewThreadFlow()
	for _, step := range steps {
		thread.AddLocation(sarif.NewThreadFlowLocation().WithLocation(stationOf(step)))
	}
	flow := sarif.NewCodeFlow()
	flow.AddThreadFlow(thread)
	return flow
}

// relatedTo are the same steps for viewers that know no flows.
func relatedTo(steps []finding.Step) []*sarif.Location {
	var made []*sarif.Location
	for i, step := range steps {
		made = append(made, stationOf(step).WithId(i+1))
	}
	return made
}

func stationOf(step finding.Step) *sarif.Location {
	return locationOf(step.Location).WithMessage(sarif.NewTextMessage(sentence(step.Says)))
}
