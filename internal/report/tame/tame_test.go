package tame_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/internal/report/tame"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "",
		"GET /me":                           "GET /me",
		"a\tb\r\nc\u2028d\u00a0e":           "a b  c d e",
		"\x1b[31mred\u009b0m\x7f\x00":       "[31mred0m",
		"turned \u202e around \u200b\ufeff": "turned  around ",
		"\xff":                              "\ufffd",
	} {
		if got := tame.Line(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestLinesKeepsLineBreaksAlone(t *testing.T) {
	t.Parallel()
	if got, want := tame.Lines("a\tb\r\nc\u2028d\x1b"), "a b \nc d"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPoisonHasNoControlCharacterLeft(t *testing.T) {
	t.Parallel()
	reporttest.Inert(t, strings.NewReplacer("##[", "", "::", "").Replace(tame.Line(reporttest.Poison)))
}
