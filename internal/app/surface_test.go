package app_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// surface scans an address alone: no users, and no way to register any.
func surface(t *testing.T, address string, change ...func(*app.Options)) report.Report {
	t.Helper()
	made := scan(t, "version: 1\ntarget: {url: "+address+"}\n", change...)
	for _, result := range made.Results {
		if result.Outcome == finding.Pass {
			t.Errorf("%s passes although nobody logged in", result.Rule.ID)
		}
		if result.Outcome == finding.NotTested && result.Reason.Text == "" {
			t.Errorf("%s is not tested, and does not say why", result.Rule.ID)
		}
	}
	for _, found := range made.Findings {
		rule, _ := catalog.Rule(found.Rule.ID)
		if len(rule.OWASPAPI) == 0 {
			t.Errorf("%s has no place in the OWASP API Security Top 10", found.Rule.ID)
		}
	}
	return made
}

func failing(made report.Report) map[string]string {
	broken := map[string]string{}
	for _, found := range made.Findings {
		broken[found.Rule.ID] = found.Message
	}
	return broken
}

func TestAnAddressAloneShowsWhatStrangersAreHanded(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		"session-cookie-missing-secure", "session-cookie-missing-httponly", "session-cookie-samesite", "session-cookie-samesite/absent",
		"session-cookie-prefix-missing", "session-cookie-domain-too-broad", "session-cookie-persistent", "session-cookie-not-partitioned",
		"permissive-session-creation",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			api, err := demoapi.New(rule)
			if err != nil {
				t.Fatal(err)
			}
			made := surface(t, serve(t, api))
			if failing(made)[rule] == "" {
				t.Errorf("findings %v, calibration %v", failing(made), made.Calibration)
			}
			if made.Gate.ExitCode != audit.ExitUnproven || !strings.Contains(made.Problem, "--user NAME with --password-env VAR") {
				t.Errorf("exit %d, %q", made.Gate.ExitCode, made.Problem)
			}
		})
	}
}

func TestAnAddressAloneFindsNothingAtAHardenedAPI(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	if made := surface(t, serve(t, api)); len(made.Findings) > 0 || made.Gate.ExitCode != audit.ExitUnproven {
		t.Errorf("exit %d, findings %v", made.Gate.ExitCode, failing(made))
	}
}

func TestTheScoreDecidesWhereAnInconclusiveScanIsAllowed(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New("session-cookie-missing-httponly")
	if err != nil {
		t.Fatal(err)
	}
	address := serve(t, api)
	for under, exit := range map[int]int{0: audit.ExitMet, 70: audit.ExitNotMet} {
		made := surface(t, address, func(o *app.Options) { o.AllowInconclusive, o.Recipe.Gate.FailUnder = true, under })
		if made.Gate.ExitCode != exit {
			t.Errorf("below %d: exit %d, %s", under, made.Gate.ExitCode, made.Gate.Reason)
		}
	}
}
