"""The causal buffer: an operation waits until everything that it depends on has been applied.

An operation depends on what it had observed of other origins, and on the earlier operations of its
own origin. Operations may be offered in any order. The buffer keeps a sorted queue for each origin
and looks at the heads alone. Its size is bounded in bytes. An operation that does not fit is
refused, and its sender offers it again (rules CAU-2, CAU-5).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Final

from crdt.causality.dots import Origin, Vector
from crdt.causality.op import UNKNOWN, Op

WAITING_BYTES_MAX: Final = 64 << 20  # some seconds of a busy region's writes
EFFECT_BYTES: Final = 200  # what an effect takes in memory besides its encoding


class CausalBuffer:
    """Operations that arrived before what they depend on."""

    __slots__ = ("bytes", "limit", "queues")

    def __init__(self, limit: int = WAITING_BYTES_MAX) -> None:
        self.limit: int = limit
        self.bytes: int = 0
        self.queues: dict[Origin, deque[Op]] = {}

    def hold(self, op: Op, vector: Vector) -> bool:
        """Let `op` wait for what it depends on, also for earlier operations of its own origin.

        Return False if there is no room for it. The operations of a queue are in order and do not
        overlap; there may be gaps between them.
        """
        queue: deque[Op] = self.queues.get(op.origin) or deque()
        index = place_of(op, queue)
        before = queue[index - 1].last if index else vector.get(op.origin, 0)
        if op.last <= before:
            return True
        if op.first <= before:
            op = op.beyond(before)
        replaced = 0
        while index + replaced < len(queue) and queue[index + replaced].last <= op.last:
            replaced += 1
        size = size_of(op) - sum([size_of(queue[index + i]) for i in range(replaced)])
        if self.bytes + size > self.limit:
            return False
        for _ in range(replaced):
            del queue[index]
        if index < len(queue) and queue[index].first <= op.last:
            size -= size_of(queue[index])
            queue[index] = queue[index].beyond(op.last)
            size += size_of(queue[index])
        queue.insert(index, op)
        self.queues[op.origin] = queue
        self.bytes += size
        return True

    def is_empty(self) -> bool:
        """Return whether nothing waits."""
        return not self.queues

    def origins(self) -> list[Origin]:
        """Return the origins whose operations wait, sorted."""
        return sorted(self.queues)

    def waiting(self, origin: Origin) -> tuple[Op, ...]:
        """Return the operations of an origin that wait, in order."""
        return tuple(self.queues.get(origin, ()))

    def count_bytes(self) -> int:
        """Return the size of what waits, added up over the operations. It equals `bytes`."""
        return sum([size_of(op) for queue in self.queues.values() for op in queue])

    def clear(self) -> None:
        """Drop all that waits."""
        self.queues.clear()
        self.bytes = 0

    def ready(self, vector: Vector, delays: Callable[[Op], bool] | None = None) -> Op | None:
        """Take out an operation whose turn has come, if there is one that `delays` lets pass."""
        for origin in sorted(self.queues):
            queue = self.queues[origin]
            have = vector.get(origin, 0)
            while queue and queue[0].first <= have:
                op = queue.popleft()
                self.bytes -= size_of(op)
                if op.last > have:
                    queue.appendleft(op.beyond(have))
                    self.bytes += size_of(queue[0])
            if queue and is_ready(queue[0], vector) and not (delays and delays(queue[0])):
                op = queue.popleft()
                self.bytes -= size_of(op)
                return op
            if not queue:
                del self.queues[origin]
        return None

    def drop(self, origin: Origin) -> list[Op]:
        """Take out all operations of `origin`."""
        operations = list(self.queues.pop(origin, ()))
        self.bytes -= sum([size_of(op) for op in operations])
        return operations

    def missing(self, vector: Vector) -> Vector:
        """Return what the first operation of each origin waits for: per origin, the effect that
        must come."""
        wanted: Vector = {}
        for origin in sorted(self.queues):
            head = self.queues[origin][0]
            if vector.get(origin, 0) < head.first - 1:
                wanted[origin] = max(wanted.get(origin, 0), head.first - 1)
            for other, seq in sorted(head.deps.items()):
                if vector.get(other, 0) < seq:
                    wanted[other] = max(wanted.get(other, 0), seq)
        return wanted

    def contradicts(self, op: Op) -> bool:
        """Return whether `op` cannot be of the same replica as what waits of its origin."""
        queue = self.queues.get(op.origin)
        if queue is None:
            return False
        index = place_of(op, queue)
        if index and (queue[index - 1].contradicts(op) or breaks_chain(queue[index - 1], op)):
            return True
        while index < len(queue) and queue[index].first <= op.last + 1:
            if queue[index].contradicts(op) or breaks_chain(op, queue[index]):
                return True
            index += 1
        return False

    def reached(self, vector: Vector) -> Vector:
        """Return `vector` raised by what waits without a gap: nobody needs to send that again."""
        raised = dict(vector)
        for origin, queue in self.queues.items():
            have = vector.get(origin, 0)
            for op in queue:
                if op.first > have + 1:
                    break
                have = max(have, op.last)
            if have:
                raised[origin] = have
        return raised


def breaks_chain(op: Op, following: Op) -> bool:
    """Return whether `following` comes directly after `op` and names another operation as the one
    before it."""
    if following.first != op.last + 1 or following.previous <= UNKNOWN:
        return False
    fingerprint = op.fingerprint()
    return fingerprint != UNKNOWN and fingerprint != following.previous


def place_of(op: Op, queue: deque[Op]) -> int:
    """Return the index in `queue` before which `op` belongs. O(1) at both ends."""
    if not queue or queue[-1].first <= op.first:
        return len(queue)
    if op.first < queue[0].first:
        return 0
    return bisect_right(queue, op.first, key=first_of)


def first_of(op: Op) -> int:
    """Return the sequence number of the first effect."""
    return op.first


def size_of(op: Op) -> int:
    """Return the bytes of memory that an operation takes while it waits."""
    return op.size() + EFFECT_BYTES * len(op.effects)


def is_ready(op: Op, vector: Vector) -> bool:
    """Return whether `vector` covers all that `op` depends on, and `op` is the next of its
    origin."""
    if op.first != vector.get(op.origin, 0) + 1:
        return False
    for origin, seq in op.deps.items():
        if vector.get(origin, 0) < seq:
            return False
    return True
