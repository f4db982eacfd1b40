package sarif_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/internal/report/sarif"
)

const category = "sessiongate/api/"

func written(t *testing.T, r report.Report, category string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := sarif.Write(&out, r, category); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read is what code scanning looks at.
type read struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name, Version, SemanticVersion, InformationURI string
				Rules                                          []rule
			}
		}
		Results           []result
		AutomationDetails *struct{ ID string }
		Invocations       []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct {
				Level   string
				Message struct{ Text string }
			}
		}
	}
}

type rule struct {
	ID, Name                          string
	ShortDescription, FullDescription struct{ Text string }
	Help                              struct{ Text, Markdown string }
	HelpURI                           string
	DefaultConfiguration              struct{ Level string }
	Properties                        struct {
		SecuritySeverity *string `json:"security-severity"`
		Precision        string
		Tags             []string
	}
}

type result struct {
	RuleID              string
	RuleIndex           int
	Level               string
	Message             struct{ Text string }
	PartialFingerprints map[string]string
	Suppressions        any
	Locations           []location
	RelatedLocations    []location
	CodeFlows           []struct {
		ThreadFlows []struct {
			Locations []struct{ Location location }
		}
	}
}

type location struct {
	ID               int
	Message          struct{ Text string }
	PhysicalLocation struct {
		ArtifactLocation struct{ URI string }
		Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
	}
}

func readBack(t *testing.T, data []byte) read {
	t.Helper()
	var got read
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Runs) != 1 {
		t.Fatalf("%d runs: GitHub takes one for each category", len(got.Runs))
	}
	return got
}

func reports() map[string]report.Report {
	return map[string]report.Report{
		"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(),
		"problem": reporttest.Problem(), "hostile": reporttest.Hostile(), "empty": {},
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	reporttest.Golden(t, "vulnerable.golden", string(written(t, reporttest.Vulnerable(), category)))
}

func TestEveryReportFollowsTheSchema(t *testing.T) {
	t.Parallel()
	checker := openSchema(t)
	for name, r := range reports() {
		for _, found := range checker.faults(written(t, r, category)) {
			t.Errorf("%s: %s", name, found)
		}
	}
}

// TestWhatGitHubRefuses holds what neither the schema nor the usual validators
// notice, and what has the whole file refused after the upload was accepted.
func TestWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	for name, r := range reports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := written(t, r, category)
			if !bytes.Contains(data, []byte(`"results": [`)) || bytes.Contains(data, []byte(": null")) {
				t.Error("results are not a list, or something is null")
			}
			run := readBack(t, data).Runs[0]
			seen := map[string]bool{}
			for _, rule := range run.Tool.Driver.Rules {
				checkRule(t, rule)
				if seen[rule.ID] {
					t.Errorf("%q is listed twice", rule.ID)
				}
				seen[rule.ID] = true
			}
			for _, result := range run.Results {
				if result.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID {
					t.Errorf("%s: ruleIndex %d is another rule", result.RuleID, result.RuleIndex)
				}
				checkResult(t, result)
			}
		})
	}
}

func checkRule(t *testing.T, rule rule) {
	t.Helper()
	if rule.Name == "" || rule.Name == rule.ID || len([]rune(rule.Name)) > 255 {
		t.Errorf("%s: name %q", rule.ID, rule.Name)
	}
	for _, text := range []string{rule.ShortDescription.Text, rule.FullDescription.Text} {
		if text == "" || len([]rune(text)) > 1024 {
			t.Errorf("%s: a description of %d characters", rule.ID, len([]rune(text)))
		}
	}
	if rule.Help.Text == "" || rule.Help.Markdown == "" {
		t.Errorf("%s: no help", rule.ID)
	}
	if !slices.Contains([]string{"error", "warning", "note"}, rule.DefaultConfiguration.Level) || rule.Properties.Precision != "very-high" {
		t.Errorf("%s: level %q, precision %q", rule.ID, rule.DefaultConfiguration.Level, rule.Properties.Precision)
	}
	if !slices.Contains(rule.Properties.Tags, "security") || len(rule.Properties.Tags) > 10 {
		t.Errorf("%s: tags %q", rule.ID, rule.Properties.Tags)
	}
	if severity := rule.Properties.SecuritySeverity; severity != nil {
		if number, err := strconv.ParseFloat(*severity, 64); err != nil || number <= 0 || number > 10 {
			t.Errorf("%s: security-severity %q", rule.ID, *severity)
		}
	}
}

func checkResult(t *testing.T, result result) {
	t.Helper()
	if len(result.Locations) != 1 {
		t.Fatalf("%s: %d locations", result.RuleID, len(result.Locations))
	}
	checkPlace(t, result.RuleID, result.Locations[0])
	for _, related := range result.RelatedLocations {
		checkPlace(t, result.RuleID, related)
	}
	for _, flow := range result.CodeFlows {
		if len(flow.ThreadFlows) != 1 || len(flow.ThreadFlows[0].Locations) != len(result.RelatedLocations) {
			t.Fatalf("%s: flow %+v", result.RuleID, flow)
		}
		for _, station := range flow.ThreadFlows[0].Locations {
			checkPlace(t, result.RuleID, station.Location)
			if text := station.Location.Message.Text; text == "" || strings.Contains(text, "](") {
				t.Errorf("%s: message %q", result.RuleID, text)
			}
		}
	}
	if result.Message.Text == "" || strings.Contains(result.Message.Text, "](") {
		t.Errorf("%s: message %q", result.RuleID, result.Message.Text)
	}
	if result.PartialFingerprints["primaryLocationLineHash"] == "" || result.Suppressions != nil {
		t.Errorf("%s: fingerprints %q, suppressions %v", result.RuleID, result.PartialFingerprints, result.Suppressions)
	}
}

func checkPlace(t *testing.T, rule string, at location) {
	t.Helper()
	place := at.PhysicalLocation
	uri := place.ArtifactLocation.URI
	if uri == "" || path.IsAbs(uri) || strings.Contains(uri, "..") || strings.Contains(uri, "://") || strings.ContainsAny(uri, "\\ ") {
		t.Errorf("%s: uri %q", rule, uri)
	}
	region := place.Region
	if region.StartLine < 1 || region.EndLine < region.StartLine || region.StartColumn < 1 || region.EndColumn <= region.StartColumn {
		t.Errorf("%s: region %+v", rule, region)
	}
}

// The way through the source is a flow, and again related locations for viewers
// that know none.
func TestTheWayThroughTheSource(t *testing.T) {
	t.Parallel()
	results := readBack(t, written(t, reporttest.Vulnerable(), category)).Runs[0].Results
	if len(results[0].CodeFlows) != 1 || len(results[1].CodeFlows) != 0 || len(results[1].RelatedLocations) != 0 {
		t.Fatalf("flows %+v and %+v", results[0].CodeFlows, results[1].CodeFlows)
	}
	second := results[0].CodeFlows[0].ThreadFlows[0].Locations[1].Location
	if second.Message.Text != "written to the INSERT into sessions." || second.PhysicalLocation.ArtifactLocation.URI != "app/store.py" || second.PhysicalLocation.Region.StartLine != 12 {
		t.Errorf("station %+v", second)
	}
	if results[0].RelatedLocations[1].ID != 2 {
		t.Errorf("related %+v", results[0].RelatedLocations)
	}
}

func TestResultsAreTheFindingsThatAreNotAccepted(t *testing.T) {
	t.Parallel()
	r := reporttest.Vulnerable()
	run := readBack(t, written(t, r, category)).Runs[0]
	got, want := map[string]string{}, map[string]string{}
	for _, result := range run.Results {
		got[result.RuleID] = result.PartialFingerprints["primaryLocationLineHash"]
	}
	for _, f := range r.Findings {
		if f.Status != report.Accepted {
			want[f.Rule.ID] = f.Fingerprint
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	first := run.Results[0]
	if place := first.Locations[0].PhysicalLocation; place.ArtifactLocation.URI != "app/auth.py" || place.Region.StartLine != 42 {
		t.Errorf("location %+v", place)
	}
	if first.Level != "error" || run.Results[1].Level != "warning" {
		t.Errorf("levels %s and %s", first.Level, run.Results[1].Level)
	}
	for _, told := range []string{
		"an anonymous session made at the same time does not. Subject: cookie session_id. (1) attacker sends GET / and gets 200: gets session id «3f9a2c».",
		"(4) control sends GET /me and gets 401: is nobody with «77c0de».",
	} {
		if !strings.Contains(first.Message.Text, told) {
			t.Errorf("the message does not tell %q: %s", told, first.Message.Text)
		}
	}
	if !strings.Contains(run.Results[1].Message.Text, "(2) victim, kept copy sends GET /me and gets no answer: no answer within") {
		t.Errorf("message %s", run.Results[1].Message.Text)
	}
}

func TestALongStoryKeepsItsEnds(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]string{
		12: "A. (1) a b (2) a b (3) a b (4) a b (5) a b (6) a b (7) a b (8) a b (9) a b (10) a b (11) a b (12) a b",
		13: "A. (1) a b (2) a b (3) a b (4) a b (5) a b (6) a b (Left out here, see the JSON report: 1.) (8) a b (9) a b (10) a b (11) a b (12) a b (13) a b",
		99: "A. (1) a b (2) a b (3) a b (4) a b (5) a b (6) a b (Left out here, see the JSON report: 87.) (94) a b (95) a b (96) a b (97) a b (98) a b (99) a b",
	} {
		told := report.Finding{Rule: finding.Rule{ID: "a-rule"}, Finding: finding.Finding{Message: "A"}}
		for range length {
			told.Evidence = append(told.Evidence, finding.Evidence{Actor: "a", Request: "GET /", Status: 200})
		}
		got := readBack(t, written(t, report.Report{Findings: []report.Finding{told}}, category)).Runs[0].Results[0].Message.Text
		if got = strings.ReplaceAll(got, "a sends GET / and gets 200.", "a b"); got != want {
			t.Errorf("of %d: %s", length, got)
		}
	}
}

func TestAllRulesAreListed(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Report{
		"vulnerable": reporttest.Vulnerable(), "hardened": reporttest.Hardened(), "problem": reporttest.Problem(),
	} {
		var want, got []string
		for _, result := range r.Results {
			want = append(want, result.Rule.ID)
		}
		slices.Sort(want)
		for _, rule := range readBack(t, written(t, r, category)).Runs[0].Tool.Driver.Rules {
			got = append(got, rule.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s", name, diff)
		}
	}
}

func TestARuleTellsWhatIsKnownOfIt(t *testing.T) {
	t.Parallel()
	rules := map[string]rule{}
	for _, rule := range readBack(t, written(t, reporttest.Vulnerable(), category)).Runs[0].Tool.Driver.Rules {
		rules[rule.ID] = rule
	}
	got := rules["session-id-not-rotated-on-login/host-prefix"]
	if got.Name != "SessionIdNotRotatedOnLoginHostPrefix" || *got.Properties.SecuritySeverity != "6.8" || got.DefaultConfiguration.Level != "warning" {
		t.Errorf("%s, %s, %s", got.Name, *got.Properties.SecuritySeverity, got.DefaultConfiguration.Level)
	}
	want := []string{"security", "external/cwe/cwe-384", "external/owasp-api/api2-2023", "external/owasp-asvs/v5.0.0-7.2.4"}
	if diff := cmp.Diff(want, got.Properties.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	for _, told := range []string{"## Why it matters\n\nAn attacker fetches", "## How to fix it\n\nMake a new", "```python\nsession_id = ", "\n```\n", "- OWASP ASVS v5.0.0-7.2.4\n"} {
		if !strings.Contains(got.Help.Markdown, told) {
			t.Errorf("the help does not have %q:\n%s", told, got.Help.Markdown)
		}
	}
	note := rules["logout-client-state-not-cleared"]
	if note.Properties.SecuritySeverity != nil || note.DefaultConfiguration.Level != "note" {
		t.Errorf("a note: %+v", note)
	}
}

func TestLongTextsAreCutAndManyTagsDropped(t *testing.T) {
	t.Parallel()
	long := finding.Rule{ID: strings.Repeat("x-", 300), Title: strings.Repeat("é", 1025), Why: strings.Repeat("é", 1024),
		CWE: []int{1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, FastAPI: "```\ncode\n```"}
	got := readBack(t, written(t, report.Report{Results: []report.Result{{Rule: long}}}, category)).Runs[0].Tool.Driver.Rules[0]
	checkRule(t, got)
	if got.ShortDescription.Text != strings.Repeat("é", 1023)+"…" || got.FullDescription.Text != long.Why {
		t.Errorf("descriptions %q, %q", got.ShortDescription.Text, got.FullDescription.Text)
	}
	if len(got.Properties.Tags) != 10 || got.Properties.Tags[3] != "external/cwe/cwe-003" {
		t.Errorf("tags %q", got.Properties.Tags)
	}
	if !strings.Contains(got.Help.Markdown, "````python\n```\ncode\n```\n````") {
		t.Errorf("the code ends its fence:\n%s", got.Help.Markdown)
	}
}

func TestAProblemIsNoCleanRun(t *testing.T) {
	t.Parallel()
	failed := readBack(t, written(t, reporttest.Problem(), category)).Runs[0].Invocations
	if len(failed) != 1 || failed[0].ExecutionSuccessful || len(failed[0].ToolExecutionNotifications) != 1 {
		t.Fatalf("invocations %+v", failed)
	}
	if told := failed[0].ToolExecutionNotifications[0]; told.Level != "error" || !strings.HasPrefix(told.Message.Text, "step login: POST /login answered 422") {
		t.Errorf("notification %+v", told)
	}
	sound := readBack(t, written(t, reporttest.Hardened(), category)).Runs[0].Invocations
	if len(sound) != 1 || !sound[0].ExecutionSuccessful || sound[0].ToolExecutionNotifications != nil {
		t.Errorf("invocations %+v", sound)
	}
}

func TestCategory(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"sessiongate/api/": "sessiongate/api/", "sessiongate/api": "sessiongate/api/", "x": "x/"} {
		details := readBack(t, written(t, reporttest.Hardened(), given)).Runs[0].AutomationDetails
		if details == nil || details.ID != want {
			t.Errorf("%q gave %+v", given, details)
		}
	}
	if details := readBack(t, written(t, reporttest.Hardened(), "")).Runs[0].AutomationDetails; details != nil {
		t.Errorf("no category gave %+v", details)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, semantic := range map[string]string{
		"0.1.0": "0.1.0", "v1.2.3-rc.1": "1.2.3-rc.1", "(devel)": "", "1.2": "", "": "",
	} {
		driver := readBack(t, written(t, report.Report{Version: version}, category)).Runs[0].Tool.Driver
		if driver.Version != version || driver.SemanticVersion != semantic || driver.Name != "sessiongate" {
			t.Errorf("%q gave %q and %q", version, driver.Version, driver.SemanticVersion)
		}
	}
}

func TestPlacesInTheRepository(t *testing.T) {
	t.Parallel()
	type place struct {
		uri  string
		line int
	}
	for file, want := range map[string]place{
		"app/auth.py":               {"app/auth.py", 7},
		"./app//auth.py":            {"app/auth.py", 7},
		`app\auth.py`:               {"app/auth.py", 7},
		"my app/ä%20#?.py":          {"my%20app/%C3%A4%2520%23%3F.py", 7},
		"app/..py":                  {"app/..py", 7},
		"":                          {".sessiongate.yml", 1},
		".":                         {".sessiongate.yml", 1},
		"..":                        {".sessiongate.yml", 1},
		"app/../../auth.py":         {".sessiongate.yml", 1},
		"/srv/app/auth.py":          {".sessiongate.yml", 1},
		`\\share\auth.py`:           {".sessiongate.yml", 1},
		`C:\app\auth.py`:            {".sessiongate.yml", 1},
		"C:auth.py":                 {".sessiongate.yml", 1},
		"http://127.0.0.1:8000/me":  {".sessiongate.yml", 1},
		"file:///srv/app/auth.py":   {".sessiongate.yml", 1},
		"https://127.0.0.1/../x.py": {".sessiongate.yml", 1},
	} {
		r := report.Report{Findings: []report.Finding{{Rule: finding.Rule{ID: "a-rule"}, Location: finding.Location{File: file, Line: 7}}}}
		got := readBack(t, written(t, r, category)).Runs[0].Results[0].Locations[0].PhysicalLocation
		if got.ArtifactLocation.URI != want.uri || got.Region.StartLine != want.line || got.Region.EndLine != want.line {
			t.Errorf("%q gave %+v, want %+v", file, got, want)
		}
	}
}

func TestHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	data := written(t, reporttest.Hostile(), category+reporttest.Poison)
	reporttest.Inert(t, string(data))
	run := readBack(t, data).Runs[0]
	if len(run.Tool.Driver.Rules) != len(reporttest.Hostile().Results) || len(run.Results) != 2 {
		t.Errorf("%d rules and %d results", len(run.Tool.Driver.Rules), len(run.Results))
	}
}

// TestNothingOfTheMachine: what differs between two runs of the same code makes
// new alerts of old ones.
func TestNothingOfTheMachine(t *testing.T) {
	t.Parallel()
	here, there := reporttest.Vulnerable(), reporttest.Vulnerable()
	there.Target.URL, there.Target.Name = "http://127.0.0.1:49152", "another name"
	there.Requests, there.Logins, there.Duration = 7, 8, 9
	if diff := cmp.Diff(string(written(t, here, category)), string(written(t, there, category))); diff != "" {
		t.Errorf("another port, another file:\n%s", diff)
	}
	data := written(t, here, category)
	for _, trace := range append(slices.Clone(os.Args), "8000", "commandLine", "arguments") {
		if bytes.Contains(data, []byte(trace)) {
			t.Errorf("the file holds %q", trace)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	if err := sarif.Write(full{}, reporttest.Hardened(), category); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
