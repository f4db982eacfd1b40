package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var prefixBypass = finding.Rule{
	ID:     "cookie-prefix-bypass",
	Title:  "A cookie of another name is read as the session cookie",
	Family: finding.Fixation, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:H/A:N",
	CWE: []int{565, 784, 20}, ASVS: []string{"v5.0.0-3.3.3", "v5.0.0-1.1.1"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "Browsers let a sibling domain set the other name, and the server takes it for the protected one: the promise of __Host- is void (CVE-2020-7070, CVE-2020-8184).",
	Fix:     "Compare cookie names byte for byte and never decode them; upgrade the parser.",
	FastAPI: `session_id = request.cookies.get("__Host-session_id")   # Starlette compares exactly; add no unquote() of names`,
}

var cookiePrefixBypass = probe.Probe{
	Rule: prefixBypass, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgePrefixBypass,
	Open: []string{liveIDElsewhere},
	How: []string{
		"A live id is sent under other names only: percent-encoded, mangled as PHP would, with a dollar sign, without a name, and inside the value of another cookie behind a comma.",
		"Several names share a request; where one is answered with the victim's profile, each is sent alone.",
		"Controls: the exact name is the victim in another client, an unrelated name is nobody.",
		"The deep profile adds letters that fold to those of the prefix, and two requests more.",
	},
}

// aliases are formats in which NAME is no whole cookie name any more. The
// groups keep apart what may end the reading of a whole line.
func aliases(facts trace.Facts) [][]string {
	// Nameless ones come first: behind another cookie some parsers pass them over.
	plain := []string{"=NAME=ID", "==NAME=ID", "$NAME=ID", "ENCODED=ID"}
	if strings.Contains(strings.Join(facts.Cookies(), ""), "_") {
		plain = append(plain, "DOTTED=ID", "BRACKET=ID")
	}
	groups := [][]string{plain, {"sg=1,NAME=ID", `"NAME"=ID`, "NAME,=ID"}}
	if facts.Deep {
		groups = append(groups, []string{"FOLDED=ID"}, []string{"NAME\x00=ID"})
	}
	return groups
}

// spell writes a format's special names for a cookie name.
func spell(format, name string) string {
	encoded := name
	if name != "" {
		encoded = fmt.Sprintf("%%%02X", name[0]) + name[1:]
	}
	for special, spelt := range map[string]string{
		"ENCODED": encoded,
		"DOTTED":  strings.Replace(name, "_", ".", 1),
		"BRACKET": strings.Replace(name, "_", "[", 1),
		"FOLDED":  strings.NewReplacer("s", "\u017f", "k", "\u212a").Replace(name),
		"NAME":    name,
	} {
		format = strings.ReplaceAll(format, special, spelt)
	}
	return format
}

func sendAliases(ctx context.Context, stage probe.Stage, live trace.Credential) {
	facts := stage.Facts()
	if !inCookies(facts) {
		return
	}
	send := func(name string, formats ...string) trace.Who {
		var crumbs []secret.Text
		for _, format := range formats {
			for _, held := range live {
				front, _, _ := strings.Cut(spell(format, held.Name), "ID")
				crumbs = append(crumbs, secret.New("; "), secret.New(front), held.ID)
			}
		}
		actor := stage.Actor(name)
		actor.Dress(probe.Guise{Cookie: []secret.Text{secret.Join(crumbs[1:]...)}})
		return actor.Identify(ctx, after)
	}
	for i, group := range aliases(facts) {
		if !isVictim(send(fmt.Sprintf("group %d of other names", i+1), group...), facts) {
			continue
		}
		for _, format := range group {
			send("as "+spell(format, live[0].Name), format)
		}
		send(control, "sgunrelated=ID")
	}
}

func judgePrefixBypass(t trace.Trace) finding.Verdict {
	if verdict, other := cookiesOnly(t); other {
		return verdict
	}
	got := disguised(t, aliasRound)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) == 0:
		return finding.Passed("")
	}
	names := make([]string, 0, len(got.stolen))
	for _, read := range got.stolen {
		if single, is := strings.CutPrefix(read.Actor, "as "); is {
			names = append(names, strings.TrimSuffix(single, "ID"))
		}
	}
	message := "Sent under other names only, the live id signs " + t.Facts.Victim() + " in"
	if len(names) > 0 {
		message += ": " + strings.Join(names, " and ")
	}
	return finding.Failed(finding.Finding{Rule: prefixBypass.ID, Subject: t.Facts.CarrierName(), Step: identity,
		Message: message + ". An unrelated name does not.", Evidence: tale(t, aliasRound)})
}
