package json_test

import (
	stdjson "encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/json"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

// resolved is the schema; a strict one forbids what it does not name, so that
// a field which the schema forgot is seen.
func resolved(t *testing.T, strict bool) *jsonschema.Resolved {
	t.Helper()
	var schema jsonschema.Schema
	if err := stdjson.Unmarshal(json.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if strict {
		forbid(&schema)
	}
	made, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func forbid(schema *jsonschema.Schema) {
	if schema == nil {
		return
	}
	if schema.Properties != nil {
		schema.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}}
	}
	for _, property := range schema.Properties {
		forbid(property)
	}
	forbid(schema.Items)
}

func decoded(t *testing.T, r report.Report) map[string]any {
	t.Helper()
	var value map[string]any
	if err := stdjson.Unmarshal([]byte(written(t, r)), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestReportsFollowTheSchema(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]report.Report{
		"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(), "problem": reporttest.Problem(), "empty": {},
	} {
		if err := resolved(t, true).Validate(decoded(t, made)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Everything the schema names is written by one report or the other, so that
// it names nothing that is not there.
func TestTheSchemaNamesNothingElse(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, made := range []report.Report{reporttest.Vulnerable(), reporttest.Problem(), {Target: report.Target{StoreProblem: "x"}, Problem: "x"}} {
		seen = append(seen, keys("", decoded(t, made))...)
	}
	var schema jsonschema.Schema
	if err := stdjson.Unmarshal(json.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	for _, named := range properties("", &schema) {
		if !slices.Contains(seen, named) {
			t.Errorf("no report has %s", named)
		}
	}
}

func keys(at string, value any) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			found = append(found, at+"."+key)
			found = append(found, keys(at+"."+key, below)...)
		}
	case []any:
		for _, item := range value {
			found = append(found, keys(at, item)...)
		}
	}
	return found
}

func properties(at string, schema *jsonschema.Schema) (found []string) {
	for key, below := range schema.Properties {
		found = append(found, at+"."+key)
		found = append(found, properties(at+"."+key, below)...)
	}
	if schema.Items != nil {
		found = append(found, properties(at, schema.Items)...)
	}
	return found
}

func TestTheSchemaRefuses(t *testing.T) {
	t.Parallel()
	for path, wrong := range map[string]any{"score": "49", "version": 2, "findings": nil, "gate": map[string]any{"passed": true}} {
		value := decoded(t, reporttest.Vulnerable())
		value[path] = wrong
		if err := resolved(t, false).Validate(value); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	more := decoded(t, reporttest.Vulnerable())
	more["later"] = true
	if err := resolved(t, false).Validate(more); err != nil {
		t.Errorf("version 1 may gain fields: %v", err)
	}
}
