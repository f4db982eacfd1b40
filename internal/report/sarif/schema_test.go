package sarif_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// schema checks documents against the part of JSON Schema that the schema in
// testdata uses (the one that GitHub's upload action enforces). It knows every
// keyword there is in that file: an unknown one is an error, not a pass.
type schema struct{ root map[string]any }

func openSchema(t *testing.T) schema {
	t.Helper()
	data, err := os.ReadFile("testdata/sarif-schema-2.1.0.codeql-action.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	return schema{root}
}

// faults are the places where the document does not follow the schema.
func (s schema) faults(document []byte) []string {
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return []string{err.Error()}
	}
	return s.check("$", value, s.root)
}

func (s schema) check(at string, value any, rules map[string]any) []string {
	var found []string
	for _, keyword := range slices.Sorted(maps.Keys(rules)) {
		found = append(found, s.keyword(at, value, rules, keyword)...)
	}
	return found
}

func (s schema) keyword(at string, value any, rules map[string]any, keyword string) []string {
	rule := rules[keyword]
	switch keyword {
	case "$schema", "$id", "title", "description", "default", "definitions":
		return nil
	case "$ref":
		name := strings.TrimPrefix(rule.(string), "#/definitions/")
		return s.check(at, value, s.root["definitions"].(map[string]any)[name].(map[string]any))
	case "anyOf":
		return s.atLeastOne(at, value, rule.([]any))
	case "oneOf":
		return s.exactlyOne(at, value, rule.([]any))
	case "type":
		return fault(!isType(value, rule), at, "is not of type %v", rule)
	case "enum":
		return fault(!slices.ContainsFunc(rule.([]any), func(one any) bool { return reflect.DeepEqual(one, value) }), at, "is none of %v", rule)
	}
	switch value := value.(type) {
	case map[string]any:
		return s.object(at, value, rules, keyword)
	case []any:
		return s.array(at, value, rule, keyword)
	case string:
		return text(at, value, rule, keyword)
	case float64:
		return number(at, value, rule, keyword)
	}
	return nil
}

func (s schema) object(at string, value, rules map[string]any, keyword string) []string {
	known, _ := rules["properties"].(map[string]any)
	var found []string
	switch keyword {
	case "required":
		for _, name := range rules["required"].([]any) {
			_, there := value[name.(string)]
			found = append(found, fault(!there, at, "has no %v", name)...)
		}
	case "properties":
		for name, rule := range known {
			if member, there := value[name]; there {
				found = append(found, s.check(at+"."+name, member, rule.(map[string]any))...)
			}
		}
	case "additionalProperties":
		for name, member := range value {
			if _, there := known[name]; !there {
				found = append(found, s.additional(at+"."+name, member, rules[keyword])...)
			}
		}
	default:
		return unknown(at, keyword)
	}
	return found
}

func (s schema) additional(at string, member, rule any) []string {
	if rules, ok := rule.(map[string]any); ok {
		return s.check(at, member, rules)
	}
	return fault(rule == false, at, "is not allowed here")
}

func (s schema) array(at string, value []any, rule any, keyword string) []string {
	var found []string
	switch keyword {
	case "items":
		for i, item := range value {
			found = append(found, s.check(fmt.Sprintf("%s[%d]", at, i), item, rule.(map[string]any))...)
		}
	case "minItems":
		return fault(float64(len(value)) < rule.(float64), at, "has fewer than %v items", rule)
	case "uniqueItems":
		for i := range value {
			same := slices.IndexFunc(value[:i], func(one any) bool { return reflect.DeepEqual(one, value[i]) })
			found = append(found, fault(rule == true && same >= 0, at, "has item %d twice", i)...)
		}
	default:
		return unknown(at, keyword)
	}
	return found
}

func (s schema) matching(at string, value any, rules []any) int {
	matching := 0
	for _, one := range rules {
		if len(s.check(at, value, one.(map[string]any))) == 0 {
			matching++
		}
	}
	return matching
}

func (s schema) atLeastOne(at string, value any, rules []any) []string {
	return fault(s.matching(at, value, rules) == 0, at, "matches none of the alternatives")
}

func (s schema) exactlyOne(at string, value any, rules []any) []string {
	matching := s.matching(at, value, rules)
	return fault(matching != 1, at, "matches %d of the alternatives", matching)
}

func text(at, value string, rule any, keyword string) []string {
	switch keyword {
	case "pattern":
		return fault(!regexp.MustCompile(rule.(string)).MatchString(value), at, "does not match %v", rule)
	case "format":
		return fault(!isFormat(value, rule.(string)), at, "is not a %v", rule)
	}
	return unknown(at, keyword)
}

func number(at string, value float64, rule any, keyword string) []string {
	switch keyword {
	case "minimum":
		return fault(value < rule.(float64), at, "is below %v", rule)
	case "maximum":
		return fault(value > rule.(float64), at, "is above %v", rule)
	}
	return unknown(at, keyword)
}

func isType(value, rule any) bool {
	if several, ok := rule.([]any); ok {
		return slices.ContainsFunc(several, func(one any) bool { return isType(value, one) })
	}
	switch value := value.(type) {
	case nil:
		return rule == "null"
	case map[string]any:
		return rule == "object"
	case []any:
		return rule == "array"
	case string:
		return rule == "string" && utf8.ValidString(value)
	case bool:
		return rule == "boolean"
	case float64:
		return rule == "number" || rule == "integer" && value == math.Trunc(value)
	}
	return false
}

func isFormat(value, format string) bool {
	switch format {
	case "uri", "uri-reference":
		parsed, err := url.Parse(value)
		return err == nil && !strings.ContainsAny(value, " \\<>\"{}|^`") && (format == "uri-reference" || parsed.IsAbs())
	case "date-time":
		_, err := time.Parse(time.RFC3339, value)
		return err == nil
	}
	return false
}

func fault(broken bool, at, format string, args ...any) []string {
	if !broken {
		return nil
	}
	return []string{at + " " + fmt.Sprintf(format, args...)}
}

// unknown passes over keywords of other types, as JSON Schema does, and
// reports those that this checker does not know at all.
func unknown(at, keyword string) []string {
	known := []string{"required", "properties", "additionalProperties", "items", "minItems", "uniqueItems", "pattern", "format", "minimum", "maximum"}
	return fault(!slices.Contains(known, keyword), at, "has a rule this test does not know: %s", keyword)
}

func TestTheSchemaCheckCanFail(t *testing.T) {
	t.Parallel()
	whole := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"message": {"text": "x"}}]}]}`
	checker := openSchema(t)
	if found := checker.faults([]byte(whole)); len(found) > 0 {
		t.Fatalf("a sound document: %q", found)
	}
	for old, broken := range map[string]string{
		`"2.1.0"`:                          `"2.0.0"`,
		`"name": "x"`:                      `"name": null`,
		`{"name": "x"}`:                    `{}`,
		`[{"message": {"text": "x"}}]`:     `null`,
		`{"message": {"text": "x"}}`:       `{"message": {"text": "x"}, "fingerprint": "y"}`,
		`"results": [{"message"`:           `"results": [{"suppressions": [{"kind": "external", "guid": null}], "message"`,
		`"results": [{"message":`:          `"results": [{"ruleIndex": -2, "message":`,
		`"runs": [{`:                       `"runs": [{"properties": {"tags": ["a", "a"]}, `,
		`"runs": [{"tool"`:                 `"runs": [{"automationDetails": {"guid": "7"}, "tool"`,
		`"driver": {"name": "x"}`:          `"driver": {"name": "x", "informationUri": "not absolute"}`,
		`"results": [{"message": {"text":`: `"results": [{"level": "high", "message": {"text":`,
	} {
		text := strings.Replace(whole, old, broken, 1)
		if text == whole {
			t.Errorf("nothing was replaced by %s", broken)
		}
		if len(checker.faults([]byte(text))) == 0 {
			t.Errorf("no fault in %s", text)
		}
	}
}
