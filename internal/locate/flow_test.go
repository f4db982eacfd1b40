package locate_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// app is a login handler with what stands before it.
func app(head, login string) string {
	return "import secrets, uuid\nfrom fastapi import FastAPI, Response, Request, Cookie, Header, Query, Depends, Form, Body\nfrom pydantic import BaseModel\n" +
		"app = FastAPI()\nclass Credentials(BaseModel):\n    username: str\n    password: str\n    session_id: str | None = None\n" + head + "\n" + login
}

func said(steps []locate.Step) string {
	var all []string
	for _, step := range steps {
		all = append(all, step.What)
	}
	return strings.Join(all, " > ")
}

func flowOf(t *testing.T, source, cookie string) []locate.Step {
	t.Helper()
	made := workspace(t, map[string]string{"main.py": source}, locate.Start{})
	place, reason := made.Handler("POST", "/login", "")
	if place == (locate.Place{}) {
		t.Fatalf("no handler: %s\n%s", reason, source)
	}
	return made.Flow(place, cookie)
}

func TestFlow(t *testing.T) {
	t.Parallel()
	const post = "@app.post('/login')\n"
	for name, one := range map[string]struct{ head, login, cookie, want string }{
		"asyncpg": {login: post + "async def login(body: Credentials, conn=Depends(pool)):\n" +
			"    await conn.execute('INSERT INTO sessions (user_id, session_id) VALUES ($1, $2)', 7, body.session_id)\n",
			want: "session_id comes from the JSON body (field of Credentials) > written to the INSERT into sessions"},
		"asyncpg, fresh": {login: post + "async def login(body: Credentials, conn=Depends(pool)):\n" +
			"    session_id = secrets.token_urlsafe(32)\n    await conn.execute('INSERT INTO sessions (user_id, session_id) VALUES ($1, $2)', body.username, session_id)\n"},
		"a lookup of the user": {login: post + "async def login(body: Credentials, conn=Depends(pool)):\n" +
			"    row = await conn.fetchrow('SELECT id FROM users WHERE name = $1 AND password = $2', body.username, body.password)\n"},
		"a user is registered": {login: post + "async def login(body: Credentials, conn=Depends(pool)):\n" +
			"    await conn.execute('INSERT INTO users (name, password, session_count) VALUES ($1, $2, 0)', body.username, body.password)\n"},
		"given or fresh": {login: post + "def login(response: Response, sid: str | None = Cookie(None)):\n" +
			"    sid = sid or str(uuid.uuid4())\n    response.set_cookie('sid', sid)\n",
			want: "sid comes from a cookie > kept in sid > set as the cookie sid"},
		"annotated in place": {head: "from typing import Annotated, Optional", login: post + "def login(response: Response, a: Annotated[str | None, Header(alias='X-Session')] = None, b: Annotated[Optional[Credentials], Body()] = None):\n" +
			"    response.set_cookie('sid', a or b.session_id)\n",
			want: "X-Session comes from a header > session_id comes from the JSON body (field of Credentials) > set as the cookie sid"},
		"a body that may be left out": {head: "from typing import Annotated, Optional", login: post + "def login(response: Response, a: Credentials | None = None, b: Optional[Credentials] = None):\n" +
			"    response.set_cookie('sid', a.session_id)\n    response.set_cookie('session', b.session_id)\n",
			want: "session_id comes from the JSON body (field of Credentials) > set as the cookie sid > set as the cookie session"},
		"overwritten": {login: post + "def login(response: Response, sid: str | None = Cookie(None)):\n" +
			"    sid = str(uuid.uuid4())\n    response.set_cookie('sid', sid)\n"},
		"overwritten where there is one": {login: post + "def login(response: Response, sid: str | None = Cookie(None)):\n" +
			"    if sid:\n        sid = renew(sid)\n    else:\n        sid = str(uuid.uuid4())\n    response.set_cookie('sid', sid)\n"},
		"fresh where there is none": {login: post + "def login(response: Response, sid: str | None = Cookie(None)):\n" +
			"    if not sid:\n        sid = str(uuid.uuid4())\n    response.set_cookie('sid', sid)\n",
			want: "sid comes from a cookie > set as the cookie sid"},
		"a header line": {login: post + "def login(response: Response, x_session: str = Header()):\n" +
			"    response.headers['Set-Cookie'] = f'id={x_session}; HttpOnly'\n", cookie: "id",
			want: "x-session comes from a header > set as the cookie id"},
		"a header line of another": {login: post + "def login(response: Response, theme: str = Query()):\n" +
			"    response.headers['Set-Cookie'] = f'theme={theme}'\n", cookie: "id"},
		"a theme": {login: post + "def login(response: Response, theme: str = Query()):\n    response.set_cookie('theme', theme)\n", cookie: "id"},
		"signed with a part of its own": {login: post + "def login(response: Response, sid: str = Query()):\n" +
			"    response.set_cookie('sid', f'{sid}.{secrets.token_hex()}')\n"},
		"the request": {login: post + "async def login(request: Request, response: Response):\n    data = await request.json()\n" +
			"    sid = data.get('sid') or request.cookies.get('sid') or request.query_params['sid']\n    response.set_cookie(key='sid', value=sid, httponly=True)\n",
			want: "sid comes from the JSON body > sid comes from a cookie > sid comes from the query > kept in sid > set as the cookie sid"},
		"the request, fresh": {login: post + "async def login(request: Request, response: Response):\n    data = await request.json()\n" +
			"    await check(data['username'], data['password'], request.cookies.get('sid'))\n    response.set_cookie(key='sid', value=secrets.token_hex(), httponly=True)\n"},
		"psycopg with names": {login: post + "def login(body: Credentials):\n    with connect() as c:\n        c.cursor().execute('insert into login_sessions (id, who) values (%(id)s, %(who)s)', {'id': body.session_id, 'who': body.username})\n",
			want: "session_id comes from the JSON body (field of Credentials) > written to the INSERT into login_sessions"},
		"psycopg with names, fresh": {login: post + "def login(body: Credentials):\n    with connect() as c:\n        c.cursor().execute('insert into login_sessions (id, who) values (%(id)s, %(who)s)', {'id': secrets.token_hex(), 'who': body.username})\n"},
		"in the text": {login: post + "def login(body: Credentials):\n    c.execute(f\"INSERT INTO sessions (who, token) VALUES ('{body.username}', '{body.session_id}')\")\n",
			want: "session_id comes from the JSON body (field of Credentials) > written to the INSERT into sessions"},
		"in the text, fresh": {login: post + "def login(body: Credentials):\n    c.execute(f\"INSERT INTO sessions (who, token) VALUES ('{body.username}', '{secrets.token_hex()}')\")\n"},
		"the row of a session that was there": {login: post + "def login(body: Credentials, sid: str = Cookie()):\n    c.execute('UPDATE sessions SET user_id = %s WHERE session_id = %s', (7, sid))\n",
			want: "sid comes from a cookie > chooses the row of sessions that the UPDATE gives to the user"},
		"the row is ended":   {login: post + "def login(body: Credentials, sid: str = Cookie()):\n    c.execute('UPDATE sessions SET revoked = true, user_id = NULL WHERE session_id = %s', (sid,))\n"},
		"the row is renewed": {login: post + "def login(body: Credentials, sid: str = Cookie()):\n    c.execute('UPDATE sessions SET session_id = %s, user_id = %s WHERE session_id = %s', (secrets.token_hex(), 7, sid))\n"},
		"a column that the cookie has too": {login: post + "def login(response: Response, given: str = Query()):\n    c.execute('INSERT INTO logins (handle, who) VALUES (?, ?)', (given, 7))\n    response.set_cookie('id', given)\n", cookie: "id",
			want: "given comes from the query > written to the INSERT into logins > set as the cookie id"},
		"SQLAlchemy's insert": {head: "from sqlalchemy import insert, Table, text\nfrom models import sessions",
			login: post + "def login(body: Credentials):\n    with engine.begin() as c:\n        c.execute(insert(sessions).values(session_id=body.session_id, user_id=7))\n",
			want:  "session_id comes from the JSON body (field of Credentials) > written to the columns of sessions"},
		"SQLAlchemy's insert, fresh": {head: "from sqlalchemy import insert, Table, text\nfrom models import sessions",
			login: post + "def login(body: Credentials):\n    with engine.begin() as c:\n        c.execute(insert(sessions).values(session_id=secrets.token_hex(), user=body.username))\n"},
		"SQLAlchemy's text": {head: "from sqlalchemy import text",
			login: post + "def login(body: Credentials):\n    with engine.begin() as c:\n        c.execute(text('INSERT INTO sessions (sid, who) VALUES (:sid, :who)'), {'sid': body.session_id, 'who': body.username})\n",
			want:  "session_id comes from the JSON body (field of Credentials) > written to the INSERT into sessions"},
		"an object": {head: "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): ...\nclass UserSession(Base):\n    __tablename__ = 'sessions'\n",
			login: post + "def login(body: Credentials, db=Depends(session)):\n    row = UserSession(user_id=7)\n    row.id = body.session_id\n    db.add(row)\n",
			want:  "session_id comes from the JSON body (field of Credentials) > kept in a new UserSession"},
		"an object, fresh": {head: "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): ...\nclass UserSession(Base):\n    __tablename__ = 'sessions'\n",
			login: post + "def login(body: Credentials, db=Depends(session)):\n    db.add(UserSession(user=body.username, id=secrets.token_hex()))\n"},
		"Redis": {head: "import redis\nr = redis.Redis()", login: post + "def login(body: Credentials, sid: str = Cookie(None)):\n    sid = sid or secrets.token_hex()\n    r.setex(f'session:{sid}', 3600, body.username)\n",
			want: "sid comes from a cookie > kept in sid > becomes a key of r"},
		"Redis, fresh":          {head: "import redis\nr = redis.Redis()", login: post + "def login(body: Credentials, sid: str = Cookie(None)):\n    r.delete(f'session:{sid}')\n    sid = secrets.token_hex()\n    r.setex(f'session:{sid}', 3600, body.username)\n"},
		"Redis, something else": {head: "import redis\nr = redis.Redis()", login: post + "def login(body: Credentials):\n    r.set(f'failures:{body.username}', 1)\n"},
		"a dict":                {head: "SESSIONS = {}", login: post + "def login(body: Credentials):\n    SESSIONS[body.session_id] = body.username\n", want: "session_id comes from the JSON body (field of Credentials) > becomes a key of SESSIONS"},
		"a dict of users":       {head: "USERS = {}", login: post + "def login(body: Credentials):\n    USERS[body.username] = 1\n"},
		"through functions": {head: "def begin(user, given):\n    session_id = given or fresh()\n    db.execute('INSERT INTO sessions (session_id) VALUES (?)', [session_id])\n    return session_id\n",
			login: post + "def login(body: Credentials, response: Response):\n    response.set_cookie('sid', begin(7, body.session_id))\n",
			want:  "session_id comes from the JSON body (field of Credentials) > handed on as given > kept in session_id > written to the INSERT into sessions > set as the cookie sid"},
		"in a thread": {head: "from fastapi.concurrency import run_in_threadpool\ndef keep(sid):\n    db.execute('INSERT INTO sessions (session_id) VALUES (?)', [sid])\n",
			login: post + "async def login(body: Credentials):\n    await run_in_threadpool(keep, body.session_id)\n",
			want:  "session_id comes from the JSON body (field of Credentials) > handed on as sid > written to the INSERT into sessions"},
		"an exception on the way": {login: post + "def login(response: Response, sid: str = Cookie(None)):\n    try:\n        check(sid)\n    except ValueError:\n        sid = secrets.token_hex()\n    response.set_cookie('sid', sid)\n",
			want: "sid comes from a cookie > set as the cookie sid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := app(one.head, one.login)
			if got := said(flowOf(t, source, one.cookie)); got != one.want {
				t.Errorf("got  %s\nwant %s\n%s", got, one.want, one.login)
			}
		})
	}
}

// The vulnerable applications of this repository have the pattern in their
// login, another in its visit, and the others have none anywhere.
func TestFlowInTheApplicationsOfThisRepository(t *testing.T) {
	t.Parallel()
	apps, err := filepath.Glob(filepath.Join(testenv, "fastapi", "*", "app.py"))
	if err != nil || len(apps) < 10 {
		t.Fatal(apps, err)
	}
	for _, app := range apps {
		name := filepath.Base(filepath.Dir(app))
		source, err := locate.Read(t.Context(), testenv, locate.Start{Folder: "fastapi", Command: []string{"./serve", name + ".app:app"}}, locate.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, request := range []string{"GET /", "POST /login", "GET /profile", "POST /logout"} {
			method, path, _ := strings.Cut(request, " ")
			place, reason := source.Handler(method, path, "")
			if reason.Code != locate.Found {
				t.Errorf("%s %s: %s", name, request, reason)
			}
			got := source.Flow(place, "session_id")
			adopts := strings.HasPrefix(name, "vulnerable") && request == "POST /login" || name == "adopts_unknown" && request == "GET /"
			if adopts != (len(got) > 0) {
				t.Errorf("%s %s: %v", name, request, got)
			}
		}
	}
}
