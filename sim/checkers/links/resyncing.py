"""Full resyncs: a region loads one snapshot at a time, and waits only while another is under way.

After the first snapshot the other peers often have nothing left to send. So a region whose peers
have all dropped what it lacks requests one snapshot, and its other links wait meanwhile. When a
snapshot was merged, they ask for what comes after it. When the transfer has failed, another link
loads its snapshot immediately: a link that waits for nobody brings nothing.

Not checked: followers, as the snapshots of their sources need not hold the same data, and snapshots
that gap repair requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.protocol.frames import Frame, Resume, SnapshotEnd, SnapshotRequest, Truncated
from sim.engine.checker import Watched
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 4  # of so many turns of all regions, links are looked at in one


class ResyncChecker(FrameChecker):
    """Checks which snapshots a region requests."""

    promise: ClassVar[str] = "full resyncs"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.turns = 0
        self.regions: set[str] = set()
        self.refused: dict[tuple[str, str], tuple[Sink, int]] = {}
        """By region and peer the connection over which the peer has said that its backlog does not
        reach back, and the number of snapshots that the region had merged then."""

    def on_region_started(self, region: Watched) -> None:
        self.regions.add(region.name)

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record that a peer no longer has what a region lacks, until its snapshot is here. Gap
        repair may have requested that snapshot before."""
        if isinstance(end, Sink) and isinstance(frame, Truncated):
            self.refused[process.name, end.peer] = end, process.replica.merges
        elif isinstance(end, Sink) and isinstance(frame, SnapshotEnd):
            self.refused.pop((process.name, end.peer), None)

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check that no snapshot was merged since the peer has refused. Raises Violation."""
        if not isinstance(end, Sink) or not isinstance(frame, Resume | SnapshotRequest):
            return
        known, merges = self.refused.pop((process.name, end.peer), (None, 0))
        if known is not end or isinstance(frame, Resume) or process.name not in self.regions:
            return
        self.looked += 1
        if process.replica.merges > merges:
            raise self.violation(
                f"{process.name} requests the snapshot of {end.peer}, and has merged another one"
                " since that peer dropped what is lacking"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check which links load a snapshot, and which wait. Raises Violation."""
        self.turns += 1
        if self.turns % SAMPLE:
            return
        loading: list[str] = []
        waiting: list[str] = []
        for peer, sink in region.links.sinks.items():
            if sink.state is SinkState.LOADING:
                loading.append(peer)
            elif sink.state is SinkState.WAITING:
                waiting.append(peer)
        self.looked += bool(loading or waiting)
        if len(loading) > 1:
            raise self.violation(
                f"{region.name} loads the snapshots of {' and '.join(sorted(loading))} at once"
            )
        if waiting and not loading:
            raise self.violation(
                f"the link from {waiting[0]} to {region.name} waits until another snapshot is"
                " here, and none is under way"
            )
