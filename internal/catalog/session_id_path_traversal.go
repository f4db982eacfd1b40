package catalog

import (
	"context"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var traversal = finding.Rule{
	ID:     "session-id-path-traversal",
	Title:  "The session id is used as a path or a key, and another path leads to it",
	Family: finding.Injection, Severity: 75, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
	CWE: []int{22, 73, 99}, ASVS: []string{"v5.0.0-5.3.2", "v5.0.0-2.2.1"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-ATHZ-01"},
	Why:     "What the client sends names a file or a key: with .. or another namespace it names those of others, too.",
	Fix:     "Refuse ids of another shape, and look sessions up by a hash of the id.",
	FastAPI: `id_hash = hashlib.sha256(session_id.encode()).hexdigest()   # and nothing else reaches the store`,
}

var sessionIDPathTraversal = probe.Probe{
	Rule: traversal, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgeTraversal,
	Open: []string{liveIDElsewhere},
	How: []string{
		"A live id is sent with ./ before it and with %00 behind it: only what reads it as a path, or cuts it at the end of a C string, still finds the session.",
		"The deep profile adds x/../, /. and ..%2f forms and the key name spaces session: and sess:.",
		"Controls: a made-up id with the same words around it is nobody's. Where the live one with ~ in their place is the victim's, too, what stands around an id is dropped and no path. No foreign file is ever named.",
	},
}

// detours are the other ways to the same id, by name; the first are core.
var detours = []struct {
	name, before, after string
	deep                bool
}{
	{name: "./ before the id", before: "./"},
	{name: "%00 behind the id", after: "%00"},
	{name: "x/../ before the id", before: "x/../", deep: true},
	{name: "/. behind the id", after: "/.", deep: true},
	{name: "x%2f..%2f before the id", before: "x%2f..%2f", deep: true},
	{name: "session: before the id", before: "session:", deep: true},
	{name: "sess: before the id", before: "sess:", deep: true},
}

// lax sends the live id with words around it that name no path.
const lax = "~ around the id"

func sendPaths(ctx context.Context, stage probe.Stage, live trace.Credential) {
	facts := stage.Facts()
	for _, way := range detours {
		if way.deep && !facts.Deep {
			continue
		}
		detour := func(id string) string { return way.before + id + way.after }
		if isVictim(sender(stage, way.name, stage.Disguise(live, detour)).Identify(ctx, after), facts) {
			sender(stage, control, stage.Disguise(stage.Forge(probe.LikeIssued), detour)).Identify(ctx, after)
			// A lax decoder drops what it does not know, wherever it stands.
			sender(stage, lax, stage.Disguise(live, func(id string) string { return tilde(way.before) + id + tilde(way.after) })).Identify(ctx, after)
		}
	}
}

// tilde is as long as the words, and names no path.
func tilde(words string) string { return strings.Repeat("~", len(words)) }

func judgeTraversal(t trace.Trace) finding.Verdict {
	got := disguised(t, pathRound)
	for _, read := range t.Round(pathRound).Reads(lax, after) {
		switch {
		case !got.conclusive():
		case read.Who.Is(t.Facts.Victim()):
			return finding.Passed("what stands around an id is dropped, whatever it is")
		case !read.Who.IsAnonymous():
			return untested(unclear(read))
		}
	}
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) == 0:
		return finding.Passed("")
	}
	return finding.Failed(finding.Finding{Rule: traversal.ID, Subject: t.Facts.CarrierName(), Step: identity,
		Message: "The live id with " + got.stolen[0].Actor + " still signs " + t.Facts.Victim() +
			" in, while a made-up one does not: the id is read as a path or a key rather than compared.",
		Evidence: tale(t, pathRound)})
}
