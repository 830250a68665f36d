"""Whole copies of streams: their encoding, and the parts of a merge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import (
    SEQ_MAX,
    Dot,
    Origin,
    Vector,
    covers,
    read_dot,
    read_origin,
)
from crdt.causality.schema import SUM_MAX
from crdt.errors import DecodeError
from crdt.structures.entry_tree import EntryTree
from crdt.structures.packed_texts import is_packed
from crdt.types.components.stream_content import StreamContent
from crdt.types.components.stream_groups import ID_PART_MAX, Group
from crdt.wire.decoding import bytes_of, integer_of, items_of_version, tuple_of

VERSION: Final = 1
"""The version of the form of states."""
STATE_ITEMS: Final = 8
MERGED_IN_SLICE: Final = 500
"""The entries that one slice of a merge visits: about a millisecond."""
TREE_ITEMS: Final = 5
HEADER_ITEMS: Final = 5
MARK_ITEMS: Final = 4
BYTES_MAX: Final = 1 << 60
GROUP_ITEMS: Final = 3


# -- merging ---------------------------------------------------------------------------------


def join_dots(
    ours: tuple[Dot, ...], others: tuple[Dot, ...], mine: Vector, theirs: Vector
) -> tuple[Dot, ...]:
    """Return the dots that both sides hold, or that one holds and the other has not seen."""
    kept = [dot for dot in ours if dot in others or not covers(theirs, dot)]
    kept += [dot for dot in others if dot not in ours and not covers(mine, dot)]
    return tuple(sorted(kept))


def join_registers(
    ours: dict[Origin, Any], others: dict[Origin, Any], mine: Vector, theirs: Vector
) -> dict[Origin, Any]:
    """Return the join of registers, of which each origin writes its own, the latest of both
    sides. They begin with a sequence number."""
    joined: dict[Origin, Any] = {}
    for origin in ours.keys() | others.keys():
        held, given = ours.get(origin), others.get(origin)
        if held is not None and given is not None and held[0] == given[0]:
            joined[origin] = held
            continue
        kept: list[Any] = []
        if held is not None and theirs.get(origin, 0) < held[0]:
            kept.append(held)
        if given is not None and mine.get(origin, 0) < given[0]:
            kept.append(given)
        if kept:
            joined[origin] = max(kept)
    return joined


def merge_trees(
    value: StreamContent, other: StreamContent, mine: Vector, theirs: Vector
) -> Iterator[None]:
    """Merge the entries of another copy. Yield after each slice."""
    for origin in sorted(value.trees.keys() | other.trees.keys()):
        ours = value.trees.get(origin) or EntryTree(origin)
        given = other.trees.get(origin) or EntryTree(origin)
        merged = EntryTree(origin, value.block_max)
        for step, (seq, entry) in enumerate(merged_entries(ours, given, mine, theirs), 1):
            if entry is not None:
                merged.append(entry[0], entry[1], seq, entry[3])
            if step % MERGED_IN_SLICE == 0:
                yield
        value.size += merged.size - ours.size
        value.dropped += ours.blocks
        if merged.size:
            value.trees[origin] = merged
        else:
            value.trees.pop(origin, None)
        yield


def merged_entries(
    ours: EntryTree, given: EntryTree, mine: Vector, theirs: Vector
) -> Iterator[tuple[int, Any]]:
    """Yield the sequence numbers on both sides in order, each with the entry, or None if one side
    has seen it removed."""
    ours_seen, theirs_seen = mine.get(ours.origin, 0), theirs.get(ours.origin, 0)
    left, right = ours.forward((0, 0)), given.forward((0, 0))
    held, other = next(left, None), next(right, None)
    while held is not None or other is not None:
        seq = SEQ_MAX + 1 if held is None else held[2] & SEQ_MAX
        other_seq = SEQ_MAX + 1 if other is None else other[2] & SEQ_MAX
        if seq == other_seq:
            yield seq, held
        elif seq < other_seq:
            yield seq, held if seq > theirs_seen else None
        else:
            yield other_seq, other if other_seq > ours_seen else None
        if seq <= other_seq:
            held = next(left, None)
        if other_seq <= seq:
            other = next(right, None)


# -- encoding --------------------------------------------------------------------------------


def state_of(value: StreamContent) -> tuple[Any, ...]:
    """Return the version, entries, headers, marks, groups and removals. See `load_stream`."""
    entries = [item for origin in sorted(value.trees) for item in columns(value.trees[origin])]
    version, _, *rest = head_of(value)
    return (version, tuple(entries), *rest)


def head_of(value: StreamContent) -> tuple[Any, ...]:
    """Return the state of a stream without its entries."""
    groups: list[Any] = []
    for name, group in sorted(value.groups.items()):
        creates = [item for dot in sorted(group.creates) for item in (dot, *group.creates[dot])]
        groups += (name, tuple(creates), flat_registers(group.acked))
    graves = tuple([item for name in sorted(value.graves) for item in (name, value.graves[name])])
    return (
        VERSION,
        (),
        flat_registers(value.headers),
        flat_registers(value.marks),
        tuple(groups),
        value.deletes,
        value.ends,
        graves,
    )


def columns(tree: EntryTree) -> tuple[Any, ...]:
    """Return an origin and the columns of its entries. Milliseconds and sequence numbers are
    differences, which take fewer bytes."""
    return next(column_parts(tree, tree.size, BYTES_MAX))


def column_parts(tree: EntryTree, count: int, size: int) -> Iterator[tuple[Any, ...]]:
    """Yield the entries like `columns`, in parts of `count` entries or about `size` bytes. Each
    part can be read without the others."""
    times: list[int] = []
    minors: list[int] = []
    seqs: list[int] = []
    contents: list[bytes] = []
    last_ms = last_seq = 0
    left, end = size, tree.last()[2]
    for ms, minor, dot, content in tree.forward((0, 0)):
        seq = dot & SEQ_MAX
        times.append(ms - last_ms)
        minors.append(minor)
        seqs.append(seq - last_seq)
        contents.append(content)
        last_ms, last_seq = ms, seq
        left -= len(content)
        if len(contents) >= count or left <= 0 or dot == end:
            yield tree.origin, tuple(times), tuple(minors), tuple(seqs), tuple(contents)
            times, minors, seqs, contents = [], [], [], []
            last_ms = last_seq = 0
            left = size


def flat_registers(registers: dict[Origin, Any]) -> tuple[Any, ...]:
    """Return registers as one flat tuple, each behind its origin."""
    return tuple([item for origin in sorted(registers) for item in (origin, *registers[origin])])


def load_stream(value: StreamContent, state: Any) -> None:
    """Add what `state_of` returned to an empty stream. Raises DecodeError."""
    items = items_of_version(state, VERSION, STATE_ITEMS, "a stream")
    flat = tuple_of(items[1], "a stream's entries", TREE_ITEMS)
    for index in range(0, len(flat), TREE_ITEMS):
        load_tree(value, flat[index : index + TREE_ITEMS])
    value.headers = load_registers(items[2], HEADER_ITEMS, "a stream's header")
    value.marks = load_registers(items[3], MARK_ITEMS, "a stream's greatest deleted id")
    groups = tuple_of(items[4], "a stream's groups", GROUP_ITEMS)
    for index in range(0, len(groups), GROUP_ITEMS):
        name = bytes_of(groups[index], "a group's name")
        value.groups[name] = load_group(groups[index + 1], groups[index + 2])
    value.deletes = load_dots(items[5])
    value.ends = load_dots(items[6])
    graves = tuple_of(items[7], "the removals of groups", 2)
    for index in range(0, len(graves), 2):
        dots = load_dots(graves[index + 1])
        if not dots:
            raise DecodeError("the removals of groups: a group without any")
        value.graves[bytes_of(graves[index], "a group's name")] = dots


def load_tree(value: StreamContent, state: tuple[Any, ...]) -> None:
    """Add all entries of one origin. Raises DecodeError unless they ascend."""
    if read_origin(state[0], "an entry's origin") in value.trees:
        raise DecodeError("a stream's entries: an origin twice")
    load_entries(value, state)


def load_entries(value: StreamContent, state: tuple[Any, ...]) -> Dot:
    """Add entries of one origin behind those that it has. Return the dot of the last one. Raises
    DecodeError unless they ascend."""
    if len(state) != TREE_ITEMS:
        raise DecodeError("a stream's entries: expected an origin and four columns")
    origin = read_origin(state[0], "an entry's origin")
    rows = [tuple_of(column, "a stream's entries") for column in state[1:]]
    if not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise DecodeError("a stream's entries: columns of different lengths")
    tree = value.trees.get(origin)
    if tree is None:
        tree = value.trees[origin] = EntryTree(origin, value.block_max)
    ms = seq = 0
    for index in range(len(rows[0])):
        ms += integer_of(rows[0][index], "an entry's time", 0, ID_PART_MAX)
        minor = integer_of(rows[1][index], "an entry's id", 0, ID_PART_MAX)
        seq += integer_of(rows[2][index], "an entry's sequence number", 1, SEQ_MAX)
        content = bytes_of(rows[3][index], "an entry")
        if ms > ID_PART_MAX or seq > SEQ_MAX or not is_packed(content):
            raise DecodeError("a stream's entries: a number is out of range, or a content is wrong")
        if not tree.append(ms, minor, seq, content):
            raise DecodeError("a stream's entries: they are not in order")
    value.size += len(rows[0])
    return tree.last()[2]


def load_registers(state: Any, size: int, what: str) -> dict[Origin, Any]:
    """Return registers of `size` items, origin included: a sequence number, an id, and perhaps a
    number of entries. Raises DecodeError."""
    flat = tuple_of(state, what, size)
    found: dict[Origin, Any] = {}
    for index in range(0, len(flat), size):
        origin = read_origin(flat[index], what)
        seq = integer_of(flat[index + 1], what, 1, SEQ_MAX)
        ms = integer_of(flat[index + 2], what, 0, ID_PART_MAX)
        minor = integer_of(flat[index + 3], what, 0, ID_PART_MAX)
        if size > MARK_ITEMS:
            added = integer_of(flat[index + 4], what, -SUM_MAX, SUM_MAX)
            found[origin] = (seq, ms, minor, added)
        else:
            found[origin] = (seq, ms, minor)
    return found


def load_group(creates: Any, acked: Any) -> Group:
    """Return a group that has delivered nothing yet. Raises DecodeError."""
    group = Group()
    flat = tuple_of(creates, "a group's creation", 4)
    for index in range(0, len(flat), 4):
        dot = read_dot(flat[index], "a group's creation")
        ms = integer_of(flat[index + 1], "a group's start", 0, ID_PART_MAX)
        minor = integer_of(flat[index + 2], "a group's start", 0, ID_PART_MAX)
        read = integer_of(flat[index + 3], "a group's entries", -SUM_MAX, SUM_MAX)
        group.creates[dot] = (ms, minor, read)
    if not group.creates:
        raise DecodeError("a group: nobody has created it")
    group.acked = load_registers(acked, MARK_ITEMS, "a group's acknowledgements")
    group.begin_at_start()
    return group


def load_dots(state: Any) -> tuple[Dot, ...]:
    """Return sorted dots. Raises DecodeError."""
    dots = [read_dot(dot, "a removal") for dot in tuple_of(state, "removals")]
    if dots != sorted(set(dots)):
        raise DecodeError("removals: expected dots in order")
    return tuple(dots)
