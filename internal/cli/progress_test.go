package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/audit"
)

// The line shows what runs, is never wider than the terminal, and is gone at
// the end.
func TestProgressIsOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{out: &out, width: 80}
	for _, e := range []audit.Event{
		{Doing: "bringing the API up"},
		{Doing: "calibrating"},
		{Doing: "issued-id", Total: 4, Requests: 30},
		{Doing: "forged-id", Total: 4, Requests: 31},
		{Doing: "issued-id", Done: 1, Total: 4, Requests: 45, Ended: true},
		{Doing: "logout", Done: 4, Total: 4, Requests: 60},
	} {
		p.tell(e)
	}
	p.clear()
	want := []string{
		"", "bringing the API up", "calibrating",
		"[                ] 0 of 4 attacks, 30 requests: issued-id",
		"[                ] 0 of 4 attacks, 31 requests: issued-id, forged-id",
		"[====            ] 1 of 4 attacks, 45 requests: forged-id",
		"[================] 4 of 4 attacks, 60 requests: forged-id, logout",
		"",
	}
	if diff := cmp.Diff(want, strings.Split(out.String(), emptied)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.width = 20
	if line := p.line(audit.Event{Doing: "logout", Total: 4}); len(line) != 19 {
		t.Errorf("%q has %d columns of 20", line, len(line))
	}
	(*progress)(nil).clear() // where nobody waits
}
