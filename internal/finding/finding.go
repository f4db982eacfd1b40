// Package finding is the vocabulary of a verdict: rules, severities, outcomes,
// findings and why something could not be tested. It knows neither traffic nor
// score nor output format.
package finding

import (
	"fmt"
	"strings"
)

// Severity is a CVSS 3.1 base score in tenths: 81 is 8.1. Zero is a note.
type Severity int

// String gives the score as GitHub's security-severity wants it: "8.1".
func (s Severity) String() string { return fmt.Sprintf("%d.%d", s/10, s%10) }

// Level names the CVSS band.
func (s Severity) Level() Level {
	switch {
	case s >= 90:
		return Critical
	case s >= 70:
		return High
	case s >= 40:
		return Medium
	case s > 0:
		return Low
	}
	return Note
}

// Level is the word for a severity band.
type Level string

// The levels of the JSON report.
const (
	Critical Level = "critical"
	High     Level = "high"
	Medium   Level = "medium"
	Low      Level = "low"
	Note     Level = "note"
)

// Family groups rules that share a root cause; the score counts the worst of a
// family fully and the rest by a quarter (probes.md §8.2).
type Family string

// The families of the catalogue.
const (
	Fixation    Family = "fixation"
	Isolation   Family = "isolation"
	Termination Family = "termination"
	IDQuality   Family = "id-quality"
	Cookie      Family = "cookie"
	Exposure    Family = "exposure"
	Injection   Family = "injection"
	Robustness  Family = "robustness"
	Delivery    Family = "delivery" // how a session is brought to or taken from another's browser
)

// Rule is everything that can be said of a weakness before looking at a target.
// A severity variant is a rule of its own, named "<rule>/<variant>", since
// GitHub reads the severity per rule.
type Rule struct {
	ID       string
	Title    string
	Family   Family
	Core     bool // must be conclusive for the gate
	Severity Severity
	Vector   string // CVSS 3.1
	CWE      []int
	ASVS     []string // with version: v5.0.0-7.2.4
	OWASPAPI []string // API2:2023
	WSTG     []string
	Why      string
	Fix      string
	FastAPI  string // the fix as FastAPI code
}

// Base is the rule a variant belongs to, or the id itself.
func (r Rule) Base() string { return Base(r.ID) }

// Base is the part of a rule id before the variant.
func Base(id string) string {
	base, _, _ := strings.Cut(id, "/")
	return base
}

// Standards names what the rule rests on, for a reader: "CWE-384",
// "OWASP ASVS v5.0.0-7.2.4". The CVSS vector is the last.
func (r Rule) Standards() []string {
	var standards []string
	for _, cwe := range r.CWE {
		standards = append(standards, fmt.Sprintf("CWE-%d", cwe))
	}
	for _, asvs := range r.ASVS {
		standards = append(standards, "OWASP ASVS "+asvs)
	}
	for _, api := range r.OWASPAPI {
		standards = append(standards, "OWASP "+api)
	}
	standards = append(standards, r.WSTG...)
	if r.Vector != "" {
		standards = append(standards, r.Vector)
	}
	return standards
}

// Outcome is what a probe says of a target.
type Outcome string

// The outcomes. There is no zero outcome: a judge that says nothing has failed.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NotTested     Outcome = "not-tested"
	NotApplicable Outcome = "not-applicable" // only by the user's declaration
)

// Code classifies why something was not tested (probes.md §2.3).
type Code string

// The codes.
const (
	NoCalibration  Code = "NT-CAL"    // a control did not hold
	NoPrecondition Code = "NT-PRE"    // a step or an account is missing
	Decided        Code = "NT-DONE"   // another rule already decided the question
	NoEnvironment  Code = "NT-ENV"    // the transport or a proxy hides it
	NoDatabase     Code = "NT-DB"     // only the session store could show it
	NoSchema       Code = "NT-SCHEMA" // its tables have no column that says so
	Cached         Code = "NT-CACHE"  // the API does not go by what its store says
	RateLimited    Code = "NT-RATE"   // the API answered 429
	Flaky          Code = "NT-FLAKY"  // seen once, not reproduced
	TooFew         Code = "NT-BUDGET" // too few observations
	Ambiguous      Code = "NT-AMBIG"  // observations contradict each other
	Crashed        Code = "NT-CRASH"  // our own error
	OtherProfile   Code = "NT-DEEP"   // the deep profile alone tests it
	Declared       Code = "NA"        // the user said so
)

// Blocks reports whether a core rule left open for this reason keeps the gate
// from answering. What the recipe or the target does not have costs points and
// does not block; what was there and could not be measured does.
func (c Code) Blocks() bool {
	switch c {
	case NoPrecondition, Decided, NoEnvironment, NoDatabase, NoSchema, Cached, OtherProfile:
		return false
	}
	return true
}

// Free reports whether a rule left open for this reason costs nothing: the
// profile is the user's choice, which no target can make, and what another rule
// has decided is known.
func (c Code) Free() bool { return c == OtherProfile || c == Decided }

// Reason says why a rule is not tested and what would change that.
type Reason struct {
	Code   Code
	Text   string // one clause: "login issued no session id"
	Remedy string // what the user can do; may be empty
}

// String is the form of the JSON report: "NT-PRE: no logout step".
func (r Reason) String() string { return string(r.Code) + ": " + r.Text }

// Evidence is one line of the story: who asked what and what came back.
type Evidence struct {
	Actor    string
	Request  string // "GET /me"
	Status   int    // 0: no answer
	Note     string
	Exchange int // the exchange it rests on; 0: none
}

// Finding is a weakness that was shown.
type Finding struct {
	Rule     string // id, with the variant
	Subject  string // "cookie session_id", "query parameter sid"
	Step     string // the recipe step whose handler has to change
	Message  string // one paragraph
	Evidence []Evidence
}

// Verdict is a judge's answer. The zero Verdict is not valid: it is neither a
// pass nor a fail, and the audit reports it as our own error.
type Verdict struct {
	Outcome  Outcome
	Note     string // what a passing judge wants to be known
	Reason   Reason // with NotTested and NotApplicable
	Findings []Finding
	// Rest says, with Fail, why the rules of the probe that no finding is of were
	// not tested. The zero Reason: they were, and passed.
	Rest Reason
	// Reproduced says that the trace itself holds the weakness twice, each time
	// with fresh ids; otherwise the audit runs the flow again (K6).
	Reproduced bool
}

// Passed is the verdict of an attack that failed while its controls held.
func Passed(note string) Verdict { return Verdict{Outcome: Pass, Note: note} }

// Failed is the verdict of an attack that worked.
func Failed(findings ...Finding) Verdict { return Verdict{Outcome: Fail, Findings: findings} }

// Untested is the verdict where no experiment can be relied on.
func Untested(code Code, text, remedy string) Verdict {
	return Verdict{Outcome: NotTested, Reason: Reason{Code: code, Text: text, Remedy: remedy}}
}

// Location is a place in the repository. The zero value is "unknown".
type Location struct {
	File string
	Line int
}

// Step is one station of a value on its way through the source.
type Step struct {
	Location
	Says string // "kept in session_id"
}
