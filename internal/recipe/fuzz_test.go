package recipe_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sessiongate/sessiongate/internal/recipe"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yml", "testdata/good/*.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := recipe.Parse("r.yml", data, getenv)
		if err == nil {
			if err := parsed.Validate(); err != nil {
				hidesSecretsOf(t, data, err)
			}
			return
		}
		hidesSecretsOf(t, data, err)
		clean := strings.ToValidUTF8(strings.TrimPrefix(string(data), "\ufeff"), "\ufffd")
		lines := strings.Split(breaks.Replace(clean), "\n")
		for _, problem := range problems(t, err) {
			at := problem.Pos
			if at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > utf8.RuneCountInString(lines[at.Line-1])+1 {
				t.Errorf("%s lies outside the file: %s", at, problem.Problem)
			}
			if strings.ContainsAny(problem.Problem, "\n\r\x1b") || !utf8.ValidString(problem.Error()) {
				t.Errorf("not printable: %q", problem.Problem)
			}
		}
	})
}

// hidesSecretsOf looks for values that the file does not hold itself.
func hidesSecretsOf(t *testing.T, data []byte, err error) {
	t.Helper()
	for name, value := range environment {
		if len(value) > 8 && strings.Contains(err.Error(), value) && !strings.Contains(string(data), value) {
			t.Errorf("shows the value of %s: %v", name, err)
		}
	}
}
