"""Read one replica's history, by position, and its state, for all of its sources.

The links of a full mesh need the same ops at about the same moment. So a batch that was read for
one source is kept with its frames, and given to the next source that asks for the same (Redis
shares its replication buffer in this way). An op is encoded once, and a batch is built once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

from crdt.causality.dots import Origin, Vector, region_of
from crdt.causality.op_pieces import OpBytes, cut, joined
from crdt.embed.replica import Replica
from crdt.store.snapshot import Snapshot
from replication.machines.endpoint import nobody
from replication.machines.sending.pacing import Pace
from replication.protocol.frames import Hello, Lineage, Members, OpPart, Ops
from replication.protocol.limits import Limits
from replication.protocol.peers import Member

Routes: TypeAlias = frozenset[int] | None

BATCHES_MAX: Final = 64  # batches kept for sharing: one for each set of routes and size


class CutOp:
    """The frames of a large op. Each is cut when it is sent, since all of them together would be
    another copy of the op, which the allocator does not give back to the system."""

    def __init__(self, op: OpBytes, limit_bytes: int) -> None:
        self.op = op
        self.limit_bytes = limit_bytes

    def __len__(self) -> int:
        return (len(self.op) + self.limit_bytes - 1) // self.limit_bytes

    def __getitem__(self, index: int) -> OpPart:
        stop = (index + 1) * self.limit_bytes
        return OpPart(cut(self.op, index * self.limit_bytes, stop), stop >= len(self.op))


@attrs.frozen
class Batch:
    """Ops of the history from one position to another, as frames."""

    position: int
    stop: int
    frames: tuple[Ops, ...] | CutOp
    ops: int
    bytes: int
    full: bool
    """True if it ends for lack of room, False if it reached the end of the history."""
    first: Vector
    """The first effect of each origin in it; `last` has the last one."""
    last: Vector


class LogReader:
    """Reads one replica for its sources."""

    def __init__(self, replica: Replica, member: Member, limits: Limits) -> None:
        self.replica = replica
        self.history = replica.history
        self.member = member
        self.limits = limits
        self.batches: dict[tuple[Routes, int], Batch] = {}
        self.others: Members = ()
        """The regions that only peers' files list."""
        self.lineage: Lineage = ()
        """The instances that we follow, and those that they follow."""
        self.holds_aside = False
        """True if we have put a state aside, so our vector does not cover all that we hold."""
        self.paces: dict[str, Pace] = {}
        """The pace of each peer, kept over all its connections."""
        self.sending = 0
        self.waiting: list[Callable[[], None]] = []
        self.on_sealed: Callable[[], None] = nobody
        """Called when a snapshot has sealed the outbox, so that the other links send that op."""

    def pace(self, peer: str) -> Pace:
        """Return the pace of a new connection with a peer."""
        pace = self.paces.setdefault(peer, Pace(self.limits))
        pace.begin()
        return pace

    def hello(self) -> Hello:
        """Return our Hello."""
        member = self.member
        return Hello(
            member.name,
            member.region,
            member.origin,
            member.cluster,
            dict(self.replica.keyspace.vector),
            members=member.members,
            others=self.others,
            holds_aside=self.holds_aside,
            lineage=self.lineage,
        )

    def known_part(self, vector: Vector) -> Vector:
        """Return the part of a follower's vector that is kept: the origins that are known here. Ops
        of another origin that come here later are sent from its first one."""
        known = self.replica.keyspace.vector
        return {origin: seq for origin, seq in vector.items() if origin in known}

    def read(self, position: int, routes: Routes, limit_bytes: int) -> Batch:
        """Return the next batch, of about `limit_bytes` bytes, with the ops of these regions."""
        held = self.batches.get((routes, limit_bytes))
        if held is not None and held.position == position:
            if held.full or held.stop == self.history.stop:
                return held
        batch = self.gather(position, routes, limit_bytes, frozenset(), {})
        self.drop_old_batches()
        self.batches[routes, limit_bytes] = batch
        return batch

    def drop_old_batches(self) -> None:
        """Drop the batches that begin before the history, so that they do not keep the memory of
        ops that were dropped there."""
        start = self.history.start
        if len(self.batches) >= BATCHES_MAX:
            self.batches.clear()
        elif any(batch.position < start for batch in self.batches.values()):
            self.batches = {key: b for key, b in self.batches.items() if b.position >= start}

    def gather(
        self,
        position: int,
        routes: Routes,
        limit_bytes: int,
        extra: frozenset[Origin],
        beyond: Vector,
    ) -> Batch:
        """Return a batch of the ops of these regions and of the `extra` origins that the vector
        `beyond` does not cover."""
        data: list[OpBytes] = []
        first: Vector = {}
        last: Vector = {}
        size = 0
        stop = position
        full = False
        for origin, start, end, op in self.history.each(position, self.limits.scan_ops_max):
            if routes is None or region_of(origin) in routes or origin in extra:
                if end > beyond.get(origin, 0):
                    if size + len(op) > limit_bytes and data:
                        full = True
                        break
                    size += len(op)
                    data.append(op)
                    if origin not in first:
                        first[origin] = start
                    last[origin] = end
            stop += 1
        full = full or stop - position == self.limits.scan_ops_max
        return Batch(
            position, stop, in_frames(data, size, limit_bytes), len(data), size, full, first, last
        )

    def take_turn(self, notify: Callable[[], None]) -> Snapshot | None:
        """Return a snapshot, or None if too many are under way or the replica is not settled. Then
        `notify` is called when one has ended, or when the replica is settled."""
        if self.sending >= self.limits.snapshots_max:
            self.leave_queue(notify)
            self.waiting.append(notify)
            return None
        if not self.replica.is_settled():
            self.leave_queue(notify)
            self.waiting.append(notify)
            self.replica.notify_settled(self.notify_waiting)
            return None
        self.sending += 1
        stop = self.history.stop
        snapshot = self.replica.snapshot()
        if self.history.stop != stop:
            self.on_sealed()
        snapshot.piece_keys = self.limits.piece_keys_max
        snapshot.piece_bytes = self.limits.piece_bytes_max
        return snapshot

    def is_waiting(self, notify: Callable[[], None]) -> bool:
        """Return whether `notify` waits for a turn."""
        return any(each is notify for each in self.waiting)

    def leave_queue(self, notify: Callable[[], None]) -> None:
        """Remove `notify` from those that wait for a turn."""
        self.waiting = [each for each in self.waiting if each is not notify]

    def end_turn(self, snapshot: Snapshot) -> None:
        """Release a snapshot, and notify those that wait for a turn."""
        snapshot.close()
        self.sending -= 1
        self.notify_waiting()

    def notify_waiting(self) -> None:
        """Notify those that wait for a turn."""
        waiting, self.waiting = self.waiting, []
        for notify in waiting:
            notify()


def in_frames(data: list[OpBytes], size: int, limit_bytes: int) -> tuple[Ops, ...] | CutOp:
    """Return ops as one frame, or a single large op in parts."""
    if not data:
        return ()
    if size <= limit_bytes:
        return (Ops(tuple(map(joined, data))),)
    return CutOp(data[0], limit_bytes)
