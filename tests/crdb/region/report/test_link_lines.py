"""The lines of INFO about peers, the backlog, other regions and followers."""

from __future__ import annotations

import attrs

from crdb.commands.table import build_table
from crdb.engine.info.sections import information
from crdb.engine.instance import Instance
from crdb.region.report.link_lines import add_link_lines, count_holders
from crdt.causality.dots import make_origin
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from replication.follow.follower import Follower
from replication.mesh.links import Links
from replication.mesh.rivals import describe_rival
from replication.protocol.frames import Frame, Hello, Refuse
from replication.protocol.limits import SECOND
from replication.protocol.peers import Direction, Member, Peer

REGIONS = {"us": 1, "eu": 2, "ap": 3}


class Here:
    """A region with its links and its INFO, under a clock that stands still."""

    def __init__(self, name: str, *, history_bytes: int = 1 << 20) -> None:
        region = REGIONS[name]
        self.name = name
        self.now = SECOND
        self.replica = Replica(region, members=REGIONS.values(), history_bytes=history_bytes)
        peers = [Peer(each, n, (n,)) for each, n in REGIONS.items() if each != name]
        self.links = Links(self.replica, Member(name, region, self.replica.origin), peers)
        self.instance = Instance(self.replica, build_table(), name=name)
        add_link_lines(self.instance, self.links, lambda: self.now)

    def info(self, section: str) -> dict[str, str]:
        """Return the fields of one section."""
        lines = information(self.instance, [section]).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def fields(self, section: str, line: str) -> dict[str, str]:
        """Return the parts of a line that consists of several."""
        return dict(part.split("=") for part in self.info(section)[line].split(","))

    def write(self) -> None:
        """Write one more effect, as its own op."""
        self.replica.counter("n").increment()
        self.replica.seal()
        self.links.wake()


def talk(sink: Links, source: Links, name: str) -> None:
    """Open a connection, and let both ends exchange frames until neither has more to send."""
    near, far = sink.dial(name, SECOND), source.serve(SECOND)
    for _ in range(20):
        frames: list[Frame] = near.frames_to_send()
        for frame in frames:
            source.receive(far, frame, SECOND)
        while far.ready:
            for frame in far.frames_to_send():
                sink.receive(near, frame, SECOND)


def test_every_specified_field_is_present() -> None:
    """Section 14 of the specification, without slots and versions of configurations, which we do
    not have."""
    here = Here("us")
    talk(here.links, Here("eu").links, "eu")
    reported = here.info("crdt")
    context = ["replid", "clock", "ovc"]
    syncs = ["sync_full", "sync_partial_ok", "sync_partial_err"]
    applied = ["merge_reqs", "effect_reqs", "ovc_filtered_effect_reqs"]
    garbage = ["gc_pending", "gc_attempted", "gc_collected", "gc_gvc_min"]
    other = ["stale_released_with_merge", "peer_2", "backlog0", "replica_2", "replica_3"]
    for field in (*context, *syncs, *applied, *garbage, *other):
        assert f"crdt_{field}" in reported, field


def test_peer_has_line_while_it_is_connected() -> None:
    here, there = Here("us"), Here("eu")
    assert "crdt_peer_2" not in here.info("crdt")
    here.links.dial("eu", SECOND)
    assert "crdt_peer_2" not in here.info("crdt"), "it has not answered"
    talk(here.links, there.links, "eu")
    assert here.fields("crdt", "crdt_peer_2") == {
        "name": "eu",
        "in": "streaming",
        "out": "down",
        "lag_ms": "0.0",
        "rtt_ms": "0.0",
        "ops_behind": "0",
        "unsent_bytes": "0",
        "clock_skew_ms": "0",
    }
    assert here.info("crdt")["crdt_clock_skew_ms"] == "0"
    here.links.skews.record("eu", 7_200_000, 1, 0)
    assert here.fields("crdt", "crdt_peer_2")["clock_skew_ms"] == "7199999"
    assert here.info("crdt")["crdt_clock_skew_ms"] == "7199999"
    assert here.info("crdt")["crdt_clock_skews"] == "1"
    talk(there.links, here.links, "us")
    here.write()
    assert here.fields("crdt", "crdt_peer_2")["out"] == "streaming"
    assert here.fields("crdt", "crdt_peer_2")["ops_behind"] == "1"
    assert int(here.fields("crdt", "crdt_peer_2")["unsent_bytes"]) > 0
    assert here.info("crdt")["crdt_peers_behind"] == "0"
    assert here.info("crdt")["crdt_writes_slowed_ms"] == "0"
    for direction in Direction:
        here.links.cut("eu", direction, SECOND)
    assert "crdt_peer_2" not in here.info("crdt")


def test_backlog_is_reported() -> None:
    here = Here("us", history_bytes=600)
    here.write()
    held = here.fields("crdt", "crdt_backlog0")
    assert held["size"] == "600"
    assert (held["first_op"], held["ops"]) == ("0", "1")
    assert 0 < int(held["histlen"]) <= 600
    for _ in range(9):
        here.write()
    held = here.fields("crdt", "crdt_backlog0")
    assert int(held["first_op"]) + int(held["ops"]) == 10
    assert int(held["first_op"]) > 0


def test_other_regions_are_listed_with_lag() -> None:
    here, there = Here("us"), Here("eu")
    here.write()
    known = here.fields("crdt", "crdt_replica_2")
    assert known["known"] == "0"
    assert known["max_ops_lag"] == known["min_ops_lag"] == "1", "no report has arrived yet"
    talk(here.links, there.links, "eu")
    assert here.fields("crdt", "crdt_replica_2")["known"] == "1"
    talk(there.links, here.links, "us")
    here.replica.record_report(2, there.replica.vector)
    assert here.fields("crdt", "crdt_replica_2")["max_ops_lag"] == "0"
    here.write()
    ahead = there.replica.vector | here.replica.vector | {there.replica.origin: 9}
    here.replica.record_report(2, ahead)
    assert here.replica.stability.pending[2], "its writes have not come"
    assert here.fields("crdt", "crdt_replica_2")["max_ops_lag"] == "0"
    here.replica.record_report(3, {})
    assert here.fields("crdt", "crdt_replica_3")["max_ops_lag"] == "2"
    assert "crdt_replica_1" not in here.info("crdt")


def test_lists_that_differ_are_shown_with_names() -> None:
    here, there = Here("us"), Here("eu")
    assert here.fields("crdt", "crdt_replica_3")["known"] == "0"
    assert "crdt_lists_2" not in here.info("crdt")
    own = ((1, "us"), (2, "eu"), (3, "ap"))
    here.links.roster.own = own
    there.links.log_reader.member = attrs.evolve(
        there.links.member, members=((1, "us"), (2, "eu"), (3, "ap"), (4, "sa"))
    )
    talk(here.links, there.links, "eu")
    assert here.info("crdt")["crdt_lists_2"] == "name=eu,only_there=sa,only_here=,from_others="
    assert here.fields("crdt", "crdt_replica_3")["name"] == "ap"


def test_unlinked_region_is_listed_after_its_report() -> None:
    here = Here("us")
    del here.links.peers["ap"]
    assert here.fields("crdt", "crdt_replica_3")["known"] == "0"
    here.write()
    here.replica.record_report(3, here.replica.vector)
    assert here.fields("crdt", "crdt_replica_3")["known"] == "1"


def test_syncs_are_counted_however_often_link_was_made() -> None:
    here, there = Here("us"), Here("eu", history_bytes=600)
    talk(here.links, there.links, "eu")
    talk(here.links, there.links, "eu")
    assert here.info("crdt")["crdt_sync_partial_ok"] == "2"
    assert there.info("crdt")["crdt_sync_partial_ok"] == "2"
    here.links.cut("eu", Direction.IN, SECOND)
    for _ in range(30):
        there.write()
    here.links.heal("eu", Direction.IN)
    talk(here.links, there.links, "eu")
    assert here.replica.vector == there.replica.vector
    for region, full in ((here, "1"), (there, "0")):
        reported = region.info("crdt")
        assert reported["crdt_sync_full"] == full, "it counts where it comes in"
        assert reported["crdt_sync_partial_err"] == "1"
    assert here.info("crdt")["crdt_merge_reqs"] == "1"


def test_bytes_that_links_carry_are_counted() -> None:
    here, there = Here("us"), Here("eu")
    there.write()
    talk(here.links, there.links, "eu")
    received = int(here.info("stats")["total_net_repl_input_bytes"])
    assert received > 0
    assert int(there.info("stats")["total_net_repl_output_bytes"]) == received
    assert here.info("stats")["total_net_repl_output_bytes"] == "0"


def test_peers_that_accept_another_process_are_counted() -> None:
    here = Here("us")
    assert here.info("crdt")["crdt_rivals"] == "0"
    end = here.links.dial("eu", SECOND)
    here.links.receive(end, Hello("eu", 2, make_origin(2), "", {}), SECOND)
    here.links.receive(end, Refuse(describe_rival("us")), SECOND)
    assert here.info("crdt")["crdt_rivals"] == "1"
    talk(here.links, Here("eu").links, "eu")
    assert here.info("crdt")["crdt_rivals"] == "0"


def test_followers_are_slaves() -> None:
    """Section 20."""
    here = Here("us")
    here.write()
    assert here.info("replication")["connected_slaves"] == "0"
    copy = Replica(200)
    follower = Follower(copy, Member("copy", 200, copy.origin), ["there:1"])
    talk(follower, here.links, "there:1")
    reported = here.info("replication")
    assert reported["role"] == "master"
    assert reported["connected_slaves"] == "1"
    assert here.fields("replication", "slave0")["name"] == "copy"
    assert here.fields("replication", "slave0")["state"] == "online"
    assert reported["master_repl_offset"] == "1"
    assert int(reported["repl_backlog_histlen"]) <= int(reported["repl_backlog_size"])


def test_sources_of_follower_are_not_regions() -> None:
    here, there = Here("us"), Here("eu")
    follower = Follower(here.replica, here.links.member, ["there:1"], serving=here.links)
    there.write()
    talk(follower, there.links, "there:1")
    assert here.replica.counter("n").value == 1
    assert not [line for line in here.info("crdt") if line.startswith("crdt_replica_")]


def test_buffered_ops_are_listed_with_dependencies() -> None:
    here = Here("us")
    assert "crdt_waiting_0" not in here.info("crdt")
    assert here.info("crdt")["crdt_dropped_effects"] == "0"
    eu, ap = make_origin(2), make_origin(3)
    here.replica.accept(Op(eu, 1, 1, {ap: 7}, ((2, 0, b"s", b"m"),)))
    here.info("crdt")
    here.now += 2 * SECOND
    assert here.fields("crdt", "crdt_waiting_0") == {
        "origin": "2",
        "ops": "1",
        "ms": "2000",
        "for": "3:7",
    }


def test_regions_that_hold_our_effects_are_counted() -> None:
    here = Here("us")
    surroundings = here.instance.surroundings
    here.write()
    assert (surroundings.count_acknowledged(1), surroundings.count_copies()) == (0, 0)
    here.replica.record_report(2, here.replica.vector)
    assert (surroundings.count_acknowledged(1), surroundings.count_copies()) == (1, 1)
    here.write()
    assert (surroundings.count_acknowledged(1), surroundings.count_copies()) == (1, 0)
    assert count_holders(here.links, 1, besides=[2]) == 0
