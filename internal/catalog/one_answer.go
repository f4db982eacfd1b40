package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// byThemselves are the probes that read answers and compare none: what one
// answer breaks, it breaks. lacks says why an answer decides nothing, "" where
// it may.
var byThemselves = []struct {
	probe probe.Probe
	lacks func(trace.Exchange) string
}{
	{sessionCookieMissingHTTPOnly, nil},
	{sessionCookieMissingSecure, lacksTLS},
	{sessionCookieSameSite, nil},
	{sessionCookieRejectedByBrowser, nil},
	{sessionCookiePrefixMissing, nil},
	{sessionCookieDomainTooBroad, nil},
	{sessionCookiePersistent, nil},
	{sessionCookieNotPartitioned, nil},
	{sessionResponseCacheable, lacksRequest},
}

// byExperiment are those that are about the same lines and headers, and that
// only traffic can decide.
var byExperiment = []struct {
	probe probe.Probe
	why   string
}{
	{duplicateSetCookie, "whether more than one of the values is signed in shows only when each is carried to a protected endpoint"},
	{sessionLifetimeExcessive, "how long a session lives is the server's to say; the cookie's own lifetime is session-cookie-persistent"},
	{sessionOverPlainHTTP, "whether the session works over plain http shows only when it is sent that way"},
	{corsCredentialsAnyOrigin, "which origins may read the answer shows only when requests come from them"},
	{sessionIDInsufficientLength, "how many bits of an id are random shows only in a sample of ids"},
}

// Judged is a probe with what it says.
type Judged struct {
	Probe   probe.Probe
	Verdict finding.Verdict
}

// OneAnswer judges an answer by itself, with the cookies of those names taken
// for what authenticates. No answer can show that a rule is kept: a pass says
// that this one does not break it. What needs more than it is not tested.
func OneAnswer(cookies []string, answer trace.Exchange) []Judged {
	seen := trace.Trace{Exchanges: []trace.Exchange{answer}}
	for _, name := range cookies {
		seen.Facts.Carrier = append(seen.Facts.Carrier, trace.Slot{Kind: trace.InCookie, Name: name})
	}
	if len(cookies) == 0 { // something carries the session, and this answer does not say what
		seen.Facts.Carrier = []trace.Slot{{Kind: trace.InCookie}}
	}
	judged := make([]Judged, 0, len(byThemselves)+len(byExperiment))
	for _, one := range byThemselves {
		verdict := finding.Verdict{}
		if why := lacking(one.lacks, answer); why != "" {
			verdict = lacksTraffic(why)
		} else if verdict = one.probe.Judge(seen); verdict.Outcome == finding.NotTested {
			verdict = lacksTraffic(nothingThere(seen, one.probe))
		}
		judged = append(judged, Judged{one.probe, verdict})
	}
	for _, left := range byExperiment {
		judged = append(judged, Judged{left.probe, lacksTraffic(left.why)})
	}
	return judged
}

func lacksTraffic(why string) finding.Verdict {
	return finding.Untested(finding.NoPrecondition, why, "")
}

func lacking(lacks func(trace.Exchange) string, answer trace.Exchange) string {
	if lacks == nil {
		return ""
	}
	return lacks(answer)
}

func lacksTLS(answer trace.Exchange) string {
	if answer.Request.URL.Begins("https://") {
		return ""
	}
	return "over plain http an API may leave Secure out; a scan asks as a proxy that ends TLS would"
}

func lacksRequest(answer trace.Exchange) string {
	if answer.Request.Method != "" {
		return ""
	}
	return `whether a cache may keep an answer depends on what was asked: give the request, as in "GET /me"`
}

// nothingThere says what a judge that reads answers did not find in this one.
func nothingThere(seen trace.Trace, p probe.Probe) string {
	switch {
	case p.Rule.ID == cacheable.ID:
		return "no shared cache may hand out a session cookie with it, and it is not said to show a user's data, which decides the rest"
	case seen.Facts.Carrier[0].Name == "" && len(seen.Exchanges[0].Response.SetCookie) == 0:
		return "the answer sets no cookie"
	}
	return "the answer gives the " + seen.Facts.CarrierName() + " no value"
}
