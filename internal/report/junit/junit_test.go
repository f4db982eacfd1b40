package junit_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/junit"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

func written(t *testing.T, r report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := junit.Write(&out, r); err != nil {
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

// read is the XML as a CI system reads it.
type read struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Cases    []struct {
		Class   string `xml:"classname,attr"`
		Name    string `xml:"name,attr"`
		Failure *struct {
			Message string `xml:"message,attr"`
			Text    string `xml:",chardata"`
		} `xml:"failure"`
		Error   *struct{} `xml:"error"`
		Skipped *struct {
			Message string `xml:"message,attr"`
		} `xml:"skipped"`
	} `xml:"testsuite>testcase"`
}

func parsed(t *testing.T, text string) read {
	t.Helper()
	var got read
	decoder := xml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if white, is := token.(xml.CharData); err != nil || !is || strings.TrimSpace(string(white)) != "" {
			t.Fatalf("%v (%v) follows the report", token, err)
		}
	}
	return got
}

func TestEveryRuleIsOneCase(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Report{
		"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(), "problem": reporttest.Problem(), "hostile": reporttest.Hostile(),
	} {
		got := parsed(t, written(t, r))
		want, failed := len(r.Results), 0
		if r.Problem != "" {
			want++
		}
		for i, result := range r.Results {
			if result.Outcome == finding.Fail {
				failed++
			}
			if !strings.HasPrefix(got.Cases[i].Class, "sessiongate.") || !strings.HasSuffix(got.Cases[i].Class, string(result.Rule.Family)) {
				t.Errorf("%s: %s has the class %s", name, got.Cases[i].Name, got.Cases[i].Class)
			}
		}
		accepted := len(r.With(report.Accepted))
		if len(got.Cases) != want || got.Tests != want || got.Failures != failed-accepted || got.Errors != want-len(r.Results) {
			t.Errorf("%s: %d cases, %d tests, %d failures, %d errors; want %d rules, %d failed, %d of them accepted",
				name, len(got.Cases), got.Tests, got.Failures, got.Errors, len(r.Results), failed, accepted)
		}
	}
}

func TestWhatIsSkippedSaysWhy(t *testing.T) {
	t.Parallel()
	messages := map[string]string{}
	for _, one := range parsed(t, written(t, reporttest.Vulnerable())).Cases {
		if one.Skipped != nil {
			messages[one.Name] = one.Skipped.Message
		}
	}
	for rule, want := range map[string]string{
		"session-cookie-missing-secure":     "not tested: NT-ENV: the target is plain http; to test it: put TLS in front of the API and give its https URL",
		"session-survives-account-deletion": "not applicable: accounts are closed by hand",
		"session-cookie-prefix-missing":     "accepted: legacy domain (until 2027-03-31)",
	} {
		if messages[rule] != want {
			t.Errorf("%s says %q, want %q", rule, messages[rule], want)
		}
	}
}

func TestHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	out := written(t, reporttest.Hostile())
	parsed(t, out)
	reporttest.Inert(t, out)
	if strings.Contains(out, "<script") || strings.Contains(out, "]]>") {
		t.Errorf("markup of the target:\n%s", out)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	if err := junit.Write(full{}, reporttest.Hardened()); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
