"""The frames of all links are shown to the checkers that examine them."""

from __future__ import annotations

from typing import ClassVar

from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import Frame, Ops
from sim.engine.events import SECOND
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory
from tests.sim.planted import checker_of, fresh


class Recording(FrameChecker):
    promise: ClassVar[str] = "recording"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.seen: list[tuple[str, str, str, bool]] = []

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        super().on_frame_sent(process, end, frame)
        if isinstance(frame, Ops):
            self.seen.append((process.name, "to", end.peer, process.was_paused))

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        super().on_frame_received(process, end, frame)
        if isinstance(frame, Ops):
            self.seen.append((process.name, "from", end.peer, process.was_paused))


def test_ops_are_shown_at_both_ends() -> None:
    world = fresh(Recording)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    checker = checker_of(world)
    assert isinstance(checker, Recording)
    assert sorted(checker.seen) == [
        ("ap", "from", "eu", False),
        ("eu", "to", "ap", False),
        ("eu", "to", "us", False),
        ("us", "from", "eu", False),
    ]
