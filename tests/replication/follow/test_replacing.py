"""A follower replaces its data only when it has received the whole snapshot."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.follow.follower import Follower
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.events import Closed, Resynced
from replication.protocol.frames import (
    Eof,
    Heartbeat,
    Hello,
    Ops,
    Refuse,
    Resume,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRequest,
)
from replication.protocol.peers import Direction, Member
from tests.replication.ends import hello, snapshot_of
from tests.replication.follow.sites import (
    Database,
    FollowerSite,
    fill,
    follow,
    sources,
    visible,
    world_of,
)
from tests.replication.wire import Site, WireWorld


def test_data_from_before_following_is_replaced() -> None:
    world = world_of("x")
    world["x"].write(lambda r: r.string("k").set("v"))
    site = Database(world, "f", 1, sources("x"))
    site.replica.string("old").set("v")
    member = Member("f", 1, site.replica.origin)
    site.links = Follower(site.replica, member, ["x"])
    world.sites["f"] = site
    world.run(500)
    assert visible(site.replica) == {b"k": b"v"}
    assert site.replica.keyspace.seq == 0
    assert site.replica.origin == site.links.member.origin == make_origin(1, 1), "another life"


def holding(*names: str) -> tuple[Replica, Follower]:
    """Return a replica with data, and a follower that will replace the data."""
    replica = Replica(1)
    replica.string("old").set("v")
    replica.seal()
    return replica, Follower(replica, Member("f", 1, replica.origin), names)


def test_old_data_stays_until_source_has_sent() -> None:
    """REPLICAOF with a wrong name once deleted all data, and so did a Hello."""
    replica, follower = holding("x")
    follower.receive(follower.dial("x", 0), Eof("refused"), 0)
    assert visible(replica) == {b"old": b"v"}
    sink = follower.dial("x", 0)
    follower.receive(sink, Refuse("no"), 0)
    assert visible(replica) == {b"old": b"v"}
    follower.promote(0)
    assert (visible(replica), replica.keyspace.seq) == ({b"old": b"v"}, 1)

    there = Replica(2)
    there.string("new").set("v")
    (op,) = there.since({})
    follower = Follower(replica, Member("f", 1, replica.origin), ["x", "y", "z"])
    x, y, z = [follower.dial(name, 0) for name in ("x", "y", "z")]
    for sink in (x, y):
        follower.receive(sink, hello(2, there.vector), 0)
        assert [type(frame) for frame in sink.frames_to_send()] == [Hello, Resume, SnapshotRequest]
        for frame in (Resumed(), Ops((op.to_bytes(),)), Heartbeat(there.vector, 0)):
            follower.receive(sink, frame, 0)
        assert visible(replica) == {b"old": b"v"}, "its operations are not ours yet"
        assert follower.caught_up == set()
    events = [e for frame in snapshot_of(there) for e in follower.receive(y, frame, 0)]
    assert visible(replica) == {b"new": b"v"}
    assert follower.caught_up == {"y"}
    assert Closed("z", Direction.IN, "our data is replaced by that of y") in events
    assert (x.state, y.state, z.closed) == (SinkState.LOADING, SinkState.STREAMING, True)
    for frame in snapshot_of(there):
        follower.receive(x, frame, 0)
    assert follower.caught_up == {"x", "y"}
    assert len(replica.vector) == 2, "what came from y has stayed"


@pytest.mark.parametrize("frames", range(4))
def test_incomplete_snapshot_replaces_nothing(frames: int) -> None:
    replica, follower = holding("x")
    there = Replica(2)
    fill(there, "new")
    there.seal()
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(2, there.vector), 0)
    for frame in snapshot_of(there)[:frames]:
        follower.receive(sink, frame, 0)
    follower.receive(sink, Eof("reset"), 0)
    assert visible(replica) == {b"old": b"v"}
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(2, there.vector), 0)
    for frame in (SnapshotBegin({}), SnapshotEnd()):
        follower.receive(sink, frame, 0)
    assert sink.tally.last_error == "protocol error: SnapshotEnd: a snapshot was cut off"
    assert visible(replica) == {b"old": b"v"}
    follower.promote(0)
    replica.string("old").set("w")
    assert visible(replica) == {b"old": b"w"}


def test_unmappable_or_empty_source_replaces_nothing() -> None:
    replica, follower = holding("x")
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(2), 0)
    assert sink.tally.last_error == "the source is empty: we keep the data that we have"
    there = Replica(2)
    there.multi_value("m").set(b"a")
    there.seal()
    sink = follower.dial("x", 0)
    follower.receive(sink, hello(2, there.vector), 0)
    for frame in snapshot_of(there):
        follower.receive(sink, frame, 0)
    assert "cannot be followed under other names" in follower.unfit["x"]
    assert visible(replica) == {b"old": b"v"}


def follow_each_other(world: WireWorld, here: str, there: str) -> Follower:
    """Let the database `here` begin to follow `there`."""
    site = world[here]
    follower = Follower(site.replica, site.links.member, [there], serving=site.links)
    inward = Database(world, here, 1, sources(there))
    inward.replica, inward.links = site.replica, follower
    world.sites[f"{here} to {there}"] = inward
    return follower


@pytest.mark.parametrize("history_bytes", [1, 1 << 20])
@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_mutual_followers_keep_their_data(names: tuple[str, ...], history_bytes: int) -> None:
    """Two instances that follow each other refuse each other, and keep their data.

    The first one was once emptied by the Hello of the second, which then became a follower and
    refused it. A message takes 20 ms, so the second command comes at each moment of the handshake
    and of the snapshot.
    """
    for later in range(0, 160, 5):
        world = world_of(*names, history_bytes=history_bytes)
        for name in names:
            world[name].write(lambda r, name=name: r.string(f"of-{name}").set("v"))
        world.run(10)
        for name, other in zip(names, (*names[1:], names[0]), strict=True):
            follow_each_other(world, name, other)
            for _ in range(later):
                world.run(1)
                assert all(visible(world[each].replica) for each in names), later
        for _ in range(100):
            world.run(10)
            assert all(visible(world[each].replica) for each in names), later
        copied = [site.replica.merges for site in world.sites.values()]
        world.run(1000)
        assert copied == [site.replica.merges for site in world.sites.values()], "it has ended"


def test_follower_of_new_follower_starts_over() -> None:
    """The follower once kept the data of its earlier source, and reported that it was complete."""
    world = world_of("x", "f")
    world["x"].write(lambda r: r.string("k").set("v"))
    world["f"].write(lambda r: r.string("old").set("v"))
    world.sites["g"] = last = FollowerSite(world, "g", 9, sources("f"))
    world.run(500)
    assert visible(last.replica) == {b"old": b"v"}
    middle = world["f"]
    serving = middle.links
    following = Follower(middle.replica, serving.member, ["x"], serving=serving)
    world.sites["to x"] = inward = Site(world, "f", 1, sources("x"))
    inward.replica, inward.links = middle.replica, following
    world.run(1000)
    assert visible(middle.replica) == visible(last.replica) == {b"k": b"v"}
    assert serving.member.origin == middle.replica.origin == make_origin(1, 1)
    following.promote(world.now)
    del world.sites["to x"]
    middle.write(lambda r: r.string("new").set("v"))
    world.run(500)
    assert visible(last.replica) == {b"k": b"v", b"new": b"v"}
    partial = [event.full for event in last.events if isinstance(event, Resynced)]
    world.run(500)
    assert partial == [event.full for event in last.events if isinstance(event, Resynced)]


def test_restarted_source_is_followed_again() -> None:
    world = world_of("x", "y")
    follower = follow(world, "x", "y")
    world["x"].write(lambda r: r.string("old").set("v"))
    world["y"].write(lambda r: r.string("other").set("v"))
    world.run(500)
    chained = FollowerSite(world, "g", 1, sources("f"))
    chained.replica.seal()
    world["x"].crash()
    world["x"].restart()
    world["x"].write(lambda r: r.string("new").set("v"))
    world.run(1000)
    assert visible(follower.replica) == {b"new": b"v", b"other": b"v"}


def test_operations_that_source_gets_back_reach_its_follower() -> None:
    """The source has lost what another region wrote, and receives it again after its snapshot."""
    world = world_of("x")
    follower = follow(world, "x")
    other = Replica(7)
    for name in "abc":
        other.string(name).set("v")
        other.seal()
    ops = other.since({})
    world["x"].write(lambda r: [r.accept(op) for op in ops])
    world.run(500)
    assert len(visible(follower.replica)) == 3
    world["x"].crash()
    world["x"].restart()
    world["x"].write(lambda r: r.accept(ops[0]))
    world.run(1000)
    assert visible(follower.replica) == {b"a": b"v"}
    for op in ops[1:]:
        world["x"].write(lambda r, op=op: r.accept(op))
    world.run(500)
    assert visible(follower.replica) == {b"a": b"v", b"b": b"v", b"c": b"v"}


def test_lost_data_of_source_is_kept_until_it_holds_data() -> None:
    world = world_of("x")
    follower = follow(world, "x")
    world["x"].write(lambda r: r.string("old").set("v"))
    world.run(500)
    world["x"].crash()
    world["x"].restart()
    world.run(1000)
    assert visible(follower.replica) == {b"old": b"v"}
    reasons = {event.reason for event in follower.events if isinstance(event, Closed)}
    assert "the source is empty: we keep the data that we have" in reasons
    world["x"].write(lambda r: r.string("new").set("v"))
    world.run(1000)
    assert visible(follower.replica) == {b"new": b"v"}


def test_lost_data_is_kept_while_source_is_away() -> None:
    """The snapshot of the source replaces all data, including what came from the other source."""
    world = world_of("x", "y")
    follower = follow(world, "x", "y")
    world["x"].write(lambda r: r.string("old").set("v"))
    world["y"].write(lambda r: r.string("other").set("v"))
    world.run(500)
    world.cut("y", "f")
    world["x"].crash()
    world["x"].restart()
    world["x"].write(lambda r: r.string("new").set("v"))
    world.run(1000)
    assert visible(follower.replica) == {b"old": b"v", b"other": b"v"}
    last_error = follower.follower.reports(world.now)[0].last_error
    assert last_error == (
        "the source has lost data that we have from it: we keep our data until y can send its own"
        " again"
    )
    follower.links.heal("y", Direction.IN)
    world.run(1000)
    assert visible(follower.replica) == {b"new": b"v", b"other": b"v"}


def test_lost_data_is_kept_until_snapshot() -> None:
    world = world_of("x", history_bytes=1)
    follower = follow(world, "x")
    world["x"].write(lambda r: r.string("old").set("v"))
    world.run(500)
    world["x"].crash()
    world["x"].restart()
    world["x"].write(lambda r: r.string("new").set("v"))
    seen: list[dict[bytes, object]] = []
    for _ in range(500):
        world.run(1)
        if visible(follower.replica) not in seen:
            seen.append(visible(follower.replica))
    assert seen == [{b"old": b"v"}, {b"new": b"v"}]


def test_follower_of_chain_learns_all_of_it() -> None:
    world = world_of("a", "b", "c", "d")
    for name in "abcd":
        world[name].write(lambda r, name=name: r.string(f"of-{name}").set("v"))
    for name, other in ("ab", "bc", "cd"):
        follow_each_other(world, name, other)
        world.run(300)
    assert [name for _, name in world["a"].links.log_reader.hello().lineage] == ["b", "c", "d"]
    last = follow_each_other(world, "d", "a")
    world.run(300)
    circle = "a follows d over others: one of them must be promoted"
    assert last.reports(world.now)[0].last_error == circle
    assert [list(visible(world[name].replica)) for name in "abcd"] == [[b"of-d"]] * 4
    middle = world["b to c"].links
    assert isinstance(middle, Follower)
    middle.promote(world.now)
    assert world["b"].links.log_reader.hello().lineage == ()


@pytest.mark.parametrize("later", [0, 30, 300])
def test_empty_sources_do_not_wait_for_each_other(later: int) -> None:
    world = world_of("x", "y")
    follower = follow(world, "x", "y")
    for name in "xy":
        world[name].write(lambda r, name=name: r.string(f"old-{name}").set("v"))
    world.run(500)
    for name in "xy":
        world[name].crash()
    world.run(200)
    for name in "xy":
        world[name].restart()
        world[name].write(lambda r, name=name: r.string(f"new-{name}").set("v"))
        world.run(later)
    world.run(2000)
    assert visible(follower.replica) == {b"new-x": b"v", b"new-y": b"v"}


def test_absent_empty_source_counts_as_absent() -> None:
    world = world_of("x", "y")
    follower = follow(world, "x", "y")
    for name in "xy":
        world[name].write(lambda r, name=name: r.string(f"old-{name}").set("v"))
    world.run(500)
    held = visible(follower.replica)
    for name in "xy":
        world[name].crash()
    for name in "xy":
        world[name].restart()
        world[name].write(lambda r, name=name: r.string(f"new-{name}").set("v"))
        world.run(500)
        assert visible(follower.replica) == held
        if name == "x":
            world.cut("x", "f")
            follower.follower.heal("x", Direction.IN)
            follower.follower.receive(follower.follower.dial("x", world.now), Eof(), world.now)
            world.cut("x", "f")
    follower.follower.heal("x", Direction.IN)
    world.run(500)
    assert visible(follower.replica) == {b"new-x": b"v", b"new-y": b"v"}
