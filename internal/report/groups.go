package report

import (
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
)

// Open is what was not tested for one reason.
type Open struct {
	Reason finding.Reason
	Rules  []string
}

// Open groups what was not tested by reason, since one missing step leaves many
// rules open, in the order of the catalogue. An outcome that is none counts too.
func (r Report) Open() []Open {
	var groups []Open
	for _, result := range r.Results {
		switch result.Outcome {
		case finding.Pass, finding.Fail, finding.NotApplicable:
			continue
		}
		at := slices.IndexFunc(groups, func(o Open) bool { return o.Reason == result.Reason })
		if at < 0 {
			at, groups = len(groups), append(groups, Open{Reason: result.Reason})
		}
		groups[at].Rules = append(groups[at].Rules, result.Rule.ID)
	}
	return groups
}

// With are the findings of that status, worst first.
func (r Report) With(status Status) []Finding {
	var found []Finding
	for _, f := range r.Findings {
		if f.Status == status {
			found = append(found, f)
		}
	}
	return found
}

// Counted are the findings that nobody has accepted, worst first.
func (r Report) Counted() []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Status == Accepted })
}

// String is the reason with its end: "legacy domain (until 2027-03-31)".
func (d Declared) String() string {
	if d.Until.IsZero() {
		return d.Reason
	}
	return d.Reason + " (until " + d.Until.Format("2006-01-02") + ")"
}
