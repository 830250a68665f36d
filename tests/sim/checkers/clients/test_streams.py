"""The checker of streams finds entries, ids and deliveries that are wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdt.types.components.stream_groups import Group
from crdt.types.stream import Stream
from sim.checkers.clients.streams import StreamChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.region import SimRegion
from sim.schedule.step import Words
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, drop_key, finish, fresh

KEY = "ledger:0.0"
ADD: Words = ("XADD", KEY, "*", "name", "u1.1")
CREATE: Words = ("XGROUP", "CREATE", KEY, "g", "0", "MKSTREAM")
READ: Words = ("XREADGROUP", "GROUP", "g", "ann", "COUNT", "9", "STREAMS", KEY, ">")
ACK: Words = ("XACK", KEY, "g", "$entry-0", "$entry-1")


def started(*commands: Words) -> SimWorld:
    """Return a world in which a session of one region has sent commands that have arrived."""
    world = fresh(StreamChecker)
    send(world, "eu", *commands)
    assert world.converge(SECOND)
    return world


def send(world: SimWorld, region: str, *commands: Words) -> None:
    """Send commands, one at a time."""
    for words in commands:
        world.run_session(region, ord(region[0]), words)


def stream_of(site: SimRegion) -> Stream:
    """Return the stream of a region."""
    value = site.replica.keyspace.held(KEY.encode())
    assert isinstance(value, Stream)
    return value


def group_of(site: SimRegion) -> Group:
    """Return the group of a region."""
    return stream_of(site).groups[b"g"]


@pytest.mark.rule("STM-2", "STM-10", "STM-19")
def test_what_streams_promise_is_right() -> None:
    world = started(
        CREATE, ADD, ADD, READ, ACK, ("XDEL", KEY, "$entry-0"), ("XTRIM", KEY, "MAXLEN", "1")
    )
    send(world, "us", ADD, READ, ("XLEN", KEY), ("XRANGE", KEY, "-", "+"))
    send(world, "ap", READ, ("XAUTOCLAIM", KEY, "g", "bob", "0", "0", "COUNT", "9"))
    finish(world)
    send(world, "eu", READ)
    assert checker_of(world).looked == 19


@pytest.mark.rule("STM-18")
def test_deleted_entry_holds_acknowledgements_back_until_it_is_claimed() -> None:
    """Another region was once blamed for skipping what was acknowledged then."""
    last = ("XACK", KEY, "g", "$entry-0")
    world = started(CREATE, ADD, ADD, READ, ("XDEL", KEY, "$entry-1"), last)
    send(world, "eu", ("XAUTOCLAIM", KEY, "g", "bob", "0", "0", "COUNT", "9"))
    assert world.converge(SECOND)
    assert world.run_session("ap", 1, READ) == [None]


def test_entry_that_is_lost_is_caught() -> None:
    world = started(ADD)
    drop_key(world.sites["us"], KEY.encode())
    with pytest.raises(Violation, match=r"us holds \[\] under ledger:0.0"):
        finish(world)


def test_deleted_entry_that_counts_is_caught() -> None:
    world = started(ADD, ADD)
    send(world, "eu", ("XDEL", KEY, "$entry-0"))
    with pytest.raises(Violation, match=r"eu answers XLEN ledger:0\.0 with 2, not 1"):
        checker_of(world).on_replies(world.sites["eu"], 0, [("XLEN", KEY)], [2])


def test_id_that_does_not_ascend_is_caught() -> None:
    world = started(ADD)
    checker, eu = checker_of(world), world.sites["eu"]
    with pytest.raises(Violation, match=r"gives u1\.1 the id 5-1 in ledger:0\.0, where u1\.1 has"):
        checker.on_replies(eu, 1, [ADD], [b"5-1"])


def deliver_again(site: SimRegion) -> None:
    """Let a group forget what it has delivered."""
    group_of(site).positions.clear()


def skip(site: SimRegion) -> None:
    """Let a group believe that it has delivered everything."""
    held = stream_of(site)
    group_of(site).floor = held.last_id()


@pytest.mark.parametrize(
    ("fault", "before", "text"),
    [
        (deliver_again, (READ,), "for the second time"),
        (deliver_again, (), "this and all before was acknowledged elsewhere"),
        (skip, (ADD,), "skips"),
    ],
)
def test_wrong_delivery_is_caught(
    fault: Callable[[SimRegion], None], before: tuple[Words, ...], text: str
) -> None:
    acknowledged = (READ, ACK) if not before else ()
    world = started(CREATE, ADD, *acknowledged)
    send(world, "us", *before)
    fault(world.sites["us"])
    with pytest.raises(Violation, match=text):
        send(world, "us", READ)
