"""Commands on counters, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.redis_peer import COUNTER_MAX, Word
from tests.crdb.regions import Regions, both

OVERFLOW = ErrorReply(b"ERR increment or decrement would overflow")
NOT_AN_INTEGER = ErrorReply(b"ERR value is not an integer or out of range")


TEN = ("SET", "x", "10")
COUNTED = ("INCRBY", "x", "10")


@pytest.mark.parametrize("setup", [TEN, COUNTED])
@pytest.mark.rule("CTR-1")
@pytest.mark.rule("CTR-6")
def test_increments_add_up(setup: tuple[Word, ...]) -> None:
    regions = both(("INCRBY", "x", "1"), ("INCRBY", "x", "2"), setup)
    assert regions.everywhere("GET", "x") == b"13"
    regions = both(("INCRBY", "x", "5"), ("DECRBY", "x", "7"), setup)
    assert regions.everywhere("GET", "x") == b"8"
    assert regions.run(2, "INCR", "x") == 9


@pytest.mark.parametrize("setup", [TEN, COUNTED])
@pytest.mark.rule("CTR-4")
def test_delete_leaves_increment_that_it_has_not_seen(
    setup: tuple[Word, ...],
) -> None:
    regions = both(("INCRBY", "x", "5"), ("DEL", "x"), setup)
    assert regions.everywhere("GET", "x") == b"5"
    regions = both(("DEL", "x"), ("INCRBY", "x", "5"), setup)
    assert regions.everywhere("GET", "x") == b"5"


@pytest.mark.parametrize("setup", [TEN, COUNTED])
@pytest.mark.rule("CTR-4")
def test_two_deletes_take_off_once(setup: tuple[Word, ...]) -> None:
    assert both(("DEL", "x"), ("DEL", "x"), setup).everywhere("EXISTS", "x") == 0


@pytest.mark.parametrize("setup", [TEN, COUNTED])
@pytest.mark.rule("D-04")
def test_set_takes_unseen_increments_on_top_if_it_is_number(
    setup: tuple[Word, ...],
) -> None:
    assert both(("INCRBY", "x", "5"), ("SET", "x", "100"), setup).everywhere("GET", "x") == b"105"
    assert both(("SET", "x", "100"), ("INCRBY", "x", "5"), setup).everywhere("GET", "x") == b"105"
    assert both(("SET", "x", "a"), ("INCRBY", "x", "5"), setup).everywhere("GET", "x") == b"a"


@pytest.mark.rule("CTR-9")
def test_increment_that_set_has_seen_is_gone() -> None:
    regions = both(("INCRBY", "x", "5"), ("INCRBY", "x", "6"), COUNTED)
    regions.run(2, "SET", "x", "1")
    regions.sync()
    regions.run(1, "INCR", "x")
    regions.sync()
    assert regions.everywhere("GET", "x") == b"2"


@pytest.mark.rule("CTR-2")
def test_sum_of_concurrent_increments_is_never_refused() -> None:
    most = str(COUNTER_MAX)
    regions = both(("INCRBY", "x", most), ("INCRBY", "x", most))
    assert regions.everywhere("GET", "x") == b"%d" % (2 * COUNTER_MAX)
    assert regions.run(1, "INCR", "x") == OVERFLOW
    assert regions.run(1, "DECRBY", "x", most) == COUNTER_MAX


@pytest.mark.rule("CTR-3")
def test_fractions_add_up_exactly() -> None:
    regions = both(("INCRBYFLOAT", "x", "0.1"), ("INCRBYFLOAT", "x", "0.2"))
    assert regions.everywhere("GET", "x") == b"0.3"
    regions = both(("INCRBYFLOAT", "x", "2.0"), ("DEL", "x"), ("INCRBYFLOAT", "x", "4.1"))
    assert regions.everywhere("GET", "x") == b"2"


@pytest.mark.rule("CTR-8")
def test_increment_of_text_is_refused() -> None:
    regions = Regions(1)
    regions.run(1, "SET", "x", "a")
    assert regions.run(1, "INCR", "x") == NOT_AN_INTEGER


@pytest.mark.rule("CTR-3")
def test_hexadecimal_is_number_to_fractions_alone() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "x", "0x10")
    assert regions.run(1, "INCR", "x") == NOT_AN_INTEGER
    regions.sync()
    assert regions.run(1, "INCRBYFLOAT", "x", "1") == b"17"
    assert regions.run(2, "INCRBYFLOAT", "x", "0x.8") == b"16.5"
    regions.sync()
    assert regions.everywhere("GET", "x") == b"17.5"


def test_increment_keeps_time_to_live() -> None:
    regions = both(("INCRBY", "x", "5"), ("EXPIRE", "x", "100"), TEN)
    assert regions.everywhere("GET", "x") == b"15"
    assert regions.everywhere("TTL", "x") == 100


@pytest.mark.rule("D-02")
def test_counter_and_set_under_one_key() -> None:
    regions = both(("INCRBY", "x", "5"), ("SADD", "x", "a"))
    assert regions.everywhere("TYPE", "x").text == b"string"
    assert regions.run(2, "INCR", "x") == 6
    assert regions.run(2, "INCRBYFLOAT", "x", "0.5") == b"6.5"
    regions.sync()
    assert regions.everywhere("GET", "x") == b"6.5"
    regions.run(1, "DEL", "x")
    regions.sync()
    assert regions.everywhere("EXISTS", "x") == 0
