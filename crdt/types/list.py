"""Lists: elements that concurrent insertions at one place keep in runs.

`crdt.structures.runs` defines the order. A push continues its region's run at that end, or opens a
run with another `k`. An insertion in the middle continues its region's run there, or opens a child
run of an element next to it. So the elements that one region pushes stay together and in order
(rules LST-2, LST-11, D-08), whatever happens concurrently. A position names a run and a key in it.
It takes constant space, and so does an effect, however the list was made.

A removal names elements, several of one run together. A removed element leaves nothing behind if
it was pushed. Runs in the middle are remembered for a while (`crdt.types.components.run_tree`).

Each element is a register: LSET replaces the value, the later stamp wins, and a set wins over a
concurrent removal (rule LST-7, D-08). An element that was never set is stored as its value alone,
since its position has the dot of the effect that made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdt.causality.dots import SEQ_MAX, Dot, Vector, covers
from crdt.causality.effect import Effect, weight
from crdt.causality.observed import Observed
from crdt.causality.schema import (
    KEY_MAX,
    POSITIONS_FIRST,
    POSITIONS_VERSION,
    check_origins,
    is_bytes,
    is_place,
    is_position,
    is_run,
    is_sign,
    is_span,
    is_stamp,
    is_step,
)
from crdt.errors import DecodeError
from crdt.structures.blocks import FIRST, LAST, Block, Blocks, Place
from crdt.structures.runs import INDEX_BITS, INDEX_MAX, Key, Run, is_same, precedes
from crdt.types.base import Value
from crdt.types.components.element_sequence import ElementSequence
from crdt.types.components.list_elements import (
    LIST,
    Cursor,
    Element,
    Position,
    Span,
    as_element,
    as_plain,
    differences,
    key_in,
    merged,
    which_first,
)
from crdt.types.components.list_encoding import LENGTH_OR_SIZE, encoding
from crdt.types.components.register import rename_register
from crdt.types.components.run_tree import element_dot, is_top, name_of
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TextForm,
    TypeDefinition,
)
from crdt.wire.decoding import check_version, integer_of, tuple_of

INSERT: Final = POSITIONS_FIRST  #  (code, operation, key, place, k, sign, value, ...)
ASSIGN: Final = POSITIONS_FIRST + 1  #  (code, operation, key, stamp, position, value)

MERGED_IN_SLICE: Final = 500
"""The elements that one slice of a merge visits: about a millisecond."""
SEGMENT_ITEMS: Final = 4
"""The items of consecutive elements of one run in a state: k and dot of the run, the keys (each as
the difference from the one before), and the contents."""


class List(ElementSequence):
    """Elements in order, each bytes or an `Element`."""

    __slots__ = ()

    # -- effects ---------------------------------------------------------------------------

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == INSERT:
            self.insert(effect, dot)
        elif operation == ASSIGN:
            self.assign(effect, dot, observed)
        else:
            for index in range(3, len(effect)):
                self.discard(effect[index], observed)

    def insert(self, effect: Effect, dot: Dot) -> None:
        """Insert elements, which stand next to each other."""
        sign: int = effect[5]
        run = self.run_to_extend(effect[3], effect[4], sign, dot)
        items = self.items
        key = (dot & SEQ_MAX) << INDEX_BITS
        added = 0
        for index in range(6, min(len(effect), 7 + INDEX_MAX)):
            if items.put(run, key if sign > 0 else -key, effect[index], sign < 0):
                added += 1
            key += 1
        if not is_top(run.dot):
            self.middle().count(run, added)
        self.note(dot)

    def assign(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Replace the value of an element, which may have been removed concurrently."""
        position: Position = effect[4]
        key = position[2]
        run = self.run_of(position)
        if run is None:
            run = self.middle().find(position[1])
        held = self.items.get(run, key)
        element = Element() if held is None else as_element(element_dot(run.dot, key), held)
        element.write(dot, observed.base + effect[3], effect[5], observed)
        if self.items.put(run, key, element) and not is_top(run.dot):
            self.middle().count(run, 1)
        self.note(dot)

    def discard(self, span: Span, observed: Observed) -> None:
        """Remove what was observed of some elements of one run."""
        if len(span) == 3 and self.items.size and is_top(span[1]):
            for place in (FIRST, LAST):  # most are popped, and need no search
                block = self.items.block(place)
                end = block.runs[place[2]]
                if block.keys[place[2]] == span[2] and end.dot == span[1] and end.k == span[0]:
                    self.discard_at(place, observed)
                    return
        run = self.run_of(span)
        if run is None:
            return
        if not is_top(run.dot):
            self.middle().record_removal(run, observed.dot())
        if len(span) == 3:
            place = self.items.find(run, span[2])
            if place[0] >= 0:
                self.discard_at(place, observed)
        else:
            self.discard_many(run, span, observed)

    def discard_at(self, place: Place, observed: Observed) -> None:
        """Remove what was observed of the element at a place."""
        items = self.items
        block, offset = items.block(place), place[2]
        held, run = block.things[offset], block.runs[offset]
        if type(held) is bytes:
            if not observed.is_local:
                if not observed.covers(element_dot(run.dot, block.keys[offset])):
                    return
        else:
            held.remove(observed, None)
            if held.is_live():
                block.things[offset] = as_plain(element_dot(run.dot, block.keys[offset]), held)
                return
        items.drop(place)
        if not is_top(run.dot):
            self.middle().count(run, -1)

    def discard_many(self, run: Run, span: Span, observed: Observed) -> None:
        """Remove what was observed of elements whose keys differ by one step. It takes one binary
        search for each block or gap."""
        _, _, first, step, count = span
        last = first + step * (count - 1)
        key = first
        while key <= last:
            place = self.items.lower_bound(run, key)
            if place[0] < 0:
                return
            block, offset = self.items.block(place), place[2]
            if block.holds(offset, run, key):
                found = self.plain_count(block, offset, (key, step, last), observed)
                if found:
                    self.items.drop(place, found)
                    if not is_top(run.dot):
                        self.middle().count(run, -found)
                else:
                    self.discard_at(place, observed)
                    found = 1
                key += step * found
            else:
                next_key = key_in(run, block.runs[offset], block.keys[offset])
                if next_key is None:
                    return
                key = max(key + step, first + -((first - next_key) // step) * step)

    def plain_count(
        self, block: Block, offset: int, keys: tuple[int, int, int], observed: Observed
    ) -> int:
        """Return how many elements of a block, from `offset` on, have these keys (the first one,
        the step and the last one), are of the run at `offset`, and were observed and never set."""
        key, step, last = keys
        run = block.runs[offset]
        at = offset
        while at < len(block.keys) and key <= last:
            if block.keys[at] != key or not is_same(block.runs[at], run):
                break
            if type(block.things[at]) is not bytes:
                break
            if not observed.is_local and not observed.covers(element_dot(run.dot, key)):
                break
            at += 1
            key += step
        return at - offset

    def remove(self, observed: Observed, resets: object) -> None:
        if self.tree is not None:
            self.tree.record_delete(observed)
        if observed.is_local or self.is_observed(observed):
            if len(self.items.groups) > 1:
                self.dropped = self.items
            self.items = Blocks(self.items.block_max, self.items.group_max)
            if self.tree is not None:
                self.tree.clear()
            return
        whole = self.items.slice(0, self.items.size)
        for index in range(len(whole.keys)):
            place = self.items.find(whole.runs[index], whole.keys[index])
            self.discard_at(place, observed)

    def keeps_traces(self) -> bool:
        return self.tree is not None

    def visible_part(self, effect: Effect) -> object:
        if effect[1] != ASSIGN:
            return self.items.size  # the others insert elements that are new, or remove elements
        run = self.run_of(effect[4])
        held = None if run is None else self.items.get(run, effect[4][2])
        return held if held is None or type(held) is bytes else held.value

    # -- whole states ----------------------------------------------------------------------

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        for _ in self.merge_in_slices(other, mine, theirs):
            pass

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        assert isinstance(other, List)
        if other.tree is not None:
            self.middle().take_over(other.tree)
        if self.tree is not None:
            self.tree.clear()
        ours, given = Cursor(self.items), Cursor(other.items)
        if len(self.items.groups) > 1:
            self.dropped = self.items
        self.items = Blocks(self.items.block_max, self.items.group_max)
        while not (ours.is_at_end() and given.is_at_end()):
            for _ in range(MERGED_IN_SLICE):
                if not (ours.is_at_end() and given.is_at_end()):
                    self.merge_next(ours, given, mine, theirs)
            yield

    def merge_next(self, ours: Cursor, given: Cursor, mine: Vector, theirs: Vector) -> None:
        """Merge the next element of both sides."""
        run: Run | None = None
        if not given.is_at_end():
            run = given.run()
            if not is_top(run.dot):
                run = self.middle().find(run.dot)
        side = which_first(ours, run, given)
        held = ours.thing() if side <= 0 else None
        copy = given.thing() if side >= 0 else None
        key = ours.key() if side <= 0 else given.key()
        if side <= 0:
            run = ours.run()
        assert run is not None
        self.put_merged(run, key, merged(element_dot(run.dot, key), held, copy, mine, theirs))
        if side <= 0:
            ours.advance()
        if side >= 0:
            given.advance()

    def put_merged(self, run: Run, key: Key, held: Any) -> None:
        """Put the content of an element, unless it is None."""
        if held is None:
            return
        if self.items.put(run, key, held) and not is_top(run.dot):
            self.middle().count(run, 1)
        self.note_content(run.dot, key, held)

    def state(self) -> Any:
        """Return the version, the runs in the middle, and `SEGMENT_ITEMS` for elements of one run
        that are next to each other."""
        return (*self.head(), *self.segments(0, self.items.size))

    def head(self) -> tuple[Any, Any]:
        """Return the version, and the runs in the middle."""
        return POSITIONS_VERSION, () if self.tree is None else self.tree.state()

    def segments(self, first: int, last: int) -> list[Any]:
        """Return `SEGMENT_ITEMS` for elements of one run that are next to each other, from index
        `first` to `last`."""
        flat: list[Any] = []
        whole = self.items.slice(first, last)
        start = 0
        while start < len(whole.keys):
            run = whole.runs[start]
            stop = start + 1
            while stop < len(whole.keys) and is_same(whole.runs[stop], run):
                stop += 1
            keys = whole.keys[start:stop]
            things = [h if type(h) is bytes else h.state() for h in whole.things[start:stop]]
            flat += (*name_of(run), differences(keys), tuple(things))
            start = stop
        return flat

    def divides(self, count: int, size: int) -> bool:
        return self.items.size > count

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        version, runs = self.head()
        first = 0
        while first < self.items.size:
            last = self.part_end(first, count, size)
            yield (version, runs, *self.segments(first, last))
            first, runs = last, ()

    def part_end(self, first: int, count: int, size: int) -> int:
        """Return where a part of at most `count` elements or about `size` bytes ends that begins
        at index `first`."""
        last = first
        for held in self.items.slice(first, min(first + count, self.items.size)).things:
            size -= len(held) if type(held) is bytes else weight(held.state())
            last += 1
            if size <= 0:
                break
        return last

    def load_part(self, part: Any, vector: Vector) -> bool:
        first = self.items.size
        items = tuple_of(part, "a list")
        if first > 0 and items[1:2] != ((),):
            raise DecodeError("a list: runs behind its first part")
        self.load(items)
        if first == 0 and self.tree is not None and not self.tree.covered(vector):
            return False
        return self.are_covered(first, self.items.size, vector)

    def equals(self, other: Value) -> bool:
        if self.items.size > MERGED_IN_SLICE:
            return False
        return bool(self.state() == other.state())

    def load(self, state: Any) -> None:
        items = tuple_of(state, "a list")
        check_version(items[0] if items else None, POSITIONS_VERSION, "list positions")
        flat = tuple_of(items[2:], "a list", SEGMENT_ITEMS)
        if len(items) < 2:
            raise DecodeError("a list: expected its runs behind the version")
        if items[1] != ():
            self.middle().load(items[1])
        for index in range(0, len(flat), SEGMENT_ITEMS):
            self.load_segment(*flat[index : index + SEGMENT_ITEMS])

    def load_segment(self, k: Any, dot: Any, steps: Any, contents: Any) -> None:
        """Add elements of one run to the end. Raises DecodeError if they do not belong there."""
        if not is_step(k) or not is_run(dot):
            check_origins((k, dot), is_position, "a list's run")
            raise DecodeError("a list: expected the name of a run")
        run = self.run_of((k, dot))
        keys = tuple_of(steps, "a list's keys")
        things = tuple_of(contents, "a list's elements")
        if run is None or len(keys) != len(things) or not keys:
            raise DecodeError("a list: elements of an unknown run, or without keys")
        key = 0
        for index, step in enumerate(keys):
            key += integer_of(step, "a key's step", 1 if index else -KEY_MAX, 2 * KEY_MAX)
            if not is_position((k, dot, key)):
                raise DecodeError("a list: a key is out of range")
            if index == 0 and not self.is_behind_all(run, key):
                raise DecodeError("a list: its elements are not in order")
            held: Any = things[index]
            if type(held) is not bytes:
                element = Element()
                element.load(held)
                held = as_plain(element_dot(dot, key), element)
            self.put_merged(run, key, held)

    def is_behind_all(self, run: Run, key: Key) -> bool:
        """Return whether a position is behind all elements."""
        items = self.items
        return items.size == 0 or precedes(items.run(LAST), items.key(LAST), run, key)

    def covered(self, vector: Vector) -> bool:
        if self.tree is not None and not self.tree.covered(vector):
            return False
        return self.are_covered(0, self.items.size, vector)

    def are_covered(self, first: int, last: int, vector: Vector) -> bool:
        """Return whether `vector` covers the elements from index `first` to `last`."""
        whole = self.items.slice(first, last)
        for index, held in enumerate(whole.things):
            if type(held) is not bytes:
                if not held.covered(vector):
                    return False
            elif not covers(vector, element_dot(whole.runs[index].dot, whole.keys[index])):
                return False
        return True

    def has_garbage(self) -> bool:
        return self.tree is not None and len(self.tree.empty) > 0

    def collect(self, stable: Vector) -> bool:
        if self.tree is None:
            return False
        is_left = self.tree.collect(stable)
        if not self.tree.runs:
            self.tree = None
        return is_left


def rename_elements(value: List, names: OriginNames) -> None:
    """Rename the runs, which stay in order, and the elements that were set."""
    whole = value.items.slice(0, value.items.size)
    runs = {id(run): run for run in whole.runs}
    if value.tree is not None:
        runs.update({id(run): run for run in value.tree.all_runs()})
    for run in runs.values():
        run.dot = names.dot(run.dot)
        run.removed = tuple(sorted([names.dot(dot) for dot in run.removed]))
    if value.tree is not None:
        value.tree.name_again()
    value.origin, value.seq, value.latest = 0, 0, None
    for index, held in enumerate(whole.things):
        if type(held) is not bytes:
            rename_register(held, names)
        value.note_content(whole.runs[index].dot, whole.keys[index], held)


def content(value: List) -> list[Any]:
    """Return the elements in order."""
    return list(value.values(0, value.length()))


def content_size(value: List) -> int:
    """Return the number of elements."""
    return value.length()


def content_pieces(value: List, size: int) -> Iterator[list[Any]]:
    """Yield the elements in order, `size` at a time."""
    for start in range(0, value.length(), size):
        yield list(value.values(start, min(start + size, value.length())))


def make_divided(block_max: int) -> List:
    """Return an empty list of small blocks, in small groups."""
    return List(block_max, block_max)


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="list",
    code=LIST,
    make=List,
    operations=(
        Operation(
            "insert",
            (is_place, is_step, is_sign),
            repeated=(is_bytes,),
            serves_waiters=True,
            spelling=Spelling("PUSH", SpellingForm.ELEMENTS),
        ),
        Operation(
            "assign",
            (is_stamp, is_position, is_bytes),
            spelling=Spelling("LSET", SpellingForm.POSITION),
        ),
        Operation(
            "remove",
            repeated=(is_span,),
            serves_waiters=True,
            spelling=Spelling("LREM", SpellingForm.SPANS),
        ),
    ),
    operations_version=("list positions", POSITIONS_VERSION),
    make_divided=make_divided,
    redis_name=b"list",
    encoding=encoding,
    encoding_limits={LENGTH_OR_SIZE: -2},
    rename_origins=rename_elements,
    elements=frozenset,
    has_positions=True,
    is_ordered=True,
    content=content,
    content_size=content_size,
    content_pieces=content_pieces,
    text_form=TextForm("[]"),
)
