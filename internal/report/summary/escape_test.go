package summary

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/internal/report/tame"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "",
		"POST /login: 200, is bob":   "POST /login: 200, is bob",
		"app/auth.py:42":             "app/auth.py&#58;42",
		"cookie session_id":          "cookie session&#95;id",
		"http://evil":                "http&#58;//evil",
		"see www.evil.example":       "see www&#46;evil.example",
		"1. one":                     "1&#46; one",
		"- one":                      "&#45; one",
		"well-known":                 "well-known",
		"::error::x":                 "&#58;&#58;error&#58;&#58;x",
		"##[error]":                  "&#35;&#8203;&#35;&#8203;&#91;error&#93;",
		"thanks @octocat":            "thanks &#64;&#8203;octocat",
		"a|b `c` <d> [e](f) *g* $h$": "a&#124;b &#96;c&#96; &#60;d&#62; &#91;e&#93;(f) &#42;g&#42; &#36;h&#36;",
		"two\nlines\tand  blanks":    "two lines and blanks",
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

var harmless = regexp.MustCompile(`^(?:[\p{L}\p{Nd} ,;/'()?=%+"\x{80}-\x{10ffff}-]|\.|: |&#\d+;)*$`)

// Whatever the text, what is written has no sign that could be structure, and
// reads as the text.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", reporttest.Poison, "1.", "www.a", "a:b: c", "&amp;", "12) x", "# x", "=", "https://x@y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Escape(text)
		if !harmless.MatchString(got) {
			t.Errorf("%q becomes %q", text, got)
		}
		if strings.HasPrefix(got, "-") || strings.HasPrefix(got, "+") || strings.HasPrefix(got, "=") || regexp.MustCompile(`^\d+[.)]`).MatchString(got) ||
			regexp.MustCompile(`(?i)www\.`).MatchString(got) {
			t.Errorf("%q begins a list, a heading or a link: %q", text, got)
		}
		want := strings.Join(strings.Fields(tame.Line(text)), " ")
		if read := strings.ReplaceAll(html.UnescapeString(got), "\u200b", ""); read != want {
			t.Errorf("%q reads %q, want %q", text, read, want)
		}
		reporttest.Inert(t, got)
	})
}
