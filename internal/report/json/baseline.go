package json

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Known is a finding of an earlier run.
type Known struct{ Rule, Fingerprint string }

// largestBaseline is far above any report: a finding takes about 3 kB.
const largestBaseline = 16 << 20

// ReadBaseline reads the findings of a report that Write wrote, in its order.
// It reads at most 16 MiB. What is not such a report is an error, so that a
// wrong file cannot pass for a baseline without findings.
func ReadBaseline(r io.Reader) ([]Known, error) {
	data, err := io.ReadAll(io.LimitReader(r, largestBaseline+1))
	if err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	if len(data) > largestBaseline {
		return nil, fmt.Errorf("the baseline is larger than %d MiB: give a report written with --out json=FILE", largestBaseline>>20)
	}
	return known(data)
}

func known(data []byte) ([]Known, error) {
	var read struct {
		Version  *int `json:"version"`
		Findings *[]struct {
			Rule        string `json:"rule"`
			Fingerprint string `json:"fingerprint"`
		} `json:"findings"`
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return nil, fmt.Errorf("the baseline is not a JSON report, write one with --out json=FILE: %w", err)
	}
	switch {
	case read.Version == nil || read.Findings == nil:
		return nil, errors.New("the baseline has no version or no findings: give a report written with --out json=FILE")
	case *read.Version != version:
		return nil, fmt.Errorf("the baseline has version %d, this sessiongate reads version %d: write it again with --out json=FILE", *read.Version, version)
	}
	found := make([]Known, len(*read.Findings))
	for i, f := range *read.Findings {
		if f.Rule == "" || f.Fingerprint == "" {
			return nil, fmt.Errorf("finding %d of the baseline has no rule or no fingerprint: write it again with --out json=FILE", i+1)
		}
		found[i] = Known{f.Rule, f.Fingerprint}
	}
	return found, nil
}
