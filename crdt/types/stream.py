"""Streams: entries by id, and consumer groups.

**Entries** follow observed remove: XDEL, trimming and DEL remove the entries that their origin had
seen. Entries that were added concurrently survive (rules STM-1, STM-2). A removed entry leaves
nothing behind. Each origin's entries are held apart (`crdt.structures.entry_tree`). They ascend, so
what an effect had observed of an origin is a prefix.

**Existence.** An origin that adds an entry has a header, with the last id and the number of entries
that it has added. So a stream whose entries were all deleted one by one still exists, as in Redis
(D-12). A header is removed with the stream, or with the last group of an empty stream (STM-16).

**Groups** are delete-wins (rule STM-14): the removal of a group beats all concurrent changes of it,
and the removal of the stream those of all groups. So the dot of a removal is kept until it is
stable. It filters every effect on a group that had not observed it, and every mark of a deleted id.
A region whose vector does not cover a removal has not observed it, so a merge does the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin, Vector, covers, make_dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import is_bytes, is_count, is_dot
from crdt.structures.entry_tree import EntryBlock, EntryTree, Place
from crdt.structures.packed_texts import pack_texts
from crdt.types.base import Value
from crdt.types.components.stream_content import STREAM, StreamContent, observed_seq
from crdt.types.components.stream_groups import (
    ID_MIN,
    ID_PART_MAX,
    Group,
    StreamId,
    after_id,
    are_shared,
)
from crdt.types.components.stream_state import (
    MERGED_IN_SLICE,
    TREE_ITEMS,
    column_parts,
    head_of,
    join_dots,
    join_registers,
    load_entries,
    load_stream,
    merge_trees,
    state_of,
)
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TypeDefinition,
)
from crdt.wire.decoding import tuple_of

ADD: Final = 0  #      (code, operation, key, ms, minor, added, field, value, ...)
REMOVE: Final = 1  #   (code, operation, key, ms, minor, ...)  the greatest deleted id, then ids
TRIM: Final = 2  #     (code, operation, key, ms, minor)       removes entries up to this id
SET_ID: Final = 3  #   (code, operation, key, ms, minor, added[, deleted ms, deleted minor])
CREATE: Final = 4  #   (code, operation, key, name, ms, minor, entries read)
DESTROY: Final = 5  #  (code, operation, key, name, ends)
ACK: Final = 6  #      (code, operation, key, name, dot, ms, minor, ...)


class Stream(StreamContent):
    """Entries by origin, and consumer groups."""

    __slots__ = ()

    # -- effects ---------------------------------------------------------------------------

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == ADD:
            self.add(effect, dot)
        elif operation == REMOVE:
            for index in range(5, len(effect), 2):
                self.discard((effect[index], effect[index + 1]), observed)
            self.mark_deleted(dot, (effect[3], effect[4]), observed)
        elif operation == TRIM:
            self.trim((effect[3], effect[4]), observed)
        elif operation == SET_ID:
            self.set_id(effect, dot, observed)
        else:
            self.apply_to_group(effect, dot, observed)

    def add(self, effect: Effect, dot: Dot) -> None:
        """Add an entry. One that does not ascend is dropped: only a hostile peer sends it."""
        origin, seq = dot >> SEQ_BITS, dot & SEQ_MAX
        tree = self.trees.get(origin)
        if tree is None:
            tree = self.trees[origin] = EntryTree(origin, self.block_max)
        ms: int = effect[3]
        minor: int = effect[4]
        if tree.append(ms, minor, seq, pack_texts(effect[6:])):
            self.size += 1
        self.headers[origin] = (seq, ms, minor, effect[5])

    def discard(self, last: StreamId, observed: Observed) -> None:
        """Remove the observed entries with an id (rule STM-7)."""
        for tree in list(self.trees.values()):
            place = tree.lower_bound(last[0], last[1])
            if tree.holds(place, last[0], last[1]) and observed.covers(tree.at(place)[2]):
                tree.drop(place)
                self.size -= 1
                if tree.size == 0:
                    del self.trees[tree.origin]

    def trim(self, last: StreamId, observed: Observed) -> None:
        """Remove the observed entries up to an id. O(blocks), and what they hold is freed."""
        for tree in list(self.trees.values()):
            place = tree.after_seq(observed_seq(observed, tree.origin))
            self.drop_until(tree, min(place, after_id(tree, last)))

    def drop_until(self, tree: EntryTree, place: Place) -> list[EntryBlock]:
        """Remove an origin's entries before a place. Return whole blocks of them."""
        before = tree.size
        dropped = tree.drop_until(place)
        self.size -= before - tree.size
        if tree.size == 0:
            del self.trees[tree.origin]
        return dropped

    def set_id(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Set the last id and this origin's share of the number of entries (XSETID)."""
        self.headers[dot >> SEQ_BITS] = (dot & SEQ_MAX, effect[3], effect[4], effect[5])
        if len(effect) > 6:
            self.marks = unobserved_registers(self.marks, observed)
            self.mark_deleted(dot, (effect[6], effect[7]), observed)

    def mark_deleted(self, dot: Dot, last: StreamId, observed: Observed) -> None:
        """Record the greatest id that was deleted, unless the stream was deleted meanwhile."""
        if last != ID_MIN and not is_filtered(self.deletes + self.ends, observed):
            self.marks[dot >> SEQ_BITS] = (dot & SEQ_MAX, last[0], last[1])

    def apply_to_group(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Create or destroy a group, or record acknowledgements. A removal that the effect had not
        observed wins (rule STM-14)."""
        operation: int = effect[1]
        name: bytes = effect[3]
        if operation == DESTROY:
            self.groups.pop(name, None)
            self.graves[name] = with_dot(self.graves.get(name, ()), dot, observed)
            if effect[4]:
                self.headers = unobserved_registers(self.headers, observed)
                self.marks.clear()
                self.ends = with_dot(self.ends, dot, observed)
            return
        if is_filtered(self.deletes + self.graves.get(name, ()), observed):
            return
        group = self.groups.get(name)
        if operation == CREATE:
            if group is None:
                group = self.groups[name] = Group()
            group.add_create(dot, (effect[4], effect[5], effect[6]))
        elif group is not None:
            for index in range(4, len(effect), 3):
                group.note_ack(effect[index], (effect[index + 1], effect[index + 2]))

    def remove(self, observed: Observed, resets: object) -> None:
        for tree in list(self.trees.values()):
            place = tree.after_seq(observed_seq(observed, tree.origin))
            self.dropped += self.drop_until(tree, place)
        self.headers = unobserved_registers(self.headers, observed)
        if resets is None:
            self.marks = unobserved_registers(self.marks, observed)
            for name, group in list(self.groups.items()):
                kept = {d: start for d, start in group.creates.items() if not observed.covers(d)}
                if not group.drop_creates(kept):
                    del self.groups[name]
            return
        self.marks.clear()
        self.groups.clear()
        self.ends = tuple([dot for dot in self.ends if not observed.covers(dot)])
        for name, dots in list(self.graves.items()):
            left = tuple([dot for dot in dots if not observed.covers(dot)])
            if left:
                self.graves[name] = left
            else:
                del self.graves[name]
        self.deletes = with_dot(self.deletes, observed.dot(), observed)

    # -- whole states ----------------------------------------------------------------------

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        for _ in self.merge_in_slices(other, mine, theirs):
            pass

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        assert isinstance(other, Stream)
        self.headers = join_registers(self.headers, other.headers, mine, theirs)
        kills_ours = is_beaten(other.deletes + other.ends, mine)
        kills_theirs = is_beaten(self.deletes + self.ends, theirs)
        self.marks = join_registers(
            {} if kills_ours else self.marks, {} if kills_theirs else other.marks, mine, theirs
        )
        self.merge_groups(other, mine, theirs)
        self.deletes = join_dots(self.deletes, other.deletes, mine, theirs)
        self.ends = join_dots(self.ends, other.ends, mine, theirs)
        graves = {
            name: join_dots(self.graves.get(name, ()), other.graves.get(name, ()), mine, theirs)
            for name in self.graves.keys() | other.graves.keys()
        }
        self.graves = {name: dots for name, dots in graves.items() if dots}
        yield from merge_trees(self, other, mine, theirs)

    def merge_groups(self, other: Stream, mine: Vector, theirs: Vector) -> None:
        """Merge the groups. A side loses a group that the other side has removed if it had not
        observed that. A group that stays keeps its consumers."""
        for name in sorted(self.groups.keys() | other.groups.keys()):
            ours, given = self.groups.pop(name, Group()), other.groups.get(name, Group())
            if is_beaten(other.deletes + other.graves.get(name, ()), mine):
                ours = Group()
            if is_beaten(self.deletes + self.graves.get(name, ()), theirs):
                given = Group()
            if ours.merge(given, mine, theirs):
                self.groups[name] = ours

    def state(self) -> Any:
        return state_of(self)

    def equals(self, other: Value) -> bool:
        return self.size <= MERGED_IN_SLICE and bool(self.state() == other.state())

    def load(self, state: Any) -> None:
        load_stream(self, state)

    def divides(self, count: int, size: int) -> bool:
        return self.size > count

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        yield head_of(self)
        for origin in sorted(self.trees):
            yield from column_parts(self.trees[origin], count, size)

    def load_part(self, part: Any, vector: Vector) -> bool:
        items = tuple_of(part, "a stream")
        if len(items) == TREE_ITEMS:
            return covers(vector, load_entries(self, items))
        self.load(items)
        return self.covered(vector)

    def covered(self, vector: Vector) -> bool:
        for tree in self.trees.values():
            if not covers(vector, tree.last()[2]):
                return False
        for registers in (self.headers, self.marks):
            for origin, register in registers.items():
                if not covers(vector, make_dot(origin, register[0])):
                    return False
        for group in self.groups.values():
            if not are_shared(group, vector):
                return False
        dots = self.deletes + self.ends + tuple([d for each in self.graves.values() for d in each])
        return all(covers(vector, dot) for dot in dots)

    def has_garbage(self) -> bool:
        if self.deletes or self.ends or self.graves:
            return True
        return len(self.marks) > 0 and not self.is_live()

    def collect(self, stable: Vector) -> bool:
        self.deletes = unstable(self.deletes, stable)
        self.ends = unstable(self.ends, stable)
        graves = {name: unstable(dots, stable) for name, dots in self.graves.items()}
        self.graves = {name: dots for name, dots in graves.items() if dots}
        if not self.is_live():
            kept = {o: m for o, m in self.marks.items() if stable.get(o, 0) < m[0]}
            self.marks = kept
        return self.has_garbage()


def unobserved_registers(registers: dict[Origin, Any], observed: Observed) -> dict[Origin, Any]:
    """Return the registers, each of which begins with a sequence number, that were not observed."""
    return {
        origin: register
        for origin, register in registers.items()
        if register[0] > observed_seq(observed, origin)
    }


def is_filtered(dots: tuple[Dot, ...], observed: Observed) -> bool:
    """Return whether an effect is concurrent with one of the removals `dots`."""
    for dot in dots:
        if not observed.covers(dot):
            return True
    return False


def is_beaten(dots: tuple[Dot, ...], vector: Vector) -> bool:
    """Return whether a replica with this vector has not observed one of the removals `dots`."""
    for dot in dots:
        if not covers(vector, dot):
            return True
    return False


def unstable(dots: tuple[Dot, ...], stable: Vector) -> tuple[Dot, ...]:
    """Return the dots that `stable` does not cover."""
    return tuple([dot for dot in dots if not covers(stable, dot)])


def with_dot(dots: tuple[Dot, ...], dot: Dot, observed: Observed) -> tuple[Dot, ...]:
    """Return the removals that `dot` had not observed, and `dot`. What is concurrent with one that
    it had observed is concurrent with `dot` too, or was removed."""
    return tuple(
        sorted([*[held for held in dots if not observed.covers(held) and held != dot], dot])
    )


def is_id_part(item: object) -> bool:
    """Return whether `item` is one of the two numbers of an id."""
    return type(item) is int and 0 <= item <= ID_PART_MAX


def is_bit(item: object) -> bool:
    """Return whether `item` is 0 or 1."""
    return type(item) is int and (item == 0 or item == 1)


def rename_stream(value: Stream, names: OriginNames) -> None:
    """Rename the origins of entries, headers, groups and removals."""
    trees = list(value.trees.values())
    for tree in trees:
        tree.origin = names.origin(tree.origin)
    value.trees = {tree.origin: tree for tree in trees}
    value.headers = {names.origin(origin): each for origin, each in value.headers.items()}
    value.marks = {names.origin(origin): each for origin, each in value.marks.items()}
    for group in value.groups.values():
        group.creates = {names.dot(dot): start for dot, start in group.creates.items()}
        group.acked = {names.origin(origin): mark for origin, mark in group.acked.items()}
        group.begin_at_start()
    value.deletes = tuple(sorted([names.dot(dot) for dot in value.deletes]))
    value.ends = tuple(sorted([names.dot(dot) for dot in value.ends]))
    value.graves = {
        name: tuple(sorted([names.dot(dot) for dot in dots])) for name, dots in value.graves.items()
    }


def content(value: Stream) -> list[Any]:
    """Return the entries in order, and then the last id and the numbers that go with it. Groups are
    not copied, and of entries with one id only the first is (rules STM-7, STM-26)."""
    return [item for piece in content_pieces(value, max(1, value.size)) for item in piece]


def content_size(value: Stream) -> int:
    """Return the number of entries."""
    return value.length()


def content_pieces(value: Stream, size: int) -> Iterator[list[Any]]:
    """Yield the same as `content`, about `size` entries at a time."""
    piece: list[Any] = []
    before = (-1, -1)
    for ms, minor, _, packed in value.forward():
        if (ms, minor) != before:
            before = (ms, minor)
            piece.append((ms, minor, packed))
            if len(piece) >= size:
                yield piece
                piece = []
    piece.append((*value.last_id(), value.entries_added(), *value.max_deleted_id()))
    yield piece


def encoding(value: Stream, limits: object) -> bytes:
    """Return the encoding of a stream in Redis. There is one."""
    return b"stream"


def elements(shown: Any) -> frozenset[bytes]:
    """Return the ids of the entries that readers see."""
    return frozenset([entry[0] for entry in shown[0]])


def spell(command: str) -> Spelling:
    """Return the command for an operation whose items are its arguments."""
    return Spelling(command, SpellingForm.NAMES)


ID: Final = (is_id_part, is_id_part)
DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="stream",
    code=STREAM,
    make=Stream,
    operations=(
        Operation(
            "add",
            (*ID, is_count),
            repeated=(is_bytes, is_bytes),
            serves_waiters=True,
            spelling=spell("XADD"),
        ),
        Operation("remove", ID, repeated=ID, is_change_if_seen=True, spelling=spell("XDEL")),
        Operation("trim", ID, is_change_if_seen=True, spelling=spell("XTRIM")),
        Operation("set id", (*ID, is_count), optional=ID, spelling=spell("XSETID")),
        Operation("create group", (is_bytes, *ID, is_count), spelling=spell("XGROUPCREATE")),
        Operation("destroy group", (is_bytes, is_bit), spelling=spell("XGROUPDESTROY")),
        Operation(
            "acknowledge",
            (is_bytes,),
            repeated=(is_dot, *ID),
            serves_waiters=True,
            spelling=spell("XACK"),
        ),
    ),
    make_divided=Stream,
    redis_name=b"stream",
    encoding=encoding,
    rename_origins=rename_stream,
    elements=elements,
    content=content,
    content_size=content_size,
    content_pieces=content_pieces,
)
