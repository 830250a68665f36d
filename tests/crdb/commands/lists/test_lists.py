"""Commands on lists, and conflicts between regions as the specification resolves them."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.regions import Regions


def test_ranks_beyond_64_bits_are_refused_as_by_redis_7_2() -> None:
    regions = Regions()
    text = ErrorReply(
        b"ERR value is out of range, "
        b"value must between -9223372036854775807 and 9223372036854775807"
    )
    least = "-9223372036854775808"
    assert regions.run(1, "LPOS", "l", "a", "RANK", least) == text


def elements(regions: Regions, key: str = "l") -> list[bytes]:
    """Return the list, which all regions must show alike."""
    shown = [regions.run(n, "LRANGE", key, "0", "-1") for n in regions.clients]
    assert all(each == shown[0] for each in shown)
    return shown[0]


def start(*values: str, count: int = 2) -> Regions:
    """Return regions that all hold a list of these elements."""
    regions = Regions(count)
    regions.run(1, "RPUSH", "l", *values)
    regions.sync()
    return regions


@pytest.mark.parametrize("push", ["LPUSH", "RPUSH"])
@pytest.mark.rule("LST-2")
def test_concurrent_pushes_are_all_kept(push: str) -> None:
    regions = start("x", count=3)
    for n in (1, 2, 3):
        regions.run(n, push, "l", f"{n}a", f"{n}b")
    regions.sync()
    found = elements(regions)
    if push == "LPUSH":
        found.reverse()
    assert found[0] == b"x"
    assert sorted(found[1:]) == [b"1a", b"1b", b"2a", b"2b", b"3a", b"3b"]


@pytest.mark.rule("LST-2")
def test_insertions_at_one_place_are_all_kept() -> None:
    regions = start("x", "z")
    regions.run(1, "LINSERT", "l", "AFTER", "x", "y1")
    regions.run(2, "LINSERT", "l", "AFTER", "x", "y2")
    regions.sync()
    assert elements(regions) == [b"x", b"y1", b"y2", b"z"]


@pytest.mark.parametrize("push", ["LPUSH", "RPUSH"])
@pytest.mark.rule("LST-11")
def test_elements_of_region_stay_together_in_order(push: str) -> None:
    regions = start("x", count=3)
    for step in "abc":
        for n in (3, 1, 2):
            regions.run(n, push, "l", f"{n}{step}")
    regions.sync()
    found = [element.decode() for element in elements(regions)]
    if push == "LPUSH":
        found.reverse()
    for n in "123":
        at = found.index(f"{n}a")
        assert found[at : at + 3] == [f"{n}a", f"{n}b", f"{n}c"]


@pytest.mark.rule("LST-11")
def test_text_typed_in_middle_stays_together() -> None:
    regions = start("(", ")")
    for n, word in ((1, "hello"), (2, "world")):
        before = "("
        for index, letter in enumerate(word):
            regions.run(n, "LINSERT", "l", "AFTER", before, f"{letter}{n}{index}")
            before = f"{letter}{n}{index}"
    regions.sync()
    letters = "".join(chr(element[0]) for element in elements(regions))
    assert letters in {"(helloworld)", "(worldhello)"}


@pytest.mark.parametrize("delete", ["DEL l", "LTRIM l 1 0", "LPOP l 9", "LREM l 0 x"])
@pytest.mark.rule("LST-3")
def test_removing_all_leaves_what_is_pushed_meanwhile(delete: str) -> None:
    regions = start("x", "x")
    regions.run(1, *delete.split())
    regions.run(2, "RPUSH", "l", "y", "x")
    regions.sync()
    assert elements(regions) == [b"y", b"x"]


@pytest.mark.rule("LST-4")
def test_two_regions_may_pop_same_element_and_it_is_gone_once() -> None:
    regions = start("x", "y", "z")
    assert regions.run(1, "LPOP", "l") == b"x"
    assert regions.run(2, "LPOP", "l") == b"x"
    assert regions.run(2, "RPOP", "l") == b"z"
    regions.sync()
    assert elements(regions) == [b"y"]


@pytest.mark.rule("LST-4")
def test_pop_leaves_what_is_pushed_meanwhile() -> None:
    regions = start("x")
    assert regions.run(1, "LPOP", "l") == b"x"
    regions.run(2, "LPUSH", "l", "y")
    regions.sync()
    assert elements(regions) == [b"y"]


@pytest.mark.rule("LST-5")
def test_lrem_removes_equal_elements_it_saw() -> None:
    regions = start("v", "w", "v")
    assert regions.run(1, "LREM", "l", "0", "v") == 2
    regions.run(2, "RPUSH", "l", "v")
    regions.sync()
    assert elements(regions) == [b"w", b"v"]


@pytest.mark.rule("LST-5")
def test_push_survives_trim() -> None:
    regions = start("a", "b", "c")
    regions.run(1, "LTRIM", "l", "0", "0")
    regions.run(2, "RPUSH", "l", "d")
    regions.run(2, "LPUSH", "l", "e")
    regions.sync()
    assert elements(regions) == [b"e", b"a", b"d"]


@pytest.mark.rule("LST-6")
def test_element_stays_where_its_pivot_was() -> None:
    regions = start("a", "b", "c")
    regions.run(1, "LREM", "l", "0", "b")
    regions.run(2, "LINSERT", "l", "AFTER", "b", "x")
    regions.sync()
    assert elements(regions) == [b"a", b"x", b"c"]


@pytest.mark.rule("LST-7")
def test_later_of_two_lsets_holds() -> None:
    regions = start("a", "b")
    regions.run(2, "LSET", "l", "1", "two")
    regions.now += 1
    regions.run(1, "LSET", "l", "1", "one")
    regions.sync()
    assert elements(regions) == [b"a", b"one"]
    regions.run(2, "LSET", "l", "-1", "last")  # it saw both, whatever the clocks say
    regions.sync()
    assert elements(regions) == [b"a", b"last"]
    assert regions.run(1, "RPOP", "l") == b"last"


@pytest.mark.rule("LST-7")
def test_at_same_time_lower_region_wins() -> None:
    regions = start("a")
    regions.run(2, "LSET", "l", "0", "two")
    regions.run(1, "LSET", "l", "0", "one")
    regions.sync()
    assert elements(regions) == [b"one"]


@pytest.mark.parametrize("removal", ["LREM l 0 b", "RPOP l", "LTRIM l 0 0", "DEL l"])
@pytest.mark.rule("LST-7")
def test_lset_wins_over_removal(removal: str) -> None:
    regions = start("a", "b")
    regions.run(1, *removal.split())
    regions.run(2, "LSET", "l", "1", "v")
    regions.sync()
    assert elements(regions)[-1] == b"v"


@pytest.mark.rule("LST-9")
def test_forms_with_x_test_what_this_region_sees() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "l", "a")
    assert regions.run(2, "RPUSHX", "l", "b") == 0
    assert regions.run(1, "LPUSHX", "l", "c") == 2
    regions.sync()
    assert elements(regions) == [b"c", b"a"]


@pytest.mark.rule("EXP-7")
def test_expired_list_keeps_concurrent_pushes() -> None:
    regions = start("old")
    regions.run(1, "PEXPIRE", "l", "100")
    regions.sync()
    regions.run(2, "RPUSH", "l", "meanwhile")
    regions.now += 1000
    assert regions.run(1, "LLEN", "l") == 0
    assert regions.run(1, "RPUSH", "l", "new") == 1
    regions.sync()
    assert sorted(elements(regions)) == [b"meanwhile", b"new"]
