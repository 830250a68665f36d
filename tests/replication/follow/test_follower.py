"""Replica Of: followers of one and of several databases (section 20 of the specification)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crdt.causality.dots import make_origin, region_of
from crdt.embed.replica import Replica
from replication.follow.follower import SOURCES_MAX, Follower, SourceStatus
from replication.machines.endpoint import NEVER
from replication.protocol.errors import CannotFollow
from replication.protocol.events import Closed, Connected, Merged, Resynced
from replication.protocol.frames import (
    Heartbeat,
    Ops,
    Resumed,
)
from replication.protocol.peers import Direction, Member
from tests.replication.ends import hello
from tests.replication.follow.sites import (
    Database,
    FollowerSite,
    fill,
    follow,
    visible,
    world_of,
)
from tests.replication.wire import WireWorld, mesh


class High(FollowerSite):
    """A follower with a higher number than any region of its source, so that nothing is renamed."""

    number = 255


@pytest.mark.parametrize("kind", [FollowerSite, High])
@pytest.mark.parametrize("history_bytes", [1, 1 << 20])
def test_follower_shows_what_its_source_shows(kind: type[FollowerSite], history_bytes: int) -> None:
    world = world_of("x", history_bytes=history_bytes)
    fill(world["x"].replica, "")
    world["x"].replica.seal()
    follower = follow(world, "x", kind=kind)
    world.run(500)
    assert visible(follower.replica) == visible(world["x"].replica)
    assert any(isinstance(e, Merged) for e in follower.events) == (history_bytes == 1)
    world["x"].write(lambda r: fill(r, "more"))
    world.run(500)
    assert visible(follower.replica) == visible(world["x"].replica)
    assert follower.replica.keyspace.seq == 0, "a follower writes nothing"


def test_sources_with_colliding_origins_are_followed() -> None:
    world = world_of("x", "y")
    fill(world["x"].replica, "x")
    fill(world["y"].replica, "y")
    follower = follow(world, "x", "y")
    world.run(500)
    both = visible(world["x"].replica) | visible(world["y"].replica)
    assert visible(follower.replica) == both
    assert {region_of(origin) for origin in follower.replica.vector} == {2, 129}


def test_all_regions_of_source_are_followed() -> None:
    world = WireWorld(mesh("a", "b", "c"))
    for name in ("a", "b", "c"):
        world[name].write(lambda r: r.counter("k").increment(1))
    follower = follow(world, "b")
    world.run(1000)
    world["c"].write(lambda r: r.counter("k").increment(1))
    world["a"].write(lambda r: r.keyspace.delete(b"k"))
    world.run(1000)
    assert visible(follower.replica) == visible(world["b"].replica)
    assert len(visible(follower.replica)) == 1, "the increment that was not seen survives"
    assert all(region != 1 for region in map(region_of, follower.replica.vector))


def test_follower_does_not_hold_back_stability() -> None:
    world = WireWorld(mesh("a", "b"))
    follower = follow(world, "a")
    world.run(500)
    world.cut("a", "f")
    world["a"].write(lambda r: r.set("k").add("x"))
    world.run(1000)
    stable = world["a"].replica.statistics().stable
    assert stable == world["a"].replica.vector != {}
    assert follower.replica.vector == {}


def test_follower_collects_stable_garbage_of_source() -> None:
    world = WireWorld(mesh("a", "b"))
    follower = follow(world, "a")
    world["a"].write(lambda r: r.counter("k").increment(1))
    world["a"].write(lambda r: r.keyspace.delete(b"k"))
    world.run(300)
    assert follower.replica.keyspace.garbage
    world.run(3000)
    assert not follower.replica.keyspace.garbage
    assert not follower.replica.keyspace.tombstones


def test_after_cut_backlog_suffices() -> None:
    world = world_of("x")
    follower = follow(world, "x")
    world["x"].write(lambda r: r.string("k").set("1"))
    world.run(500)
    world.cut("x", "f")
    assert follower.follower.status("x", world.now) is SourceStatus.OUT_OF_SYNC
    world["x"].write(lambda r: r.string("k").set("2"))
    world.run(500)
    follower.links.heal("x", Direction.IN)
    world.run(500)
    assert visible(follower.replica) == {b"k": b"2"}
    assert follower.events.count(Resynced("x", Direction.IN, False)) == 2
    assert {event.peer for event in follower.events if isinstance(event, Connected)} == {"x"}
    (report,) = follower.follower.reports(world.now)
    assert report.status is SourceStatus.IN_SYNC
    assert (report.full, report.partial_ok) == (0, 2)
    assert report.lag_ms == pytest.approx(20)


def test_lag_of_source_that_is_away_grows() -> None:
    world = world_of("x")
    follower = follow(world, "x")
    (report,) = follower.follower.reports(world.now)
    assert (report.last_io_ms, report.lag_ms) == (None, 0)
    world.run(500)
    (report,) = follower.follower.reports(world.now)
    assert report.last_io_ms == pytest.approx(100, abs=100)
    world.cut("x", "f")
    world.run(5000)
    (report,) = follower.follower.reports(world.now)
    assert report.last_io_ms == report.lag_ms == pytest.approx(5100, abs=100)


def test_promotion_keeps_data_and_stops_following() -> None:
    world = world_of("x")
    follower = follow(world, "x")
    world["x"].write(lambda r: fill(r, ""))
    world.run(500)
    before = visible(follower.replica)
    follower.note(follower.follower.promote(world.now))
    assert Closed("x", Direction.IN, "no longer a replica") in follower.events
    follower.replica.string("s").set("mine")
    world["x"].write(lambda r: r.string("s").set("theirs"))
    world.run(1000)
    assert visible(follower.replica) == before | {b"s": b"mine"}
    assert not follower.follower.following
    assert follower.replica.stability.members == set()


def test_source_with_too_many_regions_is_refused() -> None:
    world = world_of("x")
    Database.number = 9
    try:
        world["x"].start()
    finally:
        Database.number = 1
    names = ["x", *(f"n{number}" for number in range(SOURCES_MAX - 1))]
    for name in names[1:]:
        world.sites[name] = Database(world, name, 1, [])
    follower = follow(world, *names)
    world["x"].write(lambda r: r.string("k").set("v"))
    world.run(300)
    assert visible(follower.replica) == {}
    assert "room for 7 regions" in follower.follower.reports(world.now)[0].last_error
    assert_given_up(world, follower, "x")


def assert_given_up(world: WireWorld, follower: FollowerSite, source: str) -> None:
    """Check that such a source is not dialled again and again, as it once was."""
    attempts = follower.follower.reports(world.now)[0].ops
    closed = len([event for event in follower.events if isinstance(event, Closed)])
    world.run(3000)
    assert len([event for event in follower.events if isinstance(event, Closed)]) == closed
    report = follower.follower.reports(world.now)[0]
    assert (report.name, report.status) == (source, SourceStatus.OUT_OF_SYNC)
    assert report.ops == attempts
    assert follower.follower.unfit.keys() == {source}


def test_source_is_syncing_until_we_have_what_it_has() -> None:
    world = world_of("x")
    world["x"].write(lambda r: r.string("k").set("v"))
    follower = follow(world, "x")
    seen: list[SourceStatus] = []
    while SourceStatus.IN_SYNC not in seen:
        seen.append(follower.follower.status("x", world.now))
        world.run(5)
    expected = [SourceStatus.OUT_OF_SYNC, SourceStatus.SYNCING, SourceStatus.IN_SYNC]
    assert list(dict.fromkeys(seen)) == expected


@pytest.mark.parametrize("history_bytes", [1, 1 << 20])
def test_types_that_cannot_be_renamed_are_not_followed_again(history_bytes: int) -> None:
    world = world_of("x", history_bytes=history_bytes)
    follower = follow(world, "x")
    world["x"].write(lambda r: r.string("k").set("v"))
    world.run(300)
    world["x"].write(lambda r: r.multi_value("m").set(b"a"))
    world["x"].write(lambda r: r.string("l").set("v"))
    world.run(500)
    assert "cannot be followed under other names" in follower.follower.unfit["x"]
    assert follower.follower.unfit["x"] in follower.follower.reports(world.now)[0].last_error
    assert_given_up(world, follower, "x")
    assert visible(follower.replica) == {b"k": b"v"}, "what came before stays"


def test_follower_without_origin_map_accepts_all_types() -> None:
    world = world_of("x")
    follower = follow(world, "x", kind=High)
    world["x"].write(lambda r: r.multi_value("m").set(b"a"))
    world.run(500)
    assert visible(follower.replica) == visible(world["x"].replica)
    assert follower.follower.unfit == {}


@pytest.mark.parametrize(
    "names", [[], ["x", "x"], [f"n{number}" for number in range(SOURCES_MAX + 1)]]
)
def test_sources_that_cannot_be_followed(names: Sequence[str]) -> None:
    with pytest.raises(CannotFollow):
        Follower(Replica(1), Member("f", 1, 1 << 14), names)


def test_follower_repairs_no_gaps() -> None:
    follower = Follower(Replica(1), Member("f", 1, 1 << 14), ["x"])
    follower.repair_at = 0
    assert follower.tick(0) == []
    assert follower.repair_at == NEVER


def test_database_does_not_follow_itself() -> None:
    world = world_of("x")
    site = world["x"]
    follower = Follower(Replica(1), Member("x", 1, site.replica.origin), ["x"])
    sink, source = follower.dial("x", 0), site.links.serve(0)
    (hello,) = sink.frames_to_send()
    site.links.receive(source, hello, 0)
    assert source.closed
    assert source.tally.last_error == "x cannot follow itself"


def test_stability_of_source_counts_after_catching_up() -> None:
    """Other writes that the source has seen may still be in transit."""
    us, eu = make_origin(1), make_origin(2)
    source = Replica(1, members=(1, 2))
    source.counter("k").increment(1)
    (mine,) = source.since({})
    other = Replica(2, members=(1, 2))
    other.counter("k").increment(2)
    (theirs,) = other.since({})
    follower = Follower(Replica(255), Member("f", 255, make_origin(255)), ["x"])
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(1, {us: 1, eu: 1}), 0)
    follower.receive(sink, Resumed(), 0)
    follower.receive(sink, Ops((mine.to_bytes(),)), 0)
    reported = Heartbeat({us: 1, eu: 1}, 5, ((1, {us: 1, eu: 1}, 5),))
    follower.receive(sink, reported, 0)
    assert follower.stable == {}
    follower.receive(sink, Ops((theirs.to_bytes(),)), 0)
    follower.receive(sink, reported, 0)
    assert follower.stable == {us: 1, eu: 1}


def test_report_of_what_a_source_has_lost_is_dropped() -> None:
    """The source wrote something, reported it and lost its memory before it sent it."""
    us = make_origin(1)
    source = Replica(1, members=(1, 2))
    source.counter("k").increment(1)
    (op,) = source.since({})
    follower = Follower(Replica(255), Member("f", 255, make_origin(255)), ["x"])
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(1, {us: 1}), 0)
    follower.receive(sink, Resumed(), 0)
    follower.receive(sink, Ops((op.to_bytes(),)), 0)
    follower.receive(sink, Heartbeat({us: 2}, 5, ((1, {us: 1}, 5),)), 0)
    assert follower.stable == {}
    follower.handle(sink, sink.close("it is lost"), 0)
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(1, {us: 1}), 0)
    follower.receive(sink, Resumed(), 0)
    follower.receive(sink, Heartbeat({us: 1}, 5, ((1, {us: 1}, 5),)), 0)
    assert follower.stable == {us: 1}
