// Package report is what every output reads: one finished audit, every text in
// it already free of secrets and control characters. It computes nothing.
package report

import (
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
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
	Calibration  Calibration
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
	Location    finding.Location // never zero
	Fingerprint string           // stable over runs, ports and ids
	Status      Status
	Replay      string // shell commands; secrets are variables
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
