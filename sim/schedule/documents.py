"""Commands of clients that edit JSON documents.

A document has a number, an array and an object. Regions edit all of them, replace parts of them and
the whole, so that all rules of JSON documents are met. Commands that find nothing to edit reply an
error, as in a real run.
"""

from __future__ import annotations

from typing import Final

from sim.engine.rng import SeededRandom
from sim.schedule.step import Words

EMPTY: Final = '{"n":0,"l":[],"o":{}}'
MEMBERS: Final = 3
MADE_SHARE: Final = 6
"""The number of commands of which one creates the document if it does not exist."""


def change_document(rng: SeededRandom, key: str, name: str) -> Words:
    """Draw a command for the document under `key`. `name` is a name that is used once."""
    if rng.happens_in(1, MADE_SHARE):
        return ("JSON.SET", key, "$", EMPTY, "NX")
    member = f"$.o.f{rng.integer_below(MEMBERS)}"
    number = str(rng.integer_between(-20, 20))
    text = f'"{name}"'
    return rng.choose_one(
        (
            ("JSON.SET", key, "$", EMPTY),
            ("JSON.SET", key, member, text),
            ("JSON.SET", key, member, f'{{"x":{number}}}'),
            ("JSON.SET", key, "$.n", number),
            ("JSON.SET", key, "$.l[0]", f"[{text}]"),
            ("JSON.SET", key, "$.l[0][0]", number),
            ("JSON.MERGE", key, "$.o", f'{{"f0":{{"y":{text}}},"f1":null}}'),
            ("JSON.NUMINCRBY", key, "$.n", number),
            ("JSON.NUMINCRBY", key, "$.n", "0.5"),
            ("JSON.NUMINCRBY", key, "$..x", number),
            ("JSON.NUMMULTBY", key, "$.n", "2"),
            ("JSON.ARRAPPEND", key, "$.l", text, number),
            ("JSON.ARRINSERT", key, "$.l", "0", text),
            ("JSON.ARRINSERT", key, "$.l", "1", text, text),
            ("JSON.ARRPOP", key, "$.l", number),
            ("JSON.ARRTRIM", key, "$.l", "0", "7"),
            ("JSON.STRAPPEND", key, member, '"+"'),
            ("JSON.DEL", key, member),
            ("JSON.CLEAR", key, rng.choose_one(("$.o", "$.l", "$.n"))),
            ("JSON.DEL", key),
        )
    )
