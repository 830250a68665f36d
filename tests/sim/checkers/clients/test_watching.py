"""The checker of watching finds EXEC that is executed or refused without a reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.checkers.clients.watching import WatchingChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.client import Refusal, Reply
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

EXEC = (("EXEC",),)
ALL = (("MULTI",), ("SADD", "other", "x"), ("EXEC",))


@pytest.fixture
def world() -> SimWorld:
    made = fresh(WatchingChecker)
    made.run("eu", "SET", "k", "1", "PX", "900")
    assert made.converge(SECOND)
    made.run_session("eu", 1, ("WATCH", "k", "l"), ("WATCH", "k"))
    return made


def reported(world: SimWorld, reply: object) -> None:
    checker_of(world).on_replies(world.sites["eu"], 1, EXEC, (reply,))


def outcome(world: SimWorld) -> Reply:
    """Return the reply to the EXEC of session 1."""
    replies = world.run_session("eu", 1, *ALL)
    assert replies is not None
    return replies[-1]


def write(world: SimWorld) -> None:
    world.run("eu", "INCR", "k")


def write_elsewhere(world: SimWorld) -> None:
    world.run("us", "SADD", "l", "m")
    assert world.converge(SECOND)


def flush_elsewhere(world: SimWorld) -> None:
    world.run("us", "FLUSHALL")
    assert world.converge(SECOND)


def run_out(world: SimWorld) -> None:
    world.sleep(SECOND)


@pytest.mark.parametrize("act", [write, write_elsewhere, flush_elsewhere, run_out])
def test_change_must_be_noticed(world: SimWorld, act: Callable[[SimWorld], None]) -> None:
    act(world)
    replies_now = world.run_session("eu", 1, *ALL)
    assert replies_now == ["OK", "QUEUED", None]
    assert checker_of(world).looked == 1
    world.run("eu", "SET", "k", "1")
    world.run_session("eu", 1, ("WATCH", "k"))
    world.run("eu", "INCR", "k")
    world.run("eu", "DECR", "k")
    with pytest.raises(Violation, match="was carried out, although k went from"):
        reported(world, [])


def test_without_change_it_must_be_carried_out(world: SimWorld) -> None:
    world.run("eu", "SET", "other", "1")
    with pytest.raises(Violation, match="its EXEC was refused, although nothing has touched them"):
        reported(world, None)


@pytest.mark.parametrize("ending", ["EXEC", "DISCARD"])
def test_ending_without_multi_keeps_keys_watched(world: SimWorld, ending: str) -> None:
    replies = world.run_session("eu", 1, (ending,))
    assert replies == [Refusal(f"ERR {ending} without MULTI")]
    write(world)
    world.run_session("eu", 1, ("WATCH", "l"))
    assert outcome(world) is None
    world.run_session("eu", 1, ("WATCH", "k"), (ending,))
    write(world)
    with pytest.raises(Violation, match="was carried out, although k went from"):
        reported(world, [])


def test_exec_after_change_may_be_refused(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "1", "KEEPTTL")
    reported(world, None)
    world.run_session("eu", 1, ("WATCH", "k"))
    checker_of(world).on_history_jump(world.sites["eu"])
    reported(world, None)


def test_trimming_touches_list_from_which_it_removes_nothing(world: SimWorld) -> None:
    world.run("eu", "RPUSH", "l", "m")
    world.run_session("eu", 1, ("UNWATCH",), ("WATCH", "l"))
    world.run("eu", "LTRIM", "l", "0", "-1")
    assert outcome(world) is None
    world.run_session("eu", 1, ("WATCH", "l"), ("LTRIM", "l", "0", "5"))
    assert outcome(world) is None
    world.run_session("eu", 1, ("WATCH", "l"))
    world.run_all("eu", ("MULTI",), ("LTRIM", "l", "0", "-1"), ("EXEC",))
    assert outcome(world) is None


@pytest.mark.parametrize("region", ["eu", "us"])
def test_another_order_of_list_is_change(world: SimWorld, region: str) -> None:
    world.run("eu", "RPUSH", "l", "m", "n")
    assert world.converge(SECOND)
    world.run_session("eu", 1, ("UNWATCH",), ("WATCH", "l"))
    world.run(region, "LMOVE", "l", "l", "LEFT", "RIGHT")
    assert world.converge(SECOND)
    assert outcome(world) is None
    world.run_session("eu", 1, ("WATCH", "l"))
    world.run(region, "LMOVE", "l", "l", "LEFT", "RIGHT")
    assert world.converge(SECOND)
    with pytest.raises(Violation, match="was carried out, although l went from"):
        reported(world, [])


@pytest.mark.parametrize(
    ("region", "command"),
    [
        ("us", ("LTRIM", "l", "0", "-1")),
        ("eu", ("LTRIM", "none", "0", "-1")),
        ("eu", ("LTRIM", "another", "0", "-1")),
        ("eu", ("LTRIM", "l", "x", "-1")),
        ("eu", ("LRANGE", "l", "0", "-1")),
    ],
)
def test_other_trimming_touches_nothing(
    world: SimWorld, region: str, command: tuple[str, ...]
) -> None:
    world.run_all("eu", ("RPUSH", "l", "m"), ("RPUSH", "another", "m"))
    assert world.converge(SECOND)
    world.run_session("eu", 1, ("UNWATCH",), ("WATCH", "l", "none"))
    world.run(region, *command)
    assert world.converge(SECOND)
    assert outcome(world) == [1]
    world.run_session("eu", 1, ("WATCH", "l", "none"))
    world.run(region, *command)
    with pytest.raises(Violation, match="its EXEC was refused, although nothing has touched them"):
        reported(world, None)


def test_remote_change_counts_once_visible(world: SimWorld) -> None:
    world.run("us", "SADD", "l", "m")
    world.run("us", "SREM", "l", "absent")
    assert world.converge(SECOND)
    world.run_session("eu", 1, ("UNWATCH",), ("WATCH", "l"))
    world.run("us", "SADD", "l", "m")
    assert world.converge(SECOND)
    with pytest.raises(Violation, match="its EXEC was refused, although nothing has touched them"):
        reported(world, None)
    world.run_session("eu", 1, ("WATCH", "l"))
    eu, checker = world.sites["eu"], checker_of(world)
    for entry in checker.run_history.in_order[-1:] * 2:
        checker.on_op_received(eu, entry)
    checker.on_turn_end(eu, ())
    reported(world, None)


def test_lost_region_ends_watching(world: SimWorld) -> None:
    world.run_session("eu", 2, ("WATCH", "k"))
    world.crash_process("eu")
    assert checker_of(world).looked == 0


def test_refusal_after_unwatch_is_noticed(world: SimWorld) -> None:
    world.run_session("eu", 1, ("UNWATCH",))
    assert world.run_session("eu", 1, ("MULTI",), ("EXEC",)) == ["OK", []]
    with pytest.raises(Violation, match="watched no key in eu and its EXEC was refused"):
        reported(world, None)


def test_own_write_in_same_request_is_change(world: SimWorld) -> None:
    request = (("WATCH", "m"), ("SADD", "m", "a"), ("MULTI",), ("EXISTS", "m"), ("EXEC",))
    world.run_session("eu", 2, *request)
    assert checker_of(world).looked == 1
    world.run_session("eu", 2, ("WATCH", "m"), ("SADD", "other", "a"), *request[2:])
    eu, checker = world.sites["eu"], checker_of(world)
    with pytest.raises(Violation, match="although it has written to m itself"):
        checker.on_replies(eu, 2, request, ("OK", 1, "OK", "QUEUED", [1]))


def test_putting_state_aside_changes_watched_keys(world: SimWorld) -> None:
    before = world.sites["eu"].instance
    world.forge_hello("eu", "us")
    assert world.sites["eu"].instance is before
    assert world.sites["eu"].links.memory.disputed_state is not None
    with pytest.raises(Violation, match="was carried out, although k went from"):
        reported(world, [])
    world.run_session("eu", 1, ("DISCARD",))
    world.run_session("eu", 2, ("WATCH", "l"))
    world.forge_hello("eu", "us")
    checker_of(world).on_replies(world.sites["eu"], 2, EXEC, (None,))
    assert checker_of(world).looked == 2, "a snapshot may have touched it"


@pytest.fixture
def followed() -> SimWorld:
    """Return a world whose follower has a watching client."""
    made = fresh(WatchingChecker, copies=(Copy("f", 255, ("eu",)),))
    made.run("eu", "SET", "k", "1")
    assert made.converge(SECOND)
    made.run_session("f", 1, ("WATCH", "k"), ("EXISTS", "k"))
    return made


READ = (("MULTI",), ("EXISTS", "k"), ("EXEC",))


def test_change_must_be_noticed_in_follower(followed: SimWorld) -> None:
    followed.run("eu", "INCR", "k")
    assert followed.converge(SECOND)
    assert followed.run_session("f", 1, *READ) == ["OK", "QUEUED", None]
    followed.run_session("f", 1, ("WATCH", "k"))
    assert followed.run_session("f", 1, *READ) == ["OK", "QUEUED", [1]]
    assert checker_of(followed).looked == 2
    followed.run_session("f", 1, ("WATCH", "k"))
    followed.run("eu", "DEL", "k")
    assert followed.converge(SECOND)
    with pytest.raises(Violation, match="session 1 watched k in f and its EXEC was carried out"):
        checker_of(followed).on_follower_replies(followed.copies["f"], 1, EXEC, ([],))


def test_follower_may_refuse_exec_without_change(followed: SimWorld) -> None:
    checker_of(followed).on_follower_replies(followed.copies["f"], 1, EXEC, (None,))
    assert checker_of(followed).looked == 1


def test_restart_of_follower_ends_watching(followed: SimWorld) -> None:
    followed.crash_process("f")
    followed.restart_process("f")
    followed.run("eu", "DEL", "k")
    assert followed.converge(SECOND)
    replies = followed.run_session("f", 1, ("EXEC",))
    assert replies is not None
    assert isinstance(replies[0], Refusal)
    assert checker_of(followed).looked == 0


def test_lost_change_by_snapshot_of_source_is_caught(followed: SimWorld) -> None:
    copy = followed.copies["f"]
    copy.stop_following()
    followed.run("f", "DEL", "k")
    followed.run_session("f", 2, ("WATCH", "k"))
    copy.instance.keyspace.unwatch(b"k")  # planted: changes of the key are not recorded any more
    copy.start_following()
    assert followed.wait_for(lambda: not copy.holds_old, 10 * SECOND)
    with pytest.raises(Violation, match=r"session 2 watched k .* although k went from None"):
        followed.run_session("f", 2, *READ)


def test_refused_exec_ends_watch_and_is_not_judged(world: SimWorld) -> None:
    checker = checker_of(world)
    assert isinstance(checker, WatchingChecker)
    assert 1 in checker.open["eu"]
    looked = checker.looked
    reported(world, Refusal("EXECABORT Transaction discarded because of previous errors."))
    assert checker.looked == looked
    assert 1 not in checker.open["eu"]


def test_watch_that_has_waited_counts(world: SimWorld) -> None:
    """Seed 691: WATCH waited until a large key was settled."""
    checker, eu = checker_of(world), world.sites["eu"]
    checker.on_late_reply(eu, 2, ("WATCH", "k"), "OK")
    world.run("eu", "SET", "k", "2")
    with pytest.raises(Violation, match=r"session 2 watched k .* although k went from"):
        checker.on_replies(eu, 2, EXEC, ([],))


def test_exec_that_has_waited_ends_watch(world: SimWorld) -> None:
    checker, eu = checker_of(world), world.sites["eu"]
    checker.on_late_reply(eu, 1, ("GET", "k"), b"1")
    checker.on_late_reply(eu, 1, ("EXEC",), Refusal("ERR EXEC without MULTI"))
    checker.on_late_reply(eu, 3, ("WATCH", "k"), Refusal("ERR no"))
    world.run("eu", "SET", "k", "2")
    with pytest.raises(Violation, match="session 1 watched k l"):
        checker.on_replies(eu, 1, EXEC, ([],))
    world.run_session("eu", 1, ("WATCH", "k"))
    checker.on_late_reply(eu, 1, ("EXEC",), [])
    world.run("eu", "SET", "k", "3")
    checker.on_replies(eu, 1, EXEC, ([],))
    checker.on_replies(eu, 3, EXEC, ([],))
    assert checker.looked == 1
