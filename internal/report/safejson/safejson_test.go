package safejson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/report/safejson"
)

func FuzzWriteKeepsTheValueAndDefusesTheBytes(f *testing.F) {
	for _, seed := range []string{"", "##[error]x", "###[x", `\##[\\`, "\x1b[31m\x7f\u009b\u202e\u200b\U000e0001", "<a href=\"&\">", "\xff", "line\r\n::error::x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		if err := safejson.Write(&out, map[string][]string{"key " + text: {text}}); err != nil {
			t.Fatal(err)
		}
		var got map[string][]string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("not JSON: %v\n%s", err, out.Bytes())
		}
		if utf8.ValidString(text) {
			if diff := cmp.Diff(map[string][]string{"key " + text: {text}}, got); diff != "" {
				t.Errorf("another value (-want +got):\n%s", diff)
			}
		}
		if strings.Contains(out.String(), "##[") {
			t.Errorf("a runner command: %s", out.Bytes())
		}
		for _, char := range out.String() {
			if char != '\n' && unicode.In(char, unicode.Cc, unicode.Cf) {
				t.Errorf("the control character %U: %q", char, out.Bytes())
			}
		}
	})
}
