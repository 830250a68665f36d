"""Format the data of a region as one line of text.

    cart {bread milk}, hits = 3, log [a b], user {name: Ann}, board (ann 3, bob 5)

Sets and hashes are sorted by name, and sorted sets by score. A key with a time to live is followed
by the remaining time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from crdb.resp.numbers import format_double
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.definition import TextForm
from sim.nodes.formatting import format_bytes

NOTHING = "nothing"


def format_state(db: Keyspace) -> str:
    """Return all keys of a region, sorted, with their values."""
    return ", ".join(format_key(db, key) for key in sorted(db.keys())) or NOTHING


def format_key(db: Keyspace, key: bytes) -> str:
    """Return one key with its value and its remaining time to live, if it has one."""
    value = db.lookup(key)
    assert value is not None
    text = f"{format_bytes(key)} {format_value(db, value)}"
    deadline = db.deadline(key)
    if deadline is not None:
        text += f" for {format_seconds(deadline - db.now)}"
    others = len(db.live_parts(key)) - 1
    return f"{text} (and {others} of another type)" if others else text


def format_value(db: Keyspace, value: Value) -> str:
    """Return a value as text, in the brackets of its type."""
    return format_shown(db.types.definition(value).text_form, value.visible())


def format_shown(form: TextForm | None, shown: Any) -> str:
    """Return a visible value as text, in the brackets of its type."""
    if form is None:
        return f"= {format_item(shown)}"
    if not form.pair:
        rows, separator = [format_item(item) for item in shown], " "
    else:
        pairs = sorted(shown, key=lambda pair: pair[1]) if form.is_by_value else shown
        rows = [f"{format_item(name)}{form.pair}{format_item(item)}" for name, item in pairs]
        separator = ", "
    return f"{form.brackets[0]}{separator.join(rows)}{form.brackets[1]}"


def format_item(item: Any) -> str:
    """Return a byte string, a number, or a list of these as text."""
    if isinstance(item, int):
        return str(item)
    if isinstance(item, list | tuple):
        return f"[{' '.join(map(format_item, cast('Sequence[Any]', item)))}]"
    return format_bytes(format_double(item) if isinstance(item, float) else item)


def format_seconds(ms: int) -> str:
    """Return a time span in seconds, exact to the millisecond."""
    return f"{ms / 1000:g} s"
