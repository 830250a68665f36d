"""Lists: replies as a real redis-server's, conflicts as the specification says."""

from __future__ import annotations

import pytest

from tests.crdb.random_commands import LISTS, history
from tests.crdb.redis_peer import Peer, Refusal
from tests.crdb.regions import Regions

COMMANDS = [
    "LPUSH {k} x y",
    "RPUSH {k} x y",
    "LPUSHX {k} x y",
    "RPUSHX {k} x y",
    "LINSERT {k} BEFORE a x",
    "LINSERT {k} after a x",
    "LINSERT {k} AFTER z x",
    "LINSERT {k} x a x",
    "LPOP {k}",
    "RPOP {k}",
    "LPOP {k} 0",
    "RPOP {k} 2",
    "LPOP {k} -1",
    "LPOP {k} x",
    "LPOP {k} 1 2",
    "RPOP {k} 1 2",
    "LLEN {k}",
    "LINDEX {k} 0",
    "LINDEX {k} -2",
    "LINDEX {k} -9",
    "LINDEX {k} x",
    "LRANGE {k} 0 -1",
    "LRANGE {k} -2 1",
    "LRANGE {k} 5 9",
    "LRANGE {k} 0 x",
    "LPOS {k} a",
    "LPOS {k} z",
    "LPOS {k} a COUNT 0",
    "LPOS {k} a COUNT 1 RANK -1",
    "LPOS {k} a RANK 2",
    "LPOS {k} a RANK -2 MAXLEN 1",
    "LPOS {k} b MAXLEN 1",
    "LPOS {k} a RANK 0",
    "LPOS {k} a RANK",
    "LPOS {k} a COUNT -1",
    "LPOS {k} a MAXLEN -1",
    "LPOS {k} a MAXLEN x",
    "LPOS {k} a FIRST 1",
    "LSET {k} 0 x",
    "LSET {k} -1 x",
    "LSET {k} 9 x",
    "LSET {k} x x",
    "LTRIM {k} 1 1",
    "LTRIM {k} 0 -1",
    "LTRIM {k} 5 9",
    "LTRIM {k} -1 -9",
    "LTRIM {k} x 1",
    "LREM {k} 0 a",
    "LREM {k} 1 a",
    "LREM {k} -1 a",
    "LREM {k} 0 z",
    "LREM {k} x a",
    "LREM {k} -9223372036854775808 a",
    "LREM {k} -9223372036854775809 a",
]


FILLED = [("SET", "string", "x"), ("RPUSH", "one", "a"), ("RPUSH", "three", "a", "b", "a")]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", ["missing", "string", "one", "three"])
def test_replies_are_as_in_redis(peer: Peer, protocol: int, key: str) -> None:
    for command in COMMANDS:
        peer.play([*FILLED, command.format(k=key).split()], protocol)


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [LISTS], 500))


def test_ranks_beyond_64_bits_are_refused_as_by_redis_7_2() -> None:
    regions = Regions()
    text = Refusal(
        b"ERR value is out of range, "
        b"value must between -9223372036854775807 and 9223372036854775807"
    )
    least = "-9223372036854775808"
    assert regions.run(1, "LPOS", "l", "a", "RANK", least) == text


def test_a_long_list_is_read_and_changed_anywhere(peer: Peer) -> None:
    commands = [["RPUSH", "l", *map(str, range(n, n + 100))] for n in range(0, 3000, 100)]
    commands += [["LPUSH", "l", *map(str, range(n, n + 100))] for n in range(0, 3000, 100)]
    for n in range(0, 5000, 331):
        commands += [["LINDEX", "l", str(n)], ["LINDEX", "l", str(-n)], ["LSET", "l", str(n), "x"]]
        commands += [["LRANGE", "l", str(n), str(n + 700)], ["LINSERT", "l", "BEFORE", "x", str(n)]]
        commands += [["LREM", "l", "3", "7"], ["LTRIM", "l", "20", "-20"], ["LPOP", "l", "7"]]
    peer.play(commands)


# -- conflicts -------------------------------------------------------------------------------


def elements(regions: Regions, key: str = "l") -> list[bytes]:
    """The list that all regions show alike."""
    shown = [regions.run(n, "LRANGE", key, "0", "-1") for n in regions.clients]
    assert all(each == shown[0] for each in shown)
    return shown[0]


def start(*values: str, count: int = 2) -> Regions:
    """Regions that all hold a list of these elements."""
    regions = Regions(count)
    regions.run(1, "RPUSH", "l", *values)
    regions.sync()
    return regions


@pytest.mark.parametrize("push", ["LPUSH", "RPUSH"])
def test_lst_2_concurrent_pushes_are_all_kept(push: str) -> None:
    regions = start("x", count=3)
    for n in (1, 2, 3):
        regions.run(n, push, "l", f"{n}a", f"{n}b")
    regions.sync()
    found = elements(regions)
    if push == "LPUSH":
        found.reverse()
    assert found[0] == b"x"
    assert sorted(found[1:]) == [b"1a", b"1b", b"2a", b"2b", b"3a", b"3b"]


def test_lst_2_insertions_at_one_place_are_all_kept() -> None:
    regions = start("x", "z")
    regions.run(1, "LINSERT", "l", "AFTER", "x", "y1")
    regions.run(2, "LINSERT", "l", "AFTER", "x", "y2")
    regions.sync()
    assert elements(regions) == [b"x", b"y1", b"y2", b"z"]


@pytest.mark.parametrize("push", ["LPUSH", "RPUSH"])
def test_lst_11_what_one_region_pushes_stays_together_and_in_order(push: str) -> None:
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


def test_lst_11_text_typed_in_the_middle_stays_together() -> None:
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
def test_lst_3_removing_all_leaves_what_is_pushed_meanwhile(delete: str) -> None:
    regions = start("x", "x")
    regions.run(1, *delete.split())
    regions.run(2, "RPUSH", "l", "y", "x")
    regions.sync()
    assert elements(regions) == [b"y", b"x"]


def test_lst_4_two_regions_may_pop_the_same_element_and_it_is_gone_once() -> None:
    regions = start("x", "y", "z")
    assert regions.run(1, "LPOP", "l") == b"x"
    assert regions.run(2, "LPOP", "l") == b"x"
    assert regions.run(2, "RPOP", "l") == b"z"
    regions.sync()
    assert elements(regions) == [b"y"]


def test_lst_4_a_pop_leaves_what_is_pushed_meanwhile() -> None:
    regions = start("x")
    assert regions.run(1, "LPOP", "l") == b"x"
    regions.run(2, "LPUSH", "l", "y")
    regions.sync()
    assert elements(regions) == [b"y"]


def test_lst_5_lrem_removes_the_equal_elements_it_saw() -> None:
    regions = start("v", "w", "v")
    assert regions.run(1, "LREM", "l", "0", "v") == 2
    regions.run(2, "RPUSH", "l", "v")
    regions.sync()
    assert elements(regions) == [b"w", b"v"]


def test_lst_5_a_push_survives_a_trim() -> None:
    regions = start("a", "b", "c")
    regions.run(1, "LTRIM", "l", "0", "0")
    regions.run(2, "RPUSH", "l", "d")
    regions.run(2, "LPUSH", "l", "e")
    regions.sync()
    assert elements(regions) == [b"e", b"a", b"d"]


def test_lst_6_an_element_stays_where_its_pivot_was() -> None:
    regions = start("a", "b", "c")
    regions.run(1, "LREM", "l", "0", "b")
    regions.run(2, "LINSERT", "l", "AFTER", "b", "x")
    regions.sync()
    assert elements(regions) == [b"a", b"x", b"c"]


def test_lst_7_the_later_of_two_lsets_holds() -> None:
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


def test_lst_7_at_the_same_time_the_lower_region_wins() -> None:
    regions = start("a")
    regions.run(2, "LSET", "l", "0", "two")
    regions.run(1, "LSET", "l", "0", "one")
    regions.sync()
    assert elements(regions) == [b"one"]


@pytest.mark.parametrize("removal", ["LREM l 0 b", "RPOP l", "LTRIM l 0 0", "DEL l"])
def test_lst_7_an_lset_wins_over_a_removal(removal: str) -> None:
    regions = start("a", "b")
    regions.run(1, *removal.split())
    regions.run(2, "LSET", "l", "1", "v")
    regions.sync()
    assert elements(regions)[-1] == b"v"


def test_lst_9_the_forms_with_x_test_what_this_region_sees() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "l", "a")
    assert regions.run(2, "RPUSHX", "l", "b") == 0
    assert regions.run(1, "LPUSHX", "l", "c") == 2
    regions.sync()
    assert elements(regions) == [b"c", b"a"]


def test_exp_7_an_expired_list_loses_its_elements_but_not_what_is_pushed_meanwhile() -> None:
    regions = start("old")
    regions.run(1, "PEXPIRE", "l", "100")
    regions.sync()
    regions.run(2, "RPUSH", "l", "meanwhile")
    regions.now += 1000
    assert regions.run(1, "LLEN", "l") == 0
    assert regions.run(1, "RPUSH", "l", "new") == 1
    regions.sync()
    assert sorted(elements(regions)) == [b"meanwhile", b"new"]
