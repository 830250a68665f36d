"""The checker of following finds a follower that loses a key, goes back, runs ahead, or writes."""

from __future__ import annotations

import pytest

from crdt.writes.set import add_one
from sim.checkers.links.following import FollowingChecker
from sim.checkers.replicas.convergence import ConvergenceChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import drop_key, finish, fresh

ONE = Copy("f", 255, ("eu",))
RENAMED = Copy("f", 2, ("eu",))
TWO = Copy("f", 9, ("eu", "us"))


def filled(copy: Copy) -> SimWorld:
    """A world in which a follower holds data, with the checker of following alone."""
    world = fresh(FollowingChecker, copies=(copy,))
    world.run("eu", "SADD", "cart", "milk")
    world.run("us", "INCRBY", "n", "5")
    assert world.converge(10 * SECOND)
    world.sleep(SECOND)
    return world


@pytest.mark.parametrize("copy", [ONE, RENAMED, TWO], ids=["one", "renamed", "two"])
def test_follower_that_is_well_is_not_blamed(copy: Copy) -> None:
    world = filled(copy)
    world.check_end()
    world.cut("f", "eu")
    world.run("ap", "RPUSH", "log", "a")
    world.heal("f", "eu")
    finish(world)
    assert world.run("f", "LRANGE", "log", "0", "-1") == [b"a"] * len(copy.sources)
    assert world.checkers[0].looked > 3


@pytest.mark.parametrize("copy", [ONE, RENAMED, TWO], ids=["one", "renamed", "two"])
def test_follower_that_loses_key_is_caught_in_end(copy: Copy) -> None:
    world = filled(copy)
    follower = world.copies["f"]
    drop_key(follower, b"cart")
    follower.state_hash.drain_changes()
    sources = ", ".join(copy.sources)
    with pytest.raises(Violation, match=f"f does not hold what {sources} hold"):
        world.check_end()


def test_wrong_following_is_caught_immediately() -> None:
    world = fresh(ConvergenceChecker, copies=(ONE,))
    world.run("eu", "SADD", "cart", "milk")
    assert world.converge(10 * SECOND)
    drop_key(world.copies["f"], b"cart")
    with pytest.raises(Violation, match="f has all that eu had at 1=1, and differs"):
        world.run("f", "GET", "k")


def test_follower_that_goes_back_is_caught() -> None:
    world = filled(ONE)
    follower = world.copies["f"]
    follower.replica.keyspace.vector[1 << 14] = 0
    follower.state_hash.before_change(b"cart")
    with pytest.raises(Violation, match="f went back with eu: 1=1 2=1 to 1=0 2=1"):
        world.run("f", "GET", "k")


def test_invented_claim_of_follower_is_found() -> None:
    world = filled(ONE)
    follower = world.copies["f"]
    follower.replica.keyspace.vector[1 << 14] = 3
    follower.state_hash.before_change(b"cart")
    with pytest.raises(Violation, match="f has 1=3 2=1 of eu, but 1:3 ends no operation"):
        world.run("f", "GET", "k")


def test_follower_that_writes_is_caught() -> None:
    world = filled(ONE)
    add_one(world.copies["f"].replica.keyspace, b"cart", b"bread")
    with pytest.raises(Violation, match="f has written 1 effects"):
        world.run("f", "GET", "k")


def test_follower_that_lags_in_end_is_caught() -> None:
    world = filled(ONE)
    world.cut("f", "eu")
    world.run("eu", "SET", "k", "v")
    with pytest.raises(Violation, match="f has 1=1 2=1 of eu, which has 1=2 2=1"):
        world.check_end()


@pytest.mark.interpreted("gives a follower another method")
def test_promotion_that_loses_key_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    world = filled(ONE)
    copy = world.copies["f"]
    promote = copy.follower.promote

    def lose(now: int) -> object:
        events = promote(now)
        copy.replica.keyspace.data.drop(b"cart")
        return events

    monkeypatch.setattr(copy.follower, "promote", lose)
    with pytest.raises(Violation, match="f was promoted, and that changed b'cart'"):
        copy.stop_following()


def test_promoted_database_is_not_judged() -> None:
    world = filled(ONE)
    copy = world.copies["f"]
    copy.stop_following()
    looked = world.checkers[0].looked
    assert world.run("f", "SADD", "cart", "bread") == 1
    assert world.checkers[0].looked == looked
    finish(world)


def test_source_that_lost_data_is_followed_from_start() -> None:
    world = filled(ONE)
    copy = world.copies["f"]
    begun = copy.beginnings
    for other in ("us", "ap"):
        world.cut("eu", other)
    world.run("eu", "SET", "lost", "1")
    world.sleep(SECOND)
    assert world.run("f", "EXISTS", "lost", "cart") == 2
    world.crash_process("eu")
    for other in ("us", "ap"):
        world.heal("eu", other)
    world.restart_process("eu")
    finish(world)
    assert copy.beginnings == begun + 1
    assert world.run("f", "EXISTS", "lost", "cart") == 1


def test_operations_of_several_sources_are_joined() -> None:
    world = filled(TWO)
    (checker,) = world.checkers
    assert isinstance(checker, FollowingChecker)
    twin = checker.counterpart(world.copies["f"])
    assert twin.fingerprint() == world.copies["f"].state_hash.fingerprint()
    assert len(twin.db.vector) == 4


@pytest.mark.parametrize("copy", [ONE, TWO], ids=["one", "two"])
def test_follower_that_deletes_what_it_held_is_caught(copy: Copy) -> None:
    world = filled(copy)
    follower = world.copies["f"]
    follower.follower.empty()
    with pytest.raises(Violation, match="f has deleted all that it held, and no source has"):
        follower.finish_turn()


def test_follower_may_start_again_without_data() -> None:
    world = filled(ONE)
    world.crash_process("f")
    world.restart_process("f")
    assert not world.copies["f"].replica.keyspace.vector
    finish(world)


@pytest.mark.rule("STM-14")
def test_follower_of_two_sources_may_differ_in_groups_of_streams() -> None:
    """It gets a delete of one source, or does not, if the source has forgotten it."""
    world = fresh(FollowingChecker, copies=(Copy("f", 255, ("eu", "us")),))
    world.run("eu", "XGROUP", "CREATE", "stream:0", "g", "0", "MKSTREAM")
    assert world.converge(10 * SECOND)
    drop_key(world.copies["f"], b"stream:0")
    world.copies["f"].show_changes()
    finish(world)
