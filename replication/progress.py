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

from crdt.dots import Vector, join


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

    def move(self, stage: Stage) -> None:
        """Go to `stage`, if it is not there already."""
        if stage is not self.stage:
            assert (self.stage, stage) in MOVES, f"{self.stage.name} to {stage.name}"
            self.stage = stage

    def acknowledge(self, vector: Vector) -> None:
        """The peer has applied what `vector` stands for."""
        self.acknowledged = join(self.acknowledged, vector)
