package corpus_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const results = "RESULTS.md"

// row is one case, measured.
type row struct {
	*story
	Caught, Missed, Known, False, Later, Untested []string
	Requests, Logins                              int
	Took                                          time.Duration
}

type table struct {
	stories []*story
	mu      sync.Mutex
	rows    []row
}

func (t *table) add(r row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, r)
}

// settle compares with RESULTS.md once all cases were measured, and writes it
// with -update.
func (t *table) settle(test *testing.T) {
	test.Helper()
	if len(t.rows) < len(t.stories) {
		return // a part of the corpus, or a case that failed by itself
	}
	made := t.text() + discoveries()
	if *update {
		if err := os.WriteFile(results, []byte(made), 0o644); err != nil {
			test.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(results)
	if err != nil {
		test.Fatalf("%v: write it with go test ./testenv/corpus -update", err)
	}
	if was, is := verdicts(string(old)), verdicts(made); was != is {
		test.Errorf("%s is stale: write it anew with go test ./testenv/corpus -update\n%s", results, is)
	}
}

// figures are the last three columns, and the lines that sum them up. They
// differ from run to run.
var figures = regexp.MustCompile(`(?m)( \| \d+ \| \d+ \| \d+ \|$)|(^Median.*$)`)

func verdicts(text string) string { return figures.ReplaceAllString(text, "") }

func (t *table) text() string {
	slices.SortFunc(t.rows, func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	var page strings.Builder
	page.WriteString("# Results of the corpus\n\nWritten by `go test ./testenv/corpus -update`. What each column means stands in [README.md](README.md).\n\n")
	t.totals(&page)
	page.WriteString("\n| case | kind | advisories | caught | missed | known | false alarms | no rule yet | core not tested | requests | logins | ms |\n")
	page.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&page, "| [%s](%s) | %s | %s | %s | %s | %s | %s | %s | %s | %d | %d | %d |\n", r.Name, r.Name, r.kind(),
			strings.Join(r.Advisories, ", "), list(r.Caught), list(r.Missed), list(r.Known), list(r.False), list(r.Later), list(r.Untested),
			r.Requests, r.Logins, r.Took.Milliseconds())
	}
	return page.String()
}

func list(rules []string) string {
	var quoted []string
	for _, rule := range slices.Sorted(slices.Values(rules)) {
		quoted = append(quoted, "`"+rule+"`")
	}
	return strings.Join(quoted, "<br>")
}

func (t *table) totals(page *strings.Builder) {
	kinds, advisories := map[string]int{}, map[string]bool{}
	var sum row
	var requests, took []int
	for _, r := range t.rows {
		kinds[r.kind()]++
		if !r.Hardened {
			for _, id := range r.Advisories {
				advisories[id] = true
			}
		}
		sum.Caught, sum.Missed, sum.Known = append(sum.Caught, r.Caught...), append(sum.Missed, r.Missed...), append(sum.Known, r.Known...)
		sum.False, sum.Later, sum.Untested = append(sum.False, r.False...), append(sum.Later, r.Later...), append(sum.Untested, r.Untested...)
		requests, took = append(requests, r.Requests), append(took, int(r.Took.Milliseconds()))
	}
	fmt.Fprintf(page, "%d cases: %d vulnerable, %d fixed, %d hardened. %d published records at the affected version.\n\n",
		len(t.rows), kinds["vulnerable"], kinds["fixed"], kinds["hardened"], len(advisories))
	fmt.Fprintf(page, "| caught | missed | known | false alarms | no rule yet | core not tested |\n|---|---|---|---|---|---|\n| %d | %d | %d | %d | %d | %d |\n\n",
		len(sum.Caught), len(sum.Missed), len(sum.Known), len(sum.False), len(sum.Later), len(sum.Untested))
	fmt.Fprintf(page, "Median: %d requests, %d ms, the start of the application included.\n", median(requests), median(took))
}

func median(numbers []int) int {
	slices.Sort(numbers)
	return numbers[len(numbers)/2]
}
