"""The handles of a stream and of its consumer groups.

>>> from crdt import Replica
>>> orders = Replica(1, clock=lambda: 1_700_000_000_000).stream("orders")
>>> first = orders.append({"item": "milk"})
>>> first
'1700000000000-1'
>>> second = orders.append(item="eggs", count="12")
>>> orders[first]
{'item': 'milk'}
>>> [fields["item"] for _, fields in orders[first:]], len(orders)
(['milk', 'eggs'], 2)
>>> workers = orders.group("workers")
>>> workers.create("0")
True
>>> [entry for entry, _ in workers.read("ann", 1)] == [first]
True
>>> workers.acknowledge(first), workers.pending()
(1, {})
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Generic, overload

from crdt.embed.arguments import encode, items_of, pairs_of, whole
from crdt.embed.handles.base import Handle, T, Text
from crdt.structures.entry_tree import Entry
from crdt.structures.packed_texts import unpack_texts
from crdt.types.components.pending_entries import StreamId
from crdt.types.components.stream_groups import ID_MIN, ID_PART_MAX
from crdt.types.stream import Stream
from crdt.writes import stream, stream_groups
from crdt.writes.stream import IdMode
from crdt.writes.stream_groups import GroupPlace

ID: Final = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")


def parse_id(text: object, missing: int = 0) -> StreamId:
    """Return the two numbers of an id. `missing` is the second one of milliseconds alone. Raises
    TypeError and ValueError."""
    if not isinstance(text, str):
        raise TypeError(f"an id is text such as '1700000000000-1', not {text!r}")
    match = ID.fullmatch(text)
    numbers = () if match is None else (int(match[1]), int(match[2] or missing))
    if len(numbers) != 2 or max(numbers) > ID_PART_MAX:
        raise ValueError(f"{text!r} is not an id such as '1700000000000-1'")
    return numbers


def format_id(last: StreamId) -> str:
    """Return an id as text."""
    return f"{last[0]}-{last[1]}"


def before(last: StreamId) -> StreamId:
    """Return the greatest id below another one, which is not 0-0."""
    return (last[0], last[1] - 1) if last[1] else (last[0] - 1, ID_PART_MAX)


def texts_of(fields: object, more: Mapping[str, Text]) -> list[bytes]:
    """Return names and values in turn. Raises TypeError, and ValueError if there are none."""
    pairs = pairs_of(fields, more)
    if not pairs:
        raise ValueError("an entry has at least one field: use append({'name': 'value'})")
    return [encode(text) for pair in pairs.items() for text in pair]


class StreamHandle(Handle[T]):
    """A stream (rules STM-1 to STM-26): entries by id, of which each is a dictionary.

    Iteration yields ids with entries in the order of the ids. `stream[id]` is an entry, and
    `stream[a:b]` are the entries with a <= id < b. Ids are generated, and contain the region's
    number, so no two replicas create the same.
    """

    __slots__ = ()
    kind_name = "a stream"

    def append(self, fields: Mapping[str, Text] | None = None, /, **more: Text) -> str:
        """Add an entry. Return its id. Raises ValueError for an entry without fields, or if there
        is no greater id."""
        return self.add(texts_of({} if fields is None else fields, more))

    def extend(self, entries: Iterable[Mapping[str, Text]]) -> list[str]:
        """Add entries. Return their ids. Nothing is added if one of them is not valid."""
        checked = [texts_of(entry, {}) for entry in items_of(entries)]
        return [self.add(texts) for texts in checked]

    def add(self, texts: list[bytes]) -> str:
        """Add an entry of names and values in turn. Return its id."""
        db = self.write(Stream)
        held = stream.held_stream(db, self.key)
        new = stream.next_id(held, IdMode.STRICT, db.origin, db.now)
        if new is None:
            raise ValueError("the stream has the greatest id that there is")
        stream.add(db, self.key, new, texts)
        return format_id(new)

    @overload
    def __getitem__(self, index: str) -> dict[T, T]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, dict[T, T]]]: ...
    def __getitem__(self, index: str | slice) -> dict[T, T] | list[tuple[str, dict[T, T]]]:
        value = self.read(Stream)
        if isinstance(index, slice):
            return self.entries_between(value, index)
        last = parse_id(index)
        found = [] if value is None else value.at_id(last)
        if not found:
            raise KeyError(index)
        return self.fields_of(found[0])

    def entries_between(self, value: Stream | None, index: slice) -> list[tuple[str, dict[T, T]]]:
        """Return the entries of a slice. Its step is 1, or -1 for the reverse order."""
        step = 1 if index.step is None else whole(index.step)
        if step not in (1, -1):
            raise ValueError("the step of a stream's slice is 1 or -1")
        start = ID_MIN if index.start is None else parse_id(index.start)
        stop = None if index.stop is None else parse_id(index.stop)
        if value is None or (stop is not None and stop <= start):
            return []
        entries = value.forward(start) if stop is None else value.forward(start, before(stop))
        found = [self.shown(entry) for entry in entries]
        return found[::step]

    def shown(self, entry: Entry) -> tuple[str, dict[T, T]]:
        """Return the id and the fields of an entry."""
        return format_id(entry[:2]), self.fields_of(entry)

    def fields_of(self, entry: Entry) -> dict[T, T]:
        """Return the fields of an entry. Of equal names the last one counts."""
        texts = [self.decode(text) for text in unpack_texts(entry[3])]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def __iter__(self) -> Iterator[tuple[str, dict[T, T]]]:
        return iter(self[:])

    def __len__(self) -> int:
        value = self.read(Stream)
        return 0 if value is None else value.length()

    def __contains__(self, index: object) -> bool:
        value = self.read(Stream)
        if value is None or not isinstance(index, str) or ID.fullmatch(index) is None:
            return False
        return len(value.at_id(parse_id(index))) > 0

    def __delitem__(self, index: str) -> None:
        """Remove an entry in all replicas. Raises KeyError if it is not there."""
        if not self.remove(index):
            raise KeyError(index)

    def remove(self, *indexes: str) -> int:
        """Remove entries by their ids. Return how many of these existed. An entry that another
        replica adds concurrently survives (rule STM-2)."""
        ids = [parse_id(index) for index in indexes]
        return stream.remove(self.write(Stream), self.key, ids)

    def trim(self, length: int) -> int:
        """Remove entries from the beginning until at most `length` are left. Return the number of
        removed ones."""
        most = whole(length)
        if most < 0:
            raise ValueError(f"a stream has at least 0 entries, not {most}")
        db = self.write(Stream)
        value = self.read(Stream)
        excess = 0 if value is None else value.length() - most
        if value is None or excess <= 0:
            return 0
        point = stream.trim_point(value, excess)
        return 0 if point is None else stream.trim(db, self.key, point)

    @property
    def last_id(self) -> str | None:
        """The greatest id that was ever given to an entry, None for a missing key."""
        value = self.read(Stream)
        return None if value is None else format_id(value.last_id())

    @property
    def value(self) -> list[tuple[str, dict[T, T]]]:
        """All ids with their entries."""
        return self[:]

    def group(self, name: Text) -> StreamGroup[T]:
        """Return the consumer group with a name, whether it exists or not."""
        return StreamGroup(self, name)

    def groups(self) -> list[T]:
        """Return the names of the groups that exist."""
        value = self.read(Stream)
        return [] if value is None else [self.decode(name) for name, _ in value.named_groups()]


class StreamGroup(Generic[T]):
    """A consumer group of a stream. Its consumers and pending entries belong to this replica (rules
    STM-20, STM-21)."""

    __slots__ = ("name", "stream")

    def __init__(self, stream: StreamHandle[T], name: Text) -> None:
        self.stream: StreamHandle[T] = stream
        self.name: bytes = encode(name)

    @property
    def exists(self) -> bool:
        """True if the group exists."""
        value = self.stream.read(Stream)
        return value is not None and value.group(self.name) is not None

    def create(self, start: str = "$") -> bool:
        """Create the group in all replicas, and the stream if need be. Return False if it exists.

        It delivers the entries behind the id `start`; `$` stands for the last id. The removal of
        the group or the stream in another replica wins over a concurrent creation (rule STM-14).
        """
        first = None if start == "$" else parse_id(start)
        db = self.stream.write(Stream)
        if self.exists:
            return False
        if first is None:
            value = self.stream.read(Stream)
            first = ID_MIN if value is None else value.last_id()
        stream_groups.create(db, self.stream.key, self.name, first)
        return True

    def destroy(self) -> bool:
        """Destroy the group in all replicas. Return whether it existed."""
        return stream_groups.destroy(self.stream.write(Stream), self.stream.key, self.name)

    def place(self) -> GroupPlace:
        """Return the group. Raises KeyError if it does not exist."""
        value = self.stream.read(Stream)
        group = None if value is None else value.group(self.name)
        if value is None or group is None:
            raise KeyError(f"{self.stream.key!r} has no group {self.name!r}: use create()")
        return GroupPlace(self.stream.key, self.name, value, group)

    def read(self, consumer: Text, count: int = 1) -> list[tuple[str, dict[T, T]]]:
        """Deliver up to `count` entries that the group has not delivered here, and that nobody has
        acknowledged. They are pending until `acknowledge`. Raises KeyError without the group."""
        name, most = encode(consumer), whole(count)
        db, place = self.stream.write(Stream), self.place()
        reader = place.group.consumer(name, db.now)
        found = stream_groups.deliver_next(db, place, reader, max(0, most))
        return [self.stream.shown(entry) for entry in found]

    def acknowledge(self, *indexes: str) -> int:
        """Acknowledge pending entries. Return how many of these were pending.

        Other replicas do not deliver them any more, as soon as all entries with smaller ids are
        acknowledged too (rule STM-18). Raises KeyError without the group.
        """
        ids = [parse_id(index) for index in indexes]
        return stream_groups.acknowledge(self.stream.write(Stream), self.place(), ids)

    def pending(self) -> dict[str, T]:
        """Return the consumer of each pending entry, by id. Raises KeyError without the group."""
        held = self.place().group.pending
        return {
            format_id(last): self.stream.decode(entry.consumer.name) for last, entry in held.items()
        }
