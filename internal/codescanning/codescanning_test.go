package codescanning_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/codescanning"
	"github.com/sessiongate/sessiongate/internal/secret"
)

const token = "canary-token"

// github serves one handler under the address of a GitHub Enterprise Server.
func github(t *testing.T, handler http.HandlerFunc) *codescanning.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/api/v3/repos/acme/shop/code-scanning/", http.StripPrefix("/api/v3/repos/acme/shop/code-scanning", handler))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return client(t, server.URL+"/api/v3")
}

func client(t *testing.T, api string) *codescanning.Client {
	t.Helper()
	made, err := codescanning.New(codescanning.Repository{API: api, Name: "acme/shop", Token: secret.New(token), Version: "1.2.3",
		Pauses: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}, Retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var analysis = codescanning.Analysis{Commit: strings.Repeat("a", 40), Ref: "refs/pull/7/merge", Started: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC), SARIF: []byte(`{"version": "2.1.0"}`)}

func unpack(t *testing.T, packed string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	sarif, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(sarif)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	var got map[string]string
	var request *http.Request
	c := github(t, func(w http.ResponseWriter, r *http.Request) {
		request = r.Clone(context.Background())
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"id": "47177e22-5596-11eb-80a1-c1e54ef945c6", "url": "https://elsewhere.test"}`)
	})
	id, err := c.Upload(t.Context(), analysis)
	if err != nil || id != "47177e22-5596-11eb-80a1-c1e54ef945c6" {
		t.Fatal(id, err)
	}
	if request.Method != http.MethodPost || request.URL.Path != "/sarifs" || request.Header.Get("Authorization") != "Bearer "+token ||
		request.Header.Get("User-Agent") != "sessiongate/1.2.3" {
		t.Errorf("%s %s %v", request.Method, request.URL.Path, request.Header)
	}
	if sarif := unpack(t, got["sarif"]); sarif != string(analysis.SARIF) {
		t.Errorf("SARIF %q", sarif)
	}
	delete(got, "sarif")
	want := map[string]string{"commit_sha": analysis.Commit, "ref": "refs/pull/7/merge", "tool_name": "sessiongate", "started_at": "2026-03-14T09:26:53Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff) // the API takes no other members
	}
}

// A server that stumbles is asked again, with the whole body.
func TestAStumbleIsRetried(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c := github(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked.Add(1) < 3 || len(body) == 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, `{"id": "x"}`)
	})
	if id, err := c.Upload(t.Context(), analysis); err != nil || id != "x" || asked.Load() != 3 {
		t.Error(id, err, asked.Load())
	}
}

func TestEveryRefusalIsOneSentence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		kind   codescanning.Kind
	}{
		"code security":     {403, `{"message": "Code Security must be enabled for this repository to use code scanning."}`, codescanning.Disabled},
		"advanced security": {403, `{"message": "Advanced Security must be enabled for this repository to use code scanning."}`, codescanning.Disabled},
		"not enabled":       {403, `{"message": "Code Scanning is not enabled for this repository. Please enable code scanning in the repository settings."}`, codescanning.Disabled},
		"not enabled, 2021": {403, `{"message": "repository not enabled for code scanning"}`, codescanning.Disabled},
		"a fork's token":    {403, `{"message": "Resource not accessible by integration"}`, codescanning.NoPermission},
		"bad token":         {401, `{"message": "Bad credentials"}`, codescanning.NoPermission},
		"not shown":         {404, `{"message": "Not Found"}`, codescanning.NotFound},
		"rate limit":        {403, `{"message": "API rate limit exceeded for installation ID 1."}`, codescanning.RateLimited},
		"secondary limit":   {429, `{"message": "You have exceeded a secondary rate limit."}`, codescanning.RateLimited},
		"too large":         {413, `{"message": "Payload too large"}`, codescanning.TooLarge},
		"bad SARIF":         {400, `{"message": "SARIF is not valid gzip"}`, codescanning.Invalid},
		"bad field":         {422, `{"message": "Invalid request."}`, codescanning.Invalid},
		"archived":          {403, `{"message": "Repository was archived so is read-only."}`, codescanning.Archived},
		"down":              {503, `<html>Unicorn!</html>`, codescanning.Unavailable},
		"a redirect":        {302, ``, codescanning.Other},
		"hostile":           {400, `{"message": "` + "x\\n::set-output name=passed::true\\u001b[2J" + strings.Repeat("y", 9000) + `"}`, codescanning.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := github(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://elsewhere.test/")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			})
			_, err := c.Upload(t.Context(), analysis)
			var refused *codescanning.Refusal
			if !errors.As(err, &refused) && test.kind != codescanning.Unavailable {
				t.Fatalf("%v", err)
			}
			if refused != nil && refused.Kind != test.kind {
				t.Errorf("%q is taken for %q", err, refused.Kind)
			}
			if text := err.Error(); strings.ContainsAny(text, "\n\x1b") || len(text) > 1200 || strings.Contains(text, token) {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestARedirectDoesNotGetTheToken(t *testing.T) {
	t.Parallel()
	var led atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led.Store(true) }))
	t.Cleanup(elsewhere.Close)
	c := github(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if _, err := c.Upload(t.Context(), analysis); err == nil || led.Load() {
		t.Errorf("%v; followed: %t", err, led.Load())
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	states := func(answers ...string) *codescanning.Client {
		var asked atomic.Int64
		return github(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/sarifs/an id" {
				t.Errorf("%s", r.URL.Path)
			}
			fmt.Fprint(w, answers[min(int(asked.Add(1)), len(answers))-1])
		})
	}
	if err := states(`{"processing_status": "pending"}`, `{"processing_status": "complete"}`).Wait(t.Context(), "an id"); err != nil {
		t.Error(err)
	}
	err := states(`{"processing_status": "failed", "errors": ["locationFromSarifResult: expected at least one location", "rejecting SARIF"]}`).Wait(t.Context(), "an id")
	if err == nil || !strings.Contains(err.Error(), "expected at least one location; rejecting SARIF") {
		t.Error(err)
	}
	if err := states(`{"processing_status": "pending"}`).Wait(t.Context(), "an id"); !errors.Is(err, codescanning.ErrPending) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := states(`{"processing_status": "pending"}`).Wait(ctx, "an id"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The analysis is taken as GitHub gives it: properties may be an object or an
// array, and there is more in it than was sent.
func TestLast(t *testing.T) {
	t.Parallel()
	c := github(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/analyses":
			if q := r.URL.Query(); q.Get("ref") != "refs/heads/main" || q.Get("tool_name") != "sessiongate" {
				t.Errorf("%s", r.URL.RawQuery)
			}
			fmt.Fprint(w, `[{"id": 9, "category": "other/", "commit_sha": "9", "error": ""},
				{"id": 8, "category": "sessiongate/api/", "commit_sha": "8", "error": "unsuccessful execution"},
				{"id": 7, "category": "sessiongate/api", "commit_sha": "7", "error": ""},
				{"id": 6, "category": "sessiongate/api", "commit_sha": "6", "error": ""}]`)
		case "/analyses/7":
			if r.Header.Get("Accept") != "application/sarif+json" {
				t.Errorf("%v", r.Header)
			}
			fmt.Fprint(w, `{"runs": [{"results": [
				{"ruleId": "a", "partialFingerprints": {"primaryLocationLineHash": "11:1"}, "properties": {"github/alertNumber": 2}},
				{"ruleId": "a", "partialFingerprints": {"primaryLocationLineHash": "13:1"}, "properties": [{"github/alertUrl": "x"}, {"github/alertNumber": 103}]},
				{"ruleId": "a", "partialFingerprints": {"primaryLocationLineHash": "14:1"}, "properties": "none"},
				{"ruleId": "b", "partialFingerprints": {"primaryLocationLineHash": 5}}, {"ruleId": "c"}, {"partialFingerprints": {"primaryLocationLineHash": "12:1"}}]}]}`)
		case "/alerts":
			if q := r.URL.Query(); q.Get("ref") != "refs/heads/main" || q.Get("state") != "dismissed" {
				t.Errorf("%s", r.URL.RawQuery)
			}
			first, rows := map[string]int{"1": 4, "2": 104}[r.URL.Query().Get("page")], []string{} // the second page is in use from 104 on
			for number := first; number < min(first+100, 106); number++ {
				rows = append(rows, fmt.Sprintf(`{"number": %d, "rule": {"id": "a"}}`, number))
			}
			fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
		default:
			t.Errorf("%s", r.URL)
		}
	})
	got, err := c.Last(t.Context(), "refs/heads/main", "sessiongate/api/")
	want := codescanning.Baseline{Commit: "7", Known: []codescanning.Known{
		{Rule: "a", Fingerprint: "11:1"}, {Rule: "a", Fingerprint: "13:1", Dismissed: true}, {Rule: "a", Fingerprint: "14:1"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := c.Last(t.Context(), "refs/heads/main", "sessiongate/admin"); !errors.Is(err, codescanning.ErrNoBaseline) {
		t.Error(err)
	}
	none := github(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message": "no analysis found"}`)
	})
	if _, err := none.Last(t.Context(), "refs/heads/main", "x"); !errors.Is(err, codescanning.ErrNoBaseline) {
		t.Error(err)
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no JSON": "<html>", "another type": `{"id": 7}`, "no id": "{}", "endless": `{"id": "` + strings.Repeat("x", 33<<20) + `"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := github(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
			if _, err := c.Upload(t.Context(), analysis); err == nil || len(err.Error()) > 200 {
				t.Error(err)
			}
		})
	}
}

func TestAddressesThatWouldLeadTheTokenElsewhere(t *testing.T) {
	t.Parallel()
	for _, r := range []codescanning.Repository{
		{API: "http://api.github.com", Name: "a/b"}, {API: "https://user:word@api.github.com", Name: "a/b"}, {API: "ftp://x", Name: "a/b"}, {API: "", Name: "a/b"},
		{API: "https://api.github.com", Name: "a"}, {API: "https://api.github.com", Name: "a/b/c"}, {API: "https://api.github.com", Name: "a/../b"},
		{API: "https://api.github.com", Name: "a/.."}, {API: "https://api.github.com", Name: "a/b?x"},
	} {
		if _, err := codescanning.New(r); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
}
