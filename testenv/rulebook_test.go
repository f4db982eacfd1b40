// Package testenv_test keeps RULES.md what the catalogue and the corpus say.
package testenv_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/rulebook"
)

var update = flag.Bool("update", false, "write RULES.md instead of comparing with it")

const rules = "../RULES.md"

func TestRULESIsCurrent(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := rulebook.Markdown(&want, catalog.All(), proofs(t, "corpus")); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(rules, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("RULES.md is not what the catalogue says; run go test ./testenv -run RULES -update (-want +got):\n%s", diff)
	}
}

// proofs are the cases of the corpus by the rules they are expected to break.
// Without a corpus there are none.
func proofs(t *testing.T, corpus string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, "*", "case.yml"))
	if err != nil {
		t.Fatal(err)
	}
	proven := map[string][]string{}
	for _, file := range files { // Glob sorts them
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var one struct {
			About      string
			Advisories []string
			Expect     []string
		}
		if err := yaml.Unmarshal(text, &one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := filepath.Base(filepath.Dir(file))
		line := fmt.Sprintf("[%s](testenv/corpus/%s): %s", name, name, strings.TrimSuffix(strings.Join(strings.Fields(one.About), " "), "."))
		if len(one.Advisories) > 0 {
			line += " (" + strings.Join(one.Advisories, ", ") + ")"
		}
		for _, rule := range one.Expect {
			if _, known := catalog.Rule(rule); !known {
				t.Errorf("%s expects %s, which is no rule", file, rule)
			}
			proven[rule] = append(proven[rule], line)
		}
	}
	return proven
}

// A case of a corpus is named at the rules it breaks, and nowhere else.
func TestProofsComeFromTheCorpus(t *testing.T) {
	t.Parallel()
	corpus := t.TempDir()
	for name, text := range map[string]string{
		"kept-1.0": "about: Something that\n  keeps its ids.\nadvisories: [CVE-2025-0001]\nexpect: [session-id-not-rotated-on-login]\ntolerate: {login-csrf: so}\n",
		"kept-1.1": "about: The same, mended.\nhardened: true\n",
	} {
		folder := filepath.Join(corpus, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "case.yml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string][]string{"session-id-not-rotated-on-login": {"[kept-1.0](testenv/corpus/kept-1.0): Something that keeps its ids (CVE-2025-0001)"}}
	if diff := cmp.Diff(want, proofs(t, corpus)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
