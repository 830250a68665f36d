"""Which representation Redis 7.2 would choose for a value under the limits of CONFIG SET.

Nothing here is kept that way: OBJECT ENCODING computes it from what the value holds now. So unlike
in Redis a new limit counts for values that exist already, and a value that shrinks is packed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from crdb.resp.numbers import parse_integer
from crdt.types.base import Value
from crdt.types.hash import Hash
from crdt.types.list import List
from crdt.types.set import Set
from crdt.types.sorted_set import SortedSet
from crdt.types.string import String

EMBEDDED_BYTES_MAX: Final = 44
LIST_ITEM_BYTES: Final = 2
"""What an element of a packed list costs besides its bytes, at least."""
LIST_BYTES: Final = (4096, 8192, 16384, 32768, 65536)
"""The sizes that `list-max-listpack-size` -1, -2 ... -5 stands for."""
COUNTED_LIST_BYTES_MAX: Final = 8192
"""The size allowed to a list whose length is limited and not its size."""


@attrs.frozen
class EncodingLimits:
    """The largest value that is packed: entries, and bytes of one item."""

    hash_entries: int = 512
    hash_item_bytes: int = 64
    list_size: int = -2
    set_entries: int = 128
    set_integers: int = 512
    set_item_bytes: int = 64
    sorted_set_entries: int = 128
    sorted_set_item_bytes: int = 64


DEFAULT_LIMITS: Final = EncodingLimits()


def encoding_of(value: Value, limits: EncodingLimits = DEFAULT_LIMITS) -> bytes:
    """Return the name that OBJECT ENCODING replies."""
    if isinstance(value, String):
        text = value.read()
        if value.is_raw or len(text) > EMBEDDED_BYTES_MAX:
            return b"raw"
        return b"embstr" if value.is_text else of_text(text)
    if isinstance(value, Set):
        return of_set(value.members, limits)
    if isinstance(value, Hash):
        if len(value.fields) > limits.hash_entries:
            return b"hashtable"
        items = [item for pair in value.items() for item in pair]
        return b"listpack" if are_short(items, limits.hash_item_bytes) else b"hashtable"
    if isinstance(value, SortedSet):
        is_packed = len(value.fields) <= limits.sorted_set_entries
        is_packed = is_packed and are_short(value.fields, limits.sorted_set_item_bytes)
        return b"listpack" if is_packed else b"skiplist"
    assert isinstance(value, List)
    return of_list(value, limits.list_size)


def of_list(value: List, limit: int) -> bytes:
    """Return the encoding of a list. A limit below 0 is one of size, any other one of length."""
    bytes_max = COUNTED_LIST_BYTES_MAX if limit >= 0 else LIST_BYTES[min(-limit, 5) - 1]
    # No list that is longer fits, so its elements need not be looked at.
    count_max = bytes_max // LIST_ITEM_BYTES if limit < 0 else max(limit, 1)
    if value.length() > count_max:
        return b"quicklist"
    items = value.values(0, value.length())
    size = sum([len(item) + LIST_ITEM_BYTES for item in items])
    return b"listpack" if size <= bytes_max else b"quicklist"


def of_text(text: bytes) -> bytes:
    """The encoding of a string."""
    if parse_integer(text) is not None:
        return b"int"
    return b"embstr" if len(text) <= EMBEDDED_BYTES_MAX else b"raw"


def of_set(members: dict[bytes, int | tuple[int, ...]], limits: EncodingLimits) -> bytes:
    """Return the encoding of a set. Integers that are too many for an intset are hashed at once."""
    count = len(members)
    if all(parse_integer(each) is not None for each in members):
        return b"intset" if count <= limits.set_integers else b"hashtable"
    is_packed = count <= limits.set_entries and are_short(members, limits.set_item_bytes)
    return b"listpack" if is_packed else b"hashtable"


def are_short(items: Iterable[bytes], bytes_max: int) -> bool:
    """Return whether no item is longer than `bytes_max`."""
    return all(len(item) <= bytes_max for item in items)
