package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var logoutKeeps = finding.Rule{
	ID:     "logout-session-not-invalidated",
	Title:  "Logout clears the cookie and leaves the session alive",
	Family: finding.Termination, Core: true, Severity: 65, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:L/A:N",
	CWE: []int{613}, ASVS: []string{"v5.0.0-7.4.1"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-06"},
	Why: "The user believes to be signed out, but a copy of the session id, from a shared machine, a log or an attacker, goes on working.",
	Fix: "Delete the session record at logout; where the session is a signed token, keep a deny list or a not-before per user.",
	FastAPI: `connection.execute("DELETE FROM sessions WHERE id_hash = %s", (digest(session_id),))
response.delete_cookie("__Host-session_id", path="/", secure=True, httponly=True, samesite="lax")
# Starlette's SessionMiddleware keeps the session in the cookie: logout cannot revoke it`,
}

var logoutSessionNotInvalidated = probe.Probe{
	Rule: logoutKeeps, Steps: []string{login, identity, logout}, Flow: signOut, Judge: judgeLogout,
	Open: []string{
		"the browser that logged out is still signed in: the logout step needs a token, a confirmation or another method",
		"the old id works right after the logout and no longer after the next login, as with a cache of sessions",
	},
	How: []string{
		"The user logs in and her jar is frozen; she logs out and her own browser is nobody.",
		"The frozen jar reads the identity endpoint, at once and after her next login. Where a login ends the user's other sessions by itself, the first read decides alone.",
		"Controls: she was signed in before, the next login works, an empty jar is nobody.",
	},
}

func judgeLogout(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	if reason, bad := logoutControls(t, user); bad {
		return untested(reason)
	}
	now, later := t.Reads(frozen, after), t.Reads(frozen, afterRelogin)
	if len(now) == 0 || len(later) == 0 {
		return untested(unfinished(t, "the reads after the logout were not made"))
	}
	first, last := now[0], later[0]
	if t.Facts.Exclusive && first.Who.Is(user) { // that the next login ended the session is not the logout's doing
		last = first
	}
	switch {
	case first.Who.Is(user) && last.Who.Is(user):
		return finding.Failed(finding.Finding{
			Rule: logoutKeeps.ID, Subject: t.Facts.CarrierName(), Step: logout,
			Message: logoutMessage(t.Facts, user), Evidence: append(story(t), witnessed(t, plantedID(t), logout)...),
		})
	case first.Who.IsAnonymous() && last.Who.IsAnonymous():
		return finding.Passed(keptRow(t))
	case first.Who.Is(user) && last.Who.IsAnonymous():
		return finding.Untested(finding.Ambiguous, "the old id still worked right after the logout and no longer after the next login",
			"check whether the API caches sessions, or ends them at login only")
	case first.Who.IsAnonymous():
		return untested(unclear(last))
	}
	return untested(unclear(first))
}

// keptRow says that the store keeps a session that the logout ended, as stores
// that mark rows as revoked do.
func keptRow(t trace.Trace) string {
	id := plantedID(t)
	for _, look := range t.Looks {
		if look.Moment != after || look.ID != id {
			continue
		}
		for _, place := range look.Places {
			if !place.Within {
				return "the row of " + place.Row.Table + " stays, and the API refuses it"
			}
		}
	}
	return ""
}

func logoutMessage(facts trace.Facts, user string) string {
	if facts.Stateless {
		return "The session lives in the signed id itself, so the logout cannot end it: the id copied before still reads " + user + "'s profile."
	}
	since := ", also after the next login"
	if facts.Exclusive {
		since = " until the next login, which ends it"
	}
	return "After the logout " + user + "'s own browser is signed out, but the id copied before still reads " + user +
		"'s profile" + since + ": the server kept the session."
}

func logoutControls(t trace.Trace, user string) (finding.Reason, bool) {
	if t.WasRateLimited() {
		return rateLimited(), true
	}
	began := t.Reads(victim, before)
	if len(began) == 0 || !began[0].Who.Is(user) {
		return unfinished(t, "the login before the logout did not sign the user in"), true
	}
	own := t.Reads(victim, after)
	if len(own) == 0 {
		return unfinished(t, "the logout was not completed"), true
	}
	// A client keeps a header or a query parameter itself; only a cookie can be
	// taken back, and shows that the logout did anything at all.
	if len(t.Facts.Cookies()) > 0 && !own[0].Who.IsAnonymous() {
		return finding.Reason{Code: finding.NoCalibration,
			Text:   "the logout was answered, but the browser that logged out is still taken for " + own[0].Who.String(),
			Remedy: "check the logout step: it may need a CSRF token, another method or a confirmation"}, true
	}
	again := t.Reads(sameAgain, afterRelogin)
	if len(again) == 0 || !again[0].Who.Is(user) {
		return unfinished(t, "the user could not log in again after the logout"), true
	}
	for _, read := range t.Reads(control, afterRelogin) {
		if !read.Who.IsAnonymous() {
			return broken("an empty jar is taken for %s", read.Who), true
		}
	}
	if len(t.Reads(control, afterRelogin)) == 0 {
		return unfinished(t, "the control jar was not read"), true
	}
	return finding.Reason{}, false
}
