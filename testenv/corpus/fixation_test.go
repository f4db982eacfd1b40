package corpus_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// fixed plays the classic attack: the attacker visits, the victim logs in with
// what the attacker was given, the attacker reads. kept says whether some value
// of the carrier survived the login.
func (p *proof) fixed(ctx context.Context) (taken, kept bool, err error) {
	attacker, err := p.visitor(ctx)
	if err != nil || len(attacker.jar) == 0 && len(attacker.tokens()) == 0 {
		return false, false, err
	}
	frozen, victim := attacker.clone(), attacker.clone()
	if err := victim.login(ctx, "alice"); err != nil {
		return false, false, err
	}
	for _, slot := range p.slots {
		kept = kept || victim.held(slot) != "" && victim.held(slot) == frozen.held(slot)
	}
	if frozen.is(ctx, "alice") {
		return true, kept, nil
	}
	// Some servers hand the new id to whoever brings the old one.
	for range 2 {
		if err := attacker.do(ctx, "visit"); err != nil {
			return false, kept, err
		}
	}
	return attacker.is(ctx, "alice"), kept, nil
}

func (p *proof) issuedID(ctx context.Context) (bool, error) {
	taken, kept, err := p.fixed(ctx)
	return taken && kept, err
}

func (p *proof) danglingID(ctx context.Context) (bool, error) {
	taken, kept, err := p.fixed(ctx)
	return taken && !kept, err
}

// forged makes ids that the server never issued.
func (p *proof) forged(slot string) []string {
	return []string{alike(p.sample[0].held(slot)), "x", "fixated-by-attacker"}
}

// alike changes every letter and digit to another of its kind.
func alike(id string) string {
	changed := []byte(id)
	random := make([]byte, len(changed))
	_, _ = rand.Read(random)
	hex := strings.Trim(strings.ToLower(id), "0123456789abcdef-") == ""
	for i, c := range changed {
		if i > 0 && changed[i-1] == '%' || i > 1 && changed[i-2] == '%' {
			continue // an escape stays one
		}
		switch {
		case c >= '0' && c <= '9':
			changed[i] = '0' + random[i]%10
		case hex && c >= 'a' && c <= 'f':
			changed[i] = 'a' + random[i]%6
		case c >= 'a' && c <= 'z':
			changed[i] = 'a' + random[i]%26
		case c >= 'A' && c <= 'Z':
			changed[i] = 'A' + random[i]%26
		}
	}
	return string(changed)
}

func (p *proof) forgedID(ctx context.Context) (bool, error) {
	// A visit may end the flaw, or be what makes it.
	for round := range 6 {
		shape, visits := round%3, round < 3
		attacker := p.browser()
		for _, slot := range p.slots {
			attacker.wear(slot, p.forged(slot)[shape])
		}
		if attacker.is(ctx, "alice") {
			return false, errors.New("a made-up id is alice before she logs in")
		}
		victim := attacker.clone()
		if visits && p.has("visit") {
			// It may answer with another cookie; a tossed one stays in front of it.
			if err := victim.do(ctx, "visit"); err != nil {
				return false, err
			}
			for _, slot := range p.slots {
				victim.wear(slot, attacker.held(slot))
			}
		}
		if err := victim.login(ctx, "alice"); errors.Is(err, errRefused) {
			continue // a server may refuse such an id
		} else if err != nil {
			return false, err
		}
		if attacker.is(ctx, "alice") {
			return true, nil
		}
	}
	return false, nil
}

// names under which servers take ids beside their carrier.
func (p *proof) names() []string {
	names := []string{"session_id", "sid", "session", "token"}
	for _, slot := range p.slots {
		if name, is := strings.CutPrefix(slot, "cookie "); is {
			bare := strings.TrimPrefix(strings.TrimPrefix(name, "__Host-"), "__Secure-")
			names = append(names, name, bare)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// planted lets alice log in with an id in a channel, and reads with it.
func (p *proof) planted(ctx context.Context, names []string, plant func(o *outgoing, name, id string) bool, read func(b *browser, name, id string)) (bool, error) {
	ids := []string{alike(p.sample[0].held(p.slots[0]))}
	if visitor, err := p.visitor(ctx); err != nil {
		return false, err
	} else if issued := visitor.held(p.slots[0]); issued != "" {
		ids = append(ids, issued)
	}
	for _, name := range names {
		for _, id := range ids {
			victim, possible := p.browser(), true
			victim.plant = func(o *outgoing) { possible = plant(o, name, id) }
			err := victim.login(ctx, "alice")
			if !possible {
				return false, nil
			}
			if err != nil && !errors.Is(err, errRefused) {
				return false, err
			}
			if p.withID(id).is(ctx, "alice") {
				return true, nil
			}
			if read != nil {
				attacker := p.browser()
				read(attacker, name, id)
				if attacker.is(ctx, "alice") {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

func (p *proof) byQuery(ctx context.Context) (bool, error) {
	plant := func(o *outgoing, name, id string) bool {
		o.query.Set(name, id)
		return true
	}
	return p.planted(ctx, p.names(), plant, nil)
}

func (p *proof) byJSON(ctx context.Context) (bool, error) {
	return p.planted(ctx, p.names(), func(o *outgoing, name, id string) bool {
		members, is := o.json.(map[string]any)
		if is {
			members[name] = id
		}
		return is
	}, nil)
}

func (p *proof) byForm(ctx context.Context) (bool, error) {
	return p.planted(ctx, p.names(), func(o *outgoing, name, id string) bool {
		if o.kind == "form" || o.kind == "multipart" {
			o.fields[name] = id
		}
		return o.kind == "form" || o.kind == "multipart"
	}, nil)
}

func (p *proof) byHeader(ctx context.Context) (bool, error) {
	names := []string{"X-Session-ID", "X-Session-Token", "X-Auth-Token", "Session-ID"}
	for _, own := range []string{p.recipe.Session["header"]} {
		names = slices.DeleteFunc(names, func(name string) bool { return strings.EqualFold(name, own) })
	}
	plant := func(o *outgoing, name, id string) bool {
		o.headers[name] = id
		return true
	}
	return p.planted(ctx, names, plant, func(b *browser, name, id string) { b.headers[name] = id })
}

func (p *proof) byPath(ctx context.Context) (bool, error) {
	return p.planted(ctx, p.names(), func(o *outgoing, name, id string) bool {
		o.path += ";" + name + "=" + url.PathEscape(id)
		return true
	}, nil)
}

// tossed sends the attacker's id and the victim's own together at login.
func (p *proof) tossed(ctx context.Context) (bool, error) {
	name := p.cookieName()
	if name == "" {
		return false, nil
	}
	for _, first := range []bool{true, false} {
		attacker, err := p.visitor(ctx)
		if err != nil {
			return false, err
		}
		victim, err := p.visitor(ctx)
		if err != nil {
			return false, err
		}
		theirs, own := attacker.held("cookie "+name), victim.held("cookie "+name)
		if theirs == "" || own == "" {
			return false, nil
		}
		var others []string
		for _, c := range victim.jar {
			if c.Name != name {
				others = append(others, c.Name+"="+c.Value)
			}
		}
		pair := []string{name + "=" + own, name + "=" + theirs}
		if first {
			slices.Reverse(pair)
		}
		victim.raw = strings.Join(append(others, pair...), "; ")
		_ = victim.as("alice").do(ctx, "login")
		if p.withID(theirs).is(ctx, "alice") {
			return true, nil
		}
	}
	return false, nil
}

// crossUser lets alice log in inside a session of bob, who kept a copy.
func (p *proof) crossUser(ctx context.Context) (bool, error) {
	attacker := p.browser()
	if err := attacker.login(ctx, "bob"); err != nil {
		return false, err
	}
	frozen, victim := attacker.clone(), attacker.clone()
	// Refusing a login inside a session is one way to be safe.
	if err := victim.login(ctx, "alice"); errors.Is(err, errRefused) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return frozen.is(ctx, "alice"), nil
}

func (p *proof) fromNetwork(ctx context.Context) (bool, error) {
	who, err := p.browser().who(ctx)
	return who != "", err
}

// disguisedName sends the id under names that a browser takes from any sibling
// site, where the server may read them as its own.
func (p *proof) disguisedName(ctx context.Context) (bool, error) {
	name := p.cookieName()
	if name == "" {
		return false, nil
	}
	id := p.sample[0].held(p.slots[0])
	for _, pair := range []string{"=" + name + "=" + id, "==" + name + "=" + id, "%5F" + name[1:] + "=" + id, "." + name[1:] + "=" + id} {
		attacker := p.browser()
		attacker.raw = pair
		if attacker.is(ctx, "alice") {
			return true, nil
		}
	}
	return false, nil
}

func (p *proof) joinedInSQL(ctx context.Context) (bool, error) {
	id, middle := p.sample[0].held(p.slots[0]), len(p.sample[0].held(p.slots[0]))/2
	for _, control := range []string{id[:middle] + "'||'" + id[middle:len(id)-1] + "~", id[:middle] + "'|'" + id[middle:]} {
		// Who decodes with a lax base64 skips any quote, and knows no SQL.
		if p.cookieName() == "" || p.withID(control).is(ctx, "alice") {
			return false, nil
		}
	}
	return p.withID(id[:middle]+"'||'"+id[middle:]).is(ctx, "alice"), nil
}

func (p *proof) patternInSQL(ctx context.Context) (bool, error) {
	id := p.sample[0].held(p.slots[0])
	if p.cookieName() == "" || p.withID(id[:len(id)-1]+"~").is(ctx, "alice") {
		return false, nil
	}
	return p.withID(id[:len(id)-1]+"%").is(ctx, "alice"), nil
}

// issued is every Set-Cookie of the carrier that alice's login was answered with.
func (p *proof) issued() []*http.Cookie {
	var found []*http.Cookie
	for _, c := range p.sample[0].set {
		if slices.Contains(p.slots, "cookie "+c.Name) && c.Value != "" && c.MaxAge >= 0 {
			found = append(found, c)
		}
	}
	return found
}

func (p *proof) withoutSecure(context.Context) (bool, error) {
	return slices.ContainsFunc(p.issued(), func(c *http.Cookie) bool { return !c.Secure }), nil
}

func (p *proof) withoutHTTPOnly(context.Context) (bool, error) {
	return slices.ContainsFunc(p.issued(), func(c *http.Cookie) bool { return !c.HttpOnly }), nil
}
