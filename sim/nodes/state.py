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
from sim.nodes.formatting import format_bytes

NOTHING = "nothing"


def format_state(db: Keyspace) -> str:
    """All keys of a region, sorted."""
    return ", ".join(format_key(db, key) for key in sorted(db.keys())) or NOTHING


def format_key(db: Keyspace, key: bytes) -> str:
    """Return one key with its value and its remaining time to live."""
    value = db.lookup(key)
    assert value is not None
    text = f"{format_bytes(key)} {format_value(value)}"
    deadline = db.deadline(key)
    if deadline is not None:
        text += f" for {format_seconds(deadline - db.now)}"
    held = db.data.get(key)
    if isinstance(held, Contested):
        others = len([part for part in held.parts.values() if part.is_live()]) - 1
        text += f" (and {others} of another type)" if others else ""
    return text


def format_value(value: Value) -> str:
    """Return a value, in the brackets of its type."""
    return format_shown(value.code(), value.visible())


def format_shown(code: int, shown: Any) -> str:
    """Return a shown value, in the brackets of its type."""
    if code == SET_TYPE:
        return f"{{{' '.join(format_bytes(member) for member in shown)}}}"
    if code == HASH:
        fields = [f"{format_bytes(name)}: {format_bytes(text)}" for name, text in shown]
        return f"{{{', '.join(fields)}}}"
    if code == ZSET:
        pairs = sorted(shown, key=lambda pair: (pair[1], pair[0]))
        entries = [f"{format_bytes(m)} {format_bytes(format_double(score))}" for m, score in pairs]
        return f"({', '.join(entries)})"
    if code == LIST:
        return f"[{' '.join(format_bytes(item) for item in shown)}]"
    return f"= {format_bytes(shown)}"


def format_seconds(ms: int) -> str:
    """A time span, to the millisecond."""
    return f"{ms / 1000:g} s"
