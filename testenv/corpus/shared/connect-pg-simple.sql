-- The table that connect-pg-simple expects, by its documentation.
CREATE TABLE IF NOT EXISTS "session" (
    sid    VARCHAR PRIMARY KEY,
    sess   JSON NOT NULL,
    expire TIMESTAMP(6) NOT NULL
);
