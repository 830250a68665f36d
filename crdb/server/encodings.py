"""Which representation Redis 7.2 would choose for a value, with its default limits.

Nothing here is kept that way; OBJECT ENCODING tells it to tools that ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Final

from crdb.resp.numbers import parse_integer
from crdt.hash import Hash
from crdt.list import List
from crdt.set import Set
from crdt.string import String
from crdt.value import Value
from crdt.zset import SortedSet

EMBEDDED_BYTES_MAX: Final = 44
PACKED_ENTRIES_MAX: Final = 128
PACKED_ITEM_BYTES_MAX: Final = 64
INTEGERS_MAX: Final = 512
PACKED_LIST_BYTES_MAX: Final = 8192
LIST_ITEM_BYTES: Final = 2
"""What an element of a packed list costs besides its bytes, at least."""
PACKED_LIST_LENGTH_MAX: Final = PACKED_LIST_BYTES_MAX // LIST_ITEM_BYTES
"""No list that is longer fits, so its elements need not be looked at."""


def encoding_of(value: Value) -> bytes:
    """The name that OBJECT ENCODING replies."""
    if isinstance(value, String):
        return of_text(value.read())
    if isinstance(value, Set):
        return of_set(value.members)
    if isinstance(value, Hash):
        if len(value.fields) > PACKED_ENTRIES_MAX:
            return b"hashtable"
        items = [item for pair in value.items() for item in pair]
        return b"listpack" if is_packed(value.fields, items) else b"hashtable"
    if isinstance(value, SortedSet):
        return b"listpack" if is_packed(value.fields, value.fields) else b"skiplist"
    assert isinstance(value, List)
    items = value.values(0, min(value.length(), PACKED_LIST_LENGTH_MAX + 1))
    size = sum([len(item) + LIST_ITEM_BYTES for item in items])
    return b"listpack" if size <= PACKED_LIST_BYTES_MAX else b"quicklist"


def of_text(text: bytes) -> bytes:
    """The encoding of a string."""
    if parse_integer(text) is not None:
        return b"int"
    return b"embstr" if len(text) <= EMBEDDED_BYTES_MAX else b"raw"


def of_set(members: dict[bytes, int | tuple[int, ...]]) -> bytes:
    """The encoding of a set."""
    if len(members) <= INTEGERS_MAX and all(parse_integer(each) is not None for each in members):
        return b"intset"
    return b"listpack" if is_packed(members, members) else b"hashtable"


def is_packed(entries: Sized, items: Iterable[bytes]) -> bool:
    """Whether a collection is small enough for one block of memory."""
    return len(entries) <= PACKED_ENTRIES_MAX and all(
        len(item) <= PACKED_ITEM_BYTES_MAX for item in items
    )
