"""Random members: different ones, repeated ones, and the bounds of both."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from crdb.commands.shared import sampling
from crdb.engine.errors import NOT_AN_INTEGER, OUT_OF_RANGE, SYNTAX, CommandError
from crdt.types.components.named import LIMITS
from crdt.types.set import Set


def choose(value: Set, count: int, rng: Random, items: int = 1000) -> list[bytes]:
    sample = sampling.Sample(value, value.members, rng)
    for _ in sample.choose(count, items):
        pass
    return sample.chosen


def make_set(size: int, width: int = 1) -> Set:
    value = Set()
    for n in range(size):
        value.members[b"%0*d" % (width, n)] = n + 1
    return value


@pytest.mark.parametrize("count", [0, 1, 5, 50, 99, 100, 1000])
def test_distinct_members_are_as_many_as_possible(count: int) -> None:
    value = make_set(100)
    chosen = choose(value, count, Random(1))
    assert len(set(chosen)) == len(chosen) == min(count, 100)
    assert set(chosen) <= set(value.members)


@pytest.mark.parametrize("count", [2, 6])
def test_every_member_is_chosen_about_equally_often(count: int) -> None:
    value, rng = make_set(10), Random(1)
    rounds = 3000
    drawn = Counter(member for _ in range(rounds) for member in choose(value, count, rng))
    expected = rounds * count / 10
    assert all(abs(times - expected) < expected / 5 for times in drawn.values())
    assert len(drawn) == 10


def test_repeated_members_may_be_equal() -> None:
    chosen = choose(make_set(3), -100, Random(1))
    assert len(chosen) == 100
    assert len(set(chosen)) == 3


def test_more_repetitions_than_reply_should_hold_are_refused() -> None:
    with pytest.raises(CommandError) as refused:
        choose(make_set(1), -sampling.REPEATED_MAX - 1, Random(1))
    assert refused.value.text == OUT_OF_RANGE


def test_more_bytes_than_reply_should_hold_are_refused() -> None:
    value = make_set(1, width=1 << 20)
    most = sampling.REPEATED_BYTES_MAX >> 20
    assert len(choose(value, -most, Random(1))) == most
    with pytest.raises(CommandError) as refused:
        choose(value, -most - 1, Random(1))
    assert refused.value.text == OUT_OF_RANGE


@pytest.mark.parametrize(
    ("text", "reason"),
    [(b"x", NOT_AN_INTEGER), (b"-9223372036854775808", sampling.COUNT_OUT_OF_RANGE)],
)
def test_count_is_any_integer_but_smallest(text: bytes, reason: bytes) -> None:
    assert sampling.parse_count(b"-5") == -5
    with pytest.raises(CommandError) as refused:
        sampling.parse_count(text)
    assert refused.value.text == reason


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        (b"RAND key", (None, False)),
        (b"RAND key 5", (5, False)),
        (b"RAND key -5 WITHVALUES", (-5, True)),
        (b"RAND key -5 withvalues", (-5, True)),
    ],
)
def test_options_are_count_and_word(request_text: bytes, expected: tuple[int | None, bool]) -> None:
    assert sampling.parse_options(request_text.split(), b"WITHVALUES") == expected


@pytest.mark.parametrize(
    ("request_text", "reason"),
    [
        (b"RAND key x", NOT_AN_INTEGER),
        (b"RAND key x WITHVALUES", NOT_AN_INTEGER),
        (b"RAND key 5 WITHSCORES", SYNTAX),
        (b"RAND key 5 WITHVALUES 5", SYNTAX),
        (b"RAND key 4611686018427387904 WITHVALUES", OUT_OF_RANGE),
    ],
)
def test_other_options_are_refused(request_text: bytes, reason: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        sampling.parse_options(request_text.split(), b"WITHVALUES")
    assert refused.value.text == reason


def test_negative_count_samples_with_repetition() -> None:
    value = make_set(3)
    assert len(choose(value, -100, Random(1))) == 100
    assert sorted(choose(value, 100, Random(1))) == sorted(value.members)


@pytest.mark.parametrize("count", [0, 5, 50, 100, -5, -300])
def test_slices_choose_the_same(count: int) -> None:
    value = make_set(100)
    sample = sampling.Sample(value, value.members, Random(1))
    slices = sum(1 for _ in sample.choose(count, 10))
    assert slices >= sample.cost(count) // 10 - 1
    assert sample.chosen == choose(value, count, Random(1))


@pytest.mark.parametrize("count", [40, -40])
def test_picks_from_a_large_value_are_prepared_in_slices(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LIMITS, "part_max", 4)
    monkeypatch.setattr(LIMITS, "small_max", 4)
    value = Set()
    for number in range(200):
        value.put(b"%d" % number, number + 1)
    sample = sampling.Sample(value, value.names(), Random(1))
    assert sample.cost(10) == 10
    assert sample.cost(count) == 200
    slices = sum(1 for _ in sample.choose(count, 10))
    assert slices > 200 // (10 * sampling.VISITED + 4)
    assert len(sample.chosen) == 40
    assert value.prepare_picks(0)
    assert sample.cost(count) == 40
