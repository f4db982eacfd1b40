package codescanning

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Known is a finding of an earlier analysis: its rule and the fingerprint by
// which code scanning tells alerts apart (primaryLocationLineHash).
type Known struct{ Rule, Fingerprint string }

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
// that GitHub processed without an error.
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
			known, err := c.results(ctx, one.ID)
			return Baseline{Commit: one.Commit, Known: known}, err
		}
	}
	return Baseline{}, ErrNoBaseline
}

// same: GitHub drops what stands after the last slash of an automation id.
func same(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

func (c *Client) results(ctx context.Context, analysis int64) ([]Known, error) {
	// Only what is needed is read: properties is an object here and an array there.
	var sarif struct {
		Runs []struct {
			Results []struct {
				RuleID       string         `json:"ruleId"`
				Fingerprints map[string]any `json:"partialFingerprints"`
			}
		}
	}
	if err := c.ask(ctx, http.MethodGet, "/analyses/"+strconv.FormatInt(analysis, 10), "application/sarif+json", nil, &sarif); err != nil {
		return nil, err
	}
	var known []Known
	for _, run := range sarif.Runs {
		for _, result := range run.Results {
			if fingerprint, is := result.Fingerprints["primaryLocationLineHash"].(string); is && result.RuleID != "" {
				known = append(known, Known{result.RuleID, fingerprint})
			}
		}
	}
	return known, nil
}

// Dismissed are the rules and places that somebody dismissed in code scanning:
// alerts know no fingerprint, so that they are told by rule and path.
func (c *Client) Dismissed(ctx context.Context, ref string) ([]Alert, error) {
	var all []Alert
	for page := 1; page <= pages; page++ {
		var found []struct {
			Rule     struct{ ID string }
			Instance struct {
				Category string
				Location struct {
					Path string
					Line int `json:"start_line"`
				}
			} `json:"most_recent_instance"`
		}
		query := url.Values{"ref": {ref}, "tool_name": {tool}, "state": {"dismissed"}, "per_page": {strconv.Itoa(alerts)}, "page": {strconv.Itoa(page)}}
		if err := c.ask(ctx, http.MethodGet, "/alerts?"+query.Encode(), "application/json", nil, &found); err != nil {
			return nil, err
		}
		for _, one := range found {
			all = append(all, Alert{Rule: one.Rule.ID, Category: one.Instance.Category, File: one.Instance.Location.Path, Line: one.Instance.Location.Line})
		}
		if len(found) < alerts {
			break
		}
	}
	return all, nil
}

// Alert is where an alert was last seen.
type Alert struct {
	Rule, Category, File string
	Line                 int
}
