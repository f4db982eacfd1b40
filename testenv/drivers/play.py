"""Talks to a database as an API does, with one driver: play.py DRIVER ID.

The database is in DATABASE_URL and, for the second connection, in PGHOST and
its like. Every driver does the same, in the same order:

 1. stores the id, its digest and its UUID, as parameters
 2. reads it, spliced into the text
 3. stores an id with a quote in it, as a parameter
 4. reads that one, spliced into the text, which is a syntax error
 5. stores 500 rows at once, the id in the last of them
 6. reads it over the second connection
"""

import asyncio
import contextlib
import hashlib
import os
import sys
import uuid

DSN = os.environ["DATABASE_URL"]
ID = sys.argv[2]
QUOTED = ID + "'quoted"
DIGEST = hashlib.sha256(ID.encode()).digest()
KEY = uuid.UUID(ID)
CREATE = "CREATE TEMP TABLE sessions (id TEXT, hash BYTEA, key UUID)"
SPLICED = f"SELECT count(*) FROM sessions WHERE id = '{ID}'"
BROKEN = f"SELECT count(*) FROM sessions WHERE id = '{QUOTED}'"
ROWS = [(f"row {i}", b"\x00", uuid.UUID(int=i)) for i in range(499)] + [(ID, b"\x00", uuid.UUID(int=1))]


def expect(want, got):
    if want != got:
        sys.exit(f"got {got}, want {want}")


def dbapi(driver):
    if driver.__name__ == "psycopg2":
        import psycopg2.extras

        psycopg2.extras.register_uuid()
    insert = "INSERT INTO sessions VALUES (%s, %s, %s)"
    with contextlib.closing(driver.connect(DSN)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(CREATE)
        cursor.execute(insert, (ID, DIGEST, KEY))
        cursor.execute(SPLICED)
        expect(1, cursor.fetchone()[0])
        cursor.execute(insert, (QUOTED, b"\x00", KEY))
        try:
            cursor.execute(BROKEN)
        except driver.errors.SyntaxError:
            pass
        cursor.executemany(insert, ROWS)
        cursor.execute("SELECT count(*) FROM sessions")
        expect(502, cursor.fetchone()[0])
    with contextlib.closing(driver.connect("")) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT %s::TEXT", (ID,))
        expect(ID, cursor.fetchone()[0])


def psycopg2():
    import psycopg2

    dbapi(psycopg2)


def psycopg():
    import psycopg

    dbapi(psycopg)


async def asyncpg():
    import asyncpg

    insert = "INSERT INTO sessions VALUES ($1, $2, $3)"
    connection = await asyncpg.connect(DSN)
    await connection.execute(CREATE)
    await connection.execute(insert, ID, DIGEST, KEY)
    expect(1, await connection.fetchval(SPLICED))
    await connection.execute(insert, QUOTED, b"\x00", KEY)
    try:
        await connection.fetchval(BROKEN)
    except asyncpg.PostgresSyntaxError:
        pass
    await connection.executemany(insert, ROWS)
    expect(502, await connection.fetchval("SELECT count(*) FROM sessions"))
    await connection.close()
    connection = await asyncpg.connect()
    expect(ID, await connection.fetchval("SELECT $1::TEXT", ID))
    await connection.close()


async def sqlalchemy():
    from sqlalchemy import exc, text
    from sqlalchemy.ext.asyncio import create_async_engine

    insert = text("INSERT INTO sessions VALUES (:id, :hash, :key)")
    engine = create_async_engine(DSN, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(CREATE))
        await connection.execute(insert, {"id": ID, "hash": DIGEST, "key": KEY})
        expect(1, (await connection.execute(text(SPLICED))).scalar_one())
        await connection.execute(insert, {"id": QUOTED, "hash": b"\x00", "key": KEY})
        try:
            await connection.execute(text(BROKEN))
        except exc.DBAPIError:
            pass
        await connection.execute(insert, [dict(zip(("id", "hash", "key"), row)) for row in ROWS])
        expect(502, (await connection.execute(text("SELECT count(*) FROM sessions"))).scalar_one())
    await engine.dispose()
    engine = create_async_engine(DSN.split("://")[0] + "://")
    async with engine.connect() as connection:
        expect(ID, (await connection.execute(text("SELECT CAST(:id AS TEXT)"), {"id": ID})).scalar_one())
    await engine.dispose()


played = {"psycopg2": psycopg2, "psycopg": psycopg, "asyncpg": asyncpg, "sqlalchemy": sqlalchemy}[sys.argv[1]]()
if played is not None:
    asyncio.run(played)
