// Package rulebook says of each rule what it is, how it is tested and how it is
// fixed: a page in the terminal, and all of them as Markdown. All words are the
// catalogue's own; this room only sets them.
package rulebook

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Find returns the rule with that id, which may be a variant, and its probe.
func Find(probes []probe.Probe, id string) (probe.Probe, finding.Rule, bool) {
	for _, p := range probes {
		for _, rule := range p.Rules() {
			if rule.ID == id {
				return p, rule, true
			}
		}
	}
	return probe.Probe{}, finding.Rule{}, false
}

// Near are the rules whose names are closest to a word that is none: those that
// share the most words with it, read as they were meant where none is. They are
// at most five, and none where nothing is close.
func Near(probes []probe.Probe, word string) []string {
	if near := sharing(probes, word); len(near) > 0 {
		return near
	}
	var known, meant []string
	for _, p := range probes {
		known = append(known, words(p.Rule.ID)...)
	}
	for _, part := range words(strings.ToLower(word)) {
		meant = append(meant, recipe.Nearest(part, known))
	}
	return sharing(probes, strings.Join(meant, "-"))
}

func sharing(probes []probe.Probe, word string) []string {
	const most = 5
	word = strings.ToLower(strings.TrimSpace(word))
	shared := map[string]int{}
	var near []string
	for _, p := range probes {
		for _, rule := range p.Rules() {
			if shared[rule.ID] = alike(word, rule.ID); shared[rule.ID] > 0 {
				near = append(near, rule.ID)
			}
		}
	}
	slices.SortStableFunc(near, func(a, b string) int { return shared[b] - shared[a] })
	return near[:min(most, len(near))]
}

// everywhere are words that most names have, and that so tell nothing.
var everywhere = []string{"session", "id", "in", "not", "on", "the", "is"}

// alike counts the words two names share. People remember parts of a long name.
func alike(word, id string) int {
	named := words(id)
	count := 0
	for _, part := range words(word) {
		if slices.Contains(everywhere, part) {
			continue
		}
		if slices.ContainsFunc(named, func(other string) bool { return strings.HasPrefix(other, part) || strings.HasPrefix(part, other) }) {
			count += 2
		}
	}
	if len(word) >= 3 && strings.Contains(id, word) {
		count++
	}
	return count
}

func words(name string) []string {
	return strings.FieldsFunc(name, func(char rune) bool { return strings.ContainsRune("-/_ .", char) })
}

// family is the rules that share a root cause.
type family struct {
	name   finding.Family
	probes []probe.Probe
}

// families keeps the order in which the catalogue first names each.
func families(probes []probe.Probe) []family {
	var all []family
	for _, p := range probes {
		at := slices.IndexFunc(all, func(f family) bool { return f.name == p.Rule.Family })
		if at < 0 {
			at, all = len(all), append(all, family{name: p.Rule.Family})
		}
		all[at].probes = append(all[at].probes, p)
	}
	return all
}

// about is what a family has in common, for a reader.
var about = map[finding.Family]string{
	finding.Fixation:    "Somebody else knows, or chooses, the id of a session that is then signed in.",
	finding.Isolation:   "One client's session is another's.",
	finding.Termination: "A session does not end when it should.",
	finding.IDQuality:   "An id can be guessed.",
	finding.Cookie:      "The cookie is handed to those it is not meant for, or planted by them.",
	finding.Exposure:    "The id stands where others read it.",
	finding.Injection:   "The id is taken for more than a value.",
	"delivery":          "A session is brought to another's browser, or taken from it.",
	"robustness":        "What is no session id breaks the API.",
}

// Open is what can leave the rule not tested, one clause each.
func Open(p probe.Probe) []string {
	var clauses []string
	steps, users := slices.Clone(p.Steps), p.Users
	if p.Flow != nil {
		users = max(users, p.Flow.Users)
		for _, step := range p.Flow.Steps {
			if !slices.Contains(steps, step) {
				steps = append(steps, step)
			}
		}
	}
	if len(steps) > 0 {
		lacking := "the recipe lacks one of the steps " + strings.Join(steps, ", ")
		if (p.Strangers || p.Anybody) && slices.Contains(steps, "login") {
			lacking += "; a failure is found without them, by what strangers are handed"
		}
		clauses = append(clauses, lacking)
	}
	if users > 1 {
		clauses = append(clauses, "the recipe has one user; a second is needed")
	}
	if p.Deep {
		clauses = append(clauses, "the scan has the core profile; --profile deep tests it")
	}
	clauses = append(clauses, preconditions(p)...)
	if p.PartOf != "" {
		clauses = append(clauses, p.PartOf+" failed, of which it is a part")
	}
	return append(clauses, p.Open...)
}

// preconditions asks the judge itself, with nothing to see but what an API is
// like, what of that it cannot be tested without.
func preconditions(p probe.Probe) []string {
	if p.Judge == nil {
		return nil
	}
	var clauses []string
	for _, change := range apis {
		facts := trace.Facts{Users: []string{"alice", "bob"}, Deep: true, Steps: map[string]bool{},
			Carrier: []trace.Slot{{Kind: trace.InCookie, Name: "session"}}}
		for _, step := range p.Steps {
			facts.Steps[step] = true
		}
		change(&facts)
		reason := p.Judge(trace.Trace{Facts: facts}).Reason
		if slices.Contains(preconditional, reason.Code) && !slices.Contains(clauses, reason.Text) {
			clauses = append(clauses, reason.Text)
		}
	}
	return clauses
}

// preconditional are the reasons that lie in the API or in what the gate may see.
var preconditional = []finding.Code{finding.NoPrecondition, finding.NoDatabase, finding.NoEnvironment, finding.NoSchema}

// apis are the kinds of API that a judge may not be able to say anything about.
var apis = []func(*trace.Facts){
	func(*trace.Facts) {}, // its session in a cookie, its store unseen, no policy
	func(f *trace.Facts) { f.Store = true },
	func(f *trace.Facts) { f.Store, f.Stateless = true, true },
	func(f *trace.Facts) { f.Carrier = []trace.Slot{{Kind: trace.InHeader, Name: "Authorization"}} },
	func(f *trace.Facts) { f.Exclusive, f.MaxSessions = true, 1 },
}

// common can leave any rule not tested.
const common = "a control of calibration that does not hold, an answer 429, or a weakness seen once and not again"
