package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// gist is what an example pins of a verdict.
type gist struct {
	Outcome    finding.Outcome
	Code       finding.Code
	Rules      []string
	Subject    string
	Step       string
	Reproduced bool
}

func check(t *testing.T, examples []example) {
	t.Helper()
	for _, e := range examples {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			seen := e.trace(t)
			verdict := e.probe(t).Judge(seen)
			want := gist{Outcome: e.outcome, Code: e.code, Subject: e.subject, Step: e.step, Reproduced: e.reproduced}
			if e.outcome == finding.Fail {
				want.Rules = []string{e.rule}
			}
			got := gist{Outcome: verdict.Outcome, Code: verdict.Reason.Code, Reproduced: verdict.Reproduced}
			for _, found := range verdict.Findings {
				got.Rules = append(got.Rules, found.Rule)
				got.Subject, got.Step = found.Subject, found.Step
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", verdict.Reason.Text, diff)
			}
			if problem := flaw(e.probe(t), seen, verdict); problem != "" {
				t.Error(problem)
			}
		})
	}
}

func TestEveryRuleHasAnExampleOfEachOutcome(t *testing.T) {
	t.Parallel()
	seen := map[string]map[finding.Outcome]bool{}
	names := map[string]bool{}
	for _, e := range examples() {
		if names[e.String()] {
			t.Errorf("two examples are named %q", e)
		}
		names[e.String()] = true
		if seen[e.rule] == nil {
			seen[e.rule] = map[finding.Outcome]bool{}
		}
		seen[e.rule][e.outcome] = true
	}
	for _, rule := range catalog.Rules() {
		for _, outcome := range []finding.Outcome{finding.Fail, finding.Pass, finding.NotTested} {
			if !seen[rule.ID][outcome] {
				t.Errorf("no example shows how %s comes to be %s", rule.ID, outcome)
			}
		}
		delete(seen, rule.ID)
	}
	for rule := range seen {
		t.Errorf("there are examples of %s, which is no rule", rule)
	}
}

// secrets are the ids of a trace that are too long to stand in a text by chance.
func secrets(seen trace.Trace) []string {
	var ids []string
	add := func(id string) {
		if len(id) >= 6 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, exchange := range seen.Exchanges {
		add(exchange.Planted.ID.Reveal())
		for _, held := range exchange.Carried {
			add(held.ID.Reveal())
		}
		for _, set := range exchange.Response.SetCookie {
			add(set.Value.Reveal())
		}
	}
	return ids
}

// texts are all words of a verdict that reach a reader.
func texts(verdict finding.Verdict) []string {
	words := []string{verdict.Note, verdict.Reason.Text, verdict.Reason.Remedy}
	for _, found := range verdict.Findings {
		words = append(words, found.Message, found.Subject, found.Step)
		for _, evidence := range found.Evidence {
			words = append(words, evidence.Actor, evidence.Request, evidence.Note)
		}
	}
	return words
}

func containsAny(words, parts []string) (string, bool) {
	for _, part := range parts {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(word, part) }) {
			return part, true
		}
	}
	return "", false
}
