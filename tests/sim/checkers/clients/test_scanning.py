"""The checker of scans finds missing and invented keys."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.types.set import Set
from sim.checkers.clients.scanning import ScanningChecker, names_in
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.client import Refusal
from sim.schedule.plan import Copy
from sim.schedule.readers import LATER_PAGE
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

SCAN, GO_ON = ("SCAN", "0"), ("SCAN", "7")
SSCAN = ("SSCAN", "s", "0")


@pytest.fixture
def world() -> SimWorld:
    made = fresh(ScanningChecker)
    made.run_all("eu", ("SET", "a", "1"), ("SET", "b", "1"), ("SADD", "s", "m", "n"))
    return made


def reported(world: SimWorld, words: tuple[str, ...], cursor: bytes, names: list[bytes]) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    checker.before_commands(eu, 1, (words,))
    reply: list[Any] = [cursor, names]
    checker.on_replies(eu, 1, (words,), (reply,))


def test_whole_walk_is_right(world: SimWorld) -> None:
    world.run_session("eu", 1, ("SCAN", "$cursor"))
    world.run_all("eu", ("HSET", "h", "f", "v"), ("ZADD", "z", "1", "m"))
    world.run_session("eu", 1, ("HSCAN", "h", "$cursor"))
    world.run_session("eu", 1, ("ZSCAN", "z", "$cursor"), ("SSCAN", "none", "$cursor"))
    assert checker_of(world).looked == 9


def test_scan_that_omits_key_is_caught(world: SimWorld) -> None:
    reported(world, SCAN, b"7", [b"a"])
    reported(world, GO_ON, b"3", [b"s"])
    with pytest.raises(Violation, match="a walk that ended with SCAN 7 has not returned b'b'"):
        reported(world, GO_ON, b"0", [])
    with pytest.raises(Violation, match="has not returned b'n', which was there throughout"):
        reported(world, SSCAN, b"0", [b"m"])


def test_scan_of_missing_key_is_caught(world: SimWorld) -> None:
    with pytest.raises(Violation, match="SCAN 0 returns b'ghost', which is not there"):
        reported(world, SCAN, b"7", [b"ghost"])
    with pytest.raises(Violation, match="SSCAN s 0 returns b'ghost', which is not there"):
        reported(world, SSCAN, b"7", [b"ghost"])


def test_scan_that_repeats_key_is_caught(world: SimWorld) -> None:
    reported(world, SCAN, b"7", [b"a"])
    with pytest.raises(Violation, match="SCAN 7 returns b'a' a second time"):
        reported(world, GO_ON, b"3", [b"a"])


def test_scan_may_omit_keys_that_change_meanwhile(world: SimWorld) -> None:
    reported(world, SCAN, b"7", [])
    reported(world, SSCAN, b"7", [])
    world.run_all("eu", ("DEL", "b"), ("PEXPIRE", "a", "100"), ("SREM", "s", "m"))
    world.run_all("eu", ("SET", "c", "1"), ("SET", "b", "1"), ("SADD", "s", "m"))
    reported(world, GO_ON, b"0", [b"s"])
    reported(world, ("SSCAN", "s", "7"), b"0", [b"n"])


def test_expired_elements_need_not_be_returned(world: SimWorld) -> None:
    reported(world, SSCAN, b"7", [b"m"])
    world.run("eu", "PEXPIRE", "s", "100")
    world.sleep(SECOND)
    assert world.run_session("eu", 1, ("SSCAN", "s", "7")) == [[b"0", []]]
    reported(world, SSCAN, b"7", [])
    world.run("eu", "SADD", "s", "n")
    with pytest.raises(Violation, match="SSCAN s 7 returns b'm', which is not there"):
        reported(world, ("SSCAN", "s", "7"), b"0", [b"m"])


def test_elements_of_key_that_expires_later_are_missed(world: SimWorld) -> None:
    world.run("eu", "PEXPIRE", "s", "900")
    reported(world, SSCAN, b"7", [b"m"])
    with pytest.raises(Violation, match="has not returned b'n', which was there throughout"):
        reported(world, ("SSCAN", "s", "7"), b"0", [])


def test_errors_and_partial_scans_are_ignored(world: SimWorld) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    reported(world, ("SCAN", "99"), b"0", [])
    checker.on_replies(eu, 1, (SSCAN,), (Refusal("WRONGTYPE"),))
    assert checker.looked == 0


def test_scan_of_later_page_ends_scan_in_progress(world: SimWorld) -> None:
    reported(world, SSCAN, b"7", [b"m"])
    reported(world, ("SSCAN", "s", LATER_PAGE), b"9", [b"m"])
    reported(world, ("SSCAN", "s", "9"), b"0", [])
    reported(world, ("SSCAN", "s", LATER_PAGE), b"0", [])
    with pytest.raises(Violation, match="has not returned b'n', which was there throughout"):
        reported(world, SSCAN, b"0", [b"m"])


def test_walks_over_what_follower_holds_are_followed() -> None:
    world = fresh(ScanningChecker, copies=(Copy("f", 2, ("eu",)),))
    world.run_all("eu", ("SADD", "s", "m", "n"))
    assert world.converge(10 * SECOND)
    copy, checker = world.copies["f"], checker_of(world)
    world.run_session("f", 1, ("SSCAN", "s", "$cursor"))
    assert checker.looked == 3
    checker.before_follower_commands(copy, 1, (SSCAN,))
    page: list[Any] = [b"7", [b"m"]]
    checker.on_follower_replies(copy, 1, (SSCAN,), (page,))
    world.run("eu", "SREM", "s", "n")
    world.run("eu", "SADD", "s", "o")
    assert world.converge(10 * SECOND)
    end: list[Any] = [b"0", []]
    checker.on_follower_replies(copy, 1, (("SSCAN", "s", "7"),), (end,))
    checker.before_follower_commands(copy, 1, (SSCAN,))
    with pytest.raises(
        Violation, match="f: a walk that ended with SSCAN s 0 has not returned b'm'"
    ):
        checker.on_follower_replies(copy, 1, (SSCAN,), (end,))


def test_what_a_kept_order_lacks_is_noticed_at_the_end(world: SimWorld) -> None:
    world.run_all("eu", *(("SADD", "s", f"m{number}") for number in range(30)))
    world.sleep(10 * SECOND)
    keyspace = world.sites["eu"].replica.keyspace
    value = keyspace.lookup(b"s")
    assert isinstance(value, Set)
    for order in (keyspace, value):
        order.scan(0, 1)
    world.check_end()
    assert value.scan_order is not None
    for bucket in value.scan_order.buckets:
        bucket[:] = [name for name in bucket if name != b"m7"]
    with pytest.raises(Violation, match="at rest a scan of s returns 31 names of 32; see b'm7'"):
        world.check_end()
    order = keyspace.data.index.scan_order
    assert order is not None
    order.buckets[0].append(b"a")
    with pytest.raises(Violation, match="eu: at rest SCAN returns 4 names of 3; see b'a'"):
        world.check_end()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("MATCH", "a*"), [b"a"]),
        (("match", "?", "COUNT", "3"), [b"a", b"b", b"s"]),
        (("TYPE", "set"), [b"s"]),
        (("MATCH", "[ab]", "TYPE", "string"), [b"a", b"b"]),
    ],
)
def test_filtered_scan_returns_what_fits(
    world: SimWorld, options: tuple[str, ...], names: list[bytes]
) -> None:
    reported(world, (*SCAN, *options), b"0", names)
    with pytest.raises(Violation, match=f"has not returned {names[0]!r}, which was there"):
        reported(world, (*SCAN, *options), b"0", names[1:])


@pytest.mark.parametrize("options", [("MATCH", "b"), ("TYPE", "set")])
def test_name_that_does_not_fit_is_caught(world: SimWorld, options: tuple[str, ...]) -> None:
    with pytest.raises(Violation, match=r"returns b'a', which does not fit"):
        reported(world, (*SCAN, *options), b"0", [b"a"])


def test_scan_returns_only_what_all_its_pages_let_through(world: SimWorld) -> None:
    reported(world, (*SCAN, "MATCH", "a"), b"7", [])
    with pytest.raises(Violation, match="has not returned b'a'"):
        reported(world, (*GO_ON, "MATCH", "?"), b"0", [b"b"])
    reported(world, (*SCAN, "MATCH", "a"), b"7", [])
    reported(world, (*GO_ON, "MATCH", "b"), b"0", [])


def test_key_that_is_written_to_may_miss_scan_by_type(world: SimWorld) -> None:
    reported(world, (*SCAN, "TYPE", "string"), b"7", [b"b"])
    world.run_all("eu", ("DEL", "a"), ("SADD", "a", "m"))
    world.run_all("eu", ("DEL", "a"), ("SET", "a", "1"))
    reported(world, (*GO_ON, "TYPE", "string"), b"0", [])


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        (("KEYS", "[ab]"), [b"b", b"a"], [b"a"]),
        (("KEYS", "*"), [b"a", b"b", b"s"], [b"a", b"b", b"b"]),
        (("DBSIZE",), 3, 2),
        (("RANDOMKEY",), b"s", b"x"),
    ],
)
def test_questions_about_all_keys_are_checked(
    world: SimWorld, words: tuple[str, ...], right: Any, wrong: Any
) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    assert world.run_session("eu", 1, words) is not None
    checker.on_replies(eu, 1, (words,), (right,))
    checker.on_replies(eu, 1, (words,), (Refusal("LOADING"),))
    with pytest.raises(Violation, match=f"answers {words[0]}.* with 3 keys"):
        checker.on_replies(eu, 1, (words,), (wrong,))


def test_string_has_no_names(world: SimWorld) -> None:
    keyspace = world.sites["eu"].replica.keyspace
    assert names_in(keyspace, b"a") == set()
    assert names_in(keyspace, b"s") == {b"m", b"n"}


def test_scan_next_to_write_is_not_judged(world: SimWorld) -> None:
    world.run_session("eu", 1, ("SSCAN", "s", "0"), ("DEL", "s"))
    assert checker_of(world).looked == 0
