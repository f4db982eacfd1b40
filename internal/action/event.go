package action

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
)

// event is what triggered the workflow, as far as it decides where an analysis
// belongs.
type event struct {
	name          string // "push", "pull_request"
	ref, sha      string // what the runner checked out
	repository    string // "owner/name"
	api           string
	actor         string
	fork          bool // a pull request of another repository
	defaultBranch string
}

const largestEvent = 25 << 20 // GitHub's limit for a webhook's payload

// readEvent never fails: what the file does not say is not known.
func readEvent(getenv func(string) string) event {
	e := event{
		name: getenv("GITHUB_EVENT_NAME"), ref: getenv("GITHUB_REF"), sha: getenv("GITHUB_SHA"),
		repository: getenv("GITHUB_REPOSITORY"), api: getenv("GITHUB_API_URL"), actor: getenv("GITHUB_ACTOR"),
	}
	info, err := os.Stat(getenv("GITHUB_EVENT_PATH"))
	if err != nil || info.Size() > largestEvent {
		return e
	}
	data, err := os.ReadFile(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return e
	}
	var told struct {
		Repository struct {
			DefaultBranch string `json:"default_branch"`
		}
		PullRequest *struct {
			Head struct {
				Repo *struct { // null when the fork is gone
					FullName string `json:"full_name"`
				}
			}
		} `json:"pull_request"`
	}
	if json.Unmarshal(data, &told) != nil {
		return e
	}
	e.defaultBranch = told.Repository.DefaultBranch
	if pr := told.PullRequest; pr != nil {
		e.fork = pr.Head.Repo == nil || !strings.EqualFold(pr.Head.Repo.FullName, e.repository)
	}
	return e
}

var (
	uploadable = regexp.MustCompile(`^refs/(heads|tags|pull)/.+$`)
	commit     = regexp.MustCompile(`^[0-9a-f]{40,64}$`)
)

// Why nothing is uploaded.
var (
	errFork       = errors.New("a pull request from a fork has no token that may upload; a step with github/codeql-action/upload-sarif and if: always() can")
	errDependabot = errors.New("Dependabot's runs have no token that may upload; a step with github/codeql-action/upload-sarif and if: always() can")
	errForeign    = errors.New("this event runs on the default branch whatever it is about, and its findings would be shown there")
	errNoCommit   = errors.New("GITHUB_REF and GITHUB_SHA do not say which commit was scanned")
	errNoToken    = errors.New("the input token is empty")
)

// mayUpload says why an analysis of this event should not be uploaded; nil if
// it should. With always only what is impossible is a reason.
func (e event) mayUpload(always bool, token bool) error {
	switch {
	case !token:
		return errNoToken
	case !uploadable.MatchString(e.ref), !commit.MatchString(e.sha):
		return errNoCommit
	case always:
		return nil
	case e.fork:
		return errFork
	case e.actor == "dependabot[bot]":
		return errDependabot
	}
	switch e.name {
	case "pull_request_target", "workflow_run", "issue_comment", "discussion_comment", "issues", "discussion":
		return errForeign
	}
	return nil
}
