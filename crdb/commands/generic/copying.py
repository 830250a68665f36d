"""Copies of large values, in slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdt.types.base import Value
from crdt.types.hash import Hash
from crdt.types.list import List
from crdt.types.set import Set
from crdt.types.sorted_set import SortedSet
from crdt.writes.content_writers import CONTENT_WRITERS


def size_of(value: Value) -> int:
    """Return the number of elements that a copy of `value` writes. Strings are copied at once."""
    if isinstance(value, Set | Hash | SortedSet):
        return value.size()
    return value.length() if isinstance(value, List) else 0


def copy_steps(client: Client, value: Value, source: bytes, sink: bytes) -> Iterator[None]:
    """Replace the content of `sink` by that of `source`, which is `value`, with its time to
    live."""
    db = client.db
    deadline = db.deadline(source)
    write = CONTENT_WRITERS[value.code()]
    db.delete(sink)
    for content in pieces_of(value, client.slice_items):
        write(db, sink, content)
        yield
    db.expire(sink, deadline)


def pieces_of(value: Value, size: int) -> Iterator[list[Any]]:
    """Yield the content of a large value, about `size` elements at a time."""
    if isinstance(value, List):
        for start in range(0, value.length(), size):
            yield value.values(start, min(start + size, value.length()))
    elif isinstance(value, Set):
        yield from slicing.in_pieces(value.names(), size)
    elif isinstance(value, Hash):
        for names in slicing.in_pieces(value.names(), size):
            pairs: list[Any] = []
            for name in names:
                pairs += (name, value.get(name))
            yield pairs
    else:
        assert isinstance(value, SortedSet), "its size is 0"
        for names in slicing.in_pieces(value.names(), size):
            scores: list[Any] = []
            for name in names:
                scores += (name, value.held_score(name))
            yield scores
