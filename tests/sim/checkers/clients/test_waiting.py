"""The checker of waiting finds clients that wait too long or too briefly, or are served twice."""

from __future__ import annotations

import pytest

from crdb.engine.clients.blocking import Blocked
from sim.checkers.clients.waiting import Served, Wait, WaitingChecker
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Copy
from sim.schedule.step import Words
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

POP = ("BLPOP", "queue:0", "queue:1", "0.5")


def forget(_self: Blocked, _key: bytes) -> None:
    """Serve nobody."""


def serve_last_first(blocked: Blocked, key: bytes) -> None:
    """Serve the client that has waited for the shortest time first."""
    for waiter in reversed(list(blocked.by_key.get(key, {}).values())):
        blocked.attempt(waiter)


def waits_in(world: SimWorld, region: str) -> list[Wait]:
    """Return the clients that the checker knows to be blocked in a region."""
    checker = checker_of(world)
    assert isinstance(checker, WaitingChecker)
    return list(checker.waits[region].values())


@pytest.fixture
def world() -> SimWorld:
    return fresh(WaitingChecker)


def test_being_served_or_giving_up_in_time_is_right(world: SimWorld) -> None:
    world.run_session("eu", 1, POP)
    world.run_session("us", 2, ("BZPOPMIN", "ranks:0", "5"))
    world.run_session("us", 3, ("BLMOVE", "queue:2", "queue:2", "LEFT", "RIGHT", "5"))
    world.run("ap", "ZADD", "ranks:0", "1", "a")
    world.run("ap", "RPUSH", "queue:2", "b")
    world.sleep(10 * MS)
    world.run("ap", "LPOP", "queue:2")
    world.sleep(SECOND)
    assert checker_of(world).looked == 5
    world.run_session("us", 3, ("LPOP", "queue:2"))
    world.run_session("us", 3, ("LPOP", "other"))
    assert checker_of(world).looked == 6


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_client_that_is_not_woken_is_caught(world: SimWorld) -> None:
    world.run_session("eu", 1, POP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blocked, "serve", forget)
        with pytest.raises(Violation, match=r"session 1 in eu waits, BLPOP .*, but queue:0 holds"):
            world.run("eu", "RPUSH", "queue:0", "a")


def test_client_kept_waiting_is_caught(world: SimWorld) -> None:
    world.run_session("eu", 1, POP)
    eu = world.sites["eu"]
    eu.instance.advance(eu.now_ms + 600)
    with pytest.raises(Violation, match=r"should have given up BLPOP .* 100 ms ago"):
        checker_of(world).on_turn_end(eu, ())


def test_early_timeout_is_caught(world: SimWorld) -> None:
    world.run_session("eu", 1, POP)
    with pytest.raises(Violation, match=r"session 1 in eu gave up BLPOP .* 500 ms early"):
        checker_of(world).on_late_reply(world.sites["eu"], 1, POP, None)
    checker_of(world).on_late_reply(world.sites["eu"], 1, ("CRDB.AWAIT", "", "1"), 1)


def test_element_that_is_served_twice_is_noticed(world: SimWorld) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    checker.on_replies(eu, 1, (POP,), ([b"queue:0", b"a"],))
    with pytest.raises(Violation, match="eu hands out b'a' a second time, with LPOP queue:0"):
        checker.on_replies(eu, 1, (("LPOP", "queue:0"),), (b"a",))
    checker.on_replies(world.sites["us"], 1, (POP,), ([b"queue:0", b"a"],))
    world.crash_process("eu")
    world.restart_process("eu")
    checker.on_replies(eu, 1, (POP,), ([b"queue:0", b"a"],))
    checker.on_late_reply(eu, 1, ("BLMOVE", "queue:0"), b"a")
    move = ("BLMOVE", "queue:0", "queue:1", "LEFT", "LEFT", "1")
    checker.on_replies(world.sites["us"], 2, (move,), (b"a",))
    checker.on_replies(eu, 1, (POP,), ([b"queue:0", b"a"],))


def test_client_that_waits_while_data_are_put_aside_is_caught(world: SimWorld) -> None:
    world.run_session("eu", 1, POP)
    eu, checker = world.sites["eu"], checker_of(world)
    checker.on_region_started(eu)  # the same process begins a new incarnation
    eu.instance.is_stale = True
    with pytest.raises(Violation, match="session 1 waits in eu, which does not serve its clients"):
        checker.on_turn_end(eu, ())


def test_no_client_waits_at_region_that_serves_none(world: SimWorld) -> None:
    world.run_session("eu", 1, POP)
    eu = world.sites["eu"]
    eu.instance.is_stale = True
    with pytest.raises(Violation, match="session 1 waits in eu, which does not serve its clients"):
        checker_of(world).on_turn_end(eu, ())


def test_first_waiting_client_is_served_first(world: SimWorld) -> None:
    pop, move = ("BLPOP", "queue:0", "5"), ("BLMOVE", "queue:0", "queue:9", "LEFT", "LEFT", "5")
    eu, checker = world.sites["eu"], checker_of(world)
    for session, command in ((1, pop), (2, move), (3, pop), (4, ("BZPOPMIN", "queue:0", "5"))):
        world.run_session("eu", session, command)
    checker.on_late_reply(eu, 4, ("BZPOPMIN", "queue:0", "5"), [b"queue:0", b"a", b"1"])
    checker.on_turn_end(eu, ())
    checker.on_late_reply(eu, 1, pop, [b"queue:0", b"b"])
    checker.on_turn_end(eu, ())
    checker.on_late_reply(eu, 3, pop, [b"queue:0", b"c"])
    with pytest.raises(Violation, match=r"session 2 in eu waits, BLMOVE .* who came later"):
        checker.on_turn_end(eu, ())
    checker.on_late_reply(eu, 2, move, b"d")
    checker.on_turn_end(eu, ())


@pytest.mark.interpreted("replaces a method of a compiled class")
@pytest.mark.parametrize("later", [("BLPOP", "queue:0", "5"), ("BLPOP", "queue:1", "queue:0", "5")])
def test_client_served_before_earlier_one_is_caught(world: SimWorld, later: Words) -> None:
    world.run_session("eu", 1, ("BRPOP", "queue:0", "5"))
    world.run_session("eu", 2, later)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blocked, "serve", serve_last_first)
        with pytest.raises(Violation, match=r"session 1 in eu waits, BRPOP .* who came later"):
            world.run("eu", "RPUSH", "queue:0", "a")


def test_client_woken_by_later_key_may_overtake(world: SimWorld) -> None:
    world.run_session("eu", 1, ("BRPOP", "queue:0", "5"))
    world.run_session("eu", 2, POP)
    pushes = (("RPUSH", "queue:1", "b"), ("RPUSH", "queue:0", "a"))
    world.run_all("eu", ("MULTI",), *pushes, ("EXEC",))
    (waiting,) = waits_in(world, "eu")
    assert waiting.command == ("BRPOP", "queue:0", "5")
    assert world.run("eu", "EXISTS", "queue:0", "queue:1") == 1


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        ((b"a",), b"a", False),
        ((b"a", b"b"), b"a", True),
        ((b"a", b"b"), b"b", False),
        ((b"a", b"a"), b"a", False),
        ((b"a", b"b", b"a"), b"a", True),
    ],
)
def test_only_later_key_lets_client_overtake(
    keys: tuple[bytes, ...], key: bytes, expected: bool
) -> None:
    assert Served(Wait(POP, keys, 0, 1), key).may_overtake is expected


def test_wait_command_takes_no_element(world: SimWorld) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    checker.on_replies(eu, 1, (("CRDB.AWAIT", "2=1", "500"),), ())
    assert waits_in(world, "eu") == []
    checker.on_replies(eu, 1, (POP,), ())
    assert [wait.command for wait in waits_in(world, "eu")] == [POP]


def test_element_for_waiter_is_gone_for_others(world: SimWorld) -> None:
    world.run_session("eu", 1, ("BLPOP", "queue:0", "5"))
    push = ("RPUSH", "queue:0", "a")
    world.run_all("eu", push, ("LPOP", "queue:0"))
    world.run_session("eu", 1, ("BLPOP", "queue:0", "5"))
    eu, checker = world.sites["eu"], checker_of(world)
    both = (push, ("LPOP", "queue:0"))
    checker.before_commands(eu, 2, both)
    with pytest.raises(Violation, match=r"eu hands out b'b' with LPOP .* session 1 waited for it"):
        checker.on_replies(eu, 2, (("RPUSH", "queue:0", "b"), both[1]), (1, b"b"))
    looked = checker.looked
    checker.on_replies(eu, 2, both, (2, b"older"))  # an element from before the push
    assert checker.looked == looked + 2  # the order and the element
    checker.before_commands(eu, 2, (("MULTI",), *both, ("EXEC",)))
    checker.on_replies(eu, 2, (("MULTI",), *both, ("EXEC",)), ("OK", "QUEUED", "QUEUED", [1, b"c"]))
    world.run_session("eu", 3, ("BLMOVE", "queue:1", "queue:0", "LEFT", "LEFT", "5"))
    checker.before_commands(eu, 2, both)
    checker.on_replies(eu, 2, both, (1, b"d"))  # session 3 may have moved it back


def test_leaving_client_waits_no_more(world: SimWorld) -> None:
    world.run_session("eu", 1, ("BLPOP", "queue:0", "1"))
    world.run_session("eu", 1, ("QUIT",))
    world.run("eu", "RPUSH", "queue:0", "a")
    assert world.run("eu", "LPOP", "queue:0") == b"a"
    world.sleep(2 * SECOND)


def test_wait_counts_no_more_regions_than_there_are(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v")
    world.run_session("eu", 1, ("WAIT", "2", "500"))
    world.sleep(SECOND)
    assert checker_of(world).looked == 1
    world.close_way("eu", "us")
    world.close_way("eu", "ap")
    world.run("eu", "SET", "k", "w")
    eu, checker = world.sites["eu"], checker_of(world)
    world.run_session("eu", 1, ("WAIT", "1", "100"))
    with pytest.raises(
        Violation, match=r"eu answers WAIT 1 100 with 1, and 0 other regions have had"
    ):
        checker.on_late_reply(eu, 1, ("WAIT", "1", "100"), 1)
    world.sleep(SECOND)
    world.run_session("eu", 1, ("WAIT", "x", "100"))


def test_snapshot_counts_for_what_region_has_reached(world: SimWorld) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    assert isinstance(checker, WaitingChecker)
    world.run("eu", "SET", "k", "v")
    origin = eu.replica.origin
    checker.reached["eu"] = {origin: 0, origin + 1: 7}
    checker.on_history_jump(eu)
    assert checker.reached["eu"] == {**eu.replica.keyspace.vector, origin + 1: 7}
    assert checker.reached["eu"][origin] == eu.replica.keyspace.seq


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_client_that_waits_in_follower_is_caught() -> None:
    world = fresh(WaitingChecker, copies=(Copy("f", 255, ("eu",)),))
    copy = world.copies["f"]
    copy.stop_following()
    world.run_session("f", 1, ("BLPOP", "l", "0"))
    world.run("f", "SET", "k", "1")
    copy.start_following()
    assert not copy.has_waiters
    world.run("eu", "SET", "k", "1")
    assert world.converge(10 * SECOND)
    assert checker_of(world).looked > 0
    copy.stop_following()
    world.run_session("f", 1, ("BLPOP", "l", "0"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blocked, "refuse_waiting", forget)
        copy.start_following()
        with pytest.raises(Violation, match="a client waits in f, which only follows others"):
            assert world.converge(10 * SECOND)
