package cookie_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/cookie"
)

func originOf(t testing.TB, address string) cookie.Origin {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return cookie.OriginOf(u)
}

func TestOriginOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]cookie.Origin{
		"https://API.Test:8443/A/b?x=/y#z": {Host: "api.test", Path: "/A/b", Secure: true},
		"HTTPS://api.test":                 {Host: "api.test", Secure: true},
		"http://api.test/":                 {Host: "api.test", Path: "/"},
		"http://api.test/a%2fb/c":          {Host: "api.test", Path: "/a%2fb/c"}, // as it goes over the wire
		"http://api.test/ü":                {Host: "api.test", Path: "/%C3%BC"},
		"http://localhost:3000/":           {Host: "localhost", Path: "/", Secure: true},
		"http://LOCALHOST./":               {Host: "localhost.", Path: "/", Secure: true},
		"http://app.localhost/":            {Host: "app.localhost", Path: "/", Secure: true},
		"http://notlocalhost/":             {Host: "notlocalhost", Path: "/"},
		"http://localhost.test/":           {Host: "localhost.test", Path: "/"},
		"http://127.0.0.1:8000/":           {Host: "127.0.0.1", Path: "/", Secure: true},
		"http://127.9.8.7/":                {Host: "127.9.8.7", Path: "/", Secure: true},
		"http://128.0.0.1/":                {Host: "128.0.0.1", Path: "/"},
		"http://127.0.0.1.test/":           {Host: "127.0.0.1.test", Path: "/"},
		"http://[::1]:8000/":               {Host: "::1", Path: "/", Secure: true},
		"http://[::2]/":                    {Host: "::2", Path: "/"},
	} {
		if diff := cmp.Diff(want, originOf(t, address)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"__Host-sid": "__Host-", "__HOST-sid": "__Host-", "__host-": "__Host-",
		"__Host-Http-sid": "__Host-Http-", "__hOST-hTTP-sid": "__Host-Http-", "__Host-Https-sid": "__Host-",
		"__Http-sid": "__Http-", "__HTTP-sid": "__Http-", "__Http-Host-sid": "__Http-",
		"__Secure-sid": "__Secure-", "__sEcure-": "__Secure-",
		"__Host": "", "__Host_sid": "", "_Host-sid": "", "x__Host-sid": "", " __Host-sid": "", "sid": "", "": "",
		"__HostHttp-sid": "", "__Ho\u017ft-sid": "", // a long s folds to an s in Unicode only
	} {
		if got := cookie.Prefix(name); got != want {
			t.Errorf("Prefix(%q) is %q, want %q", name, got, want)
		}
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	const https, http = "https://api.test/login", "http://api.test/login"
	for _, test := range []struct {
		from, line string
		want       []string // the beginning of each reason
	}{
		{https, "sid=v", nil},
		{http, "sid=v; HttpOnly; SameSite=Lax; Path=/x", nil},
		{https, "sid=v; SameSite=Sometimes", nil},

		{https, "sid=v; Secure", nil},
		{http, "sid=v; Secure", []string{"Secure is refused"}},
		{"http://localhost/", "sid=v; Secure", nil},
		{"http://127.0.0.1/", "__Host-sid=v; Secure; Path=/", nil},

		{https, "sid=v; SameSite=None", []string{"SameSite=None needs Secure"}},
		{https, "sid=v; SameSite=None; Secure", nil},
		{https, "sid=v; SameSite=None; SameSite=Lax", nil},
		{https, "sid=v; Partitioned", []string{"Partitioned needs Secure"}},
		{https, "sid=v; Partitioned; Secure", nil},
		{https, "sid=v; Partitioned; SameSite=None", []string{"SameSite=None needs", "Partitioned needs"}},

		{https, "__Secure-sid=v; Secure", nil},
		{https, "__Secure-sid=v", []string{"__Secure- needs Secure"}},
		{https, "__SECURE-sid=v", []string{"__Secure- needs Secure"}},
		{http, "__Secure-sid=v; Secure", []string{"Secure is refused"}},
		{"https://www.api.example.com/", "__Secure-sid=v; Secure; Domain=example.com; Path=/x", nil},

		{https, "__Host-sid=v; Secure; Path=/", nil},
		{https, "__Host-sid=v; Secure; Path=/; Domain=", nil},
		{https, "__Host-sid=v; Path=/", []string{"__Host- needs Secure"}},
		{https, "__host-sid=v; Path=/", []string{"__Host- needs Secure"}},
		{https, "__Host-sid=v; Secure", []string{"__Host- needs Path=/"}},
		{"https://api.test/", "__Host-sid=v; Secure", []string{"__Host- needs Path=/"}}, // the default does not count
		{https, "__Host-sid=v; Secure; Path=/; Path=", []string{"__Host- needs Path=/"}},
		{https, "__Host-sid=v; Secure; Path=/x", []string{"__Host- needs Path=/"}},
		{https, "__Host-sid=v; Secure; Path=/; Domain=api.test", []string{"__Host- allows no Domain"}},
		{"http://localhost/", "__Host-sid=v; Secure; Path=/; Domain=localhost", []string{"__Host- allows no Domain"}},
		{"http://127.0.0.1/", "__Host-sid=v; Secure; Path=/; Domain=127.0.0.1", []string{"__Host- allows no Domain"}},

		{https, "__Http-sid=v; Secure; HttpOnly; Path=/x; Domain=api.test", nil},
		{https, "__Http-sid=v; Secure", []string{"__Http- needs HttpOnly"}},
		{https, "__Http-sid=v; HttpOnly", []string{"__Http- needs Secure"}},
		{https, "__http-sid=v", []string{"__Http- needs Secure", "__Http- needs HttpOnly"}},

		{https, "__Host-Http-sid=v; Secure; HttpOnly; Path=/", nil},
		{https, "__Host-Http-sid=v; HttpOnly; Path=/", []string{"__Host-Http- needs Secure"}},
		{https, "__Host-Http-sid=v; Secure; Path=/", []string{"__Host-Http- needs HttpOnly"}},
		{https, "__Host-Http-sid=v; Secure; HttpOnly", []string{"__Host-Http- needs Path=/"}},
		{https, "__Host-Http-sid=v; Secure; HttpOnly; Path=/; Domain=api.test", []string{"__Host-Http- allows no Domain"}},
		{https, "__host-http-sid=v; Domain=api.test", []string{
			"__Host-Http- needs Secure", "__Host-Http- needs HttpOnly", "__Host-Http- allows no Domain", "__Host-Http- needs Path=/"}},

		{https, "=v", nil},
		{https, "=__Host", nil},
		{https, "==__Host-sid=v", nil}, // the value begins with the second equals sign
		{https, "=__Host-sid=v; Secure; Path=/", []string{"a cookie without a name may not have a value that begins with __Host-"}},
		{https, "__secure-sid; Secure", []string{"a cookie without a name may not have a value that begins with __Secure-"}},
		{https, "=__HTTP-sid=v; Secure; HttpOnly", []string{"a cookie without a name may not have a value that begins with __Http-"}},
		{https, "= __Host-http-sid", []string{"a cookie without a name may not have a value that begins with __Host-Http-"}},

		{https, "sid=v; Domain=api.test", nil},
		{https, "sid=v; Domain=.API.TEST", nil},
		{https, "sid=v; Domain=www.api.test", []string{"FATAL Domain"}},
		{https, "sid=v; Domain=pi.test", []string{"FATAL Domain"}},
		{https, "sid=v; Domain=other.test", []string{"FATAL Domain"}},
		{https, "sid=v; Domain=api.test:443", []string{"FATAL Domain"}},
		{https, "sid=v; Domain=..api.test", []string{"FATAL Domain"}},
		{https, "sid=v; Domain=api.test.", []string{"FATAL Domain"}},
		{https, "sid=v; Domain=\u0130.test", []string{`FATAL Domain "` + "\u0130" + `.test" has characters outside ASCII`}},
		{https, "sid=v; Domain=\u0080.test", []string{`FATAL Domain "\u0080.test" has characters outside ASCII`}},
		{https, "sid=v; Domain=test", []string{`FATAL Domain "test" is a public suffix`}}, // as every unlisted top-level name
		{"https://test/", "sid=v; Domain=test", nil},
		{"http://localhost/", "sid=v; Domain=localhost", nil},
		{"http://app.localhost/", "sid=v; Domain=localhost", []string{"FATAL"}},
		{"https://a.b.example.co.uk/", "sid=v; Domain=example.co.uk", nil},
		{"https://a.b.example.co.uk/", "sid=v; Domain=co.uk", []string{`FATAL Domain "co.uk" is a public suffix`}},
		{"https://a.b.example.co.uk./", "sid=v; Domain=co.uk.", []string{`FATAL Domain "co.uk." is a public suffix`}},
		{"https://co.uk/", "sid=v; Domain=co.uk", nil},
		{"https://shop.github.io/", "sid=v; Domain=github.io", []string{`FATAL Domain "github.io" is a public suffix`}},
		{"http://127.0.0.1/", "sid=v; Domain=127.0.0.1", nil},
		{"http://127.0.0.1/", "sid=v; Domain=.127.0.0.1", nil},
		{"http://127.0.0.1/", "sid=v; Domain=0.0.1", []string{"FATAL"}},
		{"http://10.1.2.3/", "sid=v; Domain=2.3", []string{`FATAL Domain "2.3" does not match`}},
		{"http://[::1]/", "sid=v; Domain=::1", nil},
		{"http://[::1]/", "sid=v; Domain=::2", []string{"FATAL"}},
		{http, "__Host-sid=v; Secure; Domain=other.test", []string{"FATAL Domain", "Secure is refused", "__Host- allows no Domain", "__Host- needs Path=/"}},
	} {
		var got []string
		for _, rejection := range mustParse(t, test.line).Rejections(originOf(t, test.from)) {
			if rejection.Fatal {
				rejection.Reason = "FATAL " + rejection.Reason
			}
			got = append(got, rejection.Reason)
		}
		begins := cmp.Comparer(func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) })
		if diff := cmp.Diff(test.want, got, begins, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q from %s (-want +got):\n%s", test.line, test.from, diff)
		}
	}
}

func TestRejectionsKeepTheValueSecret(t *testing.T) {
	t.Parallel()
	for _, rejection := range mustParse(t, "=__Host-canary; Domain=x.test").Rejections(cookie.Origin{Host: "api.test"}) {
		if strings.Contains(rejection.Reason, "canary") {
			t.Errorf("a reason shows the value: %s", rejection.Reason)
		}
	}
}
