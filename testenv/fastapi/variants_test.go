package fastapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Each driver puts the same bound id on the wire in its own way: psycopg2
// quoted into the text, asyncpg in binary, SQLAlchemy with casts around it.
func TestHardenedOnOtherDrivers(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"psycopg2", "asyncpg", "sqlalchemy"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			made := scan(t, "testenv/fastapi/"+driver+"-hardened.yml")
			want(t, made, 0)
			sound(t, made)
			made.passed(t, "session-id-sql-injection", "")
			made.passed(t, "session-id-stored-in-clear", "sha256")
		})
	}
}

func TestExpiryHonoured(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/expiry-honoured.yml")
	want(t, made, 0)
	sound(t, made)
	made.passed(t, "idle-timeout-not-enforced", "last_seen")
	made.passed(t, "absolute-timeout-not-enforced", "expires_at")
}

func TestExpiryIgnored(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/expiry-ignored.yml")
	want(t, made, 0, "idle-timeout-not-enforced", "absolute-timeout-not-enforced") // medium: below 80, and the gate is at 70
	made.locatedIn(t, "expiry_ignored", "idle-timeout-not-enforced", "absolute-timeout-not-enforced")
	for _, proof := range []string{"moved back by 31m0s", "sessions.expires_at set to", "put back as it was"} {
		if !strings.Contains(made.JSON, proof) {
			t.Errorf("JSON does not show %q", proof)
		}
	}
}

// The gate lets low findings pass: what these apps do is one weakness each.
func TestOneWeakness(t *testing.T) {
	t.Parallel()
	for _, app := range []struct {
		recipe string
		flaws  []string
	}{
		{"clear-store", []string{"session-id-stored-in-clear"}},
		{"logs-ids", []string{"session-id-in-logs"}},
		{"adopts-unknown", []string{"permissive-session-creation"}},
		{"keeps-anonymous", nil},
	} {
		t.Run(app.recipe, func(t *testing.T) {
			t.Parallel()
			made := scan(t, "testenv/fastapi/"+app.recipe+".yml")
			want(t, made, 0, app.flaws...)
			sound(t, made)
			made.locatedIn(t, strings.ReplaceAll(app.recipe, "-", "_"), app.flaws...)
		})
	}
}

func TestInjection(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/injection.yml")
	// PostgreSQL quotes the broken literal, and with it the id, in the error that uvicorn logs.
	want(t, made, 1, "session-id-sql-injection", "session-id-stored-in-clear", "session-id-in-logs", "session-id-malformed-input")
	made.locatedIn(t, "injection", "session-id-sql-injection")
	if made.Score >= 25 {
		t.Errorf("score %d", made.Score)
	}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/wildcard.yml")
	want(t, made, 1, "session-id-sql-injection/wildcard", "session-id-stored-in-clear", "session-id-malformed-input")
	made.locatedIn(t, "wildcard", "session-id-sql-injection/wildcard")
	if made.Score >= 25 {
		t.Errorf("score %d", made.Score)
	}
}

// Every step names the line of its own handler, which moves with each edit.
func TestRecipesPointAtTheirHandlers(t *testing.T) {
	t.Parallel()
	handlers := map[string]string{"visit": "index", "login": "login", "identity": "profile", "logout": "logout"}
	step := regexp.MustCompile(`(?s)(visit|login|identity|logout):.*?source: ([^\s:]+):(\d+)`)
	recipes, err := filepath.Glob("testenv/fastapi/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, recipe := range recipes {
		if strings.HasPrefix(filepath.Base(recipe), "split-") {
			continue // they have none on purpose
		}
		text, err := os.ReadFile(recipe)
		if err != nil {
			t.Fatal(err)
		}
		found := step.FindAllStringSubmatch(string(text), -1)
		if len(found) != len(handlers) {
			t.Errorf("%s: %d steps with a source, want %d", recipe, len(found), len(handlers))
		}
		for _, match := range found {
			number, err := strconv.Atoi(match[3])
			if err != nil {
				t.Fatal(err)
			}
			if line := source(t, match[2], number); !strings.Contains(line, "def "+handlers[match[1]]+"(") {
				t.Errorf("%s: %s points at %s:%d, which is %q", recipe, match[1], match[2], number, line)
			}
		}
	}
}

// sound says that the gate measured what it must and found nothing to stop for.
func sound(t *testing.T, made scanned) {
	t.Helper()
	if made.Score < leastScore || !made.Gate.Passed || len(made.Coverage.CoreUntested) > 0 {
		t.Errorf("score %d, core untested %v", made.Score, made.Coverage.CoreUntested)
	}
	for _, found := range made.Findings {
		if found.Level != "low" && found.Level != "note" {
			t.Errorf("%s is %s", found.Rule, found.Level)
		}
	}
}

// passed wants the rule passed, by a note that holds the words.
func (s scanned) passed(t *testing.T, rule, words string) {
	t.Helper()
	for _, row := range s.Results {
		if row.Rule == rule {
			if row.Outcome != "pass" || !strings.Contains(row.Note, words) {
				t.Errorf("%s: %s %q %q", rule, row.Outcome, row.Note, row.Reason)
			}
			return
		}
	}
	t.Errorf("no row for %s", rule)
}

func (s scanned) locatedIn(t *testing.T, app string, rules ...string) {
	t.Helper()
	for _, rule := range rules {
		located := false
		for _, found := range s.Findings {
			located = located || found.Rule == rule && found.Location.File == "testenv/fastapi/"+app+"/app.py"
		}
		if !located {
			t.Errorf("%s does not point into %s", rule, app)
		}
	}
}
