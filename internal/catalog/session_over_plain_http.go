package catalog

import (
	"context"
	"strconv"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var plainHTTP = finding.Rule{
	ID:     "session-over-plain-http",
	Title:  "The session works over plain http",
	Family: finding.Delivery, Severity: 68, Vector: "CVSS:3.1/AV:A/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{319, 523, 311}, ASVS: []string{"v5.0.0-12.2.1", "v5.0.0-3.4.1", "v5.0.0-4.1.2", "v5.0.0-3.7.4"}, OWASPAPI: []string{"API8:2023"},
	WSTG:    []string{"WSTG-SESS-04", "WSTG-CONF-07", "WSTG-CRYP-03"},
	Why:     "Whoever shares the network reads the session id, or answers the first request herself.",
	Fix:     "Serve the API over TLS only, redirect before any session is looked at, and send Strict-Transport-Security with a year and includeSubDomains.",
	FastAPI: `app.add_middleware(HTTPSRedirectMiddleware)      # and at the proxy: Strict-Transport-Security: max-age=31536000; includeSubDomains`,
}

var hstsMissing = variant(plainHTTP, "hsts-missing", "Browsers are not told to use https only (no Strict-Transport-Security)",
	31, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N")

var sessionOverPlainHTTP = probe.Probe{
	Rule: plainHTTP, Variants: []finding.Rule{hstsMissing}, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgeCleartext,
	Open: []string{
		liveIDElsewhere,
		"the target is reached over plain http, where TLS may end in front of it; scan it over https",
		"no way to the API over plain http is known beside its own port; scan it on port 443",
	},
	How: []string{
		"A target of https is asked on port 80 of the same host with a session that a login over https issued; it fails when that is the victim. No password goes over plain http.",
		"The variant fails where the https answers carry no Strict-Transport-Security of a year.",
		"On a target of plain http, as in CI, nothing can be said: TLS may end in front of it.",
	},
}

func sendCleartext(ctx context.Context, stage probe.Stage, live trace.Credential) {
	eavesdropper := holder(stage, attacker, live)
	eavesdropper.Dress(probe.Guise{Cleartext: true})
	eavesdropper.Identify(ctx, after) // makes no request where no such way is known
}

func judgeCleartext(t trace.Trace) finding.Verdict {
	if reason, bad := liveControls(t); bad {
		return untested(reason)
	}
	own := t.Round("").Reads(victim, after)[0]
	if !own.Request.URL.Begins("https://") {
		return finding.Untested(finding.NoEnvironment, "the target is reached over plain http, where TLS may end in front of it", "scan the deployed API over https as well")
	}
	noLeg := finding.Reason{Code: finding.NoEnvironment, Text: "no way to the API over plain http is known beside its own port", Remedy: "scan it on port 443"}
	var open finding.Reason
	asked := t.Round(cleartextRound).Reads(attacker, after)
	switch {
	case len(asked) == 0:
		open = noLeg
	case asked[0].Who.Is(t.Facts.Victim()):
		return finding.Failed(finding.Finding{Rule: plainHTTP.ID, Subject: t.Facts.CarrierName(), Step: identity,
			Message:  "Over plain http the session of " + t.Facts.Victim() + "'s that was issued over https is taken as well: whoever listens on the way has it.",
			Evidence: tale(t, cleartextRound)})
	case asked[0].Response.Status != 0 && !asked[0].Who.IsAnonymous():
		open = unclear(asked[0])
	}
	if !pinned(own.Response) {
		verdict := finding.Failed(finding.Finding{Rule: hstsMissing.ID, Subject: own.Request.Line(), Step: identity,
			Message: own.Request.Line() + " is answered over https without a Strict-Transport-Security of a year or more.", Evidence: tale(t, cleartextRound)})
		verdict.Rest = open
		verdict.Reproduced = !pinned(t.Round("").Reads(whole, after)[0].Response) // another client was not told either
		return verdict
	}
	if open.Code != "" {
		return untested(open)
	}
	return finding.Passed("")
}

const aYear = 31536000

// pinned reports whether RFC 6797 keeps browsers on https for a year.
func pinned(response trace.Response) bool {
	for part := range strings.SplitSeq(strings.Join(response.List("Strict-Transport-Security"), ";"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if seconds, err := strconv.Atoi(strings.Trim(value, `" `)); strings.EqualFold(strings.TrimSpace(name), "max-age") && err == nil {
			return seconds >= aYear
		}
	}
	return false
}
