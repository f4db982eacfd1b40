package catalog

import (
	"context"
	"strings"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var anyOrigin = finding.Rule{
	ID:     "cors-credentials-any-origin",
	Title:  "Any site may read signed-in answers (CORS with credentials)",
	Family: finding.Delivery, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{942, 346}, ASVS: []string{"v5.0.0-3.4.2"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-CLNT-07"},
	Why:     "A page of the attacker's reads, in the victim's browser and with her cookie, whatever the API shows her.",
	Fix:     "Compare Origin with an exact list; never send its value back, never allow null.",
	FastAPI: `app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)   # no allow_origin_regex=".*"`,
}

var (
	nullOrigin = variant(anyOrigin, "null", "Sandboxed pages may read signed-in answers (CORS allows the origin null)",
		65, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N")
	sameSiteOrigin = variant(anyOrigin, "same-site", "Any origin of the same site may read signed-in answers (CORS, behind SameSite)",
		53, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N")
)

var corsCredentialsAnyOrigin = probe.Probe{
	Rule: anyOrigin, Variants: []finding.Rule{nullOrigin, sameSiteOrigin}, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgeOrigins,
	Open: []string{liveIDElsewhere},
	How: []string{
		"The identity endpoint is read with the victim's cookie and the Origin of a foreign site, of a sandboxed page (null), and of a site whose name begins and ends like the API's.",
		"It fails when the answer shows the victim and allows that origin with credentials; * with credentials is refused by browsers.",
		"Where SameSite=Lax or Strict keeps the cookie from other sites, the variant says so: an origin of the same site is still enough.",
		"The deep profile adds the API's host over plain http, and a preflight for each origin.",
	},
}

// origins are those that no API has a reason to trust, by name.
var origins = []struct {
	name, origin string
	deep         bool
}{
	{name: "a foreign site", origin: "https://sessiongate-probe.example"},
	{name: sandboxed, origin: "null"},
	{name: "a site of a similar name", origin: "https://{host}.sessiongate-{host}"},
	{name: "the host over plain http", origin: "http://{host}", deep: true},
}

const sandboxed = "a sandboxed page"

func sendOrigins(ctx context.Context, stage probe.Stage, live trace.Credential) {
	if len(stage.Facts().Cookies()) == 0 {
		return
	}
	for _, from := range origins {
		if from.deep && !stage.Facts().Deep {
			continue
		}
		foreign := []trace.Field{{Name: "Origin", Value: secret.New(from.origin)}, {Name: "Sec-Fetch-Site", Value: secret.New("cross-site")},
			{Name: "Sec-Fetch-Mode", Value: secret.New("cors")}, {Name: "Sec-Fetch-Dest", Value: secret.New("empty")}}
		page := holder(stage, from.name, live)
		page.Dress(probe.Guise{Header: foreign})
		page.Identify(ctx, after)
		if stage.Facts().Deep { // what a browser asks first where a header of its own is to be sent
			page.Dress(probe.Guise{Method: "OPTIONS", Cookie: []secret.Text{},
				Header: append(foreign, trace.Field{Name: "Access-Control-Request-Method", Value: secret.New("GET")},
					trace.Field{Name: "Access-Control-Request-Headers", Value: secret.New("x-requested-with")})})
			page.Identify(ctx, "preflight")
		}
	}
}

func judgeOrigins(t trace.Trace) finding.Verdict {
	switch {
	case len(t.Facts.Carrier) == 0:
		return untested(unfinished(t, "calibration did not find what carries the session"))
	case len(t.Facts.Cookies()) == 0:
		return finding.Untested(finding.NoPrecondition, "the session travels in the "+t.Facts.CarrierName()+", which no browser adds to a request of another site", "")
	}
	if reason, bad := liveControls(t); bad {
		return untested(reason)
	}
	var allowed []trace.Exchange
	reads := t.Round(originRound).Reads("", after)
	for _, read := range reads {
		switch {
		case read.Who.Is(t.Facts.Victim()) && allows(read):
			allowed = append(allowed, read)
		case !read.Who.IsAnonymous() && !read.Who.Is(t.Facts.Victim()):
			return untested(unclear(read))
		}
	}
	switch {
	case len(reads) < 3:
		return untested(unfinished(t, "the foreign origins were not all tried"))
	case len(allowed) == 0:
		return finding.Passed("")
	}
	rule, names := nullOrigin.ID, []string{}
	for _, read := range allowed {
		names = append(names, read.Actor)
		if read.Actor != sandboxed {
			rule = anyOrigin.ID
		}
	}
	message := "The answer to " + allowed[0].Request.Line() + " with " + t.Facts.Victim() + "'s cookie lets " + strings.Join(names, ", ") + " read it (Access-Control-Allow-Credentials)."
	if keptFromOtherSites(t) {
		rule = sameSiteOrigin.ID
		message += " SameSite keeps the cookie from other sites, so the page has to stand on an origin of the same site."
	}
	return finding.Failed(finding.Finding{Rule: rule, Subject: allowed[0].Request.Line(), Step: identity, Message: message, Evidence: tale(t, originRound)})
}

// allows reports whether a browser would hand the answer to the origin that asked.
func allows(read trace.Exchange) bool {
	origin, credentials := read.Response.Get("Access-Control-Allow-Origin"), read.Response.Get("Access-Control-Allow-Credentials")
	for _, field := range read.Request.Header {
		if strings.EqualFold(field.Name, "Origin") {
			return field.Value == origin && credentials == secret.New("true")
		}
	}
	return false
}

// keptFromOtherSites reports whether SameSite keeps every cookie of the carrier,
// as the run saw it set, out of requests that other sites make.
func keptFromOtherSites(t trace.Trace) bool {
	kept := 0
	for _, s := range carrierSettings(t) {
		switch {
		case s.deletes():
		case s.cookie.SameSite == cookie.SameSiteLax || s.cookie.SameSite == cookie.SameSiteStrict:
			kept++
		default:
			return false
		}
	}
	return kept > 0
}
