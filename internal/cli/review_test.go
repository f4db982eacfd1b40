package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
)

const careless = `@router.post("/login/{ticket}")
async def login(ticket: str, body: Login, response: Response, q: str = Query(), h: str = Header(), f: str = Form()):
    sid = body.sid or q or h or f or ticket
    await conn.execute(f"INSERT INTO sessions (sid, who) VALUES ('{sid}', 1)")
    response.set_cookie("sid", sid, samesite=None)
    response.headers["Set-Cookie"] = "lang=de"
`

func TestReviewNamesRulesOfTheCatalogue(t *testing.T) {
	t.Parallel()
	made, err := review(t.Context(), careless, "")
	if err != nil {
		t.Fatal(err)
	}
	named := slices.Clone(made.Tests)
	for _, one := range slices.Concat(made.Steps, made.Patterns) {
		if one.Rule != "" {
			named = append(named, one.Rule)
		}
		if one.Line < 1 || one.Line > strings.Count(careless, "\n") || one.Says == "" {
			t.Errorf("%+v", one)
		}
	}
	if len(made.Tests) < 10 || len(made.Patterns) < 4 {
		t.Errorf("tests %v, patterns %v", made.Tests, made.Patterns)
	}
	for _, rule := range named {
		known := slices.ContainsFunc(catalog.Rules(), func(one finding.Rule) bool { return one.Base() == rule })
		if !known {
			t.Errorf("%s is no rule", rule)
		}
	}
}

func TestReviewOfAHardenedHandlerHasNoPattern(t *testing.T) {
	t.Parallel()
	made, err := review(t.Context(), `@router.post("/login")
async def login(body: Login, response: Response, sid: str | None = Cookie(None)):
    await conn.execute("DELETE FROM sessions WHERE sid = $1", sid)
    sid = secrets.token_urlsafe(32)
    await conn.execute("INSERT INTO sessions (sid, who) VALUES ($1, $2)", sid, body.username)
    response.set_cookie("__Host-sid", sid, secure=True, httponly=True, samesite="lax")
`, "python")
	if err != nil || len(made.Patterns) > 0 || len(made.Steps) != 1 || made.Steps[0].Line != 6 {
		t.Errorf("%+v %v", made, err)
	}
}
