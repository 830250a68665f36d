"""Serialised values as plain content.

All encodings of Redis 6.0 to 7.2 are read, and those of older versions: Redis keeps reading them
too. The content has the form in which the types of `crdt` take it (`TypeDefinition.content`): one
text, elements in order, members, fields and values in turn, or members and scores in turn.

Nothing of a damaged value is returned. What Redis refuses is refused: an empty collection, a member
or a field that comes twice, a score that is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import attrs

from crdb.rdb.errors import RdbError
from crdb.rdb.packed import intset, listpack, ziplist, zipmap
from crdb.rdb.source import RdbSource, parse_score

STRING: Final = b"string"
LIST: Final = b"list"
SET: Final = b"set"
HASH: Final = b"hash"
ZSET: Final = b"zset"
"""The kinds of values, as the command TYPE names them."""
PLAIN_NODE: Final = 1
PACKED_NODE: Final = 2

Reader = Callable[[RdbSource], Iterator[Any]]
"""Yields the content of a value, item by item."""


@attrs.define
class RdbValue:
    """A value: its kind, and its content."""

    kind: bytes
    content: list[Any]


def _text(source: RdbSource) -> Iterator[bytes]:
    yield source.string()


def _strings(source: RdbSource) -> Iterator[bytes]:
    for _ in range(source.length()):
        yield source.string()


def _pairs(source: RdbSource) -> Iterator[bytes]:
    for _ in range(source.length()):
        yield source.string()
        yield source.string()


def _scores(source: RdbSource) -> Iterator[Any]:
    for _ in range(source.length()):
        yield source.string()
        yield source.score()


def _old_scores(source: RdbSource) -> Iterator[Any]:
    for _ in range(source.length()):
        yield source.string()
        yield source.old_score()


def _nodes_of_ziplists(source: RdbSource) -> Iterator[bytes]:
    for _ in range(source.length()):
        yield from ziplist(source.string())


def _nodes(source: RdbSource) -> Iterator[bytes]:
    for _ in range(source.length()):
        container = source.length()
        if container == PLAIN_NODE:
            yield source.string()
        elif container == PACKED_NODE:
            yield from listpack(source.string())
        else:
            raise RdbError("a part of a list has an unknown form")


def _packed(unpack: Callable[[bytes], Iterator[bytes]]) -> Reader:
    """Return a reader of a collection in one packed string."""
    return lambda source: unpack(source.string())


def _packed_scores(unpack: Callable[[bytes], Iterator[bytes]]) -> Reader:
    """Return a reader of a sorted set in one packed string."""
    return lambda source: _with_scores(unpack(source.string()))


def _with_scores(items: Iterable[bytes]) -> Iterator[Any]:
    """Yield members and scores in turn, of which the scores are texts."""
    is_score = False
    for item in items:
        yield parse_score(item) if is_score else item
        is_score = not is_score


READERS: Final[dict[int, tuple[bytes, Reader]]] = {
    0: (STRING, _text),
    1: (LIST, _strings),
    2: (SET, _strings),
    3: (ZSET, _old_scores),
    4: (HASH, _pairs),
    5: (ZSET, _scores),
    9: (HASH, _packed(zipmap)),
    10: (LIST, _packed(ziplist)),
    11: (SET, _packed(intset)),
    12: (ZSET, _packed_scores(ziplist)),
    13: (HASH, _packed(ziplist)),
    14: (LIST, _nodes_of_ziplists),
    16: (HASH, _packed(listpack)),
    17: (ZSET, _packed_scores(listpack)),
    18: (LIST, _nodes),
    20: (SET, _packed(listpack)),
}
"""The kinds of values and their readers, by the number of the type in RDB files."""


def decode(source: RdbSource) -> RdbValue:
    """Read a value, its type first. Raises RdbError."""
    value = RdbValue(b"", [])
    for _ in decode_in_slices(source, value, 1 << 62):
        pass
    return value


def decode_in_slices(source: RdbSource, value: RdbValue, size: int) -> Iterator[None]:
    """Read a value into `value`, which is complete at the end. Yield after about `size` items.
    Raises RdbError."""
    found = READERS.get(source.byte())
    if found is None:
        raise RdbError("the type of the value is not supported")
    value.kind, read = found
    content = value.content
    for item in read(source):
        content.append(item)
        if len(content) % size == 0:
            yield
    yield from _check(value, size)


def _check(value: RdbValue, size: int) -> Iterator[None]:
    """Check that a collection has elements, and no member or field twice."""
    content = value.content
    if not content:
        raise RdbError("a collection is empty")
    if value.kind in (STRING, LIST):
        return
    step = 1 if value.kind == SET else 2
    if len(content) % step:
        raise RdbError("a member has no partner")
    seen: set[bytes] = set()
    for index in range(0, len(content), step):
        seen.add(content[index])
        if value.kind == ZSET and content[index + 1] != content[index + 1]:
            raise RdbError("a score is not a number")
        if index % size == size - 1:
            yield
    if len(seen) * step != len(content):
        raise RdbError("a member comes twice")
