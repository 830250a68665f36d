"""Strings in a short form: they unfold to what was folded."""

from __future__ import annotations

import pytest

from crdt.causality.dots import DOT_MAX, SEQ_MAX, make_dot, make_origin
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.numbers.number import Number
from crdt.structures.large_text import LargeText
from crdt.types.components.counter import Share
from crdt.types.components.register import LATEST, Write
from crdt.types.folded_string import (
    FOLDED_BYTES_MAX,
    SECOND_MAX,
    Folder,
    dot_of,
    is_counter,
    second_of,
    stamp_of,
    sum_of,
    text_of,
    unfold,
    value_of,
)
from crdt.types.string import ADD, KEEP, SET, STRING, String

ORIGIN = make_origin(7, 3)
DOT = make_dot(ORIGIN, 5)
INT64 = 1 << 63
KEY = b"k"


def written(text: bytes, stamp: int = 1000, second: int = 9) -> String:
    value = String()
    value.dot, value.stamp, value.value, value.accessed = DOT, stamp, text, second
    return value


def counted(amount: Number) -> String:
    value = String()
    value.shares = (Share(ORIGIN, 2, 5, amount),)
    value.accessed = 9
    return value


def content(value: String) -> object:
    return value.state(), value.accessed, value.is_raw, value.is_text


@pytest.mark.parametrize("second", [0, 9, SECOND_MAX])
@pytest.mark.parametrize("stamp", [-LATEST, -1, 0, LATEST])
@pytest.mark.parametrize("flags", range(8))
def test_write_unfolds_to_itself(flags: int, stamp: int, second: int) -> None:
    value = written(b"text", stamp, second)
    value.dot = DOT_MAX
    value.no_expiry, value.is_raw, value.is_text = flags & 1 != 0, flags & 2 != 0, flags & 4 != 0
    folded = Folder().fold(value)
    assert (dot_of(folded), stamp_of(folded), second_of(folded)) == (DOT_MAX, stamp, second)
    assert (is_counter(folded), text_of(folded)) == (False, b"text")
    assert content(unfold(folded)) == content(value)
    used = unfold(Folder().used(folded, 3))
    assert used.accessed == 3
    used.accessed = second
    assert content(used) == content(value)


@pytest.mark.parametrize("amount", [-INT64, -1, 0, INT64 - 1])
def test_counter_unfolds_to_itself(amount: int) -> None:
    value = counted(amount)
    value.is_raw, value.is_text = False, True
    value.shares[0].birth = SEQ_MAX
    folded = Folder().fold(value)
    assert (dot_of(folded), stamp_of(folded), sum_of(folded)) == (DOT, SEQ_MAX, amount)
    assert is_counter(folded)
    assert text_of(folded) == value.read() == b"%d" % amount
    assert content(unfold(folded)) == content(value)
    assert unfold(Folder().used(folded, 4)).accessed == 4
    assert len(folded) + 33 <= 64, "it takes 64 bytes of memory"


def test_anything_else_stays_a_string() -> None:
    edited, long, beside = written(b""), written(b"x" * (FOLDED_BYTES_MAX + 1)), counted(1)
    edited.value = LargeText(b"x")
    beside.dot, beside.value = DOT, b"5"
    sibling = written(b"x")
    sibling.sibling_writes = (Write(DOT + 1, 0, b"y"),)
    reset, two = counted(1), counted(1)
    reset.shares[0].reset_seq, reset.shares[0].reset_dot = 2, DOT
    two.shares = (Share(ORIGIN - 1, 1, 1, 1), *two.shares)
    sums = [counted(INT64), counted(b"0.5"), counted(2.5)]
    for value in (edited, long, beside, sibling, reset, two, *sums, String()):
        assert Folder().fold(value) is value


def test_value_of_an_entry() -> None:
    value = written(b"x")
    assert value_of(None) is None
    assert value_of(value) is value
    assert value_of(Folder().fold(value)).state() == value.state()


def test_effects_keep_a_string_folded() -> None:
    folder = Folder()
    past = Observed({ORIGIN: 5}, ORIGIN, 6, 1000)
    text = folder.applied(None, (STRING, SET, KEY, 7, b"a"), DOT + 1, past, 9)
    assert text == folder.write(DOT + 1, 1007, 9, b"a")
    assert (
        folder.applied(
            folder.write(DOT, 1000, 8, b"x"), (STRING, SET, KEY, 7, b"a"), DOT + 1, past, 9
        )
        == text
    )
    count = folder.applied(None, (STRING, ADD, KEY, 6, 2), DOT + 1, past, 9)
    assert count == folder.counter(DOT + 1, 6, 9, 2)
    assert folder.applied(count, (STRING, ADD, KEY, 6, 3), DOT + 2, past, 9) == folder.counter(
        DOT + 2, 6, 9, 3
    )


OTHER = make_dot(make_origin(2), 4)


@pytest.mark.parametrize(
    ("held", "effect"),
    [
        (None, (STRING, SET, KEY, 7, b"a", (1, 1, 1, 1))),
        (None, (STRING, SET, KEY, 7, b"x" * (FOLDED_BYTES_MAX + 1))),
        (None, (STRING, KEEP, KEY, 7, b"a")),
        (None, (STRING, ADD, KEY, 6, b"0.5")),
        (None, (STRING, ADD, KEY, 6, INT64)),
        (Folder().write(OTHER, 0, 0, b"concurrent"), (STRING, SET, KEY, 7, b"a")),
        (Folder().counter(DOT, 6, 0, 1), (STRING, SET, KEY, 7, b"a")),
        (Folder().write(DOT, 6, 0, b"7"), (STRING, ADD, KEY, 6, 1)),
        (Folder().counter(OTHER, 6, 0, 1), (STRING, ADD, KEY, 6, 1)),
        (Folder().counter(DOT, 5, 0, 1), (STRING, ADD, KEY, 6, 1)),
    ],
)
def test_other_effects_are_left_to_the_general_way(held: bytes | None, effect: Effect) -> None:
    past = Observed({ORIGIN: 5}, ORIGIN, 6, 1000)
    assert Folder().applied(held, effect, DOT + 1, past, 9) is None
