// Package ladder reads the evidence of a finding as a sequence between six
// parties, for outputs that draw it. It invents nothing: each rung is a line of
// the evidence.
package ladder

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
)

// Party is who acts or is acted upon.
type Party int

// The parties from left to right.
const (
	Attacker Party = iota
	Victim
	Control
	Client // anybody else who makes requests
	API
	Store
)

// String names the party for a reader.
func (p Party) String() string {
	return [...]string{"attacker", "victim", "control", "client", "API", "store"}[p]
}

// Rung is one line of the evidence. From and To are equal where nothing
// travels: a row that was looked at, a line of a log.
type Rung struct {
	From, To Party
	// As is the actor's own name where it says more than its party: "frozen".
	As      string
	What    string // "POST /login", "INSERT INTO sessions", "row of sessions"
	Carries string // what goes along: "carries «8ff958»"; may be empty
	Status  int    // of the answer; 0: there is none
	Answer  string // what came of it; may be empty
	IDs     []string
}

// Is reports whether the rung is a request that the API answers.
func (r Rung) IsRequest() bool { return r.To == API && r.From < API }

// Has reports whether the id's tag stands in the rung.
func (r Rung) Has(id string) bool { return id != "" && slices.Contains(r.IDs, id) }

var tag = regexp.MustCompile(`«[0-9a-f]{6}»`)

// Of is the story of the finding, in its order.
func Of(f finding.Finding) []Rung {
	var rungs []Rung
	for _, seen := range f.Evidence {
		rungs = append(rungs, rungOf(seen))
	}
	return rungs
}

func rungOf(seen finding.Evidence) Rung {
	r := Rung{What: seen.Request, Status: seen.Status, Answer: seen.Note, To: API}
	r.IDs = distinct(tag.FindAllString(seen.Actor+" "+seen.Request+" "+seen.Note, -1))
	switch seen.Actor {
	case "API":
		r.From = API
	case "store", "gate":
		r.From, r.To = API, Store
		if seen.Actor == "gate" || strings.HasPrefix(seen.Request, "row of ") { // looked at, not sent
			r.From = Store
		}
		r.As = strings.TrimPrefix(seen.Actor, "store")
		if strings.HasPrefix(seen.Note, seen.Request) { // the statement says all of it
			r.What, r.Answer = seen.Note, ""
		}
	default:
		r.From, r.As = client(seen.Actor)
		r.Carries, r.Answer = split(seen.Note)
	}
	return r
}

// client places an actor of a flow by its name.
func client(actor string) (Party, string) {
	for party, names := range map[Party][]string{
		Victim:   {"victim", "twin"},
		Control:  {"control", "visitor", "first visitor", "stranger", "bystander", "anonymous"},
		Attacker: {"attacker", "forged id", "holder of"},
	} {
		for _, name := range names {
			if rest, is := strings.CutPrefix(actor, name); is && (rest == "" || rest[0] == ' ' || rest[0] == ',') {
				if name != party.String() {
					return party, actor
				}
				return party, strings.TrimLeft(rest, " ,")
			}
		}
	}
	return Client, actor
}

// split parts what a request carried from what came back.
func split(note string) (carries, answer string) {
	var there, back []string
	for part := range strings.SplitSeq(note, ", ") {
		if len(back) == 0 && (strings.HasPrefix(part, "carries ") || strings.HasPrefix(part, "plants ")) {
			there = append(there, part)
			continue
		}
		back = append(back, part)
	}
	return strings.Join(there, ", "), strings.Join(back, ", ")
}

// Parties are those that the story needs, from left to right.
func Parties(rungs []Rung) []Party {
	var parties []Party
	for _, party := range []Party{Attacker, Victim, Control, Client, API, Store} {
		if slices.ContainsFunc(rungs, func(r Rung) bool { return r.From == party || r.To == party }) {
			parties = append(parties, party)
		}
	}
	return parties
}

// Traced is the tag of the id that the story is about: the one that passes
// through the most hands, and of those the one seen most often. It is "" where
// no id is told of.
func Traced(rungs []Rung) string {
	best, most := "", 0
	for _, rung := range rungs {
		for _, id := range rung.IDs {
			if weight := weigh(rungs, id); weight > most {
				best, most = id, weight
			}
		}
	}
	return best
}

func weigh(rungs []Rung, id string) int {
	hands, times := map[Party]bool{}, 0
	for _, rung := range rungs {
		if rung.Has(id) {
			hands[rung.From] = true
			times++
		}
	}
	return len(hands)*len(rungs)*2 + times
}

// Piece is a part of a text: an id's tag, or what stands between tags.
type Piece struct {
	Text string
	IsID bool
}

// Pieces cuts a text at the tags in it.
func Pieces(text string) []Piece {
	var pieces []Piece
	from := 0
	for _, at := range tag.FindAllStringIndex(text, -1) {
		if at[0] > from {
			pieces = append(pieces, Piece{Text: text[from:at[0]]})
		}
		pieces = append(pieces, Piece{text[at[0]:at[1]], true})
		from = at[1]
	}
	if from < len(text) {
		pieces = append(pieces, Piece{Text: text[from:]})
	}
	return pieces
}

func distinct(ids []string) []string {
	var kept []string
	for _, id := range ids {
		if !slices.Contains(kept, id) {
			kept = append(kept, id)
		}
	}
	return kept
}
