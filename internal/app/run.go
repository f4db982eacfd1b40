package app

import (
	"context"
	"strings"

	"github.com/sessiongate/sessiongate/internal/launch"
)

// runVariables tell one job of GitHub Actions from all others. The runner is one
// of them: the jobs of a matrix have the same name and may share an engine. The
// step is none: a job's steps are over when it is cleaned up after.
var runVariables = []string{"GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "RUNNER_NAME"}

// RunName is the name under which the step after a job finds what the step in
// it left; empty outside of GitHub Actions. SESSIONGATE_RUN sets another one.
func RunName(getenv func(string) (string, bool)) string {
	if name, _ := getenv("SESSIONGATE_RUN"); name != "" {
		return name
	}
	if id, _ := getenv("GITHUB_RUN_ID"); id == "" {
		return ""
	}
	var words []string
	for _, name := range runVariables {
		word, _ := getenv(name)
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// Clean removes what a run left in the container engine, whether it is over or
// not, and what runs left on this machine that were killed.
func Clean(ctx context.Context, run string) error {
	launch.Sweep()
	return launch.Clean(ctx, run)
}

// Relay copies connections to one address on to another until ctx ends.
var Relay = launch.ServeRelay
