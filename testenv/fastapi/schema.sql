-- Only what PostgreSQL and CockroachDB both accept: no SERIAL, no extensions, no procedural code.
CREATE TABLE IF NOT EXISTS users (
    user_id       UUID PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,
    email         TEXT NOT NULL,
    password_hash TEXT NOT NULL
);

-- session_id is the id itself in the vulnerable apps and its SHA-256 in the hardened one and most of its variants.
-- user_id is NULL as long as nobody has logged in. The vulnerable apps leave expires_at NULL; only the two expiry_ apps
-- keep last_seen.
CREATE TABLE IF NOT EXISTS sessions (
    session_id TEXT PRIMARY KEY,
    user_id    UUID REFERENCES users (user_id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_seen  TIMESTAMPTZ,
    expires_at TIMESTAMPTZ
);
