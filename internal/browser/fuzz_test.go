package browser

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// FuzzTake reads hostile answers. What it gives may go into any request; what
// it does not give, it says in one sentence without the answer.
func FuzzTake(f *testing.F) {
	for _, body := range []string{
		``, `<input type=hidden name=csrf value="a&#13;&#10;b">`, `<meta name="csrf" content="c"><p>t`, `{"token": "x", "a": [{"token": 1e400}]}`,
		`{"token": "a\r\nb\u0000"}`, `{"token": 123456789012345678901234567890}`, `[[[[[[`, `{"a":{"a":{"a":{"token":null}}}}`, "\xff\xfe\x00", `csrf="x"`,
		strings.Repeat(`{"a":`, 120) + `1` + strings.Repeat(`}`, 120), strings.Repeat("<b><p>", 300), `<svg><desc><input name=csrf value=x>`,
	} {
		f.Add(body, "token=value; Path=/", "header value", "")
	}
	f.Add("", "csrf=a\x00b", "a\rb", "gzip")
	captures := []recipe.Capture{
		{HTML: "input[name=csrf]"}, {HTML: "meta[name=csrf]"}, {HTML: "p:has(b) ~ *"}, {JSON: "$.token"}, {JSON: "$..token"},
		{JSON: "$.a[?(@.token==1)].token"}, {JSON: "$.*"}, {JSON: "$[-1:]"}, {Cookie: "csrf"}, {Header: "X-Token"}, {Regex: `csrf="(.*)"|(?s)a.*`}, {Regex: `(?s).*`},
	}
	for _, narrowed := range captures {
		if narrowed.Regex == "" {
			narrowed.Regex = `(?s)[^ ]+`
			captures = append(captures, narrowed)
		}
	}
	f.Fuzz(func(t *testing.T, body, set, header, coding string) {
		response := trace.Response{Status: 200, Header: []trace.Field{{Name: "X-Token", Value: secret.New(header)}}}
		if coding != "" {
			response.Header = append(response.Header, trace.Field{Name: "Content-Encoding", Value: secret.New(coding)})
		}
		if parsed, err := cookie.Parse(set); err == nil {
			response.SetCookie = []trace.SetCookie{{Cookie: parsed}}
		}
		for _, capture := range captures {
			capture.Name = "captured"
			if capture.Regex != "" {
				capture.Pattern = regexp.MustCompile(capture.Regex)
			}
			value, err := take(capture, response, []byte(body))
			switch {
			case err == nil && (value.IsZero() || value.Len() > maxCaptured || strings.ContainsAny(value.Reveal(), "\r\n\x00")):
				t.Errorf("%+v gave %q", capture, value.Reveal())
			case err != nil && (!value.IsZero() || !errors.Is(err, errCapture) || strings.ContainsAny(err.Error(), "\r\n\x00")):
				t.Errorf("%+v gave %q and the error %q", capture, value.Reveal(), err)
			}
		}
	})
}
