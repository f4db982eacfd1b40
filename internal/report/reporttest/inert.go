package reporttest

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Inert fails the test if a terminal or a workflow runner would find a command
// in the output: a control character, a line that begins with "::" however it
// is indented, or "##[" anywhere.
func Inert(t *testing.T, output string) {
	t.Helper()
	if !utf8.ValidString(output) {
		t.Error("the output is not UTF-8")
	}
	for line := range strings.SplitSeq(output, "\n") {
		if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
			t.Errorf("a runner obeys %q", line)
		}
		if strings.IndexFunc(line, obeyed) >= 0 {
			t.Errorf("a control character in %q", line)
		}
	}
}

func obeyed(char rune) bool { return unicode.In(char, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
