"""Create, read and destroy consumer groups of streams.

That a group exists, and what was acknowledged in it, is replicated. Consumers, deliveries and
pending entries change in this region only, without an effect (rules STM-17 to STM-22).
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX
from crdt.store.keyspace import Keyspace
from crdt.structures.entry_tree import Entry
from crdt.types.components.pending_entries import Consumer, StreamId
from crdt.types.components.stream_content import STREAM
from crdt.types.components.stream_groups import ID_MIN, UNKNOWN, Group
from crdt.types.stream import ACK, CREATE, DESTROY, Stream

ENDS: Final = 1
"""The mark of a removal that ends the stream too."""


def create(
    db: Keyspace, key: bytes, name: bytes, start: StreamId, entries_read: int = UNKNOWN
) -> None:
    """XGROUP CREATE: create a group, and the stream if it does not exist. The group must not
    exist."""
    db.emit((STREAM, CREATE, key, name, start[0], start[1], entries_read))


def destroy(db: Keyspace, key: bytes, name: bytes) -> bool:
    """XGROUP DESTROY: remove a group in all regions. Return whether it existed.

    A stream that has no entries and no other group ends with it (rule STM-16).
    """
    held = db.lookup_for_write(key)
    if not isinstance(held, Stream) or name not in held.groups:
        return False
    is_last = held.length() == 0 and len(held.groups) == 1
    db.emit((STREAM, DESTROY, key, name, ENDS if is_last else 0))
    return True


class GroupPlace:
    """A group of an existing stream."""

    __slots__ = ("group", "key", "name", "stream")

    def __init__(self, key: bytes, name: bytes, stream: Stream, group: Group) -> None:
        self.key: bytes = key
        self.name: bytes = name
        self.stream: Stream = stream
        self.group: Group = group


def deliver_next(
    db: Keyspace, place: GroupPlace, consumer: Consumer, count: int, needs_ack: bool = True
) -> list[Entry]:
    """Deliver the next entries of a group to a consumer, at most `count`, in the order of their
    ids. Those of one origin ascend from call to call (rule STM-10).

    They become pending if `needs_ack`, and otherwise count as acknowledged. O(count * log n).
    """
    held, group = place.stream, place.group
    found = list(islice(held.from_places(held.undelivered(group)), count))
    is_gapless = len(found) > 0 and has_no_gap_behind(held, found[0][:2])
    for ms, minor, dot, _ in found:
        last = (ms, minor)
        if group.entries_read != UNKNOWN and (is_gapless or has_no_gap_behind(held, last)):
            group.entries_read += 1
        elif held.entries_added():
            group.entries_read = distance_from_first(held, last)
        if last > group.last_id:
            group.last_id = last
        group.positions[dot >> SEQ_BITS] = (dot & SEQ_MAX, ms, minor)
        if needs_ack:
            group.deliver(last, consumer, db.now)
    if found and not needs_ack:
        send_acks(db, place)
    return found


def has_no_gap_behind(held: Stream, last: StreamId) -> bool:
    """Return whether no entry at or behind an id was deleted, so that deliveries are counted."""
    deleted, first = held.max_deleted_id(), held.first_entry()
    return first is None or deleted < first[:2] or deleted < last


def distance_from_first(held: Stream, last: StreamId) -> int:
    """Return the number of entries that were ever added up to an id, or `UNKNOWN`."""
    added = held.entries_added()
    if not added:
        return 0
    if held.length() == 0 and last <= held.last_id():
        return added
    if last >= held.last_id():
        return added if last == held.last_id() else UNKNOWN
    deleted, first = held.max_deleted_id(), held.first_entry()
    if first is not None and (deleted == ID_MIN or deleted < first[:2]) and last <= first[:2]:
        return added - held.length() + (1 if last == first[:2] else 0)
    return UNKNOWN


def lag(held: Stream, group: Group) -> int | None:
    """Return the number of entries that a group has still to read, None if it is not known."""
    added = held.entries_added()
    if not added:
        return 0
    if group.entries_read != UNKNOWN and has_no_gap_behind(held, group.last_id):
        return added - group.entries_read
    read = distance_from_first(held, group.last_id)
    return None if read == UNKNOWN else added - read


def acknowledge(db: Keyspace, place: GroupPlace, ids: list[StreamId]) -> int:
    """XACK: remove pending entries of a group. Return their number.

    Other regions learn of it as soon as all entries up to an id are acknowledged (rule STM-18).
    """
    done, group = 0, place.group
    is_held_back = True
    for last in ids:
        if group.drop_pending(last):
            done += 1
            is_held_back = is_held_back and group.holds_back(last)
    if not is_held_back:
        send_acks(db, place)
    return done


def send_acks(db: Keyspace, place: GroupPlace) -> None:
    """Send the acknowledgements that no earlier entry holds back any more (rule STM-18)."""
    frontier = place.group.ack_frontier(place.stream.trees)
    if frontier:
        items = [item for mark in frontier for item in mark]
        db.emit((STREAM, ACK, place.key, place.name, *items))
