package corpus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// proof attacks one running application over plain HTTP. What it takes over is
// the truth that sessiongate is measured against.
type proof struct {
	*story
	recipe recipe
	base   string      // http://127.0.0.1:port
	store  *pgx.Conn   // nil: the application keeps its sessions elsewhere
	slots  []string    // what carries the session: "cookie NAME" or the name of a captured token
	sample [2]*browser // alice and bob, logged in
}

type account struct{ username, password string }

func (p *proof) account(user string) account {
	for _, one := range p.recipe.Users {
		if one.Name == user {
			if one.Username == "" {
				one.Username = one.Name
			}
			return account{one.Username, one.Password}
		}
	}
	return account{}
}

func (p *proof) has(name string) bool { return p.recipe.Steps[name] != nil }

// experiments are the attacks, by the rules that they prove. The last one
// changes a password, so the order matters.
var experiments = []struct {
	rule  string
	needs string // a step; "" for none
	users int
	try   func(*proof, context.Context) (bool, error)
}{
	{"session-id-not-rotated-on-login", "visit", 1, (*proof).issuedID},
	{"session-fixation-dangling-id", "visit", 1, (*proof).danglingID},
	{"arbitrary-session-id-accepted", "", 1, (*proof).forgedID},
	{"session-id-accepted-in-query", "", 1, (*proof).byQuery},
	{"session-id-accepted-in-json-body", "", 1, (*proof).byJSON},
	{"session-id-accepted-in-form-field", "", 1, (*proof).byForm},
	{"session-id-accepted-in-header", "", 1, (*proof).byHeader},
	{"session-id-accepted-in-path", "", 1, (*proof).byPath},
	{"duplicate-session-cookie", "visit", 1, (*proof).tossed},
	{"cross-user-session-reuse", "", 2, (*proof).crossUser},
	{"session-identity-from-network", "", 1, (*proof).fromNetwork},
	{"cookie-prefix-bypass", "", 1, (*proof).disguisedName},
	{"session-id-sql-injection", "", 1, (*proof).joinedInSQL},
	{"session-id-sql-injection/wildcard", "", 1, (*proof).patternInSQL},
	{"session-id-malformed-input", "", 1, (*proof).malformed},
	{"session-cookie-tamperable", "", 2, (*proof).tampered},
	{"session-id-sequential", "", 2, (*proof).counted},
	{"session-id-timestamp-based", "", 1, (*proof).clocked},
	{"session-id-timestamp-based", "", 2, (*proof).numbered},
	{"session-id-hash-of-guessable", "", 1, (*proof).hashed},
	{"session-id-predictable-prng", "visit", 1, (*proof).mersenne},
	{"session-cookie-missing-secure", "", 1, (*proof).withoutSecure},
	{"session-cookie-missing-httponly", "", 1, (*proof).withoutHTTPOnly},
	{"session-response-cacheable", "", 1, (*proof).cacheable},
	{"cors-credentials-any-origin", "", 1, (*proof).foreignOrigin},
	{"login-csrf", "", 2, (*proof).loginCSRF},
	{"oauth-state-not-bound", "callback", 2, (*proof).callback},
	{"pre-login-state-carry-over", "state-change", 1, (*proof).carriedToken},
	{"session-id-not-rotated-on-privilege-change", "elevate", 1, (*proof).elevation},
	{"absolute-timeout-not-enforced", "", 1, (*proof).expired},
	{"logout-session-not-invalidated", "logout", 1, (*proof).logout},
	{"session-id-not-rotated-on-password-change", "change-password", 1, (*proof).passwordOwn},
	{"password-change-keeps-other-sessions", "change-password", 1, (*proof).passwordOthers},
}

// attack makes the controls and then every experiment, and gives the rules
// that an experiment proved broken.
func (p *proof) attack(ctx context.Context) ([]string, error) {
	if err := p.controls(ctx); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	var proved []string
	for _, one := range experiments {
		if one.needs != "" && !p.has(one.needs) || one.users > len(p.recipe.Users) {
			continue
		}
		broken, err := one.try(p, ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.rule, err)
		}
		if broken {
			proved = append(proved, one.rule)
		}
	}
	if err := p.browser().login(ctx, "alice"); err != nil {
		return nil, fmt.Errorf("after the attacks: %w", err)
	}
	return proved, nil
}

// controls: strangers are nobody, the right password works, a wrong one does not.
func (p *proof) controls(ctx context.Context) error {
	if who, err := p.browser().who(ctx); err != nil || who != "" {
		return fmt.Errorf("a stranger is %q: %w", who, err)
	}
	for i, user := range p.recipe.Users[:min(2, len(p.recipe.Users))] {
		p.sample[i] = p.browser()
		if err := p.sample[i].login(ctx, user.Name); err != nil {
			return err
		}
	}
	if p.account("alice").password != "" {
		wrong := p.browser().as("alice")
		wrong.values["password"] = "not-the-password"
		_ = wrong.do(ctx, "login")
		if who, err := wrong.who(ctx); err != nil || who != "" {
			return fmt.Errorf("a wrong password gives %q: %w", who, err)
		}
	}
	return p.findSlots(ctx)
}

// findSlots leaves out one cookie or token after the other.
func (p *proof) findSlots(ctx context.Context) error {
	held := p.sample[0].clone()
	for _, c := range p.sample[0].jar {
		without := held.clone()
		without.jar = slices.DeleteFunc(slices.Clone(without.jar), func(o *http.Cookie) bool { return o.Name == c.Name })
		if without.is(ctx, "alice") {
			held = without
			continue
		}
		p.slots = append(p.slots, "cookie "+c.Name)
	}
	session := p.recipe.Session
	for _, text := range []string{session["bearer"], session["value"]} {
		for _, match := range hole.FindAllStringSubmatch(text, -1) {
			p.slots = append(p.slots, match[1])
		}
	}
	if session["header"] != "" && session["value"] == "" {
		p.slots = append(p.slots, "header "+session["header"])
	}
	if len(p.slots) == 0 {
		return errors.New("no cookie and no token carries the session")
	}
	return nil
}

// cookieName is the only cookie that carries the session; "" if there is none
// or more than one.
func (p *proof) cookieName() string {
	if len(p.slots) != 1 {
		return ""
	}
	name, _ := strings.CutPrefix(p.slots[0], "cookie ")
	if name == p.slots[0] {
		return ""
	}
	return name
}

// visitor is a browser that has been to the public page, if there is one.
func (p *proof) visitor(ctx context.Context) (*browser, error) {
	b := p.browser()
	if !p.has("visit") {
		return b, nil
	}
	return b, b.do(ctx, "visit")
}

// withID is an attacker's browser that holds nothing but that id.
func (p *proof) withID(id string) *browser {
	b := p.browser()
	for _, slot := range p.slots {
		b.wear(slot, id)
	}
	return b
}
