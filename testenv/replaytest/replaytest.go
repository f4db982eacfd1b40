// Package replaytest runs the scripts that come with findings, as a reader of
// the report would, and compares what comes with what the scan saw.
package replaytest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// Passwords are the variables that the scripts ask for: "ALICE_PASSWORD=…".
type Passwords []string

// Curl skips the test where there is none.
func Curl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not on PATH; the scripts of the findings need it")
	}
}

// Run runs a script in a folder and returns all that it printed.
func (p Passwords) Run(t *testing.T, script, folder string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", script)
	command.Dir = folder
	command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, p...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, output)
	}
	return string(output)
}

// Check plays the finding's script against the API it was found in, which is to
// show it again, and against its hardened twin, which is to show something else.
func (p Passwords) Check(t *testing.T, f report.Finding, vulnerable, hardened string) {
	t.Helper()
	if !strings.Contains(f.Replay, vulnerable) {
		t.Fatalf("no script: %q", f.Replay)
	}
	if strings.Contains(f.Replay, audit.ByHand) {
		if !slices.Contains(byHand, f.Rule.ID) {
			t.Errorf("the script cannot run by itself:\n%s", f.Replay)
		}
		return
	}
	for i, a := range p.played(t, f.Replay) {
		if wrong := a.differs(); wrong != "" {
			t.Errorf("request %d (%s, %s): %s:\n%s\n%s", i+1, a.who, a.line, wrong, a.got, f.Replay)
		}
	}
	same := true
	for i, a := range p.played(t, "U="+hardened+"\n"+f.Replay) {
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
// attributes of cookies, but in what an id, a body or another header holds.
var unseen = []string{"session-lifetime-excessive", "pre-login-session-not-invalidated", "permissive-session-creation", "session-id-in-response-body",
	"logout-client-state-not-cleared", "session-response-cacheable", "session-response-cacheable/no-store-missing", "cookie-attribute-injection",
	"session-id-reflected-unencoded", "cors-credentials-any-origin", "cors-credentials-any-origin/null", "cors-credentials-any-origin/same-site",
	"duplicate-session-cookie/one-of-two"}

// byHand are the rules whose attack sends an id that was made from a live one,
// or a token that is not written down.
var byHand = []string{
	"cookie-attribute-injection", "duplicate-session-cookie", "duplicate-session-cookie/one-of-two",
	"oauth-state-not-bound", "password-change-keeps-other-sessions", "pre-login-state-carry-over",
	"session-cookie-rejected-by-browser", "session-cookie-tamperable", "session-id-contains-user-data",
	"session-id-malformed-input", "session-id-not-rotated-on-password-change", "session-id-path-traversal",
	"session-id-reflected-unencoded", "session-survives-account-deletion",
}

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

// answer is one request of a replay: what the scan saw, and what came now.
type answer struct {
	who, line, status, note, got string
	// victim is who the scan saw an attacker read who had not signed in as her.
	victim string
}

// played runs a script as a reader of the report would.
func (p Passwords) played(t *testing.T, script string) []answer {
	t.Helper()
	output := p.Run(t, script, t.TempDir())
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
