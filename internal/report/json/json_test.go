package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/json"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

func written(t *testing.T, r report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Write(&out, r); err != nil {
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

// TestTheContractsFields holds the names that scripts outside rely on, apart
// from the golden files that a flag rewrites.
func TestTheContractsFields(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := stdjson.Unmarshal([]byte(written(t, reporttest.Vulnerable())), &got); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"version", "tool.name", "tool.version", "tool.catalogue", "target.url", "target.store", "score", "grade",
		"score_if_untested_pass", "gate.passed", "gate.fail_under", "gate.reason", "gate.exit_code",
		"coverage.tested", "coverage.applicable", "coverage.core_untested", "results.rule", "results.outcome", "results.core",
		"findings.rule", "findings.title", "findings.severity", "findings.level", "findings.subject", "findings.step",
		"findings.message", "findings.cwe", "findings.asvs", "findings.owasp_api", "findings.location.file",
		"findings.location.line", "findings.fingerprint", "findings.status", "findings.evidence.actor",
		"findings.evidence.request", "findings.evidence.status", "findings.evidence.note", "findings.replay",
		"findings.remediation", "deductions.rule", "deductions.points", "calibration.controls.held",
		"baseline.gone", "cookies.name", "cookies.carrier", "cookies.lifetime_seconds", "samples.count", "samples.place_bits",
		"requests", "logins", "duration_ms",
	} {
		if !has(got, strings.Split(path, ".")) {
			t.Errorf("no %s", path)
		}
	}
}

// has follows the names, into the first element of lists.
func has(value any, names []string) bool {
	if items, ok := value.([]any); ok && len(names) > 0 {
		return len(items) > 0 && has(items[0], names)
	}
	if len(names) == 0 {
		return true
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return false
	}
	field, ok := fields[names[0]]
	return ok && has(field, names[1:])
}

func TestEmptyListsAreLists(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Report{
		"no report": {}, "bare finding": {Findings: []report.Finding{{}}},
	} {
		if out := written(t, r); strings.Contains(out, "null") {
			t.Errorf("%s: a null in\n%s", name, out)
		}
	}
}

func TestHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	hostile := reporttest.Hostile()
	out := written(t, hostile)
	var got struct {
		Problem  string
		Results  []struct{ Rule string }
		Findings []struct{ Message, Replay string }
	}
	if err := stdjson.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	if want := strings.ToValidUTF8(hostile.Problem, "\ufffd"); got.Problem != want {
		t.Errorf("another problem (-want +got):\n%s", cmp.Diff(want, got.Problem))
	}
	if len(got.Results) != len(hostile.Results) || len(got.Findings) != len(hostile.Findings) {
		t.Errorf("%d results and %d findings", len(got.Results), len(got.Findings))
	}
	reporttest.Inert(t, out)
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	if err := json.Write(full{}, reporttest.Hardened()); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
