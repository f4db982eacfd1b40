package codescanning

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Known is a finding of an earlier analysis: its rule and the fingerprint by
// which code scanning tells alerts apart (primaryLocationLineHash).
type Known struct {
	Rule, Fingerprint string
	Dismissed         bool // somebody closed its alert as no problem
}

// Baseline is what the last good analysis of a branch holds.
type Baseline struct {
	Commit string // the analysed one
	Known  []Known
}

const (
	tool     = "sessiongate"
	analyses = 100 // that are looked through for the category
	alerts   = 100 // a page
	pages    = 10
)

// ErrNoBaseline says that the branch has no analysis of the category yet.
var ErrNoBaseline = errors.New("the default branch has no analysis of this category yet")

// Last reads the last analysis of a branch ("refs/heads/main") in a category
// that GitHub processed without an error, and which of its alerts somebody
// dismissed since.
func (c *Client) Last(ctx context.Context, ref, category string) (Baseline, error) {
	var found []struct {
		ID       int64
		Category string
		Commit   string `json:"commit_sha"`
		Error    string
	}
	query := url.Values{"ref": {ref}, "tool_name": {tool}, "per_page": {strconv.Itoa(analyses)}}
	err := c.ask(ctx, http.MethodGet, "/analyses?"+query.Encode(), "application/json", nil, &found)
	var refused *Refusal
	if errors.As(err, &refused) && refused.Kind == NotFound {
		return Baseline{}, ErrNoBaseline // 404 is "no analysis found", too
	}
	if err != nil {
		return Baseline{}, err
	}
	for _, one := range found { // newest first
		if one.Error == "" && same(one.Category, category) {
			known, err := c.known(ctx, one.ID, ref)
			return Baseline{Commit: one.Commit, Known: known}, err
		}
	}
	return Baseline{}, ErrNoBaseline
}

// same: GitHub drops what stands after the last slash of an automation id.
func same(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

// result is a finding of an analysis with the number of its alert; 0: unknown.
type result struct {
	Known
	alert int
}

func (c *Client) known(ctx context.Context, analysis int64, ref string) ([]Known, error) {
	results, err := c.results(ctx, analysis)
	if err != nil || len(results) == 0 {
		return nil, err
	}
	dismissed, err := c.dismissed(ctx, ref)
	if err != nil {
		return nil, err
	}
	known := make([]Known, len(results))
	for i, one := range results {
		known[i] = one.Known
		known[i].Dismissed = dismissed[one.alert]
	}
	return known, nil
}

func (c *Client) results(ctx context.Context, analysis int64) ([]result, error) {
	var sarif struct {
		Runs []struct {
			Results []struct {
				RuleID       string          `json:"ruleId"`
				Fingerprints map[string]any  `json:"partialFingerprints"`
				Properties   json.RawMessage `json:"properties"`
			}
		}
	}
	if err := c.ask(ctx, http.MethodGet, "/analyses/"+strconv.FormatInt(analysis, 10), "application/sarif+json", nil, &sarif); err != nil {
		return nil, err
	}
	var known []result
	for _, run := range sarif.Runs {
		for _, one := range run.Results {
			if fingerprint, is := one.Fingerprints["primaryLocationLineHash"].(string); is && one.RuleID != "" {
				known = append(known, result{Known{Rule: one.RuleID, Fingerprint: fingerprint}, alertOf(one.Properties)})
			}
		}
	}
	return known, nil
}

// alertOf reads the number GitHub adds: properties are an object in its answers
// and an array of objects in its description of them.
func alertOf(properties json.RawMessage) int {
	type numbered struct {
		Alert int `json:"github/alertNumber"`
	}
	var one numbered
	if json.Unmarshal(properties, &one) == nil {
		return one.Alert
	}
	var several []numbered
	_ = json.Unmarshal(properties, &several)
	for _, one := range several {
		if one.Alert != 0 {
			return one.Alert
		}
	}
	return 0
}

// dismissed are the numbers of the alerts that somebody dismissed.
func (c *Client) dismissed(ctx context.Context, ref string) (map[int]bool, error) {
	numbers := map[int]bool{}
	for page := 1; page <= pages; page++ {
		var found []struct{ Number int }
		query := url.Values{"ref": {ref}, "tool_name": {tool}, "state": {"dismissed"}, "per_page": {strconv.Itoa(alerts)}, "page": {strconv.Itoa(page)}}
		if err := c.ask(ctx, http.MethodGet, "/alerts?"+query.Encode(), "application/json", nil, &found); err != nil {
			return nil, err
		}
		for _, one := range found {
			if one.Number > 0 {
				numbers[one.Number] = true
			}
		}
		if len(found) < alerts {
			break
		}
	}
	return numbers, nil
}
