package catalog

import (
	"context"
	"slices"

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
	// Where no signature is checked, calibration ends at a made-up id.
	Bare: true,
	Open: []string{
		"the session can be read in its id, and the recipe has no second user to forge one for",
		"an id with a wrong signature is taken for the user, and none for another",
		liveIDElsewhere,
	},
	How: []string{
		"Of a session that can be read in its id (JWT, itsdangerous, Django, Express, JSON) a second user's is taken; what changes from login to login is replaced by the first user's, and a member is added. It is sent under the old signature, without one, as a JWT of the algorithm none, and signed with an empty key.",
		"Its key is searched among those of tutorials and templates, offline, and what is found signs one more.",
		"It fails when such an id signs the second user in. An id with one character changed is sent of every kind.",
		"Controls: the second user's own session works; the victim's works in another client; of opaque ids, a made-up one is nobody's.",
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
	again, other := stage.Actor(secondUser), stage.Actor(secondUser)
	if err := again.Login(ctx, facts.Users[1]); err != nil {
		return err
	}
	if err := signIn(ctx, other, facts.Users[1]); err != nil { // the later one: it may end the earlier
		return err
	}
	for at := range live {
		made := forgeries(stage, at, other.Carries(), again.Carries(), live)
		for i, forgery := range made {
			forged := other.Carries()
			forged[at] = stage.Disguise(forged[at:at+1], func(string) string { return made[i].Value })[0]
			holder(stage, forgery.Name, forged).Identify(ctx, after)
		}
		if name, forged, found := forgedPair(stage, at, other.Carries(), again.Carries(), live); found {
			holder(stage, name, forged).Identify(ctx, after)
		}
		if len(made) == 0 && len(live) == 1 {
			holder(stage, unreadable, stage.Disguise(other.Carries(), changed)).Identify(ctx, after)
		}
	}
	return ctx.Err()
}

// forgedPair is the second user's session signed anew where a cookie NAME.sig
// beside it holds the signature, and its key is known.
func forgedPair(stage probe.Stage, at int, own, again, live trace.Credential) (name string, forged trace.Credential, found bool) {
	beside := slices.IndexFunc(own, func(h trace.Held) bool { return h.Name == own[at].Name+".sig" })
	token, readable := borrowed(stage, at, own, again, live)
	if beside < 0 || !readable {
		return "", nil, false
	}
	key, found := signed.FindPairKey(own[at].Name, spelt(stage, own[at]), spelt(stage, own[beside]))
	if !found {
		return "", nil, false
	}
	forgery, signature := key.ForgePair(own[at].Name, token)
	forged = slices.Clone(own)
	forged[at] = stage.Disguise(own[at:at+1], func(string) string { return forgery.Value })[0]
	forged[beside] = stage.Disguise(own[beside:beside+1], func(string) string { return signature })[0]
	return forgery.Name, forged, true
}

// spelt is an id as the forger reads it.
func spelt(stage probe.Stage, held trace.Held) (text string) {
	stage.Disguise(trace.Credential{held}, func(id string) string {
		text = id
		return id
	})
	return text
}

// forgeries are those of one part of the second user's session.
func forgeries(stage probe.Stage, at int, own, again, live trace.Credential) []signed.Forgery {
	token, readable := borrowed(stage, at, own, again, live)
	if !readable {
		return nil
	}
	made := token.Altered()
	issued, _ := signed.Parse(spelt(stage, own[at]))
	if key, found := issued.FindKey(); found {
		made = append(made, key.Forge(token))
	}
	return made
}

// borrowed is one part of the second user's session. What changes from one login
// to the next is taken from the first user's, so that an id within it leads to
// her, and what says whose it is stays.
func borrowed(stage probe.Stage, at int, own, again, live trace.Credential) (signed.Token, bool) {
	var tokens []signed.Token
	for _, credential := range []trace.Credential{own, again, live} {
		if at >= len(credential) {
			return signed.Token{}, false
		}
		token, readable := signed.Parse(spelt(stage, credential[at]))
		if !readable {
			return signed.Token{}, false
		}
		tokens = append(tokens, token)
	}
	return tokens[0].Borrow(tokens[1], tokens[2]), true
}

// isHers reports whether the made-up id of the base, which keeps the payload of a
// signed one, was taken for the victim.
func isHers(t trace.Trace) bool {
	reads := t.Round("").Reads(control, after)
	return len(reads) == 0 || !reads[0].Who.IsAnonymous()
}

func judgeTamperable(t trace.Trace) finding.Verdict {
	controls := guards(t)
	if t.Facts.Stateless {
		// Without the last: that the same payload with another signature is the
		// victim, too, is the weakness and no fault of the experiment.
		controls = controls[:2]
	}
	if reason, bad := guarded(t, controls); bad {
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
	tried, encrypted, changedIsHers := 0, false, false
	for _, read := range round.Reads("", after) {
		switch {
		case read.Actor == secondUser:
			continue
		case read.Actor == oneChanged:
			if !read.Who.IsAnonymous() && !read.Who.Is(t.Facts.Victim()) {
				open = unclear(read)
			}
			changedIsHers = read.Who.Is(t.Facts.Victim())
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
	case changedIsHers || isHers(t):
		return finding.Untested(finding.Ambiguous, "an id with a wrong signature is taken for "+t.Facts.Victim()+", and none was taken for "+mallory,
			"look at what the API checks of the signature")
	case tried == 0 || t.Problem != "":
		return untested(unfinished(t, "the forged sessions were not sent"))
	case encrypted:
		return finding.Passed("the session is encrypted: nothing in it can be read, and with one character changed it is nobody's")
	}
	return finding.Passed("nobody's key was found: that is not to say that it is strong")
}
