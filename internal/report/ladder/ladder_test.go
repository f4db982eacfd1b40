package ladder_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report/ladder"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
)

func evidence(lines ...finding.Evidence) finding.Finding { return finding.Finding{Evidence: lines} }

func TestOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		seen finding.Evidence
		want ladder.Rung
	}{
		"a request": {
			finding.Evidence{Actor: "victim", Request: "POST /login", Status: 200, Note: "carries «0a1b2c», signs in as alice, is given «3f9a2c»"},
			ladder.Rung{From: ladder.Victim, To: ladder.API, What: "POST /login", Carries: "carries «0a1b2c»", Status: 200,
				Answer: "signs in as alice, is given «3f9a2c»", IDs: []string{"«0a1b2c»", "«3f9a2c»"}},
		},
		"a plant beside the carrier": {
			finding.Evidence{Actor: "attacker by query parameter", Request: "GET /me", Status: 401, Note: "plants «0a1b2c» as query parameter sid, carries «0a1b2c», is anonymous"},
			ladder.Rung{From: ladder.Attacker, To: ladder.API, As: "by query parameter", What: "GET /me", Status: 401,
				Carries: "plants «0a1b2c» as query parameter sid, carries «0a1b2c»", Answer: "is anonymous", IDs: []string{"«0a1b2c»"}},
		},
		"another jar": {
			finding.Evidence{Actor: "attacker frozen", Request: "GET /me", Status: 200},
			ladder.Rung{From: ladder.Attacker, To: ladder.API, As: "frozen", What: "GET /me", Status: 200},
		},
		"a control by another name": {
			finding.Evidence{Actor: "first visitor", Request: "GET /"},
			ladder.Rung{From: ladder.Control, To: ladder.API, As: "first visitor", What: "GET /"},
		},
		"an attacker by another name": {
			finding.Evidence{Actor: "holder of «0a1b2c»", Request: "GET /me"},
			ladder.Rung{From: ladder.Attacker, To: ladder.API, As: "holder of «0a1b2c»", What: "GET /me", IDs: []string{"«0a1b2c»"}},
		},
		"somebody else": {
			finding.Evidence{Actor: "bob", Request: "POST /login"},
			ladder.Rung{From: ladder.Client, To: ladder.API, As: "bob", What: "POST /login"},
		},
		"not a victim by its first letters": {
			finding.Evidence{Actor: "victimised", Request: "GET /me"},
			ladder.Rung{From: ladder.Client, To: ladder.API, As: "victimised", What: "GET /me"},
		},
		"a statement": {
			finding.Evidence{Actor: "store", Request: "DELETE FROM sessions", Note: "DELETE FROM sessions WHERE id = $1 with $1 = «0a1b2c»"},
			ladder.Rung{From: ladder.API, To: ladder.Store, What: "DELETE FROM sessions WHERE id = $1 with $1 = «0a1b2c»", IDs: []string{"«0a1b2c»"}},
		},
		"a row": {
			finding.Evidence{Actor: "store", Request: "row of sessions", Note: "id holds «0a1b2c»"},
			ladder.Rung{From: ladder.Store, To: ladder.Store, What: "row of sessions", Answer: "id holds «0a1b2c»", IDs: []string{"«0a1b2c»"}},
		},
		"the gate at a row": {
			finding.Evidence{Actor: "gate", Request: "row of «0a1b2c»", Note: "deleted"},
			ladder.Rung{From: ladder.Store, To: ladder.Store, As: "gate", What: "row of «0a1b2c»", Answer: "deleted", IDs: []string{"«0a1b2c»"}},
		},
		"a log": {
			finding.Evidence{Actor: "API", Request: "log", Note: "holds it"},
			ladder.Rung{From: ladder.API, To: ladder.API, What: "log", Answer: "holds it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff([]ladder.Rung{test.want}, ladder.Of(evidence(test.seen))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The id of the attack passes through more hands than the victim's new one,
// which she alone carries, however often.
func TestTraced(t *testing.T) {
	t.Parallel()
	story := ladder.Of(evidence(
		finding.Evidence{Actor: "control", Note: "carries «cccccc»"},
		finding.Evidence{Actor: "attacker", Note: "is given «aaaaaa»"},
		finding.Evidence{Actor: "victim", Note: "carries «aaaaaa», is given «bbbbbb»"},
		finding.Evidence{Actor: "victim", Note: "carries «bbbbbb»"},
		finding.Evidence{Actor: "victim", Note: "carries «bbbbbb»"},
		finding.Evidence{Actor: "victim", Note: "carries «bbbbbb»"},
	))
	if got := ladder.Traced(story); got != "«aaaaaa»" {
		t.Errorf("traced %s", got)
	}
	if got := ladder.Traced(ladder.Of(evidence(finding.Evidence{Actor: "victim", Note: "logs out"}))); got != "" {
		t.Errorf("traced %s in a story without ids", got)
	}
}

func TestPartiesAreThoseOfTheStory(t *testing.T) {
	t.Parallel()
	var got []string
	for _, party := range ladder.Parties(ladder.Of(reporttest.Vulnerable().Findings[0].Finding)) {
		got = append(got, party.String())
	}
	if want := []string{"attacker", "victim", "control", "API"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPiecesAreTheWholeText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "no id": 1, "«0a1b2c»": 1, "from «0a1b2c» to «3f9a2c»": 4, "«short» and «0A1B2C»": 1} {
		whole := ""
		pieces := ladder.Pieces(text)
		for _, piece := range pieces {
			whole += piece.Text
			if piece.IsID != (strings.HasPrefix(piece.Text, "«") && len(pieces) != 1 || piece.Text == "«0a1b2c»") {
				t.Errorf("%q: %+v", text, piece)
			}
		}
		if whole != text || len(pieces) != want {
			t.Errorf("%q becomes %q in %d pieces, want %d", text, whole, len(pieces), want)
		}
	}
}
