package locate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

func TestReviewSource(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		source, language string
		steps            string
		cookies          string
		rules            []string
	}{
		"FastAPI without its imports": {
			source: "@router.post('/login')\nasync def login(creds: Credentials, response: Response, conn=Depends(get_conn)):\n    sid = creds.session_id or secrets.token_urlsafe(32)\n" +
				"    await conn.execute(\"INSERT INTO sessions (id, user_id) VALUES ($1, $2)\", sid, creds.username)\n    response.set_cookie('sid', sid, httponly=True)\n",
			steps:   "session_id comes from the JSON body (field of Credentials) > kept in sid > written to the INSERT into sessions > set as the cookie sid",
			cookies: "[{:5 sid [secure]}]", rules: []string{"session-id-accepted-in-json-body", "session-cookie-missing-secure"},
		},
		"FastAPI without its imports, fresh": {
			source: "@router.post('/login')\nasync def login(creds: Credentials, response: Response, conn=Depends(get_conn), sid: str = Cookie(None)):\n    sid = secrets.token_urlsafe(32)\n" +
				"    await conn.execute(\"INSERT INTO sessions (id, user_id) VALUES ($1, $2)\", sid, creds.username)\n    response.set_cookie('sid', sid, httponly=True, secure=True)\n",
			cookies: "[{:5 sid []}]",
		},
		"a query parameter": {
			source: "@app.get('/login')\ndef login(response: Response, session: str = Query(None, alias='s'), x: Annotated[str | None, Header(alias='X-Session')] = None):\n    response.set_cookie(key='session', value=session or x, secure=False, httponly=True)\n",
			steps:  "s comes from the query > X-Session comes from a header > set as the cookie session", cookies: "[{:3 session [secure]}]",
			rules: []string{"session-id-accepted-in-query", "session-id-accepted-in-header"},
		},
		"indented, in a fence, with CRLF": {
			source: "```python\r\n    @app.post('/login')\r\n    async def login(request: Request):\r\n        data = await request.json()\r\n        SESSIONS[data['sid']] = data['user']\r\n```\r\n",
			steps:  "sid comes from the JSON body > becomes a key of SESSIONS", cookies: "[]", rules: []string{"session-id-accepted-in-json-body"},
		},
		"Flask": {
			source: "from flask import request\n@bp.route('/login', methods=['POST'])\ndef login():\n    resp = redirect('/')\n    resp.set_cookie('sid', request.args.get('sid') or fresh(), secure=True, httponly=True)\n    return resp\n",
			steps:  "sid comes from the query > set as the cookie sid", cookies: "[{:5 sid [samesite]}]", rules: []string{"session-cookie-samesite"},
		},
		"an ORM": {
			source: "def login(payload: LoginIn, db: Session = Depends(get_db)):\n    s = UserSession(id=payload.session_id)\n    db.add(s)\n",
			steps:  "session_id comes from the JSON body (field of LoginIn) > kept in a new UserSession", cookies: "[]",
		},
		"an ORM, fresh": {
			source: "def login(payload: LoginIn, db: Session = Depends(get_db)):\n    s = UserSession(id=uuid4(), user=payload.username)\n    db.add(s)\n", cookies: "[]",
		},
		"a cookie with options of its own": {
			source: "def login(response: Response, sid: str = Cookie()):\n    response.set_cookie('sid', new_id(), **OPTIONS)\n", cookies: "[{:2 sid []}]",
		},
		"a header line": {
			source: "def login(response: Response):\n    response.headers['Set-Cookie'] = f'sid={new_id()}; Path=/; HttpOnly'\n", cookies: "[{:2 sid [secure samesite]}]",
		},
		"SQL that is joined": {
			source: "@app.post('/login')\ndef login(body: Login):\n    cur.execute(f\"INSERT INTO sessions (sid, who) VALUES ('{body.sid}', 1)\")\n",
			steps:  "sid comes from the JSON body (field of Login) > written to the INSERT into sessions", cookies: "[]", rules: []string{"session-id-sql-injection"},
		},
		"a broken line": {
			source: "@app.post('/login')\ndef login(response: Response, sid: str = Cookie()):\n    x = 1 +\n    response.set_cookie('sid', sid, secure=True, httponly=True)\n    return {", cookies: "[{:4 sid []}]",
			steps: "sid comes from a cookie > set as the cookie sid",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := locate.ReviewSource(t.Context(), one.source, one.language)
			if err != nil {
				t.Fatal(err)
			}
			if got.Language != "python" || said(got.Steps) != one.steps {
				t.Errorf("%s %q: %s\nwant %s", got.Language, got.Note, said(got.Steps), one.steps)
			}
			if cookies := fmt.Sprint(got.Cookies); cookies != one.cookies {
				t.Errorf("cookies %s, want %s", cookies, one.cookies)
			}
			for _, rule := range append(one.rules, "session-id-not-rotated-on-login") {
				if !slices.Contains(got.Rules, rule) {
					t.Errorf("rules %v, want %s", got.Rules, rule)
				}
			}
			if one.steps == "" && slices.ContainsFunc(got.Rules, func(rule string) bool { return strings.HasPrefix(rule, "session-id-accepted-in") }) {
				t.Errorf("rules %v", got.Rules)
			}
		})
	}
}

func TestReviewOfOtherLanguages(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"app.post('/login', (req, res) => {\n  const sid = req.body.sid;\n  res.cookie('sid', sid);\n});": "javascript",
		"func login(w http.ResponseWriter, r *http.Request) {\n\tsid := r.FormValue(\"sid\")\n}":          "go",
		"<?php session_id($_COOKIE['x']);": "php",
		"nothing that looks like a source": "",
	} {
		got, err := locate.ReviewSource(t.Context(), source, "")
		if err != nil || got.Language != want || got.Note == "" || len(got.Rules) == 0 || len(got.Steps) > 0 {
			t.Errorf("%q: %+v %v", source, got, err)
		}
	}
}
