package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var storedInClear = finding.Rule{
	ID:     "session-id-stored-in-clear",
	Title:  "The session store holds the ids themselves",
	Family: finding.Exposure, Severity: 37, Vector: "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N",
	CWE: []int{312, 922}, ASVS: []string{"v5.0.0-14.2.4"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-01"},
	Why: "Whoever reads the table, by an injection, a backup or a replica, is signed in as everybody in it.",
	Fix: "Store a SHA-256 of the id and look sessions up by it; a random id of 128 bits needs no slow hash.",
	FastAPI: `id_hash = hashlib.sha256(session_id.encode()).hexdigest()
connection.execute("SELECT user_id FROM sessions WHERE id_hash = %s AND expires_at > now()", (id_hash,))`,
}

var sessionIDStoredInClear = probe.Probe{
	Rule: storedInClear, Steps: []string{login, identity}, Flow: journey, Judge: judgeStoredInClear,
	Open: []string{"the gate does not see the session store", "the session lives in the id itself; the store holds none", "the store holds the id in no form that the gate knows, or it could not be read"},
	How: []string{
		"After a login the id is searched in the store: as it is, decoded, and as MD5, SHA-1, SHA-256 and SHA-512 in hex, base64 and bytes.",
		"It fails when a whole cell is the id or can be turned back into it, and passes when a digest is found.",
	},
}

func judgeStoredInClear(t trace.Trace) finding.Verdict {
	look, reason, seen := looked(t)
	if !seen {
		return untested(reason)
	}
	digest := ""
	for _, place := range look.Places {
		switch {
		case place.Within:
		case !place.Reversible:
			digest = place.Row.Table + "." + place.Column + " holds the id as " + place.Form
		default:
			return finding.Failed(finding.Finding{
				Rule: storedInClear.ID, Subject: place.Row.Table + "." + place.Column, Step: login,
				Message: "The column " + place.Column + " of " + place.Row.Table + " holds the live session id" + form(place) + ".",
				Evidence: append(story(t), finding.Evidence{Actor: "store", Request: "row of " + place.Row.Table,
					Note: place.Column + " holds " + look.ID.Tag() + form(place)}),
			})
		}
	}
	switch {
	case digest != "":
		return finding.Passed(digest)
	case t.Facts.Stateless:
		return finding.Untested(finding.NoPrecondition, "the session lives in the id itself; the store holds none", "")
	}
	return finding.Untested(finding.NoDatabase, "the store holds the id in no form that the gate knows", "")
}

// looked is what the store held for the victim's id after the login, or the
// reason that nobody knows.
func looked(t trace.Trace) (trace.Look, finding.Reason, bool) {
	switch {
	case len(t.Reads(victim, after)) == 0 || !t.Reads(victim, after)[0].Who.Is(t.Facts.Victim()):
		return trace.Look{}, unfinished(t, "the victim's login was not completed"), false
	case !t.Facts.Store:
		return trace.Look{}, blind(t.Facts), false
	}
	for _, look := range t.Looks {
		if look.Moment != after {
			continue
		}
		if look.Problem != "" {
			return trace.Look{}, finding.Reason{Code: finding.NoDatabase, Text: "the session store could not be read: " + look.Problem}, false
		}
		return look, finding.Reason{}, true
	}
	return trace.Look{}, unfinished(t, "the session store was not looked into"), false
}
