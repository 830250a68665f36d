"""The places at which a region inserts into a list.

A place is what an effect holds (`List.run_to_extend`), with k and sign. The sign tells on which
side of the run's elements the new ones stand. The region's own run is extended if that leads to the
requested place.
"""

from __future__ import annotations

from crdt.causality.dots import SEQ_BITS
from crdt.causality.schema import STEP_MAX
from crdt.structures.blocks import FIRST, LAST
from crdt.structures.runs import INDEX_BITS, Run, lift, precedes
from crdt.types.components.element_sequence import ElementSequence
from crdt.types.components.list_elements import key_in, position_of
from crdt.types.components.run_tree import is_top

InsertPlace = tuple[tuple[int, ...], int, int]
"""A place, k and sign."""


def head_place(value: ElementSequence | None, origin: int, seq: int) -> InsertPlace:
    """Return the place where effect `seq` of `origin` pushes at the head."""
    if value is None or value.items.size == 0:
        return (), 0, -1
    run, key = value.items.run(FIRST), value.items.key(FIRST)
    if run.dot == origin << SEQ_BITS and -seq << INDEX_BITS < key < 0:
        return (), run.k, -1
    k = lift(run, 1).k
    return ((), k - 1, -1) if k > -STEP_MAX else (position_of(run, key), -1, -1)


def tail_place(value: ElementSequence | None, origin: int, seq: int) -> InsertPlace:
    """Return the place where effect `seq` of `origin` pushes at the tail."""
    if value is None or value.items.size == 0:
        return (), 0, 1
    run, key = value.items.run(LAST), value.items.key(LAST)
    if run.dot == origin << SEQ_BITS and 0 < key < seq << INDEX_BITS:
        return (), run.k, 1
    k = lift(run, 1).k
    return ((), k + 1, 1) if k < STEP_MAX else (position_of(run, key), 1, 1)


def place_between(
    value: ElementSequence, index: int, origin: int, seq: int, *, is_after: bool = False
) -> InsertPlace:
    """Return the place where effect `seq` of `origin` inserts before the element at `index`, which
    is not the first one.

    As in Fugue, it is on the left of the element behind if that one descends from the element
    before, and else on the right of the element before. An element that was added at the end of a
    run counts as a descendant of those before it that were, too. It does not if `is_after`: then
    the place is on the right of the element before wherever that leads there. So what regions
    insert behind one element is sorted by region, whatever was removed behind it (rule JSN-9).
    """
    part = value.items.slice(index - 1, index + 1)
    run, key = part.runs[0], part.keys[0]
    behind, key_behind = part.runs[1], part.keys[1]
    new_key = seq << INDEX_BITS
    above = key_in(run, behind, key_behind)
    if above is not None and (above == key or (above > key > 0 and not is_after)):
        if behind.dot >> SEQ_BITS == origin and -new_key < key_behind:
            if precedes(run, key, behind, -new_key):
                return extension(behind, -1)
        return position_of(behind, key_behind), -1, 1
    if run.dot >> SEQ_BITS == origin and 0 < key < new_key:
        if precedes(run, new_key, behind, key_behind):
            return extension(run, 1)
    return position_of(run, key), 1, 1


def extension(run: Run, sign: int) -> InsertPlace:
    """Return the place at one side of a run's elements."""
    return ((), run.k, sign) if is_top(run.dot) else ((0, run.dot), 0, sign)
