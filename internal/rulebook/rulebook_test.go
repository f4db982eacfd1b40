package rulebook_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/internal/report/screen"
	"github.com/sessiongate/sessiongate/internal/rulebook"
)

func page(t *testing.T, id string, style screen.Style) string {
	t.Helper()
	p, rule, found := rulebook.Find(catalog.All(), id)
	if !found {
		t.Fatalf("there is no rule %s", id)
	}
	var out bytes.Buffer
	if err := rulebook.Page(&out, p, rule, style); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// sample is a probe whose words the golden files hold, apart from the catalogue
// whose words change.
var sample = probe.Probe{
	Rule: finding.Rule{ID: "session-sample", Title: "The session_id is `this` one", Family: finding.Fixation, Core: true, Severity: 81,
		Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N", CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.4"},
		OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"}, Why: "Because <somebody> else knows it.",
		Fix: "Make a new one.", FastAPI: "response.set_cookie(\"sid\", token_urlsafe(32))"},
	Variants: []finding.Rule{{ID: "session-sample/mild", Title: "The same, milder", Family: finding.Fixation, Core: true, Severity: 31}},
	Steps:    []string{"login", "identity"}, Users: 2, Deep: true, PartOf: "session-graver",
	Flow: &probe.Flow{Name: "sample", Steps: []string{"login", "visit"}},
	How:  []string{"The attacker plants it.", "The victim logs in."},
	Open: []string{"the moon is full"},
}

func TestPage(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := rulebook.Page(&out, sample, sample.Rule, screen.Style{}); err != nil {
		t.Fatal(err)
	}
	reporttest.Golden(t, "page.golden", out.String())
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	proofs := map[string][]string{"session-sample": {"[authlib-1.0](testenv/corpus/authlib-1.0), CVE-2025-0000"}}
	if err := rulebook.Markdown(&out, []probe.Probe{sample}, proofs); err != nil {
		t.Fatal(err)
	}
	reporttest.Golden(t, "markdown.golden", out.String())
}

func TestEveryRuleHasAPageThatFits(t *testing.T) {
	t.Parallel()
	for _, rule := range catalog.Rules() {
		for line := range strings.SplitSeq(page(t, rule.ID, screen.Style{}), "\n") {
			if utf8.RuneCountInString(line) > 80 && !strings.Contains(rule.FastAPI, strings.TrimSpace(line)) { // code keeps its lines
				t.Errorf("%s: %q is wider than 80 columns", rule.ID, line)
			}
		}
		for _, says := range []string{rule.ID, "How it is tested", "How to fix it", "What can leave it not tested", "Standards"} {
			if !strings.Contains(page(t, rule.ID, screen.Style{Width: 200}), says) {
				t.Errorf("%s: the page does not say %q", rule.ID, says)
			}
		}
	}
}

func TestAVariantHasAPageOfItsOwn(t *testing.T) {
	t.Parallel()
	variant := page(t, "session-id-not-rotated-on-login/host-prefix", screen.Style{Width: 200})
	if !strings.HasPrefix(variant, "MEDIUM 6.8 The session id issued before login is kept at login (cookie with the __Host- prefix)\n") ||
		!strings.Contains(variant, "see also session-id-not-rotated-on-login (high 8.1): ") {
		t.Errorf("%s", variant)
	}
}

// A reader of any page learns what to add or to look at beyond the recipe steps
// that the rule names.
func TestEveryRuleSaysWhatLeavesItNotTested(t *testing.T) {
	t.Parallel()
	for _, p := range catalog.All() {
		seen, telling := map[string]bool{}, 0
		for _, clause := range rulebook.Open(p) {
			if seen[clause] {
				t.Errorf("%s says %q twice", p.Rule.ID, clause)
			}
			seen[clause] = true
			if !strings.HasPrefix(clause, "the recipe lacks one of the steps ") {
				telling++
			}
		}
		if telling == 0 {
			t.Errorf("%s says nothing but its steps: %q", p.Rule.ID, rulebook.Open(p))
		}
	}
}

// The judges themselves know what only the store or the log can show.
func TestWhatOnlyTheStoreShows(t *testing.T) {
	t.Parallel()
	for id, clause := range map[string]string{
		"idle-timeout-not-enforced": "the gate does not see the session store",
		"session-cookie-samesite":   "the session travels in the header Authorization, not in a cookie",
		"session-id-in-logs":        "the gate did not start the API and cannot see its log",
		"cross-user-session-reuse":  "the recipe has one user; a second is needed",
	} {
		if text := page(t, id, screen.Style{Width: 200}); !strings.Contains(text, "- "+clause) {
			t.Errorf("%s does not say %q:\n%s", id, clause, text)
		}
	}
	if text := page(t, "session-cookie-missing-secure", screen.Style{Width: 200}); strings.Contains(text, "session store") {
		t.Errorf("cookies need no store:\n%s", text)
	}
}

func TestListNamesEveryRuleOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := rulebook.List(&out, catalog.All(), screen.Style{}); err != nil {
		t.Fatal(err)
	}
	words := strings.FieldsFunc(out.String(), func(char rune) bool { return char == '\n' || char == ' ' || char == ',' })
	for _, rule := range catalog.Rules() {
		if times := len(slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word != rule.ID })); times != 1 {
			t.Errorf("%s is named %d times", rule.ID, times)
		}
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
}

func TestEveryFamilyIsDescribed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := rulebook.List(&out, catalog.All(), screen.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, rule := range catalog.Rules() {
		if heading := strings.ToUpper(string(rule.Family)) + ": "; !strings.Contains(out.String(), "\n"+heading) && !strings.HasPrefix(out.String(), heading) {
			t.Errorf("the family %s is not described", rule.Family)
		}
	}
}

func TestNear(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"logout-session-not-invalidate": "logout-session-not-invalidated",
		"samesite":                      "session-cookie-samesite",
		"sql":                           "session-id-sql-injection",
		"not-rotated":                   "session-id-not-rotated-on-login",
		"logut":                         "logout-session-not-invalidated",
		"httponly":                      "session-cookie-missing-httponly",
	} {
		if near := rulebook.Near(catalog.All(), word); len(near) == 0 || near[0] != want || len(near) > 5 {
			t.Errorf("near %q are %v, want %s first", word, near, want)
		}
	}
	for _, word := range []string{"", "zzzzzz"} {
		if near := rulebook.Near(catalog.All(), word); len(near) > 0 {
			t.Errorf("near %q are %v", word, near)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if err := rulebook.Markdown(full{}, nil, nil); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if err := rulebook.List(full{}, nil, screen.Style{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
