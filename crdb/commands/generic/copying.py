"""Copies of large values, in slices."""

from __future__ import annotations

from collections.abc import Iterator

from crdb.engine.client import Client
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.writes.content_writers import CONTENT_WRITERS


def size_of(db: Keyspace, value: Value) -> int:
    """Return the number of elements that a copy of `value` writes. Strings are copied at once."""
    count = db.types.definition(value).content_size
    return 0 if count is None else count(value)


def copy_steps(client: Client, value: Value, source: bytes, sink: bytes) -> Iterator[None]:
    """Replace the content of `sink` by that of `source`, which is `value`, a collection, with its
    time to live."""
    db = client.db
    deadline = db.deadline(source)
    pieces = db.types.definition(value).content_pieces
    assert pieces is not None, "its size is 0"
    write = CONTENT_WRITERS[value.code()]
    db.delete(sink)
    for content in pieces(value, client.slice_items):
        write(db, sink, content)
        yield
    db.expire(sink, deadline)
