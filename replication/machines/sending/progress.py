"""The progress of each peer, seen from the source (Ongaro and Ousterhout's `Progress`, as in etcd).

    SNAPSHOT      it lacks more than the backlog holds, and receives the whole state
    CATCHING_UP   it receives what the backlog held when it connected
    STREAMING     it receives new writes as they are made

`MOVES` lists all changes of stage. The acknowledged vector only grows.
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
    """The stage of a peer."""

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
    """The stage of a peer, and the vector that it has acknowledged."""

    stage: Stage = Stage.CATCHING_UP
    acknowledged: Vector = attrs.field(factory=dict[int, int])
    marks: list[tuple[int, int]] = attrs.field(factory=list[tuple[int, int]])
    """Moments (ns), each with the number of our effects by then, while those are unacknowledged."""

    def move(self, stage: Stage) -> None:
        """Go to `stage`, if it is not there already."""
        if stage is not self.stage:
            assert (self.stage, stage) in MOVES, f"{self.stage.name} to {stage.name}"
            self.stage = stage

    def acknowledge(self, vector: Vector) -> None:
        """Record that the peer has applied what `vector` covers."""
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
