package browser_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const alicesPassword = "correct horse <&> battery"

// visit opens a stage against a target. The text is what a recipe says of its
// steps and its session; alice and bob have accounts.
func visit(t testing.TB, base, text string, settings ...func(*browser.Options)) *browser.Stage {
	t.Helper()
	world := newWorld(t, base, text, settings...)
	return openStage(t, world, trace.Facts{Carrier: world.Declared()})
}

func newWorld(t testing.TB, base, text string, settings ...func(*browser.Options)) *browser.World {
	t.Helper()
	known := map[string]string{"ALICE": alicesPassword, "LINES": "one\r\nX-Injected: two", "KEY": "key-of-the-environment"}
	read, err := recipe.Parse("recipe.yml", []byte("version: 1\nusers:\n"+
		"  - {name: alice, username: alice, password: \"${ALICE}\"}\n  - {name: bob, username: bob, password: bobs-password}\n"+
		"  - {name: lines, username: \"${LINES}\", password: \"${LINES}\"}\n"+text),
		func(name string) (string, bool) { value, is := known[name]; return value, is })
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	options := browser.Options{Base: address, Steps: read.Steps, Users: read.Users, Session: read.Session,
		Version: "test", Redactor: &secret.Redactor{}, Recognise: recognise}
	for _, set := range settings {
		set(&options)
	}
	return browser.New(options)
}

func openStage(t testing.TB, world *browser.World, facts trace.Facts) *browser.Stage {
	t.Helper()
	stage := world.Open("flow", facts)
	t.Cleanup(stage.Close)
	return stage
}

func within(timeout time.Duration) func(*browser.Options) {
	return func(options *browser.Options) { options.Timeout = timeout }
}

func recognise(response trace.Response) trace.Who {
	for _, user := range []string{"alice", "bob"} {
		if response.Body.Contains(secret.New(user)) {
			return trace.Who{Kind: trace.SignedIn, User: user}
		}
	}
	if response.Status == http.StatusUnauthorized {
		return trace.Who{Kind: trace.Anonymous}
	}
	return trace.Who{Kind: trace.Unknown}
}

// site is a server that remembers what it was sent.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	received []received
}

type received struct {
	Method, URI, Body, Remote, Host string
	Header                          http.Header
}

func serve(t testing.TB, handle http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the request's body: %v", err)
		}
		s.mu.Lock()
		s.received = append(s.received, received{r.Method, r.RequestURI, string(body), r.RemoteAddr, r.Host, r.Header.Clone()})
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		handle(w, r)
	}))
	t.Cleanup(s.Server.Close)
	return s
}

func (s *site) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.received...)
}

func (s *site) last(t testing.TB) received {
	t.Helper()
	all := s.all()
	if len(all) == 0 {
		t.Fatal("the site was sent nothing")
	}
	return all[len(all)-1]
}

// lines are "GET /path" of everything received.
func (s *site) lines() []string {
	var lines []string
	for _, one := range s.all() {
		lines = append(lines, one.Method+" "+one.URI)
	}
	return lines
}

func silent(http.ResponseWriter, *http.Request) {}

// socket is a server below HTTP: it reads one request of each connection and
// writes whatever the test wants.
type socket struct {
	net.Listener
	requests chan string // as they stood on the wire
}

// listen answers until the test ends. A write that fails is the client's right:
// it may have had enough.
func listen(t testing.TB, answer func(net.Conn)) *socket {
	t.Helper()
	return listenTo(t, func(_ string, connection net.Conn) { answer(connection) })
}

// listenTo answers by what was asked.
func listenTo(t testing.TB, answer func(request string, connection net.Conn)) *socket {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{Listener: listener, requests: make(chan string, 100)}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = connection.Close() }()
				request := readRequest(connection)
				s.requests <- request
				answer(request, connection)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return s
}

func (s *socket) base() string { return "http://" + s.Addr().String() }

// readRequest reads a request as it is, its body by Content-Length.
func readRequest(connection net.Conn) string {
	reader := bufio.NewReader(connection)
	var raw strings.Builder
	length := 0
	for {
		line, err := reader.ReadString('\n')
		raw.WriteString(line)
		if err != nil || strings.TrimRight(line, "\r\n") == "" {
			break
		}
		_, _ = fmt.Sscanf(strings.ToLower(line), "content-length: %d", &length)
	}
	body := make([]byte, length)
	n, _ := io.ReadFull(reader, body)
	raw.Write(body[:n])
	return raw.String()
}

// says is a server that writes a text and closes the connection.
func says(t testing.TB, text string) *socket {
	t.Helper()
	return listen(t, func(connection net.Conn) { _, _ = io.WriteString(connection, text) })
}

func mustDo(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError wants one sentence that holds all the words.
func wantError(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error %q lacks %q", err, word)
		}
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("the error %q is more than a sentence", err)
	}
}

// ids are the values of a credential by slot, revealed for comparison.
func ids(credential trace.Credential) map[string]string {
	found := map[string]string{}
	for _, held := range credential {
		found[held.String()] = held.ID.Reveal()
	}
	return found
}

func cookieSlot(name string) trace.Slot { return trace.Slot{Kind: trace.InCookie, Name: name} }

// waitFor gives what happens elsewhere ten seconds.
func waitFor(t testing.TB, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for !happened() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s did not happen", what)
		}
	}
}

// compareSecrets compares the values where go-cmp would refuse to look.
var compareSecrets = cmp.Comparer(func(x, y secret.Text) bool { return x == y })
