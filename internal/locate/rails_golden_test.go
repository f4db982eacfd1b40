package locate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// The applications in testdata/rails were asked with Rails itself (6.1): each line
// of requests.txt is a request and the action that its router chose, "-" for none.
// routes.txt is what bin/rails routes prints for them. An action that Rails names is
// found, or said to be one of several; no other is ever named.
func TestRailsAsRailsItselfRoutes(t *testing.T) {
	t.Parallel()
	for _, app := range []string{"shop", "api", "pages", "accounts"} {
		t.Run(app, func(t *testing.T) {
			t.Parallel()
			routed(t, filepath.Join("testdata", "rails", app), filepath.Join("testdata", "rails", app, "requests.txt"))
		})
	}
}

func routed(t *testing.T, folder, requests string) {
	t.Helper()
	source, err := locate.Read(t.Context(), folder, locate.Start{}, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(requests)
	if err != nil {
		t.Fatal(err)
	}
	found, several := 0, 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		place, reason := source.Handler(fields[0], fields[1], "")
		want := action(t, folder, fields[2])
		switch {
		case place == want && want != (locate.Place{}):
			found++
		case reason.Code == locate.SeveralFit:
			several++
		case place != want:
			t.Errorf("%s %s: %s (%s), want %s %s", fields[0], fields[1], place, reason, fields[2], want)
		}
	}
	if t.Logf("%d found, %d of several", found, several); several > found/20 {
		t.Error("too many are not told apart")
	}
}

// action is where the sample applications have an action.
func action(t *testing.T, folder, name string) locate.Place {
	t.Helper()
	controller, method, is := strings.Cut(name, "#")
	if !is {
		return locate.Place{}
	}
	file := "app/controllers/" + controller + "_controller.rb"
	text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(file)))
	if err != nil {
		return locate.Place{}
	}
	before, _, has := strings.Cut(string(text), "def "+method+";")
	if !has {
		return locate.Place{}
	}
	return locate.Place{File: file, Line: strings.Count(before, "\n") + 1}
}
