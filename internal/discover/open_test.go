package discover_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestWhatADescriptionOpensToStrangers(t *testing.T) {
	t.Parallel()
	const text = `openapi: 3.0.0
paths:
  /health: {get: {summary: up}}
  /hats: {get: {operationId: hats}}
  /v1/users: {get: {security: [{s: []}]}}
  /v1/users/{id}: {get: {security: [{s: []}]}}
  /v1/orders: {get: {summary: all of them}}
  /v1/order: {get: {summary: places one}}
  /v1/customers: {get: {parameters: [{in: query, name: page, required: true, schema: {type: integer}}]}, post: {summary: adds one}}
  /v1/users/purge: {get: {summary: all of them}}
  /logout: {get: {summary: ends it}}
  /ops/debug-sessions: {get: {security: [{s: []}]}}
  /sessions/clear: {get: {summary: ends them}}
  /debug/sessions/flush: {get: {summary: x}}
  /sessions/invalidate: {get: {summary: x}}
  /debug/crash: {get: {summary: x}}
  /debug/break: {get: {summary: x}}
  /admin/users/seed: {get: {summary: x}}
  /users/anonymize: {get: {summary: x}}
  /me: {get: {summary: rotates the key of whoever asks}}
`
	api := newAPI()
	api.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	got := run(t, api, func(r *recipe.Recipe) { r.Users = nil })
	want := []trace.Page{
		{Step: "page /ops/debug-sessions", Path: "/ops/debug-sessions", Described: true, Secured: true, Monitors: true},
		{Step: "page /v1/users", Path: "/v1/users", Described: true, Secured: true},
		{Step: "page /v1/orders", Path: "/v1/orders", Described: true},
		{Step: "page /v1/customers", Path: "/v1/customers", Described: true},
		{Step: "page /hats", Path: "/hats", Described: true},
	}
	if diff := cmp.Diff(want, got.Open); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, page := range got.Open {
		if len(got.Pages[page.Step].Requests) != 1 {
			t.Errorf("%s is no step", page.Step)
		}
	}
}
