"""What readers see in a region, in one line that a person can read.

    cart {bread milk}, hits = 3, log [a b], user {name: Ann}, board (ann 3, bob 5)

Sets, hashes and sorted sets are sorted; a key with a time to live says how much is left of it.
"""

from __future__ import annotations

from typing import Any

from crdb.resp.numbers import format_double
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.contested import Contested
from crdt.types.hash import HASH
from crdt.types.list import LIST
from crdt.types.set import SET_TYPE
from crdt.types.sorted_set import ZSET
from sim.nodes.saying import plain

NOTHING = "nothing"


def state_text(db: Keyspace) -> str:
    """All keys of a region, sorted."""
    return ", ".join(key_text(db, key) for key in sorted(db.keys())) or NOTHING


def key_text(db: Keyspace, key: bytes) -> str:
    """One key with its value, and what is left of its life."""
    value = db.lookup(key)
    assert value is not None
    text = f"{plain(key)} {value_text(value)}"
    deadline = db.deadline(key)
    if deadline is not None:
        text += f" for {seconds(deadline - db.now)}"
    held = db.data.get(key)
    if isinstance(held, Contested):
        others = len([part for part in held.parts.values() if part.alive()]) - 1
        text += f" (and {others} of another type)" if others else ""
    return text


def value_text(value: Value) -> str:
    """A value, in brackets that tell its type."""
    return shown_text(value.code(), value.visible())


def shown_text(code: int, shown: Any) -> str:
    """What a value of a type shows, in brackets that tell the type."""
    if code == SET_TYPE:
        return f"{{{' '.join(plain(member) for member in shown)}}}"
    if code == HASH:
        return f"{{{', '.join(f'{plain(name)}: {plain(text)}' for name, text in shown)}}}"
    if code == ZSET:
        pairs = sorted(shown, key=lambda pair: (pair[1], pair[0]))
        return f"({', '.join(f'{plain(m)} {plain(format_double(score))}' for m, score in pairs)})"
    if code == LIST:
        return f"[{' '.join(plain(item) for item in shown)}]"
    return f"= {plain(shown)}"


def seconds(ms: int) -> str:
    """A time span, to the millisecond."""
    return f"{ms / 1000:g} s"
