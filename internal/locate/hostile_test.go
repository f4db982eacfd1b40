package locate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/locate"
)

const login = "from fastapi import FastAPI, Response, Cookie\napp = FastAPI()\n@app.post('/login')\ndef login(response: Response, sid: str = Cookie(None)):\n    response.set_cookie('sid', sid)\n"

// A workspace is anybody's: what cannot be read leaves the rest as it is, and
// nothing takes long.
func TestHostileSources(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("(", 20_000)
	for name, one := range map[string]struct {
		files map[string]string
		found bool
	}{
		"a syntax error beside it":       {map[string]string{"main.py": login, "broken.py": "from fastapi import (\nclass class def ((("}, true},
		"a syntax error below it":        {map[string]string{"main.py": login + "\ndef broken(:\n    return ]]]\n"}, true},
		"5 MB beside it":                 {map[string]string{"main.py": login, "big.py": "import fastapi\n" + strings.Repeat("x = 1\n", 900_000)}, true},
		"5 MB of itself":                 {map[string]string{"main.py": login + strings.Repeat("x = 1\n", 900_000)}, false},
		"deep nesting":                   {map[string]string{"main.py": login, "deep.py": "import fastapi\nx = " + deep + "1" + strings.Repeat(")", 20_000)}, true},
		"deep nesting, never ended":      {map[string]string{"main.py": login, "deep.py": "import fastapi\nx = " + deep}, true},
		"deep lists":                     {map[string]string{"main.py": login, "deep.py": "import fastapi\nx = " + strings.Repeat("[", 20_000)}, true},
		"deep functions":                 {map[string]string{"main.py": login, "deep.py": "import fastapi\n" + nested("def f%d():", 300)}, true},
		"deep ifs":                       {map[string]string{"main.py": login, "deep.py": "import fastapi\n" + nested("if f%d():", 300)}, true},
		"a long chain of calls":          {map[string]string{"main.py": login, "deep.py": "import fastapi\nx = fastapi" + strings.Repeat(".a()", 50_000)}, true},
		"a sum of many":                  {map[string]string{"main.py": login, "deep.py": "import fastapi\nx = 'a'" + strings.Repeat(" + 'a'", 50_000)}, true},
		"doubling":                       {map[string]string{"main.py": login, "deep.py": "import fastapi\nx = ['a']\n" + strings.Repeat("x = x + x\n", 200) + "y = 'a'\n" + strings.Repeat("y = y + y\n", 200)}, true},
		"doubling of what is sent":       {map[string]string{"main.py": strings.Replace(login, "    response", strings.Repeat("    sid = sid + sid\n", 200)+"    response", 1)}, true},
		"not UTF-8":                      {map[string]string{"main.py": login, "latin.py": "import fastapi\nx = '\xff\xfe\xe4'\n\xff\xff def"}, true},
		"not UTF-8 in it":                {map[string]string{"main.py": "# \xe4\xff\n" + login}, true},
		"a byte order mark":              {map[string]string{"main.py": "\ufeff" + login}, true},
		"NUL":                            {map[string]string{"main.py": login, "nul.py": "import fastapi\x00\x00\nx = '\x00'"}, true},
		"CRLF":                           {map[string]string{"main.py": strings.ReplaceAll(login, "\n", "\r\n")}, true},
		"tabs":                           {map[string]string{"main.py": strings.ReplaceAll(login, "    ", "\t")}, true},
		"modules that import each other": {map[string]string{"main.py": "import a\n" + login, "a.py": "import b, fastapi\nfrom b import *\n", "b.py": "import a, fastapi\nfrom a import *\n"}, true},
		"functions that call each other": {map[string]string{"main.py": "def a(x): return b(x) + b(x)\ndef b(x): return a(x) + a(x)\n" + login + "    a(sid)\n"}, true},
		"calls that double":              {map[string]string{"main.py": doubling(40) + login + "    f0(sid)\n"}, true},
		"hostile names":                  {map[string]string{"main.py": login, "a\nb\x1b[31m.py": "import fastapi\n", "::error::x.py": "import fastapi\n", "..py": "import fastapi", "-.py": "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			source := workspace(t, one.files, locate.Start{})
			place, reason := source.Handler("POST", "/login", "")
			if found := place.File == "main.py"; found != one.found {
				t.Errorf("%s %s", place, reason)
			}
			source.Flow(place, "sid")
			source.Cookie(place, "sid")
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if strings.ContainsFunc(fmt.Sprint(source.Flow(place, "sid")), unicode.IsControl) {
				t.Error("a control character in the flow")
			}
		})
	}
}

func nested(head string, depth int) string {
	var made strings.Builder
	for i := range depth {
		fmt.Fprintf(&made, "%s"+head+"\n", strings.Repeat(" ", i), i)
	}
	return made.String() + strings.Repeat(" ", depth) + "pass\n"
}

func doubling(depth int) string {
	var made strings.Builder
	for i := range depth {
		fmt.Fprintf(&made, "def f%d(x):\n    f%d(x)\n    return f%d(x)\n", i, i+1, i+1)
	}
	return made.String()
}

// The names in a flow are the source's: none of them steers a terminal.
func TestHostileNamesInAFlow(t *testing.T) {
	t.Parallel()
	source := strings.Replace(login, "Cookie(None)", "Cookie(None, alias='a\x1b[31m\u202e\x07"+strings.Repeat("b", 3000)+"')", 1)
	steps := flowOf(t, source, "")
	if len(steps) != 2 {
		t.Fatalf("%v", steps)
	}
	for _, step := range steps {
		if strings.ContainsFunc(step.What, func(char rune) bool { return !unicode.IsPrint(char) }) || len(step.What) > 300 {
			t.Errorf("%q", step.What)
		}
	}
}

func TestALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	folder, outside := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "main.py"), []byte(login), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"main.py": filepath.Join(outside, "main.py"), "folder": outside, "loop": "."} {
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	source, err := locate.Read(t.Context(), folder, locate.Start{}, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if place, _ := source.Handler("POST", "/login", ""); place != (locate.Place{}) {
		t.Errorf("%s is outside", place)
	}
}
