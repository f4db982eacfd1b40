"""The hardened app, whose session ids are the time in milliseconds."""

import time

import chosen

last = 0


def new_id(_username: str) -> str:
    global last
    last = max(last + 1, time.time_ns() // 1_000_000)
    return str(last)


app = chosen.with_ids("ids: milliseconds", new_id)
