package summary_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/internal/report/summary"
)

func written(t *testing.T, r report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := summary.Write(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWrite(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Report{
		"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(), "problem": reporttest.Problem(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reporttest.Golden(t, name+".golden", written(t, r))
		})
	}
}

// A text of the target adds no line, no cell, no link, no code, no mention and
// no element to the page of a harmless one.
func TestHostileTextsAddNoStructure(t *testing.T) {
	t.Parallel()
	good, bad := reporttest.Seasoned(" harmless"), reporttest.Hostile()
	good.Discovered, bad.Discovered = unfound(good), unfound(bad)
	good.Problem, bad.Problem = "", "" // with one there are no tables
	out := written(t, bad)
	reporttest.Inert(t, out)
	want, got := structure(written(t, good)), structure(out)
	for mark, times := range want {
		if got[mark] != times {
			t.Errorf("%q stands %d times instead of %d", mark, got[mark], times)
		}
	}
	for _, forbidden := range []string{"<script", "](", "@", "http://evil", "--!>", "<!--"} {
		if strings.Contains(out, forbidden) {
			t.Errorf("the page holds %q", forbidden)
		}
	}
}

// unfound leaves the last step without a request: no text of a target is one.
func unfound(r report.Report) []report.Discovered {
	r.Discovered[len(r.Discovered)-1].Request = ""
	return r.Discovered
}

// structure leaves out the lines of code, and those that a long text in a
// diagram is folded into: there may be more of them.
func structure(page string) map[string]int {
	page = regexp.MustCompile(`(?s)<pre>.*?</pre>`).ReplaceAllString(strings.ReplaceAll(page, "<br/>", ""), "")
	marks := map[string]int{}
	for _, mark := range []string{"\n", "|", "`", "<", ">", "[", "*", "\n#", "\n-", "~", "$", "_", "->>"} {
		marks[mark] = strings.Count(page, mark)
	}
	return marks
}

var line = regexp.MustCompile(`^    (autonumber|participant (A|V|C|O|API|S) as \w+|(A|V|C|O|API)(->>|-->>)(A|V|C|O|API|S): .*|Note over (A|V|C|O|API|S): .*)$`)

// Every line of a diagram is one that we drew, and no text in it has a
// character that Mermaid could read as its own.
func TestDiagramsAreOurs(t *testing.T) {
	t.Parallel()
	hostile := reporttest.Hostile()
	hostile.Problem = ""
	out := written(t, hostile)
	diagrams := 0
	for part := range strings.SplitSeq(out, "```mermaid\nsequenceDiagram\n") {
		body, _, found := strings.Cut(part, "```")
		if !found {
			continue
		}
		diagrams++
		for text := range strings.SplitSeq(strings.TrimRight(body, "\n"), "\n") {
			if !line.MatchString(text) {
				t.Errorf("a line that nobody drew: %q", text)
			}
			_, words, _ := strings.Cut(text, ": ")
			words = regexp.MustCompile(`#\d+;|<br/>`).ReplaceAllString(words, "")
			if at := strings.IndexFunc(words, func(char rune) bool {
				return !unicode.IsLetter(char) && !unicode.IsDigit(char) && !strings.ContainsRune(" ./,-_'=?«»→…", char)
			}); at >= 0 {
				t.Errorf("%q in %q", words[at:at+1], text)
			}
		}
	}
	if diagrams != 1 { // of three findings one is high
		t.Errorf("%d diagrams", diagrams)
	}
}

// A summary of more than 1 MiB is dropped by GitHub as a whole, so ours drops
// sections and says which.
func TestAHugeReportIsCutBetweenSections(t *testing.T) {
	t.Parallel()
	huge := reporttest.Vulnerable()
	first := huge.Findings[0]
	for i := range 900 {
		f := first
		f.Subject = fmt.Sprintf("cookie number %d", i)
		f.Replay = strings.Repeat("curl -i http://127.0.0.1:8000/ # <&>\n", 80)
		huge.Findings = append(huge.Findings, f)
	}
	out := written(t, huge)
	if len(out) > 1_000_000 {
		t.Errorf("%d bytes", len(out))
	}
	for _, wants := range []string{"cookie number 899", "### 1. ", "### Not tested", "### Score", "Left out, since a summary has at most 1 MiB: finding "} {
		if !strings.Contains(out, wants) {
			t.Errorf("no %q", wants)
		}
	}
	if opened, closed := strings.Count(out, "<details>"), strings.Count(out, "</details>"); opened != closed || strings.Count(out, "```")%2 != 0 {
		t.Errorf("a section was cut: %d details are opened and %d closed", opened, closed)
	}
	last := regexp.MustCompile(`(?m)^### (\d+)\. `).FindAllStringSubmatch(out, -1)
	if len(last) < 10 || last[len(last)-1][1] != fmt.Sprint(len(last)) {
		t.Errorf("%d attacks are left, the last is number %v: the first are to stay", len(last), last[len(last)-1])
	}
}

func TestOneTextThatIsTooLong(t *testing.T) {
	t.Parallel()
	huge := reporttest.Vulnerable()
	huge.Findings[0].Subject = strings.Repeat("<", 300_000)
	out := written(t, huge)
	if len(out) > 1_000_000 || !strings.Contains(out, "the table of findings") || !strings.Contains(out, "### Score") {
		t.Errorf("%d bytes: %.300s", len(out), out)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	if err := summary.Write(full{}, reporttest.Hardened()); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

// Without a baseline the reader is told why, as far as anybody knows it.
func TestNoBaseline(t *testing.T) {
	t.Parallel()
	r := reporttest.Hardened()
	r.Baseline = report.Baseline{Source: "the default branch has no analysis"}
	if out := written(t, r); !strings.Contains(out, "### No baseline\n\nNothing to compare with: the default branch has no analysis.") {
		t.Error(out)
	}
	r.Baseline.Source = ""
	if out := written(t, r); strings.Contains(out, "aseline") {
		t.Error(out)
	}
}
