package catalog

// FastAPI code that several rules ask for.
const (
	acceptOnlyTheCookie = `cookie = APIKeyCookie(name="__Host-session_id")   # no Query(), Header() or body member beside it

class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")
    username: str
    password: str`

	rotateAtLogin = `session_id = secrets.token_urlsafe(32)
with connection.transaction():
    connection.execute("DELETE FROM sessions WHERE id_hash = %s", (digest(old_id),))
    connection.execute("INSERT INTO sessions (id_hash, user_id, expires_at) VALUES (%s, %s, now() + interval '8 hours')",
                       (digest(session_id), user.id))
response.set_cookie("__Host-session_id", session_id, path="/", secure=True, httponly=True, samesite="lax")`

	endAllSessions = `with connection.transaction():
    connection.execute("DELETE FROM sessions WHERE user_id = %s", (user.id,))   # an index on user_id keeps it cheap
    # the browser that asked gets one new session, as after a login`

	strictCookie = `response.set_cookie("__Host-session_id", session_id, path="/", secure=True, httponly=True, samesite="lax")`
)
