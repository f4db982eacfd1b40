package browser_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// census counts the connections of a server by what it is told of them.
type census struct {
	mu           sync.Mutex
	opened, open int
}

func (c *census) watch(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.opened++
		c.open++
	case http.StateClosed, http.StateHijacked:
		c.open--
	}
}

func (c *census) count() (opened, open int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened, c.open
}

// TestNothingIsLeftAfterClose is not parallel: it looks at all goroutines.
func TestNothingIsLeftAfterClose(t *testing.T) {
	arrived := make(chan struct{})
	counted := &census{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/held":
			close(arrived)
			<-r.Context().Done()
		}
	}))
	server.Config.ConnState = counted.watch
	server.Start()
	t.Cleanup(server.Close)
	stage := visit(t, server.URL, "steps: {visit: GET /, logout: GET /endless, elevate: GET /held}")
	one := stage.Round("round").Actor("one")
	one.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("id")}})
	raw := stage.Actor("raw")
	raw.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("\x01")}})
	do(t, one, "visit")
	do(t, one.Copy("copy"), "visit")
	do(t, one.Freeze("frozen"), "visit")
	do(t, one.Beside("beside"), "visit")
	wantError(t, raw.Do(t.Context(), "visit"), "400") // net/http's server wants no such byte
	do(t, one, "logout")
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error)
	go func() { cancelled <- one.Do(ctx, "elevate") }()
	<-arrived
	cancel()
	if err := <-cancelled; err == nil {
		t.Error("a cancelled request succeeded")
	}
	stage.Close()
	waitFor(t, "the end of all connections", func() bool { _, open := counted.count(); return open == 0 })
	if opened, _ := counted.count(); opened < 5 {
		t.Errorf("only %d connections were opened", opened)
	}
	waitFor(t, "the end of all goroutines of a client", func() bool { return !strings.Contains(stacks(), "persistConn") })
}

func stacks() string {
	text := make([]byte, 1<<20)
	return string(text[:runtime.Stack(text, true)])
}

// Without Close the connections stay, so the test above can fail.
func TestConnectionsAreKeptUntilClose(t *testing.T) {
	t.Parallel()
	counted := &census{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(silent))
	server.Config.ConnState = counted.watch
	server.Start()
	t.Cleanup(server.Close)
	stage := visit(t, server.URL, "steps: {visit: GET /}")
	actor := stage.Actor("actor")
	for range 3 {
		do(t, actor, "visit")
	}
	if opened, open := counted.count(); opened != 1 || open != 1 {
		t.Errorf("%d connections were opened and %d are open, want one", opened, open)
	}
	stage.Close()
	waitFor(t, "the end of the connection", func() bool { _, open := counted.count(); return open == 0 })
}
