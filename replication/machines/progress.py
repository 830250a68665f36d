"""Where each peer stands, seen from the source (Ongaro and Ousterhout's `Progress`, as in etcd).

    SNAPSHOT      it lacks more than the backlog holds, and is sent the whole state
    CATCHING_UP   it is sent what the backlog held when it came
    STREAMING     it gets what is written as it is written

All moves are here. The acknowledged vector only grows.
"""

from __future__ import annotations

import enum
from typing import Final

import attrs

from crdt.causality.dots import Origin, Vector, join

MARKS_MAX: Final = 64
"""Moments remembered for the lag. When there are more, every other one is forgotten."""
APART_SHARE: Final = 32
"""Two moments are apart by at least this share of the lag. So the lag that is reported is too small
by a sixteenth of what it was at most."""


class Stage(enum.Enum):
    """How a peer is being helped."""

    SNAPSHOT = "snapshot"
    CATCHING_UP = "catching up"
    STREAMING = "streaming"


MOVES: Final[frozenset[tuple[Stage, Stage]]] = frozenset(
    {
        (Stage.CATCHING_UP, Stage.STREAMING),
        (Stage.CATCHING_UP, Stage.SNAPSHOT),
        (Stage.STREAMING, Stage.CATCHING_UP),
        (Stage.STREAMING, Stage.SNAPSHOT),
        (Stage.SNAPSHOT, Stage.CATCHING_UP),
    }
)


@attrs.define
class Progress:
    """One peer's stage and what it has acknowledged."""

    stage: Stage = Stage.CATCHING_UP
    acknowledged: Vector = attrs.field(factory=dict[int, int])
    marks: list[tuple[int, int]] = attrs.field(factory=list[tuple[int, int]])
    """Moments (ns), and how much we had written by then, of what is not acknowledged."""

    def move(self, stage: Stage) -> None:
        """Go to `stage`, if it is not there already."""
        if stage is not self.stage:
            assert (self.stage, stage) in MOVES, f"{self.stage.name} to {stage.name}"
            self.stage = stage

    def acknowledge(self, vector: Vector) -> None:
        """The peer has applied what `vector` stands for."""
        self.acknowledged = join(self.acknowledged, vector)

    def mark(self, now: int, origin: Origin, seq: int) -> None:
        """Record that we, as `origin`, have written `seq` effects by `now` (ns)."""
        known = self.acknowledged.get(origin, 0)
        while self.marks and self.marks[0][1] <= known:
            del self.marks[0]
        known = self.marks[-1][1] if self.marks else known
        if seq > known and self.is_time(now):
            if len(self.marks) == MARKS_MAX:
                del self.marks[::2]
            self.marks.append((now, seq))

    def is_time(self, now: int) -> bool:
        """Return whether the last moment is far enough in the past to record another one."""
        if not self.marks:
            return True
        return (now - self.marks[-1][0]) * APART_SHARE >= now - self.marks[0][0]

    def lag_ns(self, now: int) -> int:
        """Return for how long the oldest of our effects has not been acknowledged."""
        return now - self.marks[0][0] if self.marks else 0
