package browser_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// canaries stand in everything that is secret: the user's name and password
// come from the environment, ids are planted, worn, captured and issued, and a
// hostile answer repeats them wherever an answer can.
var canaries = []string{alicesPassword, "canary", "X-Injected", "Canary"}

const everywhere = `
steps:
  login:
    - {request: GET /form, capture: {csrf: {regex: ".+"}}}
    - request: "POST /login/{{csrf}}?p={{password}}"
      query: {id: "{{csrf}}"}
      headers: {X-Password: "{{password}}", X-Csrf: "{{csrf}}"}
      json: {user: "{{username}}", password: "{{password}}", sid: "{{csrf}}"}
      follow: true
      capture: {token: {json: $.token}}
session: {path: "/s/{{token}}/"}
`

// Every way in which a step can fail says why without a secret.
func TestNoProblemHoldsASecret(t *testing.T) {
	t.Parallel()
	redirect := func(status int, location string) string {
		return fmt.Sprintf("HTTP/1.1 %d canary\r\nLocation: %s\r\nContent-Length: 6\r\n\r\ncanary", status, location)
	}
	cases := map[string]func(net.Conn){
		"silence":            func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"closed":             func(net.Conn) {},
		"reset":              func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
		"garbage":            write("canary\r\ncanary\r\n\r\n"),
		"bad status":         write("HTTP/1.1 canary canary\r\n\r\n"),
		"bad header":         write(ok + "canary\r\n\r\n"),
		"bad length":         write(ok + "Content-Length: canary\r\n\r\n"),
		"bad coding":         write(ok + "Transfer-Encoding: canary\r\n\r\n"),
		"bad chunk":          write(ok + "Transfer-Encoding: chunked\r\n\r\ncanary\r\n"),
		"broken body":        write(ok + "Content-Length: 100\r\n\r\ncanary"),
		"refused":            write("HTTP/1.1 403 canary\r\nContent-Length: 6\r\n\r\ncanary"),
		"limited":            write("HTTP/1.1 429 canary\r\nRetry-After: canary\r\nContent-Length: 6\r\n\r\ncanary"),
		"no JSON":            write(ok + "Content-Length: 6\r\n\r\ncanary"),
		"HTML":               write(ok + "Content-Length: 14\r\n\r\n<p>canary</p>\n"),
		"object":             write(ok + "Content-Length: 26\r\n\r\n{\"token\":{\"is\":\"canary\"}}\n"),
		"line break":         write(ok + "Content-Length: 23\r\n\r\n{\"token\":\"canary\\r\\n\"}\n"),
		"compressed":         write(ok + "Content-Encoding: canary\r\nContent-Length: 6\r\n\r\ncanary"),
		"redirect elsewhere": write(redirect(302, "http://canary.test/canary?canary")),
		"redirect to no URL": write(redirect(302, "http://%canary")),
		"redirect nowhere":   write(redirect(302, "")),
		"redirect loop":      write(redirect(307, "/s/canary/home;sid=canary?sid=canary")),
		"redirect of 303":    write(redirect(303, "/canary")),
	}
	for name, answer := range cases {
		for way, id := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				target := listenTo(t, func(request string, c net.Conn) {
					if strings.Contains(request, "/form") {
						write(ok + "Set-Cookie: sid=canary-issued\r\nConnection: close\r\nContent-Length: 15\r\n\r\ncanary-captured")(c)
						return
					}
					answer(c)
				})
				stage := visit(t, target.base(), everywhere, within(200*time.Millisecond))
				actor := stage.Actor("actor")
				actor.Wear(trace.Credential{{Slot: cookieSlot("worn"), ID: secret.New("canary " + id)}, {Slot: stage.Facts().Carrier[0], ID: secret.New("canary-worn")}})
				planted := secret.New("canary-planted")
				err := actor.Login(t.Context(), "alice",
					probe.Plant{Channel: probe.Query, Names: []string{"q"}, ID: planted}, probe.Plant{Channel: probe.Header, Names: []string{"X-H"}, ID: planted},
					probe.Plant{Channel: probe.JSON, Names: []string{"j"}, ID: planted}, probe.Plant{Channel: probe.Path, Names: []string{"p"}, ID: planted})
				wantError(t, err, "step login: ")
				wantNoCanary(t, err.Error())
				if n := len(stage.Exchanges()); n < 2 {
					t.Fatalf("only %d exchanges were recorded", n)
				}
				for _, exchange := range stage.Exchanges() {
					wantNoCanary(t, exchange.Problem)
					wantNoCanary(t, exchange.Request.Line())
					wantNoCanary(t, exchange.Planted.Where)
					wantNoCanary(t, fmt.Sprintf("%v %+v", exchange.Request, exchange.Carried))
				}
			})
		}
	}
}

func write(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

func wantNoCanary(t testing.TB, text string) {
	t.Helper()
	for _, canary := range canaries {
		if strings.Contains(text, canary) {
			t.Errorf("%q holds %q", text, canary)
		}
	}
}

// What cannot even be drafted holds no secret either.
func TestNoDraftErrorHoldsASecret(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Link", "canary-captured") })
	for _, steps := range []string{
		`steps: {login: {request: POST /, headers: {X-A: "{{username}}"}}}`,
		`steps: {login: [{request: GET /, capture: {link: {header: X-Link}}}, {request: "GET {{link}}"}]}`,
		`steps: {login: [{request: GET /, capture: {link: {header: X-None}}}, {request: "GET {{link}}"}]}`,
		`steps: {login: [{request: GET /, capture: {link: {header: X-Link, regex: "^[0-9]+$"}}}]}`,
	} {
		err := visit(t, site.URL, steps).Actor("actor").Login(t.Context(), "lines")
		wantError(t, err, "step login: ")
		wantNoCanary(t, err.Error())
	}
	err := visit(t, site.URL, "steps: {login: POST /}").Actor("actor").Login(t.Context(), "alice",
		probe.Plant{Channel: probe.JSON, Names: []string{"sid"}, ID: secret.New("canary")})
	wantError(t, err, "step login: ")
	wantNoCanary(t, err.Error())
}
