package discover

import (
	"os"
	"path/filepath"
	"testing"
)

// Which operation a request is has to be sure: a wrong line is worse than none.
func TestWhatADescriptionSaysOfARequest(t *testing.T) {
	t.Parallel()
	made, err := describe("openapi.yaml", []byte(`openapi: 3.0.0
servers: [{url: https://example.com/api}]
paths:
  /login:
    post: {operationId: login}
  /users/{id}:
    get: {operationId: user}
  /users/{name}:
    put: {operationId: same}
  /users/{other}:
    put: {operationId: one}
  /a:
    get: {operationId: copied}
  /b:
    get: {operationId: copied}
`))
	if err != nil {
		t.Fatal(err)
	}
	table := made.byRequest("openapi.yaml")
	for request, want := range map[[2]string]Operation{
		{"POST", "/api/login"}:              {ID: "login", File: "openapi.yaml", Line: 5},
		{"post", "/api/login?next=/"}:       {ID: "login", File: "openapi.yaml", Line: 5},
		{"GET", "/api/users/{{username}}"}:  {ID: "user", File: "openapi.yaml", Line: 7},
		{"GET", "/api/a"}:                   {File: "openapi.yaml", Line: 13}, // whose id it is, is not known
		{"PUT", "/api/users/{id}"}:          {},                               // described twice
		{"POST", "/login"}:                  {},
		{"GET", "/api/login"}:               {},
		{"GET", "/api/users/{{username}}/"}: {},
	} {
		if got, known := table.Of(request[0], request[1]); got != want || known != (want.Line > 0) {
			t.Errorf("%v is %+v, not %+v", request, got, want)
		}
	}
	if _, known := (Described{}).Of("GET", "/"); known {
		t.Error("no description knows an operation")
	}
}

func TestTheRepositorysDescription(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if _, known := Repository(folder).Of("POST", "/login"); known {
		t.Error("an empty folder has a description")
	}
	for name, text := range map[string]string{"openapi.json": "{", "swagger.json": `{"paths": {"/login": {"post": {"summary": "x"}}}}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if op, _ := Repository(folder).Of("POST", "/login"); op != (Operation{File: "swagger.json", Line: 1}) {
		t.Errorf("%+v", op)
	}
}
