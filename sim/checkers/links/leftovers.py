"""Leftovers: no client metadata without a client, and nothing pending in a quiet world.

A region records the keys that clients wait for or watch. After every turn these records must match
the clients. A superfluous entry costs time forever, and a missing one leaves a client without a
notification. A client outside a transaction has no queued commands. A client that watches no key is
not flagged.

In a quiet world no operation is buffered, no gap is open, no repair peer sends, no snapshot is in
transit, and every region serves its clients and collects its garbage.

A connection that has ended, such as that of a follower that has left, is not listed any more.

Not checked: records of peers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from crdb.engine.instance import Instance
from crdb.engine.session import IN_TRANSACTION, Session
from crdt.causality.dots import name_origin
from replication.machines.receiving.sink_states import SinkState
from replication.protocol.limits import MS
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 4  # of so many turns of all regions the books are read in one


class LeftoversChecker(Checker):
    """Checks that nothing is left over."""

    promise: ClassVar[str] = "nothing left over"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.turns = 0

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the records of one region."""
        self.turns += 1
        if self.turns % SAMPLE == 0:
            self.count_tombstones(region)

    def count_tombstones(self, region: Watched) -> None:
        """Compare the records with the state of the clients."""
        self.looked += 1
        instance = region.instance
        by_key = instance.watching.by_key
        watching = {each.id for sessions in by_key.values() for each in sessions.values()}
        gone = (instance.blocked.by_client.keys() | watching) - instance.clients.keys()
        if gone:
            raise self.violation(f"client {min(gone)} of {region.name} is gone and in its books")
        for key, sessions in instance.watching.by_key.items():
            if not sessions:
                raise self.violation(f"nobody watches {key!r} in {region.name}, which keeps it")
        counts = expected_metadata(instance)
        tracked = instance.keyspace.watched()
        if counts != instance.watched_keys.counts or counts.keys() != tracked:
            raise self.violation(
                f"clients of {region.name} watch {counts},"
                f" but the instance counts {instance.watched_keys.counts}"
                f" for {sorted(tracked)}"
            )
        for end in region.links.ends():
            if end.closed:
                raise self.violation(
                    f"{region.name} lists a connection with {end.peer} that has ended"
                )
        for session in instance.clients.values():
            if left := metadata_in(session):
                raise self.violation(f"session {session.id} of {region.name} {left}")

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Check that nothing is pending."""
        for region in regions:
            self.count_tombstones(region)
            for left in (*metadata_of(region), *sent_in_vain(region, regions)):
                raise self.violation(f"all is quiet, and in {region.name} {left}")


def expected_metadata(instance: Instance) -> dict[bytes, int]:
    """Return how many clients wait for each key or watch it."""
    counts: dict[bytes, int] = {}
    keys = [key for waiter in instance.blocked.by_client.values() for key in waiter.keys]
    keys += [key for session in instance.clients.values() for key in session.watched]
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return counts


def metadata_in(session: Session) -> str:
    """Return what a client keeps of a transaction that is over; empty if nothing."""
    if session.dirty and not session.watched:
        return "watches nothing and is marked"
    is_open = session.flags & IN_TRANSACTION != 0
    if not is_open and (session.queue or session.spoiled or session.queued_bits):
        return f"is in no transaction and has queued {session.queue}"
    return ""


def metadata_of(region: Watched) -> Iterator[str]:
    """Yield a description of everything that a region still holds."""
    replica, links, instance = region.replica, region.links, region.instance
    for origin in replica.causal_buffer.origins():
        count = len(replica.causal_buffer.waiting(origin))
        yield f"{count} operations of {name_origin(origin)} wait for their turn"
    now, look_ns = region.now_ms * MS, links.limits.no_link_delay_ns
    for origin, gap in links.repair.gaps.items():
        if now > gap.began + look_ns:  # a filled gap is dropped at the next look at all gaps
            yield f"a gap is open after {name_origin(origin)}:{gap.seq}"
    for origin, repair_peer in links.repair.repair_peers.items():
        asked = links.sinks.get(repair_peer.peer)
        if asked is None or origin not in asked.asked:
            yield f"{repair_peer.peer} counts as asked for {name_origin(origin)}, and is not"
    reader = links.log_reader
    if reader.sending or reader.waiting:
        yield f"{reader.sending} snapshots are sent, and {len(reader.waiting)} wait"
    if replica.keyspace.reader_count() > 1:  # one is the simulator's own
        yield f"{replica.keyspace.reader_count() - 1} snapshots are read"
    if instance.refusals or instance.is_stale or not links.collects:
        yield f"clients are refused with {instance.refusals}, garbage collected: {links.collects}"
    for sink in links.sinks.values():
        if sink.state is not SinkState.STREAMING:
            yield f"the link from {sink.peer} is {sink.state.value}"


def sent_in_vain(region: Watched, regions: Sequence[Watched]) -> Iterator[str]:
    """Yield the origins that a region sends without a request."""
    for other in regions:
        source = region.links.sources.get(other.name)
        sink = other.links.sinks.get(region.name)
        for origin in source.cursor.extra if source is not None and sink is not None else ():
            if sink is not None and origin not in sink.asked:
                yield f"{name_origin(origin)} is sent to {other.name}, which does not ask for it"
