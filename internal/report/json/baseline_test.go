package json_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/report/json"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

func TestABaselineIsAReport(t *testing.T) {
	t.Parallel()
	vulnerable := reporttest.Vulnerable()
	got, err := json.ReadBaseline(strings.NewReader(written(t, vulnerable)))
	if err != nil {
		t.Fatal(err)
	}
	var want []json.Known
	for _, f := range vulnerable.Findings {
		want = append(want, json.Known{Rule: f.Rule.ID, Fingerprint: f.Fingerprint})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	if got, err := json.ReadBaseline(strings.NewReader(written(t, reporttest.Hardened()))); err != nil || len(got) != 0 {
		t.Errorf("a report without findings: %v, %v", got, err)
	}
}

func TestReadBaselineRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, says string }{
		"nothing":             {``, "not a JSON report"},
		"a list":              {`[]`, "not a JSON report"},
		"half a report":       {`{"version": 1, "findings": [`, "not a JSON report"},
		"two reports":         {`{"version": 1, "findings": []}{}`, "not a JSON report"},
		"SARIF":               {`{"version": "2.1.0", "runs": []}`, "not a JSON report"},
		"another document":    {`{}`, "no version or no findings"},
		"no findings":         {`{"version": 1}`, "no version or no findings"},
		"null findings":       {`{"version": 1, "findings": null}`, "no version or no findings"},
		"the next version":    {`{"version": 2, "findings": []}`, "has version 2"},
		"a finding unmarked":  {`{"version": 1, "findings": [{"rule": "a", "fingerprint": "b"}, {"rule": "a"}]}`, "finding 2 "},
		"a finding unnamed":   {`{"version": 1, "findings": [{"fingerprint": "b"}]}`, "finding 1 "},
		"a wrong fingerprint": {`{"version": 1, "findings": [{"rule": "a", "fingerprint": 7}]}`, "not a JSON report"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.ReadBaseline(strings.NewReader(test.text))
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, %v; want an error with %q", got, err, test.says)
			}
		})
	}
}

// endless is a baseline that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestReadBaselineStopsReading(t *testing.T) {
	t.Parallel()
	source := &endless{}
	if _, err := json.ReadBaseline(source); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("got %v", err)
	}
	if source.read > 32<<20 {
		t.Errorf("read %d bytes", source.read)
	}
}

func TestReadBaselineTellsOfAReadError(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	_ = writer.CloseWithError(io.ErrUnexpectedEOF)
	if _, err := json.ReadBaseline(reader); err == nil || !strings.Contains(err.Error(), "read the baseline") {
		t.Errorf("got %v", err)
	}
}

func FuzzReadBaseline(f *testing.F) {
	f.Add(`{"version": 1, "findings": [{"rule": "a", "fingerprint": "b"}]}`)
	f.Add(`{"version": 1, "findings": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := json.ReadBaseline(strings.NewReader(text))
		for _, known := range got {
			if err != nil || known.Rule == "" || known.Fingerprint == "" {
				t.Errorf("%+v, %v", known, err)
			}
		}
	})
}
