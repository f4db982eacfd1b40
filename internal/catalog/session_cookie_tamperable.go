package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/signed"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var tamperable = finding.Rule{
	ID:     "session-cookie-tamperable",
	Title:  "A session that nobody issued is believed: its signature is not checked, or its key is known",
	Family: finding.IDQuality, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{565, 784, 807, 347, 798, 1391}, ASVS: []string{"v5.0.0-9.1.1", "v5.0.0-9.1.2", "v5.0.0-9.2.1", "v5.0.0-13.3.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG: []string{"WSTG-SESS-10", "WSTG-SESS-01"},
	Why:  "Whoever writes another name into the session is signed in as that user; no victim has to do anything.",
	Fix:  "Keep sessions on the server under a random id, or sign them with 256 random bits from a secret store and check the signature with one fixed algorithm.",
	FastAPI: `app.add_middleware(SessionMiddleware, secret_key=os.environ["SESSION_KEY"])   # secrets.token_hex(32), no default
claims = jwt.decode(token, key, algorithms=["HS256"])`,
}

var sessionCookieTamperable = probe.Probe{
	Rule: tamperable, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgeTamperable,
	How: []string{
		"Of a session that can be read in its id (JWT, itsdangerous, Django, Express, JSON) a second user's is taken; what changes from login to login is replaced by the first user's, and a member is added. It is sent under the old signature, without one, as a JWT of the algorithm none, and signed with an empty key.",
		"Its key is searched among those of tutorials and templates, offline, and what is found signs one more.",
		"It fails when such an id signs the second user in. An id with one character changed is sent of every kind.",
		"Controls: the second user's own session works, a made-up id is nobody's.",
	},
}

const (
	oneChanged = "the id with one character changed"
	unreadable = "a session that cannot be read, with one character changed"
	secondUser = "victim of the forgery" // the second user, whose session is copied
)

// tamper sends ids that nobody issued. An opaque id has nothing to change but
// its characters.
func tamper(ctx context.Context, stage probe.Stage, live trace.Credential) error {
	facts := stage.Facts()
	changed := func(id string) string { return id[:len(id)/2] + change1(id[len(id)/2:]) }
	holder(stage, oneChanged, stage.Disguise(live, changed)).Identify(ctx, after)
	if !facts.Stateless || len(facts.Users) < 2 {
		return ctx.Err()
	}
	other := stage.Actor(secondUser)
	if err := signIn(ctx, other, facts.Users[1]); err != nil {
		return err
	}
	again := stage.Actor(secondUser)
	if err := again.Login(ctx, facts.Users[1]); err != nil {
		return err
	}
	other.Identify(ctx, after)
	for at := range live {
		made := forgeries(stage, at, other.Carries(), again.Carries(), live)
		for i, forgery := range made {
			forged := other.Carries()
			forged[at] = stage.Disguise(forged[at:at+1], func(string) string { return made[i].Value })[0]
			holder(stage, forgery.Name, forged).Identify(ctx, after)
		}
		if len(made) == 0 {
			holder(stage, unreadable, stage.Disguise(other.Carries(), changed)).Identify(ctx, after)
		}
	}
	return ctx.Err()
}

// forgeries are those of one part of the second user's session. What changes
// from one login to the next is taken from the first user's, so that an id
// within it leads to her, and what says whose it is stays.
func forgeries(stage probe.Stage, at int, own, again, live trace.Credential) []signed.Forgery {
	var tokens []signed.Token
	for _, credential := range []trace.Credential{own, again, live} {
		if at >= len(credential) {
			return nil
		}
		stage.Disguise(credential[at:at+1], func(id string) string {
			if token, readable := signed.Parse(id); readable {
				tokens = append(tokens, token)
			}
			return id
		})
	}
	if len(tokens) < 3 {
		return nil
	}
	token := tokens[0].Borrow(tokens[1], tokens[2])
	made := token.Altered()
	if key, found := tokens[0].FindKey(); found {
		made = append(made, key.Forge(token))
	}
	return made
}

func judgeTamperable(t trace.Trace) finding.Verdict {
	if reason, bad := liveControls(t); bad {
		return untested(reason)
	}
	round := t.Round(changedRound)
	changed := round.Reads(oneChanged, after)
	switch {
	case len(changed) == 0:
		return untested(unfinished(t, "the id with a character changed was not sent"))
	case !t.Facts.Stateless && changed[0].Who.IsAnonymous():
		return finding.Passed("the id is opaque: nothing in it says whose it is, and with one character changed it is nobody's")
	case !t.Facts.Stateless:
		return untested(unclear(changed[0]))
	case len(t.Facts.Users) < 2:
		return finding.Untested(finding.NoPrecondition, "forging a session needs a second user to forge it for", "add a second user to the recipe")
	}
	mallory := t.Facts.Users[1]
	own := round.Reads(secondUser, after)
	if len(own) == 0 || !own[0].Who.Is(mallory) {
		return untested(unfinished(t, "the second user's own login was not completed"))
	}
	var open finding.Reason
	tried, encrypted := 0, false
	for _, read := range round.Reads("", after) {
		switch {
		case read.Actor == secondUser:
			continue
		case read.Actor == oneChanged:
			if !read.Who.IsAnonymous() {
				open = unclear(read)
			}
			continue
		case read.Who.Is(mallory):
			return finding.Failed(finding.Finding{Rule: tamperable.ID, Subject: t.Facts.CarrierName(), Step: identity,
				Message:  "A session that the API never issued signs " + mallory + " in: " + read.Actor + ".",
				Evidence: tale(t, changedRound)})
		case !read.Who.IsAnonymous():
			open = unclear(read)
		}
		tried++
		encrypted = encrypted || read.Actor == unreadable
	}
	switch {
	case open.Code != "":
		return untested(open)
	case tried == 0 || t.Problem != "":
		return untested(unfinished(t, "the forged sessions were not sent"))
	case encrypted:
		return finding.Passed("the session is encrypted: nothing in it can be read, and with one character changed it is nobody's")
	}
	return finding.Passed("nobody's key was found: that is not to say that it is strong")
}
