"""The check of idle links: a link with too much traffic is found."""

from __future__ import annotations

import attrs
import pytest

from replication.protocol.codec import TAG_BYTES, encode
from replication.protocol.frames import Ack
from replication.protocol.limits import Limits
from replication.protocol.secret import LinkSecret
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world.idleness import (
    check_idleness,
    check_span,
    regular_frame,
    routed_regions,
    sending_ends,
    size_bytes,
)
from sim.world.world import SimWorld

NAMES = ("eu", "us", "ap")


def world_of(limits: Limits | None = None, topology: str = "mesh") -> SimWorld:
    """Return a world of linked regions, of which one is followed."""
    plan = Plan.of(NAMES, topology=topology, delay_ms=20)
    tuning = Tuning(Limits() if limits is None else limits)
    copies = (Copy("copy", 255, ("eu",)),)
    secret = LinkSecret(b"secret")
    world = SimWorld(attrs.evolve(plan, copies=copies, tuning=tuning, secret=secret))
    assert world.converge(10 * SECOND)
    world.sleep(2 * SECOND)
    return world


@pytest.mark.parametrize("topology", ["mesh", "line"])
@pytest.mark.parametrize(
    "limits",
    [
        Limits(),
        Limits(window_bytes_max=1, batch_bytes_max=40, ack_bytes=1),
        Limits(heartbeat_ns=25 * MS, ack_ns=MS),
    ],
)
def test_links_send_what_they_may(topology: str, limits: Limits) -> None:
    check_idleness(world_of(limits, topology))


def chatter(world: SimWorld, every: int) -> None:
    """Let eu's sources send an additional heartbeat every so often."""

    def send_update() -> None:
        for source in world.sites["eu"].links.sources.values():
            source.heartbeat(world.now)
        world.sites["eu"].finish_turn()
        world.engine.schedule_after(every, send_update)

    send_update()


def test_chatty_end_is_found() -> None:
    world = world_of()
    chatter(world, 90 * MS)
    with pytest.raises(
        Violation,
        match=r"idle links: eu has sent (us|ap|copy) \d+ bytes in 1 s, in which 0 bytes were",
    ):
        check_idleness(world)


def test_idle_link_carries_each_write_once() -> None:
    world = world_of()
    way = world.network.way("eu", "us")
    world.engine.schedule_after(
        SECOND // 2, lambda: setattr(way.tally, "sent", way.tally.sent + 3_000)
    )
    with pytest.raises(Violation, match=r"in which \d{4} bytes were written; at most \d{4} may be"):
        check_span(world, SECOND, NAMES)


def test_repair_peer_may_send_each_write_once_too() -> None:
    """It was asked before the check, since another link does not bring the writes."""
    world = world_of()
    world.cut("us", "ap")
    world.run("us", "SET", "k", "v")
    world.sleep(2 * SECOND)
    assert world.sites["ap"].links.sinks["eu"].asked
    check_span(world, SECOND, NAMES)
    way = world.network.way("eu", "ap")
    world.engine.schedule_after(
        SECOND // 2, lambda: setattr(way.tally, "sent", way.tally.sent + 3_000)
    )
    with pytest.raises(Violation, match=r"idle links: eu has sent ap \d{4} bytes in 1 s"):
        check_span(world, SECOND, NAMES)


def test_writes_during_repair_are_not_judged() -> None:
    world = world_of()
    way = world.network.way("eu", "us")

    def ask() -> None:
        world.sites["us"].links.repair.requests += 1
        way.tally.sent += 3_000

    world.engine.schedule_after(SECOND // 2, ask)
    check_span(world, SECOND, NAMES)


def request_snapshot(world: SimWorld) -> None:
    """Let us request a snapshot of eu. It lacks no data, which the checkers of frames do not see
    here."""
    us = world.sites["us"]
    us.sent_checkers.clear()
    us.received_checkers.clear()
    us.links.sinks["eu"].load()
    us.finish_turn()


@pytest.mark.parametrize("rest", [0, 3 * SECOND])
def test_link_with_full_resync_is_not_judged(rest: int) -> None:
    """Check a resync within the check, and another from before the check to after it."""
    world = world_of()
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    way = world.network.way("eu", "us")
    for use in sending_ends(world):
        use.wire.rest_ns = rest
    request_snapshot(world)
    world.sleep(rest // 3)
    world.engine.schedule_after(
        SECOND // 2, lambda: setattr(way.tally, "sent", way.tally.sent + 100_000)
    )
    check_span(world, SECOND, NAMES)


def test_full_resync_excuses_no_other_link() -> None:
    world = world_of()

    def load() -> None:
        request_snapshot(world)
        world.network.way("eu", "ap").tally.sent += 3_000

    world.engine.schedule_after(SECOND // 2, load)
    with pytest.raises(Violation, match="idle links: eu has sent ap"):
        check_span(world, SECOND, NAMES)


def test_connection_that_ends_meanwhile_is_not_judged() -> None:
    world = world_of()
    chatter(world, 90 * MS)
    for name in NAMES[1:]:
        world.cut("eu", name)
    world.cut("eu", "copy")
    check_idleness(world)


def test_connection_that_was_replaced_meanwhile_is_not_judged() -> None:
    world = world_of()
    way = world.network.way("eu", "us")
    before = {id(use.wire): use for use in sending_ends(world) if use.way is way}
    world.engine.schedule_after(SECOND // 10, lambda: world.crash_process("us"))
    world.engine.schedule_after(SECOND // 5, lambda: world.restart_process("us"))
    world.engine.schedule_after(
        5 * SECOND, lambda: setattr(way.tally, "sent", way.tally.sent + 100_000)
    )
    check_span(world, 8 * SECOND, ())
    after = {id(use.wire): use for use in sending_ends(world) if use.way is way}
    assert len(after) == len(before) == 2
    assert before.keys().isdisjoint(after)


def test_sender_and_kind_of_idle_traffic() -> None:
    world = world_of()
    ends = sending_ends(world)
    assert len(ends) == 2 * (6 + 1)
    (end,) = (end for end in ends if end.host is world.copies["copy"])
    ack = regular_frame(world, end)
    assert isinstance(ack, Ack)
    assert size_bytes(world, ack) == len(encode(ack)) + TAG_BYTES
    world.plan = attrs.evolve(world.plan, secret=LinkSecret())
    assert size_bytes(world, ack) == len(encode(ack)), "without a secret there are no tags"
    assert routed_regions(world, "eu", "us") == (1,)
    assert routed_regions(world, "eu", "copy") is None
