package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The canaries of what a client sends and an answer must not take apart.
const (
	canaryDomain = "sessiongate-canary.example"
	canaryCookie = "sessiongatecanary"
	canaryHeader = "X-Sessiongate-Canary"
	markup       = "sg<b>sessiongatecanary</b>"
	broke        = "sg; Domain=" + canaryDomain + "\r\nSet-Cookie: " + canaryCookie + "=1\r\n" + canaryHeader + ": 1"
	brokeEncoded = "sg%3B%20Domain=" + canaryDomain + "%0d%0aSet-Cookie:%20" + canaryCookie + "=1%0d%0a" + canaryHeader + ":%201"
)

const (
	valuesActor = "attacker with odd values"
	hostActor   = "victim by another host name"
)

// injectedValues sends canaries where APIs take what goes into Set-Cookie,
// into headers or into a page: the Host of a login, the session cookie, and
// parameters of the query, each value raw and encoded.
var injectedValues = &probe.Flow{
	Name: "injected-values", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		if err := loginByHost(ctx, stage); err != nil {
			return err
		}
		step := identity
		if stage.Facts().Has(visit) {
			step = visit
		}
		names := append(stage.Facts().Cookies(), "sid", "session")
		other := []string{"lang", "locale", "theme", "next"}
		first := valued(stage, brokeEncoded)
		if err := first.Do(ctx, step, inQuery(markup, names), inQuery(broke, other)); err != nil && !refused(err) {
			return err
		}
		second := valued(stage, markup)
		second.Identify(ctx, after, inQuery(broke, names), inQuery(markup, other))
		return ctx.Err()
	},
}

func valued(stage probe.Stage, value string) probe.Actor {
	return holder(stage, valuesActor, stage.Disguise(stage.Forge(probe.LikeIssued), func(string) string { return value }))
}

func inQuery(value string, names []string) probe.Plant {
	return probe.Plant{Channel: probe.Query, Names: names, ID: secret.New(value)}
}

// loginByHost logs in under a host that is not the API's. A front server that
// refuses it leaves what the proxy would say the host was.
func loginByHost(ctx context.Context, stage probe.Stage) error {
	forwarded := trace.Field{Name: "X-Forwarded-Host", Value: secret.New(canaryDomain)}
	for _, guise := range []probe.Guise{
		{Header: []trace.Field{{Name: "Host", Value: secret.New(canaryDomain)}, forwarded}},
		{Header: []trace.Field{forwarded}},
	} {
		v := stage.Actor(hostActor)
		v.Dress(guise)
		err := v.Login(ctx, stage.Facts().Victim())
		if err == nil || !refused(err) {
			return err
		}
	}
	return nil
}

// injectionSeen is what both judges want first: the login by another name and
// both sets of values were answered.
func injectionSeen(t trace.Trace) (finding.Reason, bool) {
	if t.WasRateLimited() {
		return rateLimited(), true
	}
	logins := t.Step(hostActor, login)
	if len(logins) == 0 {
		return unfinished(t, "the login under another host name was not made"), true
	}
	reads := t.Reads(valuesActor, after)
	if len(reads) == 0 || t.Problem != "" {
		return unfinished(t, "the odd values were not sent"), true
	}
	if last := logins[len(logins)-1].Response.Status; last == 0 || last >= 500 {
		return unfinished(t, "the login under another host name was not answered in good order"), true
	}
	if !reads[0].Who.IsAnonymous() {
		return unclear(reads[0]), true
	}
	return finding.Reason{}, false
}

const otherHostRefused = "a login under another host name is not answered in good order"
