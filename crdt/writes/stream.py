"""Add, remove and trim entries of streams, and choose their ids.

A region adds an entry only with an id greater than all that it sees in the stream (rule STM-8).
`IdMode` decides which ids it accepts and generates. In the strict mode no two regions create the
same id: the second number of an id is the region's number plus a multiple of `REGION_STEP` (rules
STM-4, D-11).
"""

from __future__ import annotations

from enum import Enum
from itertools import islice
from typing import Any, Final

from crdt.causality.dots import REGION_MAX, Origin, region_of
from crdt.causality.schema import SUM_MAX
from crdt.store.keyspace import Keyspace
from crdt.structures.packed_texts import unpack_texts
from crdt.types.components.stream_content import STREAM
from crdt.types.components.stream_groups import ID_MIN, ID_PART_MAX, StreamId
from crdt.types.stream import ADD, REMOVE, SET_ID, TRIM, Stream
from crdt.writes.content_writers import add_content_writer

REGION_STEP: Final = REGION_MAX + 1
"""The difference of the second numbers that one region generates in one millisecond."""
HEADER_ITEMS: Final = 5
"""The items of what `crdt.types.stream.content` returns behind the entries."""


class IdMode(Enum):
    """The ids that XADD accepts and generates (rules STM-3 to STM-6)."""

    STRICT = "strict"
    """Whole ids are refused, and generated ones contain the region's number."""
    SEMI_STRICT = "semi-strict"
    """Whole ids are accepted too, so two regions can add entries with one id."""
    LIBERAL = "liberal"
    """As in Redis: generated ids count from 0."""


def held_stream(db: Keyspace, key: bytes) -> Stream | None:
    """Return the stream under `key`, live or a tombstone; None without one."""
    if db.is_unsettled:
        db.settle(key)
    held = db.data.get(key)
    if type(held) is not Stream:
        held = db.remains(key, STREAM)
        assert held is None or isinstance(held, Stream)
    return held


def next_id(held: Stream | None, mode: IdMode, origin: Origin, now: int) -> StreamId | None:
    """Return the id that XADD with `*` generates at `now` (ms), None if the ids are exhausted."""
    return id_after(ID_MIN if held is None else held.last_id(), mode, origin, now)


def id_after(last: StreamId, mode: IdMode, origin: Origin, now: int) -> StreamId | None:
    """Return the same for a stream whose last id is `last`."""
    ms = max(now, last[0])
    minor = next_minor(last, mode, origin, ms)
    if minor is None and ms < ID_PART_MAX:
        ms += 1
        minor = next_minor(last, mode, origin, ms)
    return None if minor is None else (ms, minor)


def next_minor(last: StreamId, mode: IdMode, origin: Origin, ms: int) -> int | None:
    """Return the second number of the next id with `ms`, None if there is none. `last` is the
    greatest id so far."""
    if ms < last[0]:
        return None
    if mode is IdMode.LIBERAL:
        lowest = 0 if ms > last[0] else last[1] + 1
        return lowest if lowest <= ID_PART_MAX else None
    minor = region_of(origin)
    if ms == last[0] and minor <= last[1]:
        minor += ((last[1] - minor) // REGION_STEP + 1) * REGION_STEP
    return minor if minor <= ID_PART_MAX else None


def add(db: Keyspace, key: bytes, new: StreamId, fields: list[bytes]) -> None:
    """XADD: add an entry. `fields` are names and values in turn. The id must be greater than the
    last one."""
    add_to(db, key, held_stream(db, key), new, fields)


def add_to(
    db: Keyspace, key: bytes, held: Stream | None, new: StreamId, fields: list[bytes]
) -> None:
    """Add an entry to the stream `held`, which `held_stream` has returned for the key."""
    share = min(own_share(db, held) + 1, SUM_MAX)
    db.emit((STREAM, ADD, key, new[0], new[1], share, *fields))


def own_share(db: Keyspace, held: Stream | None) -> int:
    """Return the number of entries that the present origin has added to a stream."""
    header = None if held is None else held.headers.get(db.origin)
    return 0 if header is None else header[3]


def remove(db: Keyspace, key: bytes, ids: list[StreamId]) -> int:
    """XDEL: remove the entries with these ids, in all regions (rule STM-2). Return the number of
    ids that existed. An id of several entries counts once (rule STM-7)."""
    held = held_stream(db, key)
    found = [] if held is None else [each for each in dict.fromkeys(ids) if held.at_id(each)]
    if found:
        assert held is not None
        greatest = max(held.max_deleted_id(), *found)
        db.emit((STREAM, REMOVE, key, *greatest, *[part for each in found for part in each]))
    return len(found)


def trim(db: Keyspace, key: bytes, last: StreamId) -> int:
    """Remove the entries up to an id. Return their number."""
    held = held_stream(db, key)
    if held is None:
        return 0
    before = held.length()
    db.emit((STREAM, TRIM, key, last[0], last[1]))
    return before - held.length()


def trim_point(held: Stream, count: int) -> StreamId | None:
    """Return the id up to which entries are removed to remove the first `count`, None if there are
    none. Entries with one id stay together, so fewer may be removed. O(count)."""
    point: StreamId | None = None
    before: StreamId | None = None
    for entry in islice(held.forward(), count + 1):
        if before is not None and entry[:2] != before:
            point = before
        before = entry[:2]
    return before if held.length() <= count else point


def set_id(
    db: Keyspace, key: bytes, last: StreamId, added: int | None, max_deleted: StreamId | None
) -> None:
    """XSETID: set the last id of an existing stream, and perhaps the number of entries ever added
    and the greatest deleted id."""
    held = held_stream(db, key)
    share = own_share(db, held)
    if added is not None and held is not None:
        share = max(-SUM_MAX, min(share + added - held.entries_added(), SUM_MAX))
    effect: tuple[Any, ...] = (STREAM, SET_ID, key, last[0], last[1], share)
    db.emit(effect if max_deleted is None else (*effect, *max_deleted))


def assign(db: Keyspace, key: bytes, content: list[Any]) -> None:
    """Add the content of another stream (COPY, RENAME). Groups are not copied (rule STM-26)."""
    for item in content:
        if len(item) == HEADER_ITEMS:
            ms, minor, added, deleted_ms, deleted_minor = item
            set_id(db, key, (ms, minor), added, (deleted_ms, deleted_minor))
        else:
            add(db, key, (item[0], item[1]), list(unpack_texts(item[2])))


add_content_writer(STREAM, assign)
