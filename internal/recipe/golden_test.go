package recipe_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/recipe"
)

var update = flag.Bool("update", false, "write the golden files")

var environment = map[string]string{
	"ALICE_PASSWORD": "correct horse", "BOB_PASSWORD": "battery staple",
	"DATABASE_URL": "postgres://app:swordfish@127.0.0.1:26257/app", "API_KEY": "", "EMPTY": "",
	"PORT": "canary-port", "WORD": "plum tree", "HOST": "canary-host",
}

func getenv(name string) (string, bool) {
	value, set := environment[name]
	return value, set
}

func TestBadRecipes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) < 25 {
		t.Fatalf("only %d bad recipes: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := recipe.Parse(filepath.Base(file), data, getenv)
			if err == nil {
				err = parsed.Validate()
			}
			if err == nil {
				t.Fatal("it is accepted")
			}
			hidesSecrets(t, err.Error())
			compare(t, strings.TrimSuffix(file, ".yml")+".golden", err.Error()+"\n")
		})
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func hidesSecrets(t *testing.T, text string) {
	t.Helper()
	for name, value := range environment {
		if value != "" && strings.Contains(text, value) {
			t.Errorf("shows the value of %s:\n%s", name, text)
		}
	}
	if strings.Contains(text, "hunter2") || strings.Contains(text, "31337") {
		t.Errorf("shows a password of the file:\n%s", text)
	}
}

// problems takes a joined error apart.
func problems(t *testing.T, err error) []*recipe.Error {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("not a joined error: %v", err)
	}
	var found []*recipe.Error
	for _, one := range joined.Unwrap() {
		var problem *recipe.Error
		if !errors.As(one, &problem) {
			t.Fatalf("not a recipe.Error: %v", one)
		}
		found = append(found, problem)
	}
	return found
}
