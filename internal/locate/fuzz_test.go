package locate

import (
	"strings"
	"testing"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// One set of parsers serves all, since compiling a grammar takes most of the time.
func FuzzReview(f *testing.F) {
	f.Add("@r.post('/x')\ndef f(b: B, r: Request, sid: str = Cookie(None, alias='s')):\n    r.set_cookie('sid', sid or b.sid)\n")
	f.Add("@r.post('/x')\ndef f(b: B, r: Request):\n    c.execute(f\"INSERT INTO s (sid) VALUES ('{b.sid}')\")\n    c.execute('UPDATE t SET a=%s WHERE sid=%(x)s' % (b, 1), {'x': b['y']})\n")
	f.Add("class A(Base):\n    def f(self, *a, **k):\n        self.x: int = k\n        return '%s {0!r} {x}'.format(*a, **k) + a[0]\n")
	f.Add("async def login(request):\n    d = await request.json()\n    for k in [1, 2]:\n        d = d + d\n    response.headers['Set-Cookie'] = 'sid=%s; Secure' % d['a']\n    SESSIONS[d] = lambda x: x\n")
	f.Add("def g(x, *, y=1): return g\ng(1)(2)[3].a = b = c\nwith g(g) as h, (i): pass\ntry:\n    j\nexcept E as e: k = e\nmatch l:\n    case 1: m = n\n")
	parsers, err := syntax.New(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = parsers.Close() })
	f.Fuzz(func(t *testing.T, source string) {
		tree, err := parsers.Parse(t.Context(), syntax.Python, []byte(source))
		if err != nil {
			return
		}
		read := reviewed(t.Context(), tree)
		for _, step := range read.Steps {
			if step.Place.Line < 1 || step.Place.Line > strings.Count(source, "\n")+1 || strings.ContainsFunc(step.What, func(char rune) bool { return !unicode.IsPrint(char) }) {
				t.Errorf("%+v", step)
			}
		}
		if read.Sinks > len(read.Steps) {
			t.Errorf("%d sinks of %d steps", read.Sinks, len(read.Steps))
		}
	})
}
