"""Cut links: nothing passes over a link that a client has cut, and the other links stay.

CRDB.LINK CUT closes the connection of one direction at both ends, and none is made again until the
link is healed. The connection of the other direction goes on, and so do all other connections.

Not checked: connections that end in the same moment for another reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from replication.machines.receiving.sink import Sink
from replication.mesh.registry import Machine
from replication.protocol.peers import Direction
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 4  # of so many turns of all regions, links are looked at in one
REASON: Final = "the link is cut"


class CutChecker(Checker):
    """Checks the links that clients cut."""

    promise: ClassVar[str] = "cut links"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.cut: set[tuple[str, str]] = set()
        """The links that are cut, by the names of source and sink."""
        self.turns = 0

    def on_link_cut(
        self, region: Watched, peer: str, direction: Direction, before: Sequence[Machine]
    ) -> None:
        """Check which connections the cut has closed. Raises Violation."""
        self.looked += 1
        is_inward = direction is Direction.IN
        self.cut.add((peer, region.name) if is_inward else (region.name, peer))
        for end in before:
            is_meant = end.peer == peer and isinstance(end, Sink) == is_inward
            if end.closed and not is_meant and end.tally.last_error == REASON:
                raise self.violation(
                    f"the link {'from' if is_inward else 'to'} {peer} was cut in {region.name},"
                    f" which has closed its link {describe_end(end)}"
                )
        self.check_cuts(region)

    def on_link_healed(self, region: Watched, peer: str) -> None:
        self.cut.discard((peer, region.name))

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check that no cut link is connected. Raises Violation."""
        self.turns += 1
        if self.cut and self.turns % SAMPLE == 0:
            self.check_cuts(region)

    def check_cuts(self, region: Watched) -> None:
        """Check that `region` has no connection over a link that is cut."""
        links = region.links
        for source, sink in self.cut:
            end: Machine | None = None
            if source == region.name:
                end = links.sources.get(sink)
            elif sink == region.name:
                end = links.sinks.get(source)
            if end is not None and not end.closed:
                raise self.violation(
                    f"the link from {source} to {sink} is cut, and {region.name} is connected"
                    f" {describe_end(end)}, {end.state.value}"
                )


def describe_end(end: Machine) -> str:
    """Return the peer of one end, and the direction."""
    return f"{'from' if isinstance(end, Sink) else 'to'} {end.peer}"
