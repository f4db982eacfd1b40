"""The hardened app, whose session ids are the MD5 of the user name and the time."""

import hashlib
import time

import chosen

last = 0


def new_id(username: str) -> str:
    global last
    last = max(last + 1, time.time_ns() // 1_000_000)
    return hashlib.md5(f"{username}{last}".encode()).hexdigest()


app = chosen.with_ids("ids: md5", new_id)
