package locate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// workspace writes files and reads them as a workspace.
func workspace(t *testing.T, sources map[string]string, start locate.Start) *locate.Source {
	t.Helper()
	folder := t.TempDir()
	for name, text := range sources {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source, err := locate.Read(t.Context(), folder, start, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestFastAPIOfThisRepository(t *testing.T) {
	t.Parallel()
	source, err := locate.Read(t.Context(), filepath.Join("..", "..", "testenv"), locate.Start{Folder: "fastapi", Command: []string{"./serve", "vulnerable.app:app"}}, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	place, reason := source.Handler("POST", "/login", "")
	t.Log(place, reason)
	t.Log(source.Cookie(place, "session_id"))
	source, err = locate.Read(t.Context(), filepath.Join("..", "..", "testenv"), locate.Start{Folder: "fastapi", Command: []string{"./serve", "keeps_anonymous.app:app"}}, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"GET /", "POST /login", "GET /profile", "POST /logout"} {
		m := "GET"
		if p[:4] == "POST" {
			m = "POST"
			p = p[1:]
		}
		place, reason := source.Handler(m, p[4:], "")
		t.Log(place, reason)
		t.Log(source.Cookie(place, "__Host-session_id"))
	}
	source, err = locate.Read(t.Context(), filepath.Join("..", "..", "testenv"), locate.Start{}, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	place, reason = source.Handler("POST", "/login", "")
	t.Log(place, reason)
}
