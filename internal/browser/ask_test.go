package browser_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// A page is asked for with what the browser carries, whatever the answer, and
// recorded without its query.
func TestAPageIsNoStep(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodTrace {
			w.Header().Set("Content-Type", "message/http")
			_ = r.Write(w)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	stage := visit(t, site.URL+"/api", guised)
	actor := stage.Actor("stranger")
	actor.Wear(trace.Credential{{Slot: trace.Slot{Kind: trace.InCookie, Name: "sid"}, ID: plant(probe.Query).ID}})
	missing, err := actor.Ask(t.Context(), "GET", "/actuator/sessions?username=alice")
	mustDo(t, err)
	if got := site.last(t); got.URI != "/api/actuator/sessions?username=alice" || got.Body != "" || missing.Status != http.StatusNotFound {
		t.Errorf("sent %+v, answered %d", got, missing.Status)
	}
	echoed, err := actor.Ask(t.Context(), "TRACE", "identity")
	mustDo(t, err)
	if got := site.last(t); got.Method != "TRACE" || got.URI != "/api/me" || got.Body != "" || !echoed.Shows(plant(probe.Query).ID) {
		t.Errorf("sent %+v", got)
	}
	var steps, lines []string
	for _, exchange := range stage.Exchanges() {
		steps, lines = append(steps, exchange.Step), append(lines, exchange.Request.Line())
		if !exchange.OfPage() || exchange.Who.Kind != trace.Unanswered || exchange.Refused {
			t.Errorf("recorded %+v", exchange)
		}
	}
	if diff := cmp.Diff([]string{"page /actuator/sessions", "page /me with TRACE"}, steps); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"GET /actuator/sessions", "TRACE /me"}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestNoPageIsAskedForAfterTooManyRequests(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	actor := visit(t, site.URL, guised).Actor("stranger")
	for range 3 {
		if _, err := actor.Ask(t.Context(), "GET", "/debug"); !errors.Is(err, probe.ErrRateLimited) {
			t.Errorf("%v", err)
		}
	}
	if sent := len(site.all()); sent != 1 {
		t.Errorf("%d requests", sent)
	}
}
