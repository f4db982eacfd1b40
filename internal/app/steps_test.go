package app_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// afterTheChange answers the first login after a password change, which is the
// flow's control, and then no other.
func afterTheChange(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	var changes, answered atomic.Int64
	return hindered(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/password" {
			changes.Add(1)
		}
		if r.URL.Path != "/login" || changes.Load() != 1 || !answered.CompareAndSwap(0, 1) {
			return false
		}
		answer(w, r)
		return true
	})
}

func signsIn(t *testing.T, address string) bool {
	t.Helper()
	body := strings.NewReader(`{"username":"alice","password":"` + demoapi.AlicePassword + `"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/login", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK
}

// Whatever stops the flow halfway, the user's own password is hers again.
func TestThePasswordIsChangedBackWhateverHappens(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   finding.Outcome
	}{
		"nothing":       {nil, finding.Pass},
		"an error":      {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, finding.Pass},
		"a rate limit":  {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", http.StatusTooManyRequests) }, finding.NotTested},
		"a broken line": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, finding.NotTested},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := demo(t)
			if test.answer != nil {
				address = afterTheChange(t, test.answer)
			}
			made := scan(t, demoapi.Recipe(address))
			if !signsIn(t, address) {
				t.Error("alice's own password does not sign her in after the scan")
			}
			row := row(t, made, "session-id-not-rotated-on-password-change")
			if row.Outcome != test.want { // that the new password works shows the change, too
				t.Errorf("%s %s", row.Outcome, row.Reason)
			}
		})
	}
}

func TestAnInterruptedScanLeavesThePassword(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var changes atomic.Int64
	address := hindered(t, func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/password":
			changes.Add(1)
		case changes.Load() == 1: // the first request after the change
			cancel()
		}
		return false
	})
	r, err := recipe.Parse("recipe.yml", []byte(demoapi.Recipe(address)), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Audit(ctx, app.Options{Recipe: r, Now: time.Now()}); err == nil {
		t.Error("a report was made of a scan that was cancelled")
	}
	if !signsIn(t, address) {
		t.Error("alice's own password does not sign her in after the scan")
	}
}

// An API that does not take an old password again keeps the new one, which
// nobody else knows: the report says so, whatever was found.
func TestAPasswordThatStaysChangedIsSaid(t *testing.T) {
	t.Parallel()
	const says = "the password of alice could not be changed back, set it by hand"
	for name, flaws := range map[string][]string{"hardened": nil, "vulnerable": {"session-id-not-rotated-on-password-change"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var changes atomic.Int64
			api, err := demoapi.New(flaws...)
			if err != nil {
				t.Fatal(err)
			}
			address := serve(t, front{api, func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/password" || changes.Add(1) == 1 {
					return false
				}
				http.Error(w, "this password was used before", http.StatusUnprocessableEntity)
				return true
			}})
			made := scan(t, demoapi.Recipe(address))
			row := row(t, made, "session-id-not-rotated-on-password-change")
			if row.Outcome != finding.NotTested || !strings.Contains(row.Reason.Text, says) {
				t.Errorf("%s %s", row.Outcome, row.Reason)
			}
			for _, row := range made.Results {
				if row.Outcome == finding.Pass {
					t.Errorf("%s is called passed, although alice cannot log in any more", row.Rule.ID)
				}
			}
		})
	}
}

// A 429 in one flow keeps the others from sending: they say so, too.
func TestARateLimitElsewhereIsNoFaultOfTheRecipe(t *testing.T) {
	t.Parallel()
	var logins atomic.Int64
	address := hindered(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/login" && logins.Add(1) > 8 {
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return true
		}
		return false
	})
	made := scan(t, demoapi.Recipe(address))
	for _, rule := range []string{"logout-session-not-invalidated", "logout-everywhere-incomplete", "password-change-keeps-other-sessions", "logout-client-state-not-cleared"} {
		if row := row(t, made, rule); row.Outcome != finding.NotTested || row.Reason.Code != finding.RateLimited {
			t.Errorf("%s: %s %s", rule, row.Outcome, row.Reason)
		}
	}
}

// An API where a user has one session, and a logout that only clears the cookie.
func TestALogoutThatOnlyTheNextLoginMakesGood(t *testing.T) {
	t.Parallel()
	s := singleShop()
	s.routes["POST /logout"] = func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-shop", Path: "/", Secure: true, MaxAge: -1})
		w.WriteHeader(http.StatusNoContent)
	}
	made := scan(t, strings.Replace(shopRecipe, "%s", serve(t, s), 1))
	if row := row(t, made, "logout-session-not-invalidated"); row.Outcome != finding.Fail {
		t.Errorf("%s %s", row.Outcome, row.Reason)
	}
}

// An API that refuses a login inside a session says so with a status or by
// sending the browser on.
func TestALoginInsideASessionMayBeRefused(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"conflict": http.StatusConflict, "forbidden": http.StatusForbidden, "redirect": http.StatusSeeOther} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := cookieShop("__Host-shop", "/").jsonRoutes()
			plain := s.routes["POST /login"]
			s.routes["POST /login"] = func(w http.ResponseWriter, r *http.Request) {
				if s.user(r) == "" {
					plain(w, r)
					return
				}
				w.Header().Set("Location", "/")
				w.WriteHeader(status)
			}
			made := scan(t, strings.Replace(shopRecipe, "%s", serve(t, s), 1))
			for _, rule := range []string{"cross-user-session-reuse", "session-id-not-rotated-on-privilege-change/re-authentication"} {
				if row := row(t, made, rule); row.Outcome != finding.NotTested || row.Reason.Code != finding.NoPrecondition {
					t.Errorf("%s: %s %s", rule, row.Outcome, row.Reason)
				}
			}
			if made.Gate.ExitCode != 0 {
				t.Errorf("gate: %+v", made.Gate)
			}
		})
	}
}
