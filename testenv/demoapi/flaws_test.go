package demoapi_test

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// experiments try out, for each rule, whether an API breaks it.
var experiments = map[string]func(client) bool{
	"session-id-not-rotated-on-login": func(c client) bool {
		old := c.anonymous()
		return c.login(old, asAlice).id() == old
	},
	"arbitrary-session-id-accepted": func(c client) bool {
		atOnce, visited := "never-issued-one", "never-issued-two"
		c.visit(visited)
		c.login(visited, asAlice)
		c.login(atOnce, asAlice)
		return c.both(c.me(atOnce) == "alice", c.me(visited) == "alice")
	},
	"permissive-session-creation": func(c client) bool {
		issued, first := c.visit("never-issued")
		_, second := c.visit("never-issued")
		rotated := c.login("never-issued", asAlice).id() != "never-issued"
		return issued == "never-issued" && first == 1 && second == 2 && rotated
	},
	"session-id-accepted-in-query": func(c client) bool {
		return c.takes(func(id string) answer {
			return c.do("POST", "/login?session_id="+url.QueryEscape(id), "", asAlice, "Content-Type", jsonType)
		})
	},
	"session-id-accepted-in-json-body": func(c client) bool {
		return c.takes(func(id string) answer {
			body := strings.Replace(asAlice, "}", `,"session_id":"`+id+`"}`, 1)
			return c.do("POST", "/login", "", body, "Content-Type", jsonType)
		})
	},
	"session-id-accepted-in-form-field": func(c client) bool {
		return c.takes(func(id string) answer {
			form := url.Values{"username": {demoapi.Alice}, "password": {demoapi.AlicePassword}, "session_id": {id}, "next": {"/"}}
			return c.do("POST", "/login", "", form.Encode(), "Content-Type", formType)
		})
	},
	"session-id-accepted-in-header": func(c client) bool {
		return c.takes(func(id string) answer {
			return c.do("POST", "/login", "", asAlice, "Content-Type", jsonType, "X-Session-ID", id)
		})
	},
	"session-id-accepted-in-path": func(c client) bool {
		plain := c.takes(func(id string) answer {
			return c.do("POST", "/login;jsessionid="+id, "", asAlice, "Content-Type", jsonType)
		})
		among := c.takes(func(id string) answer {
			return c.do("POST", "/login;sid=1;jsessionid="+id+";v=2", "", asAlice, "Content-Type", jsonType)
		})
		return c.both(plain, among)
	},
	"session-fixation-dangling-id": func(c client) bool {
		old := c.anonymous()
		return c.login(old, asAlice).id() != old && c.me(old) == "alice"
	},
	"pre-login-session-not-invalidated": func(c client) bool {
		old := c.anonymous()
		now := c.login(old, asAlice).id()
		if now == old || c.me(old) != "" {
			return false
		}
		issued, first := c.visit(old)
		_, second := c.visit(now)
		_, third := c.visit(old)
		return issued == "" && second == first+1 && third == first+2
	},
	"cross-user-session-reuse": func(c client) bool {
		old := c.login("", asAlice).id()
		return c.login(old, asBob).id() == old
	},
	"session-identity-from-network": func(c client) bool {
		id := c.login("", asAlice).id()
		asNobody := c.me("")
		c.login("", asBob)
		lastWins := c.me("") == "bob"
		if c.me("never-issued") != "" {
			c.t.Error("an unknown cookie is taken for a user")
		}
		c.logout(id)
		if c.me("") != "" {
			c.t.Error("not forgotten at logout")
		}
		return c.both(asNobody == "alice", lastWins)
	},
	"logout-session-not-invalidated": func(c client) bool {
		id := c.login("", asAlice).id()
		c.logout(id)
		return c.me(id) == "alice"
	},
	"session-id-insufficient-length":                func(c client) bool { return c.bits() < 32 },
	"session-id-insufficient-length/below-64-bits":  func(c client) bool { return c.bits() >= 32 && c.bits() < 64 },
	"session-id-insufficient-length/below-128-bits": func(c client) bool { return c.bits() >= 64 && c.bits() < 128 },
	"session-cookie-missing-secure": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return !cookie.Secure })
	},
	"session-cookie-missing-httponly": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return !cookie.HttpOnly })
	},
	"session-cookie-samesite": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return cookie.SameSite == http.SameSiteNoneMode })
	},
	"session-cookie-samesite/absent": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return !strings.Contains(cookie.Raw, "SameSite") })
	},
	"session-cookie-prefix-missing": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return cookie.Name == "sid" })
	},
	"session-cookie-domain-too-broad": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return cookie.Domain == "127.0.0.1" })
	},
	"session-cookie-rejected-by-browser": func(c client) bool {
		deletion := c.logout(c.login("", asAlice).id()).issued()
		return len(deletion) > 0 && strings.HasPrefix(deletion[0].Name, "__Host-") && !deletion[0].Secure
	},
	"session-cookie-persistent": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return cookie.MaxAge == 90*24*60*60 })
	},
	"duplicate-set-cookie": func(c client) bool {
		issued := c.login("", asAlice).issued()
		return len(issued) == 2 && issued[0].Name == issued[1].Name && issued[0].Value != issued[1].Value &&
			c.me(issued[0].Value) == "alice" && c.me(issued[1].Value) == "alice"
	},
	"session-id-in-url": func(c client) bool {
		got := c.login("", asAlice)
		return got.status == http.StatusSeeOther && got.header.Get("Location") == "/?sid="+got.id()
	},
	"session-id-low-entropy": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool { return strings.Trim(cookie.Value, "ab") == "" })
	},
	"session-id-sequential": func(c client) bool {
		var ids []*big.Int
		for _, id := range []string{c.anonymous(), c.login("", asAlice).id(), c.login("", asBob).id(), c.anonymous()} {
			value, _ := new(big.Int).SetString(id, 16)
			if ids = append(ids, value); value == nil {
				return false
			}
		}
		moved := func(i int) string {
			step := new(big.Int).Sub(ids[i+1], ids[i])
			return step.And(step, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))).String()
		}
		return moved(0) == moved(1) && moved(1) == moved(2)
	},
	"session-id-timestamp-based": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool {
			return len(cookie.Value) == 36 && strings.Contains(cookie.Value, "-1") && strings.Contains(cookie.Value, "-9a01-")
		})
	},
	"session-id-hash-of-guessable": func(c client) bool {
		from := time.Now().UnixMilli()
		before, now := c.anonymous(), c.login("", asAlice).id()
		made := func(id, user string) bool {
			for at := from; at <= time.Now().UnixMilli()+10; at++ {
				if fmt.Sprintf("%x", md5.Sum([]byte(user+strconv.FormatInt(at, 10)))) == id {
					return true
				}
			}
			return false
		}
		return c.both(made(before, ""), made(now, "alice"))
	},
	"session-id-predictable-prng": func(c client) bool {
		var ids []secret.Text
		for range 624/4 + 3 {
			ids = append(ids, secret.New(c.anonymous()))
		}
		return idquality.TwisterPredicts(ids) == 3
	},
	"session-id-collision": func(c client) bool {
		first, again := c.do("GET", "/", "", "", "User-Agent", "one"), c.do("GET", "/", "", "", "User-Agent", "one")
		other := c.do("GET", "/", "", "", "User-Agent", "other")
		return first.id() == again.id() && first.id() != other.id()
	},
	"session-id-collision/same-user": func(c client) bool {
		id := c.login("", asAlice).id()
		return c.login("", asAlice).id() == id && c.login("", asBob).id() != id
	},
	"session-id-derived-from-previous": func(c client) bool {
		old := c.anonymous()
		next := sha256.Sum256([]byte(old))
		return c.login(old, asAlice).id() == base64.RawURLEncoding.EncodeToString(next[:])
	},
	"session-id-contains-user-data": func(c client) bool {
		return strings.HasPrefix(c.login("", asAlice).id(), "alice.") && !strings.HasPrefix(c.anonymous(), "alice")
	},
	"session-ids-shown-to-strangers": func(c client) bool {
		id := c.login("", asAlice).id()
		shown := strings.Contains(c.do("GET", "/debug/sessions", "", "").body, `"`+id+`"`)
		c.logout(id)
		return shown && !strings.Contains(c.do("GET", "/debug/sessions", "", "").body, id)
	},
	"personal-data-without-session": func(c client) bool {
		const number = "+44 20 7946 0358"
		if signedIn := c.do("GET", "/customers", c.login("", asAlice).id(), ""); !strings.Contains(signedIn.body, number) {
			c.t.Errorf("a user is answered %d", signedIn.status)
		}
		return strings.Contains(c.do("GET", "/customers", "never-issued", "").body, number)
	},
	"session-id-in-response-body": func(c client) bool {
		got := c.login("", asAlice)
		return got.json()["session"] == got.id()
	},
	"duplicate-session-cookie": func(c client) bool {
		old, other := c.anonymous(), c.anonymous()
		c.do("POST", "/login", "", asAlice, "Content-Type", jsonType, "Cookie", c.pair(old)+"; "+c.pair(other))
		return c.me(old) == "alice"
	},
	"duplicate-session-cookie/one-of-two": func(c client) bool {
		live := c.login("", asAlice).id()
		return c.cookie == "sid" && c.do("GET", "/me", "", "", "Cookie", c.pair(live)+"; "+c.pair("never-issued")).status == http.StatusOK
	},
	"cookie-prefix-bypass": func(c client) bool {
		live := c.login("", asAlice).id()
		other := strings.Replace(c.pair(live), c.cookie[:1], fmt.Sprintf("%%%02X", c.cookie[0]), 1)
		unrelated := c.do("GET", "/me", "", "", "Cookie", "other="+live)
		return unrelated.status != http.StatusOK && c.do("GET", "/me", "", "", "Cookie", other).status == http.StatusOK
	},
	"cookie-attribute-injection": func(c client) bool {
		got := c.do("GET", "/?lang=en%3B%20Domain%3Dcanary.example", "", "")
		return strings.Contains(strings.Join(got.header.Values("Set-Cookie"), "\n"), "; Domain=canary.example")
	},
	"session-cookie-tamperable": func(c client) bool {
		live := c.login("", asAlice).id()
		raw, err := base64.RawURLEncoding.DecodeString(live)
		if err != nil {
			return false
		}
		forged := strings.Replace(string(raw), `"alice"`, `"bob"`, 1)
		return forged != string(raw) && c.me(base64.RawURLEncoding.EncodeToString([]byte(forged))) == "bob"
	},
	"session-cookie-not-partitioned": func(c client) bool {
		return c.everyCookie(func(cookie *http.Cookie) bool {
			return cookie.SameSite == http.SameSiteNoneMode && !cookie.Partitioned
		})
	},
	"session-response-cacheable": func(c client) bool {
		got := c.do("GET", "/me", c.login("", asAlice).id(), "")
		return strings.Contains(got.header.Get("Cache-Control"), "max-age=60")
	},
	"session-response-cacheable/no-store-missing": func(c client) bool {
		got := c.do("GET", "/me", c.login("", asAlice).id(), "")
		return got.header.Get("Cache-Control") == ""
	},
	"session-id-path-traversal": func(c client) bool {
		return c.me("./"+c.login("", asAlice).id()) == "alice"
	},
	"session-id-malformed-input": func(c client) bool {
		return c.do("GET", "/me", strings.Repeat("A", 4096), "").status >= 500
	},
	"session-id-reflected-unencoded": func(c client) bool {
		got := c.do("GET", "/me", "<b>canary</b>", "")
		return strings.Contains(got.body, "<b>canary</b>") && strings.HasPrefix(got.header.Get("Content-Type"), "text/html")
	},
	"login-csrf": func(c client) bool {
		got := c.do("POST", "/login", "", asBob, "Content-Type", "text/plain", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		return got.status < 400 && c.me(got.id()) == "bob"
	},
	"cors-credentials-any-origin": func(c client) bool {
		return c.allows("https://evil.example") && c.sameSite() == http.SameSiteNoneMode
	},
	"cors-credentials-any-origin/null": func(c client) bool {
		return c.allows("null") && !c.allows("https://evil.example") && c.sameSite() == http.SameSiteNoneMode
	},
	"cors-credentials-any-origin/same-site": func(c client) bool {
		return c.allows("https://evil.example") && c.sameSite() == http.SameSiteLaxMode
	},
	"login-over-get": func(c client) bool {
		got := c.do("GET", "/login?username=alice&password="+url.QueryEscape(demoapi.AlicePassword), "", "")
		return got.status < 400 && c.me(got.id()) == "alice"
	},
	"session-id-not-rotated-on-privilege-change": func(c client) bool {
		old := c.login("", asAlice).id()
		if c.get("/admin", old) != http.StatusForbidden || c.json("POST", "/sudo", old, `{"password":"no"}`).status != http.StatusForbidden {
			c.t.Error("admin is open to everybody")
		}
		got := c.json("POST", "/sudo", old, asAlice)
		now := cmp.Or(got.id(), old)
		if c.get("/admin", now) != http.StatusOK {
			c.t.Error("admin stays closed")
		}
		return c.both(now == old, c.get("/admin", old) == http.StatusOK)
	},
	"session-id-not-rotated-on-privilege-change/re-authentication": func(c client) bool {
		old := c.login("", asAlice).id()
		now := c.login(old, asAlice).id()
		return c.both(now == old, c.me(old) == "alice")
	},
	"session-id-not-rotated-on-password-change": func(c client) bool {
		old := c.login("", asAlice).id()
		now := c.changePassword(old)
		if c.me(now) != "alice" {
			c.t.Error("the password change ends the session")
		}
		return c.both(now == old, c.me(old) == "alice")
	},
	"password-change-keeps-other-sessions": func(c client) bool {
		other := c.login("", asAlice).id()
		c.changePassword(c.login("", asAlice).id())
		return c.me(other) == "alice"
	},
	"logout-everywhere-incomplete": func(c client) bool {
		own, other, bob := c.login("", asAlice).id(), c.login("", asAlice).id(), c.login("", asBob).id()
		c.json("POST", "/logout-all", own, "")
		if c.me(own) != "" || c.me(bob) != "bob" {
			c.t.Error("it keeps the own session, or ends another user's")
		}
		return c.me(other) == "alice"
	},
	"session-survives-account-deletion": func(c client) bool {
		const asDave = `{"username":"dave","password":"dave-demo-password"}`
		if got := c.json("POST", "/register", "", asDave); got.status != http.StatusCreated {
			c.t.Errorf("register: %d", got.status)
		}
		id := c.json("POST", "/login", "", asDave).id()
		if c.me(id) != "dave" || c.json("DELETE", "/account", id, "").status != http.StatusNoContent {
			c.t.Error("the new account cannot sign in, or cannot be deleted")
		}
		if c.json("POST", "/login", "", asDave).status != http.StatusUnauthorized {
			c.t.Error("the deleted account signs in")
		}
		return c.me(id) == "dave"
	},
	"concurrent-session-limit-not-enforced": func(c client) bool {
		first := c.login("", asAlice).id()
		bob := c.login("", asBob).id()
		for range maxSessions {
			c.login("", asAlice)
		}
		if c.me(bob) != "bob" {
			c.t.Error("the limit ends another user's session")
		}
		return c.me(first) == "alice"
	},
	"logout-client-state-not-cleared": func(c client) bool {
		got := c.logout(c.login("", asAlice).id()).issued()
		return len(got) == 0 || strings.HasPrefix(got[0].Name, "__Host-") && !got[0].Secure
	},
	"session-resurrection": func(c client) bool {
		return c.sooner(func() bool {
			id := c.login("", asAlice).id()
			ended := false
			c.during("/slow", id, func() {
				c.logout(id)
				ended = c.me(id) == ""
			})
			return ended && c.me(id) == "alice"
		})
	},
	"concurrent-login-race": func(c client) bool {
		alone := c.anonymous()
		c.login(alone, asAlice)
		return c.me(alone) == "" && c.sooner(func() bool {
			old := c.anonymous()
			c.during("/", old, func() { c.login(old, asAlice) })
			return c.me(old) == "alice"
		})
	},
	"pre-login-state-carry-over": func(c client) bool {
		old := c.anonymous()
		planted := c.token(old)
		now := c.login(old, asAlice).id()
		if now == old || c.me(old) != "" {
			return false // the whole session is carried over
		}
		other := c.token(c.anonymous())
		if c.email(now, "") || c.email(now, other) || !c.email(now, c.token(now)) {
			c.t.Error("the token decides nothing")
		}
		return c.email(now, planted)
	},
	"session-puzzling": func(c client) bool {
		got := c.json("POST", "/forgot", "", asAlice)
		if got.status != http.StatusAccepted {
			c.t.Errorf("forgot: %d", got.status)
		}
		return got.id() != "" && c.me(got.id()) == "alice"
	},
	"oauth-state-not-bound": func(c client) bool {
		callback := func(browser string, start answer) string {
			given := start.json()
			return c.do("GET", fmt.Sprintf("/oauth/callback?state=%s&code=%s", given["state"], given["code"]), browser, "").id()
		}
		start := c.json("POST", "/oauth/start", "", asBob)
		if own := callback(start.id(), start); own == "" || c.me(own) != "bob" {
			c.t.Error("the browser that began cannot end it")
		}
		if again := callback(start.id(), start); again != "" {
			c.t.Error("a code works twice")
		}
		other := callback("", c.json("POST", "/oauth/start", "", asBob))
		return other != "" && c.me(other) == "bob"
	},
}

// pair is the session cookie of a request.
func (c client) pair(id string) string { return c.cookie + "=" + id }

// allows reports whether scripts of the origin may read a signed-in answer.
func (c client) allows(origin string) bool {
	c.t.Helper()
	got := c.do("GET", "/me", c.login("", asAlice).id(), "", "Origin", origin)
	return got.header.Get("Access-Control-Allow-Origin") == origin && got.header.Get("Access-Control-Allow-Credentials") == "true"
}

func (c client) sameSite() http.SameSite {
	c.t.Helper()
	return c.login("", asAlice).issued()[0].SameSite
}

// both is for a flaw with two sides, which must not be there by half.
func (c client) both(one, other bool) bool {
	c.t.Helper()
	if one != other {
		c.t.Errorf("the flaw is there by half: %t and %t", one, other)
	}
	return one && other
}

// takes reports whether a login makes both a forged id and one issued to
// somebody else the authenticated one.
func (c client) takes(login func(id string) answer) bool {
	c.t.Helper()
	forged, issued := "never.issued", c.anonymous()
	for _, id := range []string{forged, issued} {
		if got := login(id); got.status < 400 && c.me(got.id()) != "alice" {
			c.t.Error("login works, but its cookie does not")
		}
	}
	return c.both(c.me(forged) == "alice", c.me(issued) == "alice")
}

// everyCookie reports whether a condition holds for the cookies of visit and
// login alike.
func (c client) everyCookie(holds func(*http.Cookie) bool) bool {
	c.t.Helper()
	visit, login := c.do("GET", "/", "", ""), c.login("", asAlice)
	return c.both(holds(visit.issued()[0]), holds(login.issued()[0]))
}

// bits is the size of the ids, the same before and after login.
func (c client) bits() int {
	c.t.Helper()
	size := func(id string) int {
		if strings.Count(id, "-") == 4 && len(id) == 36 {
			return 122 // a UUID
		}
		id = id[strings.Index(id, ".")+1:]
		if raw, err := hex.DecodeString(id); err == nil {
			return 8 * len(raw)
		}
		raw, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil {
			c.t.Error(err)
		}
		return 8 * len(raw)
	}
	before, after := size(c.anonymous()), size(c.login("", asAlice).id())
	if before != after {
		c.t.Errorf("%d bits before login, %d after", before, after)
	}
	return after
}

// broken runs every experiment, each on a new API with the flaws.
func broken(t *testing.T, flaws ...string) []string {
	t.Helper()
	var rules []string
	for _, rule := range slices.Sorted(maps.Keys(experiments)) {
		t.Run(rule, func(t *testing.T) {
			if experiments[rule](start(t, flaws...)) {
				rules = append(rules, rule)
			}
		})
	}
	return rules
}

func TestEverySwitchHasAnExperiment(t *testing.T) {
	t.Parallel()
	var rules []string
	for _, flaw := range demoapi.Flaws() {
		rules = append(rules, flaw.Rule)
		if flaw.Summary == "" || strings.Contains(flaw.Summary, "\n") {
			t.Errorf("%s: summary %q", flaw.Rule, flaw.Summary)
		}
	}
	slices.Sort(rules)
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(experiments)), rules); diff != "" {
		t.Errorf("experiments (-) and switches (+) differ:\n%s", diff)
	}
}

func TestHardenedBreaksNothing(t *testing.T) {
	t.Parallel()
	if rules := broken(t); len(rules) > 0 {
		t.Errorf("breaks %q", rules)
	}
}

func TestEachSwitchBreaksItsOwnRule(t *testing.T) {
	t.Parallel()
	for _, flaw := range demoapi.Flaws() {
		t.Run(flaw.Rule, func(t *testing.T) {
			t.Parallel()
			want := append([]string{flaw.Rule}, flaw.Follows...)
			slices.Sort(want)
			if diff := gocmp.Diff(want, broken(t, flaw.Rule)); diff != "" {
				t.Errorf("broken rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDemoCombinesItsFlaws(t *testing.T) {
	t.Parallel()
	want := append(demoapi.Demo(), "session-cookie-prefix-missing")
	slices.Sort(want)
	if diff := gocmp.Diff(want, broken(t, demoapi.Demo()...)); diff != "" {
		t.Errorf("broken rules (-want +got):\n%s", diff)
	}
}

func TestAllFlawsAtOnceStillLogIn(t *testing.T) {
	t.Parallel()
	var all []string
	for _, flaw := range demoapi.Flaws() {
		all = append(all, flaw.Rule)
	}
	c := start(t, all...)
	id := c.login(c.anonymous(), asAlice).id()
	c.login(id, asBob)
}

func TestNewNamesTheNearestFlaws(t *testing.T) {
	t.Parallel()
	for given, near := range map[string]string{
		"session-id-in-urls":            "session-id-in-response-body",
		"not-rotated-on-login":          "session-id-not-rotated-on-login",
		"session-cookie-samesite/apsnt": "session-cookie-samesite",
		"":                              "duplicate-set-cookie",
	} {
		_, err := demoapi.New("session-id-in-url", given)
		if err == nil || !strings.Contains(err.Error(), near) {
			t.Errorf("%q: %v, which does not name %s", given, err, near)
		}
	}
}
