"""The hardened app, whose session ids are 128 bits of random.getrandbits."""

import random

import chosen


def new_id(_username: str) -> str:
    return f"{random.getrandbits(128):032x}"


app = chosen.with_ids("ids: getrandbits", new_id)
