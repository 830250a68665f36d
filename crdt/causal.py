"""The causal gate: an operation waits until all that it saw has been applied here.

Operations of one origin come in order, so the gate keeps a queue for each origin and looks at the
heads alone. What is waiting is bounded in bytes; beyond the bound newcomers are refused, and their
sender, who keeps them until they are acknowledged, sends them again (rules CAU-2, CAU-5).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from crdt.dots import Origin, Vector
from crdt.op import Op

WAITING_BYTES_MAX: Final = 64 << 20  # some seconds of a busy region's writes
EFFECT_BYTES: Final = 200  # what an effect takes in memory besides its encoding


class Gate:
    """Operations that came before what they depend on."""

    __slots__ = ("bytes", "limit", "queues")

    def __init__(self, limit: int = WAITING_BYTES_MAX) -> None:
        self.limit: int = limit
        self.bytes: int = 0
        self.queues: dict[Origin, deque[Op]] = {}

    def hold(self, op: Op, vector: Vector) -> bool:
        """Let `op` wait; False if it is refused for lack of room or because it leaves a gap."""
        queue = self.queues.get(op.origin)
        expected = queue[-1].last + 1 if queue else vector.get(op.origin, 0) + 1
        if op.first > expected:
            return False
        if op.first < expected:
            if op.last < expected:
                return True
            op = op.beyond(expected - 1)
        size = room(op)
        if self.bytes + size > self.limit:
            return False
        if queue is None:
            queue = self.queues[op.origin] = deque()
        queue.append(op)
        self.bytes += size
        return True

    def ready(self, vector: Vector) -> Op | None:
        """Take out an operation whose turn has come, if there is one."""
        for origin in sorted(self.queues):
            queue = self.queues[origin]
            have = vector.get(origin, 0)
            while queue and queue[0].first <= have:
                op = queue.popleft()
                self.bytes -= room(op)
                if op.last > have:
                    queue.appendleft(op.beyond(have))
                    self.bytes += room(queue[0])
            if queue and is_ready(queue[0], vector):
                op = queue.popleft()
                self.bytes -= room(op)
                return op
            if not queue:
                del self.queues[origin]
        return None

    def missing(self, vector: Vector) -> Vector:
        """What is being waited for: per origin, the effect that must have come."""
        wanted: Vector = {}
        for origin in sorted(self.queues):
            head = self.queues[origin][0]
            for other, seq in sorted(head.deps.items()):
                if vector.get(other, 0) < seq:
                    wanted[other] = max(wanted.get(other, 0), seq)
        return wanted


def room(op: Op) -> int:
    """The bytes that an operation takes up while it waits."""
    return len(op.to_bytes()) + EFFECT_BYTES * len(op.effects)


def is_ready(op: Op, vector: Vector) -> bool:
    """Whether all that `op` saw is covered by `vector`, and it is the next of its origin."""
    if op.first != vector.get(op.origin, 0) + 1:
        return False
    for origin, seq in op.deps.items():
        if vector.get(origin, 0) < seq:
            return False
    return True
