"""Removals of many elements of a list, in slices: pops, LTRIM and LREM."""

from __future__ import annotations

from collections.abc import Iterator

from crdb.commands.shared import slicing
from crdb.commands.shared.typed_values import read_typed_for_write
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.types.list import List
from crdt.writes import list as lists


def pop_steps(client: Client, key: bytes, count: int, end: int) -> Iterator[None]:
    """Pop `count` elements, which exist, and reply with them."""
    elements: list[bytes] = []
    yield from pop_elements(client, key, count, end, elements)
    reply.array(client.out, len(elements))
    yield from slicing.reply_bulks(client, elements)
    yield from slicing.empty_list(client, elements)


def pop_elements(
    client: Client, key: bytes, count: int, end: int, found: list[bytes]
) -> Iterator[None]:
    """Remove `count` elements, which exist, from the head (`end` is 0) or the tail (-1), and add
    them to `found` in that order."""
    value = read_typed_for_write(client.db, key, List)
    assert value is not None, "it has elements"
    items, size = client.slice_items, value.length()
    for done in range(0, count, items):
        last = min(done + items, count)
        if end == 0:
            found += value.values(done, last)
        else:
            piece = value.values(size - last, size - done)
            piece.reverse()
            found += piece
        if last < count:
            yield
    if end == 0:
        yield from remove_slice(client, key, value, 0, count)
    else:
        yield from remove_slice(client, key, value, size - count, size)


def remove_slice(client: Client, key: bytes, value: List, start: int, stop: int) -> Iterator[None]:
    """Remove the elements with `start` <= index < `stop`. Removing all of them is one short DEL."""
    db = client.db
    if stop - start == value.length() > 1 and not db.is_contested(key):
        db.delete(key)
        return
    for first in range(start, stop, client.slice_items):
        if first > start:
            yield
        lists.remove_range(db, key, start, start + min(client.slice_items, stop - first))
