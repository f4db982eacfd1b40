package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

func run(t *testing.T, script, folder string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", script)
	command.Dir = folder
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "ALICE_PASSWORD=" + demoapi.AlicePassword, "BOB_PASSWORD=" + demoapi.BobPassword}
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, output)
	}
	return string(output)
}

// answer is one request of a replay: what the scan saw, and what came now.
type answer struct {
	who, line, status, note, got string
	// victim is who the scan saw an attacker read who had not signed in as her.
	victim string
}

// played runs a script as a reader of the report would.
func played(t *testing.T, script string) []answer {
	t.Helper()
	output := run(t, script, t.TempDir())
	var answers []answer
	own := map[string]bool{}
	parts := strings.Split("\n"+output, "\n--- ")
	if strings.TrimSpace(parts[0]) != "" {
		t.Errorf("before the first request: %s", parts[0])
	}
	said := regexp.MustCompile(`^\d+\. ([^:]*): ([A-Z]+ [^:]*): (\d+|no answer)(?:, (.*))?$`)
	for _, part := range parts[1:] {
		title, got, _ := strings.Cut(part, "\n")
		fields := said.FindStringSubmatch(title)
		if fields == nil {
			t.Fatalf("a title that nobody understands: %q", title)
		}
		a := answer{who: fields[1], line: fields[2], status: fields[3], note: fields[4], got: strings.ReplaceAll(got, "\r", "")}
		if strings.HasPrefix(a.who, "attacker") || strings.HasPrefix(a.who, "forged") {
			if user := signsIn.FindStringSubmatch(a.note); user != nil {
				own[user[1]] = true
			}
			if user := reads.FindStringSubmatch(a.note); user != nil && !own[user[1]] {
				a.victim = user[1]
			}
		}
		answers = append(answers, a)
	}
	return answers
}

var signsIn, reads = regexp.MustCompile(`signs in as (\w+)`), regexp.MustCompile(`reads (\w+)'s profile`)

var statusLine = regexp.MustCompile(`(?m)^HTTP/1\.1 (\d+)`)

func (a answer) is(status string) bool {
	found := statusLine.FindStringSubmatch(a.got)
	return found != nil && found[1] == status
}

// takes reports whether the answer has the victim's profile.
func (a answer) takes() bool {
	_, body, _ := strings.Cut(a.got, "\n\n")
	return a.victim != "" && a.is("200") && strings.Contains(body, a.victim)
}

var cookieLine = regexp.MustCompile(`(?mi)^set-cookie: ([^=]*)=[^;]*(.*)$`)

// sets is how the last Set-Cookie line of the answer reads in evidence.
func (a answer) sets() []string {
	found := cookieLine.FindAllStringSubmatch(a.got, -1)
	if len(found) == 0 {
		return nil
	}
	last := found[len(found)-1]
	return attributes(last[1] + last[2])
}

var tagged = regexp.MustCompile(`=«[0-9a-f]*»`)

// attributes are those of a line in any order; Expires moves with the clock.
func attributes(line string) []string {
	parts := strings.Split(tagged.ReplaceAllString(line, ""), "; ")
	slices.Sort(parts)
	return slices.DeleteFunc(parts, func(part string) bool { return strings.HasPrefix(part, "Expires=") })
}

// Every finding of every flaw comes with a script that shows it again, and
// shows something else on the hardened API.
func TestReplaysShowTheAttackAndNothingElse(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not on PATH; the scripts of the findings need it")
	}
	hardened := demo(t)
	for _, flaw := range demoapi.Flaws() {
		t.Run(flaw.Rule, func(t *testing.T) {
			t.Parallel()
			address := demo(t, flaw.Rule)
			findings := scan(t, fmt.Sprintf(demoRecipe, address)).Findings
			if len(findings) == 0 {
				t.Error("no finding")
			}
			for _, f := range findings {
				t.Run(f.Rule.ID, func(t *testing.T) { replays(t, f, address, hardened) })
			}
		})
	}
}

func replays(t *testing.T, f report.Finding, vulnerable, hardened string) {
	if !strings.Contains(f.Replay, vulnerable) {
		t.Fatalf("no script: %q", f.Replay)
	}
	for i, a := range played(t, f.Replay) {
		if wrong := a.differs(); wrong != "" {
			t.Errorf("request %d (%s, %s): %s:\n%s\n%s", i+1, a.who, a.line, wrong, a.got, f.Replay)
		}
	}
	same := true
	for i, a := range played(t, "U="+hardened+"\n"+f.Replay) {
		if a.takes() {
			t.Errorf("request %d: on the hardened API the %s reads %s's profile:\n%s\n%s", i+1, a.who, a.victim, a.got, f.Replay)
		}
		same = same && a.differs() == ""
	}
	if same && !onlyTheGateSees(f.Rule) {
		t.Errorf("the hardened API answers all of it the same way:\n%s", f.Replay)
	}
}

// unseen are the rules whose weakness is not in statuses, identities and the
// attributes of cookies, but in what an id or a body holds.
var unseen = []string{"session-lifetime-excessive", "pre-login-session-not-invalidated", "permissive-session-creation", "session-id-in-response-body"}

func onlyTheGateSees(rule finding.Rule) bool {
	return rule.Family == finding.IDQuality || slices.Contains(unseen, rule.ID)
}

// differs says how the answer is not that of the scan; "" where it is.
func (a answer) differs() string {
	if !a.is(a.status) {
		return "the status is not " + a.status
	}
	if a.victim != "" && !a.takes() {
		return "it does not have the profile of " + a.victim
	}
	if set, is := strings.CutPrefix(a.note, "Set-Cookie: "); is && !slices.Equal(a.sets(), attributes(set)) {
		return fmt.Sprintf("it sets %q, not %q", a.sets(), attributes(set))
	}
	return ""
}

// shellName is a cookie name that a careless script would run.
const shellName = "sid'$(touch${IFS}owned)`touch${IFS}owned`\"&touch${IFS}owned&!{x}"

// A reader runs the scripts, so a target must not be able to write into them.
func TestReplaysRunNothingOfTheTargets(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not on PATH; the scripts of the findings need it")
	}
	api, err := demoapi.New(demoapi.Demo()...)
	if err != nil {
		t.Fatal(err)
	}
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), shellName, "sid"))
		recorded := httptest.NewRecorder()
		api.ServeHTTP(recorded, r)
		for _, set := range recorded.Header().Values("Set-Cookie") {
			w.Header().Add("Set-Cookie", strings.Replace(set, "sid=", shellName+"=", 1))
		}
		w.WriteHeader(recorded.Code)
		_, _ = recorded.Body.WriteTo(w)
	}))
	findings := scan(t, fmt.Sprintf(demoRecipe, address)).Findings
	if len(findings) < 8 {
		t.Fatalf("%d findings", len(findings))
	}
	for _, f := range findings {
		folder := t.TempDir()
		output := run(t, f.Replay, folder)
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%s: the script made %v (%v):\n%s", f.Rule.ID, left, err, f.Replay)
		}
		if f.Rule.ID == "session-id-not-rotated-on-login" && strings.Count(output, `"alice@`) < 4 {
			t.Errorf("the takeover does not show:\n%s\n%s", f.Replay, output)
		}
	}
}
