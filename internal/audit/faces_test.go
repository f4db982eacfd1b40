package audit

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func answer(status int, body string) trace.Response {
	return trace.Response{Status: status, Body: secret.New(body)}
}

func learned(t *testing.T, stranger trace.Response, users map[string][]string) *Faces {
	t.Helper()
	faces := &Faces{}
	if err := faces.learn([]trace.Response{stranger}, sittings(users)); err != nil {
		t.Fatal(err)
	}
	return faces
}

func sittings(users map[string][]string) []sitting {
	var made []sitting
	for _, user := range []string{"alice", "bob"} {
		if bodies, has := users[user]; has {
			s := sitting{user: user, username: user}
			for _, body := range bodies {
				s.answers = append(s.answers, answer(200, body))
			}
			made = append(made, s)
		}
	}
	return made
}

// What tells users apart is learned from shapes of answers that APIs give.
func TestFacesAreLearnedFromTheAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stranger trace.Response
		users    map[string][]string
	}{
		"JSON with a name": {answer(401, `{"detail":"no"}`), map[string][]string{
			"alice": {`{"name":"alice","visits":1}`, `{"name":"alice","visits":2}`}, "bob": {`{"name":"bob","visits":1}`, `{"name":"bob","visits":2}`}}},
		"JSON with an opaque id": {answer(401, ""), map[string][]string{
			"alice": {`{"id":"7f3a","at":11}`, `{"id":"7f3a","at":12}`}, "bob": {`{"id":"91cc","at":13}`, `{"id":"91cc","at":14}`}}},
		"200 for strangers": {answer(200, `{"user":null}`), map[string][]string{
			"alice": {`{"user":{"id":1}}`, `{"user":{"id":1}}`}, "bob": {`{"user":{"id":2}}`, `{"user":{"id":2}}`}}},
		"a page": {answer(302, ""), map[string][]string{
			"alice": {"<h1>Hello <b>alice</b></h1><i>x1</i>", "<h1>Hello <b>alice</b></h1><i>x2</i>"}, "bob": {"<h1>Hello <b>bob</b></h1>", "<h1>Hello <b>bob</b></h1>"}}},
		"one user": {answer(401, "no"), map[string][]string{"alice": {`{"id":1,"t":5}`, `{"id":1,"t":6}`}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faces := learned(t, test.stranger, test.users)
			if who := faces.Who(test.stranger); !who.IsAnonymous() {
				t.Errorf("the stranger is %s", who)
			}
			for user, bodies := range test.users {
				for _, body := range bodies {
					if who := faces.Who(answer(200, body)); !who.Is(user) {
						t.Errorf("%s is taken for %s", body, who)
					}
				}
			}
			for status, want := range map[int]trace.Kind{500: trace.Broken, 429: trace.TooMany, 0: trace.Broken, 403: trace.Anonymous, 302: trace.Anonymous} {
				if who := faces.Who(answer(status, "")); who.Kind != want {
					t.Errorf("status %d is %s", status, who)
				}
			}
		})
	}
}

// Something that fits nobody is neither a user nor a stranger.
func TestAnUnknownFaceIsUnrecognised(t *testing.T) {
	t.Parallel()
	faces := learned(t, answer(401, ""), map[string][]string{"alice": {`{"name":"alice"}`, `{"name":"alice"}`}})
	if who := faces.Who(answer(200, `{"name":"mallory"}`)); who.Kind != trace.Unknown {
		t.Errorf("taken for %s", who)
	}
}

func TestNobodyIsRecognisedBeforeLearning(t *testing.T) {
	t.Parallel()
	if who := (&Faces{}).Who(answer(200, "alice")); who.Kind != trace.Unanswered {
		t.Errorf("taken for %s", who)
	}
}

func TestUsersThatLookAlikeCannotBeLearned(t *testing.T) {
	t.Parallel()
	faces := &Faces{}
	err := faces.learn([]trace.Response{answer(401, "")}, sittings(map[string][]string{"alice": {`{"ok":true}`, `{"ok":true}`}, "bob": {`{"ok":true}`, `{"ok":true}`}}))
	if err == nil || faces.Learned() {
		t.Error("two equal answers were told apart")
	}
}

// Answers are chosen by the target: depth and number are bounded.
func TestHostileAnswersAreBounded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	wide := "[" + strings.TrimSuffix(strings.Repeat("1,", 100_000), ",") + "]"
	for name, body := range map[string]string{"deep": deep, "wide": wide, "words": strings.Repeat("word ", 100_000)} {
		if n := len(features(body)); n > maxMarks {
			t.Errorf("%s: %d features", name, n)
		}
	}
}

func TestSelfContainedIDs(t *testing.T) {
	t.Parallel()
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"user":"alice"}`))
	for id, want := range map[string]bool{
		"eyJhbGciOiJIUzI1NiJ9." + payload + ".c2lnbmF0dXJl":           true, // JWT
		payload + ".aSb3cQ.c2lnbmF0dXJl":                              true, // itsdangerous
		base64.StdEncoding.EncodeToString([]byte(`{"user":"alice"}`)): true, // cookie-session
		"gAAAAABmf1Xo3e5": true, // Fernet
		"Fe26.2**0cdd607945dd1dffb7da0b0bf5f1a7daa6218cbae14cac51dcbd91fb077aeb5b*aOZLCKLhCt0D5IU1qLTtYw*g0ilNDlQ3TsdFUqJCqAm9iL7Wa60H7eYcHL_5oP136TOJREkS3BzheDC1dlxz5oJ": true,
		"3f9a2c7d1e8b4a6095c1":                 false,
		"s:3f9a2c7d1e8b4a6095c1.c2lnbmF0dXJl":  false, // express: signed, but a key
		"b61a2a3e-6b1f-4f5e-9d3c-0c7c5f1b2a11": false,
		"":                                     false,
	} {
		if got := selfContained(secret.New(id)); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain ünïcode":           "plain ünïcode",
		"\x1b[31mred\x07":         "[31mred",
		"a\u202eb\u200bc":         "abc",
		"tab\there\r\nnext":       "tab here\nnext",
		"bad \xff\xfe bytes":      "bad  bytes",
		strings.Repeat("x", 5000): strings.Repeat("x", longestText) + "…",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q became %q", fmt.Sprintf("%.40s", text), fmt.Sprintf("%.40s", got))
		}
	}
}
