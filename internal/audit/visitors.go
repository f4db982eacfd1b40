package audit

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// shortestID is how long a value is that may be an id, in characters.
const shortestID = 16

// visitors looks, where nobody can log in, at what strangers are handed and shown.
func (c *calibrator) visitors(ctx context.Context) {
	c.facts.Outside = true
	c.stage.Know(c.facts)
	c.handed(ctx)
	if c.facts.Strangers {
		c.read(ctx)
	}
}

// handed looks for a session among the cookies that strangers are handed. Many a
// long cookie is none: a CSRF token, a balancer's choice, the number of a visitor.
// One is called a session id only for a reason that the calibration tells.
func (c *calibrator) handed(ctx context.Context) {
	const says = "a cookie that strangers are handed is a session id"
	if !c.facts.Has(visit) {
		return
	}
	known, ok := c.recognised(ctx)
	if !ok {
		return
	}
	c.suppose(known)
	made := c.stage.Forge(probe.LikeIssued)
	stranger := c.stage.Actor("made-up id")
	stranger.Wear(made)
	replaced := stranger.Do(ctx, visit) == nil
	left := stranger.Everything()
	var sessions trace.Credential
	var reasons []string
	for i, held := range known {
		why := "has a session's name"
		if replaced && !slices.Contains(left, made[i]) {
			why = "a made-up one is replaced"
		} else if !namesSession(held.Name) {
			continue
		}
		sessions, reasons = append(sessions, held), append(reasons, held.Slot.String()+" is each visitor's own, and "+why)
	}
	c.suppose(sessions)
	if len(sessions) == 0 {
		c.skip("K5", says, "none is each visitor's own and known again as a session is")
		return
	}
	c.facts.Strangers, c.facts.PreLogin = true, true
	c.stage.Know(c.facts)
	c.hold("K5", says, strings.Join(reasons, "; "))
}

// read opens the pages that strangers are shown, for two of them: what one page
// says twice, of an id each, is said again (K6). A page that fails says nothing.
func (c *calibrator) read(ctx context.Context) {
	for _, name := range []string{"reader", "another reader"} {
		reader := c.stage.Actor(name)
		if reader.Do(ctx, visit) != nil {
			return
		}
		for _, page := range c.Pages {
			if page.Described || page.Monitors { // which are asked for with an empty jar
				continue
			}
			if err := reader.Do(ctx, page.Step); errors.Is(err, probe.ErrRateLimited) {
				return
			}
		}
	}
}

// recognised are the cookies that differ between two visitors and are not
// exchanged at the next visit, as a balancer's or a page's token would be.
func (c *calibrator) recognised(ctx context.Context) (known trace.Credential, ok bool) {
	one, other := c.stage.Actor("visitor"), c.stage.Actor("another visitor")
	if one.Do(ctx, visit) != nil || other.Do(ctx, visit) != nil {
		return nil, false
	}
	given := ownToEach(one.Everything(), other.Everything())
	if one.Do(ctx, visit) != nil {
		return nil, false
	}
	kept := one.Everything()
	return slices.DeleteFunc(given, func(held trace.Held) bool { return !slices.Contains(kept, held) }), true
}

// suppose takes the cookies for the carrier.
func (c *calibrator) suppose(held trace.Credential) {
	c.facts.Sample, c.facts.Carrier = held, nil
	for _, one := range held {
		c.facts.Carrier = append(c.facts.Carrier, one.Slot)
	}
	c.facts.Stateless = slices.ContainsFunc(held, func(h trace.Held) bool { return selfContained(h.ID) })
	c.stage.Know(c.facts)
}

// ownToEach are the cookies with a long value of its own for each visitor, but
// for those that are another thing by their name.
func ownToEach(one, other trace.Credential) trace.Credential {
	var own trace.Credential
	for _, held := range one {
		differs := func(o trace.Held) bool { return o.Slot == held.Slot && o.ID != held.ID }
		if held.Kind == trace.InCookie && held.ID.Len() >= shortestID && slices.ContainsFunc(other, differs) && !namesOther(held.Name) {
			own = append(own, held)
		}
	}
	return own
}

// namesOther reports whether a cookie is a CSRF token, or that of a CDN, a
// balancer or a counter of visitors, by its name. Some of those are known again
// and replaced as a session is; nothing but the name tells them apart.
func namesOther(name string) bool {
	name = bareName(name)
	return strings.Contains(name, "csrf") || strings.Contains(name, "xsrf") ||
		slices.ContainsFunc([]string{"__cf", "_cf", "cf_", "awsalb", "awselb", "arraffinity", "bigipserver", "incap_ses", "visid_incap",
			"nlbi_", "ak_bmsc", "bm_", "_abck", "datadome", "_ga", "_gid", "ai_"},
			func(known string) bool { return strings.HasPrefix(name, known) })
}

// namesSession reports whether a cookie has the name that servers give to
// sessions: PHPSESSID, JSESSIONID, connect.sid, _app_session.
func namesSession(name string) bool {
	name = bareName(name)
	return strings.Contains(name, "sess") || strings.HasSuffix(name, "sid")
}

func bareName(name string) string {
	name = strings.ToLower(name)
	return strings.TrimPrefix(strings.TrimPrefix(name, "__host-"), "__secure-")
}
