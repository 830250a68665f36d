"""The checker of promotion finds promotions without effect, and wrong replies to ROLE."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from sim.checkers.replicas.promotion import PromotionChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.client import Reply
from sim.nodes.follower import SimFollower
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

ROLE = ("ROLE",)


def following() -> tuple[SimWorld, SimFollower]:
    """Return a world with a follower of eu."""
    world = fresh(PromotionChecker, copies=(Copy("f", 255, ("eu",)),))
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    return world, world.copies["f"]


def ask(world: SimWorld, *words: str) -> Reply:
    """Let a session send a command to the follower."""
    replies = world.run_session("f", 1, words)
    assert replies is not None
    return replies[0]


def check_role(copy: SimFollower, *reply: Reply) -> None:
    """Show the checker a reply to ROLE."""
    copy.around.checkers[0].on_follower_replies(copy, 1, (ROLE,), (list(reply),))


def test_promoted_follower_that_accepts_writes_is_accepted() -> None:
    world, copy = following()
    assert ask(world, "SET", "k", "w") is not None
    copy.stop_following()
    assert ask(world, "SET", "k", "w") == "OK"
    assert ask(world, "LPUSH", "k", "w") is not None
    assert ask(world, "ROLE") == [b"master", 2, []]
    copy.start_following()
    world.sleep(2 * SECOND)
    role = ask(world, "ROLE")
    assert isinstance(role, list)
    assert role[0] == b"slave"
    assert checker_of(world).looked == 4


def test_promoted_follower_that_refuses_writes_is_caught() -> None:
    world, copy = following()
    copy.stop_following()
    copy.instance.refuse_writes = b"READONLY for a test"
    with pytest.raises(Violation, match="f was promoted and answers SET k w with READONLY for a"):
        ask(world, "SET", "k", "w")


def test_promoted_follower_that_receives_more_is_caught() -> None:
    world, copy = following()
    copy.stop_following()
    copy.replica.keyspace.vector[1 << 14] += 1
    with pytest.raises(Violation, match="f was promoted with 1=1, and now has 1=2 255=1"):
        ask(world, "SET", "k", "w")


def test_promoted_follower_in_which_something_waits_is_caught() -> None:
    world, copy = following()
    copy.stop_following()
    replica = copy.replica
    late = Op(1 << 14, 5, 0, {}, ((1, 0, b"k", 5, b"v"),))
    assert replica.causal_buffer.hold(late, replica.keyspace.vector)
    with pytest.raises(Violation, match=r"f was promoted, and \d+ bytes of its sources wait in it"):
        checker_of(world).on_promotion(copy, ())


def test_wrong_role_is_caught() -> None:
    _, copy = following()
    check_role(copy, b"slave", b"eu", 0, b"connected", 1)
    with pytest.raises(Violation, match="f follows and says that it is a master"):
        check_role(copy, b"master", 1, [])
    copy.stop_following()
    with pytest.raises(Violation, match="f was promoted and says that it is a slave"):
        check_role(copy, b"slave", b"eu", 0, b"connected", 1)


def test_role_of_follower_whose_source_is_silent() -> None:
    world, copy = following()
    world.close_way("eu", "f")
    world.sleep(2 * SECOND)
    ask(world, "ROLE")
    check_role(copy, b"slave", b"eu", 0, b"sync", 1)
    with pytest.raises(Violation, match=r"which has said nothing for \d{4} ms"):
        check_role(copy, b"slave", b"eu", 0, b"connected", 1)
    world.sleep(10 * SECOND)
    with pytest.raises(Violation, match="which has said nothing for ever"):
        check_role(copy, b"slave", b"eu", 0, b"connected", 1)


def test_role_of_follower_that_receives_snapshot() -> None:
    world, copy = following()
    for number in range(100):
        world.run("eu", "SET", f"k{number}", "v" * 50)
    copy.stop_following()
    world.network.way("eu", "f").bandwidth = 3000
    copy.start_following()
    assert world.wait_for(lambda: copy.is_loading, 5 * SECOND)
    ask(world, "ROLE")
    with pytest.raises(Violation, match="whose snapshot is under way"):
        check_role(copy, b"slave", b"eu", 0, b"connected", 1)
