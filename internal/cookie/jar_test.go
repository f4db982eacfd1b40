package cookie_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/publicsuffix"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/secret"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// fill stores the lines as one origin's answers, a second apart.
func fill(t testing.TB, jar *cookie.Jar, from string, lines ...string) {
	t.Helper()
	for i, line := range lines {
		jar.Store(originOf(t, from), mustParse(t, line), noon.Add(time.Duration(i)*time.Second))
	}
}

func sent(t testing.TB, jar *cookie.Jar, to string, at time.Time) string {
	t.Helper()
	return cookie.Header(jar.Cookies(originOf(t, to), at)).Reveal()
}

func wantSent(t testing.TB, jar *cookie.Jar, to, want string) {
	t.Helper()
	if got := sent(t, jar, to, noon.Add(time.Hour)); got != want {
		t.Errorf("to %s goes %q, want %q", to, got, want)
	}
}

func TestZeroJar(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	wantSent(t, &jar, "https://api.test/", "")
	if jar.Len() != 0 || len(jar.Names()) != 0 || !cookie.Header(nil).IsZero() {
		t.Errorf("the zero jar has %d cookies, names %q", jar.Len(), jar.Names())
	}
}

func TestJarSendsInOrder(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://api.test/a/b/c", "first=1; Path=/", "deep=2; Path=/a/b", "second=3; Path=/", "default=4", "nameless", "first=5; Path=/a")
	wantSent(t, &jar, "https://api.test/a/b/c", "deep=2; default=4; nameless; first=5; first=1; second=3")
	wantSent(t, &jar, "https://api.test/", "first=1; second=3")
}

// Pages of one host that differ in port or scheme share cookies.
func TestJarKnowsNoPorts(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://api.test:8443/", "sid=v")
	wantSent(t, &jar, "http://API.test:80/", "sid=v")
}

func TestJarReplacesInPlace(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	const from = "https://www.api.test/"
	fill(t, &jar, from, "a=1", "b=2", "a=3")
	wantSent(t, &jar, from, "a=3; b=2")
	fill(t, &jar, from, "a=4; Path=/x")             // another path
	fill(t, &jar, from, "a=5; Domain=www.api.test") // not host-only
	fill(t, &jar, from, "a=6; Domain=api.test")     // another domain
	fill(t, &jar, from, "A=7")                      // another name
	wantSent(t, &jar, from+"x", "a=4; a=3; b=2; a=5; a=6; A=7")
	fill(t, &jar, from, "a=8; Domain=api.test; Secure; HttpOnly; Max-Age=9999") // the attributes are no part of the key
	wantSent(t, &jar, from, "a=3; b=2; a=5; a=8; A=7")
}

// A Domain that names a host below which nothing lies is no Domain.
func TestJarTakesSuchADomainAsHostOnly(t *testing.T) {
	t.Parallel()
	for host, below := range map[string]string{"localhost": "app.localhost", "127.0.0.1": "1.127.0.0.1", "co.uk": "api.co.uk"} {
		var jar cookie.Jar
		from := "https://" + host + "/"
		fill(t, &jar, from, "sid=1", "sid=2; Domain="+host)
		wantSent(t, &jar, from, "sid=2")
		wantSent(t, &jar, "https://"+below+"/", "")
	}
}

func TestJarDeletes(t *testing.T) {
	t.Parallel()
	const from = "https://api.test/"
	for _, attributes := range []string{"Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"} {
		var jar cookie.Jar
		fill(t, &jar, from, "a=1", "sid=v", "sid=w; Path=/x", "sid=; "+attributes)
		if jar.Len() != 2 {
			t.Errorf("%s: %d cookies are left", attributes, jar.Len())
		}
		wantSent(t, &jar, from+"x", "sid=w; a=1")
		fill(t, &jar, from, "new=2", "sid=x")
		wantSent(t, &jar, from, "a=1; new=2; sid=x") // a deleted cookie comes back as a new one
	}
}

func TestJarLetsCookiesExpire(t *testing.T) {
	t.Parallel()
	const from = "https://api.test/"
	var jar cookie.Jar
	jar.Store(originOf(t, from), mustParse(t, "session=1"), noon)
	jar.Store(originOf(t, from), mustParse(t, "short=2; Max-Age=60"), noon)
	jar.Store(originOf(t, from), mustParse(t, "dated=3; Expires=Tue, 24 Nov 2026 12:02:00 GMT"), noon)
	jar.Store(originOf(t, from), mustParse(t, "long=4; Max-Age=99999999999"), noon)
	for after, want := range map[time.Duration]string{
		59 * time.Second:                 "session=1; short=2; dated=3; long=4",
		60 * time.Second:                 "session=1; dated=3; long=4",
		119 * time.Second:                "session=1; dated=3; long=4",
		120 * time.Second:                "session=1; long=4",
		400*24*time.Hour - 1*time.Second: "session=1; long=4",
		400 * 24 * time.Hour:             "session=1", // whatever the server asked for
	} {
		aged := jar.Clone()
		if got := sent(t, aged, from, noon.Add(after)); got != want {
			t.Errorf("after %v goes %q, want %q", after, got, want)
		}
		if stored := aged.Len(); stored != len(aged.Names()) || stored != len(aged.Cookies(originOf(t, from), noon.Add(after))) {
			t.Errorf("after %v the jar still holds %d", after, stored)
		}
	}
	jar.Store(originOf(t, from), mustParse(t, "new=5"), noon.Add(time.Minute))
	if diff := cmp.Diff([]string{"session", "dated", "long", "new"}, jar.Names()); diff != "" {
		t.Errorf("Store leaves expired cookies (-want +got):\n%s", diff)
	}
}

func TestJarSendsSecureOnlyToSecureOrigins(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://api.test/", "sid=v; Secure", "plain=v")
	fill(t, &jar, "http://127.0.0.1/", "sid=v; Secure")
	wantSent(t, &jar, "https://api.test/", "sid=v; plain=v")
	wantSent(t, &jar, "http://api.test/", "plain=v")
	wantSent(t, &jar, "http://127.0.0.1/", "sid=v")
}

func TestJarKeepsWhatBrowsersRejectUnlessFatal(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	origin := originOf(t, "https://api.test/")
	for line, kept := range map[string]bool{
		"sid=v; SameSite=None": true, "__Host-sid=v": true, "=__Host-sid=v": true, "part=v; Partitioned": true,
		"fatal=v; Domain=other.test": false, "fatal=v; Domain=test": false,
	} {
		before := jar.Len()
		rejections := jar.Store(origin, mustParse(t, line), noon)
		if diff := cmp.Diff(mustParse(t, line).Rejections(origin), rejections); diff != "" || len(rejections) == 0 {
			t.Errorf("%q is rejected otherwise than by Rejections:\n%s", line, diff)
		}
		if jar.Len() > before != kept {
			t.Errorf("%q: kept is %t", line, !kept)
		}
	}
}

func TestFatalRejectionDeletesNothing(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://test/", "sid=v")
	fill(t, &jar, "https://api.test/", "sid=; Domain=test; Max-Age=0")
	wantSent(t, &jar, "https://test/", "sid=v")
}

func TestInsecureOriginOverlaysNoSecureCookie(t *testing.T) {
	t.Parallel()
	const https = "https://www.api.example/login"
	for _, test := range []struct {
		stored, from, line string
		refused            bool
	}{
		{"sid=v; Secure; Path=/login", "http://www.api.example/", "sid=x; Path=/login", true},
		{"sid=v; Secure; Path=/login", "http://www.api.example/", "sid=x; Path=/login/en", true},
		{"sid=v; Secure; Path=/login", "http://www.api.example/login/en", "sid=x", true},
		{"sid=v; Secure; Path=/login", "http://www.api.example/", "sid=x; Path=/", false}, // the rule is not symmetric
		{"sid=v; Secure; Path=/login", "http://www.api.example/", "sid=x; Path=/loginx", false},
		{"sid=v; Secure; Path=/", "http://www.api.example/", "sid=; Path=/; Max-Age=0", true},
		{"sid=v; Secure; Path=/", "http://www.api.example/", "SID=x; Path=/", false},
		{"sid=v; Secure; Path=/", "https://www.api.example/", "sid=x; Path=/", false},
		{"sid=v; Path=/", "http://www.api.example/", "sid=x; Path=/", false},
		{"sid=v; Secure; Path=/", "http://www.api.example/", "sid=x; Path=/; Domain=api.example", true},
		{"sid=v; Secure; Path=/; Domain=api.example", "http://www.api.example/", "sid=x; Path=/", true},
		{"sid=v; Secure; Path=/; Domain=api.example", "http://sibling.api.example/", "sid=x; Path=/", true},
		{"sid=v; Secure; Path=/", "http://sibling.api.example/", "sid=x; Path=/", false},
		{"sid=v; Secure; Path=/", "http://sibling.api.example/", "sid=x; Path=/; Domain=api.example", true},
	} {
		var jar cookie.Jar
		fill(t, &jar, https, test.stored)
		before := sent(t, &jar, https, noon)
		rejections := jar.Store(originOf(t, test.from), mustParse(t, test.line), noon)
		if refused := len(rejections) == 1 && rejections[0].Fatal; refused != test.refused {
			t.Errorf("%q beside %q from %s: %+v", test.line, test.stored, test.from, rejections)
		}
		if after := sent(t, &jar, https, noon); test.refused && (after != before || jar.Len() != 1) {
			t.Errorf("%q beside %q from %s changed the jar: %q", test.line, test.stored, test.from, after)
		}
	}
}

// A Secure cookie from plain http is in the jar but in no browser: it protects
// nothing, and one that is itself Secure falls under its own rule.
func TestOverlayRuleCountsOnlyWhatBrowsersHold(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "http://api.test/", "sid=v; Secure", "sid=w")
	wantSent(t, &jar, "http://api.test/", "sid=w")
	fill(t, &jar, "https://api.test/", "sid=x; Secure")
	fill(t, &jar, "http://api.test/", "sid=y; Secure")
	wantSent(t, &jar, "https://api.test/", "sid=y")
}

func TestJarIsBounded(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	for i := range 200 {
		fill(t, &jar, "https://api.test/", fmt.Sprintf("c%03d=v", i))
	}
	names := jar.Names()
	if len(names) != 180 || names[0] != "c020" || names[179] != "c199" {
		t.Errorf("%d cookies from %q to %q", len(names), names[0], names[len(names)-1])
	}
	jar.Set(originOf(t, "https://api.test/"), "/", "planted", secret.New("x"))
	if names = jar.Names(); len(names) != 180 || names[0] != "c021" || names[179] != "planted" {
		t.Errorf("after Set %d cookies from %q to %q", len(names), names[0], names[len(names)-1])
	}
}

func TestExpiredCookiesMakeRoomFirst(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://api.test/", "old=v", "short=v; Max-Age=60")
	for i := range 178 {
		fill(t, &jar, "https://api.test/", fmt.Sprintf("c%03d=v", i))
	}
	jar.Store(originOf(t, "https://api.test/"), mustParse(t, "new=v"), noon.Add(time.Hour))
	if names := jar.Names(); len(names) != 180 || names[0] != "old" {
		t.Errorf("%d cookies from %q", len(names), names[0])
	}
}

func TestCopiesAreIndependent(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	const from = "https://api.test/"
	fill(t, &jar, from, "a=1", "b=2", "c=3", "b=4; Path=/x")
	whole, only, without := jar.Clone(), jar.Only("c", "b", "missing"), jar.Without("b")
	fill(t, &jar, from, "a=9", "b=; Max-Age=0")
	jar.Remove("c")
	wantSent(t, whole, from+"x", "b=4; a=1; b=2; c=3")
	wantSent(t, only, from+"x", "b=4; b=2; c=3")
	wantSent(t, without, from+"x", "a=1; c=3")
	wantSent(t, jar.Only(), from, "")
	fill(t, whole, from, "d=5")
	whole.Set(originOf(t, from), "/", "a", secret.New("6"))
	wantSent(t, &jar, from+"x", "b=4; a=9")
}

func TestNamesAreListedOnce(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://api.test/", "b=1", "a=2", "b=3; Path=/x", "nameless")
	if diff := cmp.Diff([]string{"b", "a", ""}, jar.Names()); diff != "" || jar.Len() != 4 {
		t.Errorf("%d cookies (-want +got):\n%s", jar.Len(), diff)
	}
}

func TestSetPlantsInThePlaceOfAll(t *testing.T) {
	t.Parallel()
	var jar cookie.Jar
	fill(t, &jar, "https://www.api.test/", "a=1", "sid=2; Path=/x; Secure; Max-Age=60", "b=3", "sid=4; Domain=api.test")
	jar.Set(originOf(t, "https://www.api.test/login/form"), "/", "sid", secret.New("planted"))
	if jar.Len() != 3 {
		t.Errorf("%d cookies", jar.Len())
	}
	wantSent(t, &jar, "http://www.api.test/x", "a=1; sid=planted; b=3")
	wantSent(t, &jar, "https://api.test/", "")
	wantSent(t, &jar, "https://deep.www.api.test/", "")
	fill(t, &jar, "https://www.api.test/login", "sid=rotated; Path=/")
	wantSent(t, &jar, "https://www.api.test/", "a=1; sid=rotated; b=3")
	jar.Set(originOf(t, "https://www.api.test/"), "/", "new", secret.New("x"))
	jar.Set(originOf(t, "https://www.api.test/"), "/", "a", secret.New("first"))
	wantSent(t, &jar, "https://www.api.test/", "a=first; sid=rotated; b=3; new=x")
	jar.Set(originOf(t, "https://www.api.test/"), "/part", "new", secret.New("y"))
	wantSent(t, &jar, "https://www.api.test/", "a=first; sid=rotated; b=3")
	wantSent(t, &jar, "https://www.api.test/part/x", "new=y; a=first; sid=rotated; b=3")
	if part, none := jar.Path("new"), jar.Path("unknown"); part != "/part" || none != "" {
		t.Errorf("paths %q and %q", part, none)
	}
}

// net/http's jar has the same rules for Domain and Path, so both must send the
// same cookies for every combination of these.
func TestJarAgreesWithCookiejar(t *testing.T) {
	t.Parallel()
	hosts := []string{"example.com", "www.example.com", "a.www.example.com", "badexample.com", "co.uk", "example.co.uk", "localhost", "app.localhost", "127.0.0.1", "27.0.0.1"}
	pages := []string{"", "/", "/a", "/ab", "/a/", "/a/b", "/a/b/c", "/A"}
	attributes := []string{"", "; Path=/", "; Path=/a", "; Path=/a/", "; Path=a", "; Path=/a/b; Max-Age=10"}
	for _, host := range hosts {
		attributes = append(attributes, "; Domain="+host)
		if !strings.HasSuffix(host, "1") { // of addresses the draft forgets the dot, net/http does not
			attributes = append(attributes, "; Domain=."+host+"; Path=/")
		}
	}
	for _, setter := range hosts {
		for _, page := range pages {
			ours, theirs := new(cookie.Jar), newCookiejar(t)
			for i, attribute := range attributes {
				storeBoth(t, ours, theirs, "https://"+setter+page, fmt.Sprintf("c%02d=v%s", i, attribute))
			}
			for _, reader := range hosts {
				for _, path := range pages {
					compareSent(t, ours, theirs, "https://"+reader+path)
				}
			}
		}
	}
}

func newCookiejar(t testing.TB) *cookiejar.Jar {
	t.Helper()
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

func storeBoth(t testing.TB, ours *cookie.Jar, theirs *cookiejar.Jar, from, line string) {
	t.Helper()
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := http.ParseSetCookie(line)
	if err != nil {
		t.Fatal(err)
	}
	theirs.SetCookies(u, []*http.Cookie{parsed})
	ours.Store(cookie.OriginOf(u), mustParse(t, line), time.Now())
}

func compareSent(t testing.TB, ours *cookie.Jar, theirs *cookiejar.Jar, to string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	var want []cookie.Pair
	for _, c := range theirs.Cookies(u) {
		want = append(want, cookie.Pair{Name: c.Name, Value: secret.New(c.Value)})
	}
	wanted, got := cookie.Header(want).Reveal(), cookie.Header(ours.Cookies(cookie.OriginOf(u), time.Now())).Reveal()
	if got != wanted {
		t.Errorf("to %s: %q, net/http sends %q", to, got, wanted)
	}
}

// A login at a real server, whose cookies net/http's own client would partly
// lose: a nameless one, and a Secure one on loopback.
func TestJarAgainstAServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range []string{"__Host-sid=v; Secure; HttpOnly; Path=/; SameSite=Lax", "=nameless", "csrf=t; SameSite=Sometimes"} {
			w.Header().Add("Set-Cookie", line)
		}
		fmt.Fprint(w, r.Header.Get("Cookie"))
	}))
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var jar cookie.Jar
	for _, line := range response.Header.Values("Set-Cookie") {
		if rejections := jar.Store(originOf(t, server.URL+"/login"), mustParse(t, line), noon); rejections != nil {
			t.Errorf("%q: %v", line, rejections)
		}
	}
	wantSent(t, &jar, server.URL+"/me", "__Host-sid=v; nameless; csrf=t")
}
