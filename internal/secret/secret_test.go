package secret_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const canary = "canary/7f3a+91c=value"

func TestTextCannotPrintItself(t *testing.T) {
	held := struct{ ID secret.Text }{secret.New(canary)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %[1]v"} {
		for _, value := range []any{held, held.ID, &held.ID} {
			printed := fmt.Sprintf(verb, value)
			if strings.Contains(printed, canary) || strings.Contains(printed, hex.EncodeToString([]byte(canary))) {
				t.Errorf("%s prints the secret: %s", verb, printed)
			}
		}
	}
	encoded, err := json.Marshal(held)
	if err != nil || strings.Contains(string(encoded), "canary") {
		t.Errorf("JSON shows the secret: %s, %v", encoded, err)
	}
}

func TestTagTellsEqualFromDifferent(t *testing.T) {
	one, same, other := secret.New("one value"), secret.New("one value"), secret.New("another")
	if one.Tag() != same.Tag() || one.Tag() == other.Tag() {
		t.Errorf("tags: %s %s %s", one, same, other)
	}
}

func TestRedactorKnowsEverySpelling(t *testing.T) {
	var redactor secret.Redactor
	redactor.Add(secret.New(canary), secret.New("x"))
	for name, spelling := range map[string]string{
		"raw": canary, "query": url.QueryEscape(canary), "path": url.PathEscape(canary),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary)), "hex": hex.EncodeToString([]byte(canary)),
	} {
		got := redactor.Clean("before " + spelling + " after x")
		if strings.Contains(got, spelling) || !strings.HasPrefix(got, "before «") || !strings.HasSuffix(got, "» after x") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestRedactorTakesTheLongestFirst(t *testing.T) {
	var redactor secret.Redactor
	redactor.Add(secret.New("abcdef"), secret.New("abcdef.signature"))
	if got := redactor.Clean("abcdef.signature"); strings.Contains(got, "signature") {
		t.Errorf("left the signature: %q", got)
	}
}

func TestJoinAndBegins(t *testing.T) {
	t.Parallel()
	whole := secret.Join(secret.New("sid="), secret.Text{}, secret.New("value"))
	if whole.Reveal() != "sid=value" || !secret.Join().IsZero() {
		t.Errorf("joined to %q", whole.Reveal())
	}
	if !whole.Begins("sid=") || whole.Begins("value") || !(secret.Text{}).Begins("") {
		t.Error("Begins does not look at the beginning")
	}
}
