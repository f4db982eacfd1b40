"""The hardened app, whose session ids are numbers, one after the other."""

import itertools

import chosen

numbers = itertools.count(100_000)


def new_id(_username: str) -> str:
    return str(next(numbers))


app = chosen.with_ids("ids: counter", new_id)
