// Package report is what every output reads: one finished audit, every text in
// it already free of secrets and control characters. It rates nothing.
package report

import (
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/score"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Catalogue is the version of the rules and their weights. Scores compare
// within one version only.
const Catalogue = 1

// Report is one finished audit.
type Report struct {
	Version      string // of the tool
	Target       Target
	Score        score.Score // accepted risks weigh nothing
	WithAccepted int         // what the score would be if they did
	Gate         Gate
	Coverage     Coverage
	Results      []Result  // one for every rule, variants included, in catalogue order
	Findings     []Finding // worst first
	Accepted     []Declared
	Baseline     Baseline
	Cookies      []Cookie // that the API set, in the order they were first seen
	Samples      []Sample // of session ids, one for each cookie of the carrier that gave two or more
	Calibration  Calibration
	Discovered   []Discovered // steps that the recipe leaves out; empty where it has all
	Requests     int
	Logins       int
	Duration     time.Duration
	// Problem is why nothing could be measured; "" when the scan went through.
	Problem string
}

// Target is what was attacked.
type Target struct {
	URL   string
	Store string // "PostgreSQL 15.18 stand-in"; "" when none was seen
	// StoreProblem is why the store that the recipe names could not be used; the
	// rules that need it are not tested.
	StoreProblem string
	Name         string // how the user knows it: an image, a command; may be empty
}

// Discovered is a step that the recipe leaves out, as it was found. Without a
// Request it was not, and Pin is what adds it.
type Discovered struct {
	Step, Request string
	From, Note    string
	Pin           string // how to write it down
	Unproven      bool   // the scan does without it, for the reason in Note
}

// Gate is the decision.
type Gate struct {
	Passed    bool
	FailUnder int
	FailOn    string // any | new
	Reason    string // one sentence
	ExitCode  int
}

// Coverage counts results.
type Coverage struct {
	Tested       int // pass or fail
	Applicable   int // all but not-applicable
	CoreUntested []string
}

// Result is one rule's outcome.
type Result struct {
	Rule    finding.Rule
	Outcome finding.Outcome
	Reason  finding.Reason // with not-tested and not-applicable
	Note    string
}

// Finding is a weakness that was shown, ready to be printed.
type Finding struct {
	finding.Finding
	Rule        finding.Rule
	Location    finding.Location // zero where no file is known; see Place
	Fingerprint string           // stable over runs, ports and ids
	Status      Status
	Declared    Declared // what accepts it; zero unless it is accepted
	Replay      string   // shell commands; secrets are variables
	// Doubt is why Location is the step in the recipe although there are handlers:
	// "2 handlers fit: a.py:3, b.py:9". Empty elsewhere.
	Doubt string
	// Flow is how a value of the request becomes the session's id in the source:
	// it explains the finding and is none by itself. Often empty.
	Flow []finding.Step
}

// Place is where the finding stands for programs that show none without a file:
// where no file is known, at the head of the recipe that is not written yet.
func (f Finding) Place() finding.Location {
	if f.Location.File == "" {
		return finding.Location{File: recipe.DefaultFile, Line: 1}
	}
	return f.Location
}

// Status compares a finding with the baseline.
type Status string

// The states; without a baseline every finding is new.
const (
	New      Status = "new"
	Known    Status = "known"
	Accepted Status = "accepted"
)

// Declared is what the user said of a rule: a risk accepted, or nothing to test.
type Declared struct {
	Rule, Reason string
	Until        time.Time // zero: without end
}

// Calibration is what the controls established, for the reader.
type Calibration struct {
	Carrier   string // "cookie session_id"
	Kind      string // "server-side session" | "signed client-side session"
	Controls  []trace.Control
	Victim    string
	Attackers string
}

// Baseline is what the findings were compared with. The zero value: nothing.
type Baseline struct {
	Given  bool
	Source string   // where it comes from; without one, why there is none, or ""
	Gone   []string // rules of its findings that are no longer found, sorted
}

// Cookie is a cookie as the API set it. One that was set with other attributes
// as well is listed again.
type Cookie struct {
	Name, Request string // the request whose answer set it first: "POST /login"
	Carrier       bool   // it authenticates
	Secure        bool
	HTTPOnly      bool
	Partitioned   bool
	SameSite      string        // as browsers read it; "" when it was not set
	Domain        string        // "" for the host alone
	Path          string        // "" for the default path
	Lifetime      time.Duration // 0: until the browser is closed
	Rejected      []string      // why browsers do not store it; empty when they do
	Times         int           // how often it was set
}

// Sample is what the session ids of one cookie have in common, without any of
// them. Every figure is an upper bound: a sample can prove weakness, never strength.
type Sample struct {
	Cookie   string
	Count    int       // ids, each counted once
	Capacity float64   // bits that one id can hold at most
	Places   []float64 // for each character of an id, how many bits the sample shows there
	// Rising is how many ids are greater than the one issued before; a random
	// half of Count-1 where time does not order them.
	Rising int
}
