package corpus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// cacheable asks whether a shared cache may keep what was meant for alice.
func (p *proof) cacheable(ctx context.Context) (bool, error) {
	for _, name := range []string{"visit", "identity"} {
		if !p.has(name) {
			continue
		}
		reader := p.sample[0].clone()
		if err := reader.do(ctx, name); err != nil {
			return false, err
		}
		header := reader.last.header
		control := strings.ToLower(header.Get("Cache-Control"))
		shared := strings.Contains(control, "public") || strings.Contains(control, "max-age")
		private := strings.Contains(control, "private") || strings.Contains(control, "no-store")
		varies := strings.Contains(strings.ToLower(strings.Join(header.Values("Vary"), ",")), "cookie")
		personal := strings.Contains(reader.last.body, p.account("alice").username) ||
			slices.ContainsFunc(reader.set, func(c *http.Cookie) bool { return slices.Contains(p.slots, "cookie "+c.Name) })
		if shared && !private && !varies && personal {
			return true, nil
		}
	}
	return false, nil
}

func (p *proof) foreignOrigin(ctx context.Context) (bool, error) {
	for _, origin := range []string{"https://attacker.example", "null"} {
		page := p.sample[0].clone()
		page.headers["Origin"] = origin
		if err := page.do(ctx, "identity"); err != nil {
			return false, err
		}
		if page.last.header.Get("Access-Control-Allow-Origin") == origin &&
			page.last.header.Get("Access-Control-Allow-Credentials") == "true" && strings.Contains(page.last.body, p.account("alice").username) {
			return true, nil
		}
	}
	return false, nil
}

// loginCSRF posts bob's login from a foreign page into the victim's browser,
// in the ways that a page may without asking first.
func (p *proof) loginCSRF(ctx context.Context) (bool, error) {
	if !slices.ContainsFunc(p.slots, func(slot string) bool { return strings.HasPrefix(slot, "cookie ") }) {
		return false, nil
	}
	for _, kind := range []string{"form", "multipart", "text/plain", "none"} {
		attacker := p.browser().as("bob")
		requests := p.recipe.Steps["login"]
		post := len(requests) - 1 // what signs in is the last of the forms
		for post >= 0 && !strings.HasPrefix(requests[post].Request, "POST") {
			post--
		}
		if post < 0 {
			return false, nil
		}
		if err := attacker.requests(ctx, requests[:post]); err != nil {
			return false, err
		}
		victim, err := p.visitor(ctx)
		if err != nil {
			return false, err
		}
		victim.values = maps.Clone(attacker.values)
		victim.headers = map[string]string{"Origin": "https://attacker.example", "Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
		victim.plant = func(o *outgoing) { o.crossSite(kind) }
		if err := victim.requests(ctx, requests[post:post+1]); err != nil {
			return false, err
		}
		victim.headers = map[string]string{}
		if victim.is(ctx, "bob") {
			return true, nil
		}
	}
	return false, nil
}

// crossSite is what a form or a simple fetch of another site can send: no
// headers of its own, and a body of one of four kinds.
func (o *outgoing) crossSite(kind string) {
	o.headers = map[string]string{}
	if members, is := o.json.(map[string]any); is {
		for name, value := range members {
			o.fields[name] = fmt.Sprint(value)
		}
	} else {
		members := map[string]any{}
		for name, value := range o.fields {
			members[name] = value
		}
		o.json = members
	}
	o.kind = kind
}

// callback lets bob begin a login at the provider, and alice's browser end it.
func (p *proof) callback(ctx context.Context) (bool, error) {
	requests := p.recipe.Steps["callback"]
	attacker := p.browser().as("bob")
	if err := attacker.requests(ctx, requests[:len(requests)-1]); err != nil {
		return false, err
	}
	control := p.browser().as("bob")
	if err := control.requests(ctx, requests); err != nil {
		return false, err
	}
	if !control.is(ctx, "bob") {
		return false, fmt.Errorf("bob cannot log in at the provider: %d %.200s", control.last.status, control.last.body)
	}
	victim, err := p.visitor(ctx)
	if err != nil {
		return false, err
	}
	victim.values = maps.Clone(attacker.values)
	if err := victim.requests(ctx, requests[len(requests)-1:]); err != nil {
		return false, err
	}
	return victim.is(ctx, "bob"), nil
}

// carriedToken plants a CSRF token before login and uses it after.
func (p *proof) carriedToken(ctx context.Context) (bool, error) {
	requests := p.recipe.Steps["state-change"]
	fetch, change := requests[:len(requests)-1], requests[len(requests)-1:]
	attacker, err := p.visitor(ctx)
	if err != nil {
		return false, err
	}
	if err := attacker.requests(ctx, fetch); err != nil {
		return false, nil // nobody but users gets a token
	}
	stranger, err := p.visitor(ctx)
	if err != nil {
		return false, err
	}
	if err := stranger.requests(ctx, fetch); err != nil {
		return false, err
	}
	victim := attacker.clone()
	if err := victim.login(ctx, "alice"); err != nil {
		return false, err
	}
	with := func(values map[string]string) (bool, error) {
		b := victim.clone()
		b.values = maps.Clone(values)
		err := b.requests(ctx, change)
		return b.last.ok(), err
	}
	own := victim.clone()
	if err := own.requests(ctx, requests); err != nil || !own.last.ok() {
		return false, fmt.Errorf("alice cannot change her own state: %d %w", own.last.status, err)
	}
	if refused, err := with(stranger.values); err != nil || refused {
		return false, errors.Join(err, errors.New("any token will do"))
	}
	return with(attacker.values)
}

// elevation freezes a copy just before alice gains a privilege.
func (p *proof) elevation(ctx context.Context) (bool, error) {
	then := p.recipe.Steps["elevate"][len(p.recipe.Steps["elevate"])-1].Then
	may := func(b *browser) (bool, error) {
		asking := b.clone()
		err := asking.requests(ctx, then)
		return asking.last.ok(), err
	}
	victim := p.browser()
	if err := victim.login(ctx, "alice"); err != nil {
		return false, err
	}
	frozen := victim.clone()
	if before, err := may(frozen); err != nil || before {
		return false, errors.Join(err, errors.New("the privilege is there before it is asked for"))
	}
	if err := victim.do(ctx, "elevate"); err != nil {
		return false, err
	}
	if after, err := may(victim); err != nil || !after {
		return false, errors.Join(err, errors.New("alice does not gain the privilege"))
	}
	return may(frozen)
}

// expired ages alice's row in the store and looks whether anybody cares.
func (p *proof) expired(ctx context.Context) (bool, error) {
	if p.store == nil {
		return false, nil
	}
	columns, err := p.expiryColumns(ctx)
	if err != nil || len(columns) == 0 {
		return false, err
	}
	victim := p.browser()
	if err := victim.login(ctx, "alice"); err != nil {
		return false, err
	}
	changed := int64(0)
	for _, column := range columns {
		name := pgx.Identifier{column[0], column[1]}.Sanitize()
		at := pgx.Identifier{column[2]}.Sanitize()
		done, err := p.store.Exec(ctx, "UPDATE "+name+" SET "+at+" = now() - interval '1 hour' WHERE "+at+" > now()")
		if err != nil {
			return false, err
		}
		changed += done.RowsAffected()
	}
	alive := victim.is(ctx, "alice")
	return alive && changed > 0, p.controlsAgain(ctx)
}

// controlsAgain logs the samples in anew, whose sessions have expired.
func (p *proof) controlsAgain(ctx context.Context) error {
	for i, user := range p.recipe.Users[:min(2, len(p.recipe.Users))] {
		p.sample[i] = p.browser()
		if err := p.sample[i].login(ctx, user.Name); err != nil {
			return err
		}
	}
	return nil
}

func (p *proof) expiryColumns(ctx context.Context) ([][3]string, error) {
	rows, err := p.store.Query(ctx, `SELECT table_schema, table_name, column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type LIKE 'timestamp%' AND column_name LIKE 'expire%'`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (found [3]string, err error) {
		err = row.Scan(&found[0], &found[1], &found[2])
		return found, err
	})
}

func (p *proof) logout(ctx context.Context) (bool, error) {
	victim := p.browser()
	if err := victim.login(ctx, "alice"); err != nil {
		return false, err
	}
	frozen := victim.clone()
	if err := victim.do(ctx, "logout"); err != nil {
		return false, err
	}
	if victim.last.status >= 400 {
		return false, fmt.Errorf("the logout answers %d", victim.last.status)
	}
	return frozen.is(ctx, "alice"), nil
}

// changed lets bob, or the only user, change the password and change it back.
func (p *proof) changed(ctx context.Context) (own, others bool, err error) {
	user := p.recipe.Users[len(p.recipe.Users)-1].Name
	here, elsewhere := p.browser(), p.browser()
	if err := errors.Join(here.login(ctx, user), elsewhere.login(ctx, user)); err != nil {
		return false, false, err
	}
	frozen := here.clone()
	if err := here.do(ctx, "change-password"); err != nil {
		return false, false, err
	}
	if old := p.browser(); old.login(ctx, user) == nil {
		return false, false, fmt.Errorf("the password was not changed: %d %.200s", here.last.status, here.last.body)
	}
	own, others = frozen.is(ctx, user), elsewhere.is(ctx, user)
	back := p.browser().as(user)
	back.values["password"], back.values["new_password"] = back.values["new_password"], back.values["password"]
	return own, others, errors.Join(back.do(ctx, "login"), back.do(ctx, "change-password"))
}

func (p *proof) passwordOwn(ctx context.Context) (bool, error) {
	own, _, err := p.changed(ctx)
	return own, err
}

func (p *proof) passwordOthers(ctx context.Context) (bool, error) {
	_, others, err := p.changed(ctx)
	return others, err
}

// compact is JSON without spaces, as signed cookies have it.
func compact(node any) []byte {
	text, err := json.Marshal(node)
	if err != nil {
		panic(err)
	}
	return text
}
