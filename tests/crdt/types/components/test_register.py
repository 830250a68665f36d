"""Registers with siblings, compared with naive models of tuples (rules STR-2, ORD-6..8)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import DOT_MAX, Vector, make_dot, make_origin
from crdt.causality.observed import Observed
from crdt.errors import DecodeError
from crdt.types.components.counter import live
from crdt.types.components.register import LATEST, Register, Write, precedence
from crdt.types.string import String

ORIGINS = (make_origin(1), make_origin(2), make_origin(3))
WRITER = make_origin(4)
VECTORS = st.fixed_dictionaries({origin: st.integers(0, 3) for origin in ORIGINS})
DOTS = st.sets(st.tuples(st.sampled_from(ORIGINS), st.integers(1, 3)), max_size=5)

Dots = set[tuple[int, int]]


def stamp_of(origin: int, seq: int) -> int:
    """Return the stamp of a write. Stamps are often equal, and grow with the writes of one
    origin."""
    return (origin * 7 + seq * 2) % 3 + seq


def built(dots: Dots) -> String:
    """Return the register that holds these concurrent writes."""
    register = String()
    writes = [Write(make_dot(o, s), stamp_of(o, s), b"%d:%d" % (o, s)) for o, s in dots]
    register.show(writes)
    return register


def shown(dots: Dots) -> bytes | None:
    """Return the visible write: the greatest stamp, or the lower origin of equal ones (rule
    ORD-8)."""
    if not dots:
        return None
    latest = max(stamp_of(*dot) for dot in dots)
    ranked = sorted(dot for dot in dots if stamp_of(*dot) == latest)
    return b"%d:%d" % ranked[0]


def dots_in(register: Register) -> set[int]:
    return {dot for dot, _ in register.siblings()}


def unseen(dots: Dots, vector: Vector) -> Dots:
    return {(origin, seq) for origin, seq in dots if seq > vector.get(origin, 0)}


def alone(dots: Dots) -> Dots:
    """Return at most one write of each origin, as in every register that can occur."""
    return set(dict(sorted(dots)).items())


@given(DOTS)
def test_latest_stamp_is_shown_and_of_equal_ones_lower_origin(dots: Dots) -> None:
    """Rules STR-1, STR-2 and ORD-8."""
    register = built(alone(dots))
    assert register.value == shown(alone(dots))
    assert register.is_live() == bool(dots)
    assert register.min_dot() == min((make_dot(*dot) for dot in alone(dots)), default=0)
    assert [write.dot for write in register.writes()][:1] == ([register.dot] if dots else [])


@given(DOTS, DOTS, VECTORS, VECTORS)
def test_merge_keeps_what_both_hold_or_one_has_never_seen(
    ours: Dots, given_: Dots, mine: Vector, theirs: Vector
) -> None:
    """Rule ORD-4."""
    ours, given_ = alone(ours), alone(given_)
    kept = (ours & given_) | unseen(ours - given_, theirs) | unseen(given_ - ours, mine)
    register = built(ours)
    register.merge(built(given_), mine, theirs)
    assert dots_in(register) == {make_dot(*dot) for dot in kept}
    if kept == alone(kept):
        assert register.value == shown(kept)


@given(DOTS, VECTORS)
def test_write_replaces_and_remove_takes_what_was_observed(dots: Dots, past: Vector) -> None:
    """Rule ORD-6."""
    dots = alone(dots)
    left = {make_dot(*dot) for dot in unseen(dots, past)}
    observed, dot = Observed(past, WRITER, 1, 0), make_dot(WRITER, 1)
    register = built(dots)
    register.write(dot, 100, b"new", observed)
    assert dots_in(register) == left | {dot}
    assert register.value == b"new"
    register = built(dots)
    register.remove(observed, None)
    assert dots_in(register) == left
    assert register.is_empty() == (not left)


@given(DOTS)
def test_state_is_read_back(dots: Dots) -> None:
    register, copy = built(alone(dots)), String()
    copy.load(register.state())
    assert copy.state() == register.state()
    assert copy.siblings() == register.siblings()


def counted() -> String:
    """Return a register with a write and increments of two origins."""
    register = String()
    register.write(make_dot(ORIGINS[2], 1), 5, b"10", Observed({}, ORIGINS[2], 1, 0))
    register.increment(make_dot(ORIGINS[0], 4), 4, 3)
    register.increment(make_dot(ORIGINS[1], 2), 2, 4)
    return register


def test_increments_count_with_and_without_write() -> None:
    """Rules CTR-1, CTR-4, CTR-6."""
    register = counted()
    assert register.read() == b"17"
    assert register.min_dot() == make_dot(ORIGINS[0], 4)
    register.remove(Observed({ORIGINS[2]: 1}, WRITER, 1, 0), None)
    assert register.dot == 0
    assert register.is_live()
    assert not register.is_empty()
    assert register.min_dot() == make_dot(ORIGINS[0], 4)
    assert register.read() == b"7"


def test_removal_with_resets_is_kept_until_stable() -> None:
    """Rules CTR-4, MEM-2."""
    register = counted()
    seen = {ORIGINS[0]: 4, ORIGINS[1]: 2, ORIGINS[2]: 1}
    register.remove(Observed(seen, WRITER, 1, 0), register.resets())
    assert not register.is_live()
    assert not register.is_empty()
    assert register.has_garbage()
    assert not live(register.shares)
    assert register.collect(seen)
    assert not register.collect(seen | {WRITER: 1})
    assert register.is_empty()
    assert register.plain()


def test_reset_of_missing_share_changes_nothing() -> None:
    register = String()
    assert register.resets() is None
    register.reset((ORIGINS[0], 4, 4, 3), make_dot(WRITER, 1))
    assert register.is_empty()


def test_removed_siblings_with_counter_keep_it() -> None:
    register = counted()
    register.write(make_dot(WRITER, 1), 4, b"1", Observed({}, WRITER, 1, 0))
    assert [value for _, value in register.siblings()] == [b"10", b"1"]
    register.remove(Observed({ORIGINS[2]: 1}, WRITER, 2, 0), None)
    assert register.siblings() == []
    assert register.read() == b"7"


def test_counters_merge_wherever_one_side_has_one() -> None:
    vector = {ORIGINS[0]: 4, ORIGINS[1]: 2, ORIGINS[2]: 1}
    for ours, others in ((counted(), String()), (String(), counted()), (counted(), counted())):
        mine = vector if ours.shares else {}
        theirs = vector if others.shares else {}
        ours.merge(others, mine, theirs)
        assert ours.read() == b"17"
        assert ours.state() == counted().state()


def test_counter_that_other_side_saw_end_goes() -> None:
    register = counted()
    register.merge(String(), {}, {ORIGINS[0]: 4, ORIGINS[1]: 2, ORIGINS[2]: 1})
    assert register.is_empty()
    assert register.plain()


def test_state_with_counter_is_read_back() -> None:
    register, copy = counted(), String()
    copy.load(register.state())
    assert copy.state() == register.state()
    assert copy.read() == b"17"


def test_flag_without_write_means_nothing() -> None:
    register = String()
    register.load((0, 0, None, 1))
    assert not register.no_expiry
    register.load((5, 0, b"v", 1))
    assert register.no_expiry


@pytest.mark.parametrize(
    "state",
    [
        b"",
        (1, 2, b"v"),
        (1, 2, b"v", 0, ()),
        (-1, 2, b"v", 0),
        (DOT_MAX + 1, 2, b"v", 0),
        (1, LATEST + 1, b"v", 0),
        (1, 2, 3.0, 0),
        (1, 2, None, 0),
        (0, 0, b"v", 0),
        (1, 2, b"v", 0, (1, 2), ()),
        (1, 2, b"v", 0, (2, 2, 3), ()),
        (0, 0, None, 0, (2, 2, b"w"), ()),
        (1, 2, b"v", 0, (), (1, 2, 3)),
    ],
)
def test_invalid_register_state_is_refused(state: Any) -> None:
    with pytest.raises(DecodeError):
        String().load(state)


def test_later_stamps_and_lower_origins_come_first() -> None:
    writes = [Write(make_dot(o, 1), s, b"") for o, s in ((2, 1), (1, 1), (3, 2))]
    assert [write.dot >> 40 for write in sorted(writes, key=precedence)] == [3, 1, 2]


def test_counter_is_collected_next_to_siblings() -> None:
    register = counted()
    register.write(make_dot(WRITER, 1), 4, b"1", Observed({}, WRITER, 1, 0))
    register.reset(register.resets(), make_dot(WRITER, 2))
    assert register.min_dot() == make_dot(ORIGINS[2], 1)
    assert not register.collect({WRITER: 2})
    assert [value for _, value in register.siblings()] == [b"10", b"1"]
    assert register.has_garbage() is False


def test_write_without_counter_has_no_garbage() -> None:
    register, copy = built({(ORIGINS[0], 1)}), built({(ORIGINS[0], 1)})
    assert not register.collect({ORIGINS[0]: 1})
    register.merge(copy, {}, {})
    assert register.state() == copy.state()


def test_siblings_are_concurrent_writes() -> None:
    assert not built({(ORIGINS[0], 1)}).has_siblings()
    assert built({(ORIGINS[0], 1), (ORIGINS[1], 1)}).has_siblings()


@pytest.mark.parametrize("depth", range(45, 55))
def test_deallocation_of_nested_register_changes_no_other(depth: int) -> None:
    """CPython puts off the deallocations that are nested more than 50 deep."""
    registers = [built({(ORIGINS[0], 1)}) for _ in range(64)]
    before = [register.state() for register in registers[::2]]
    for index in range(1, len(registers), 2):
        nested: list[Any] = [registers[index]]
        registers[index] = registers[0]
        for _ in range(depth):
            nested = [nested]
        del nested
    assert [register.state() for register in registers[::2]] == before
