"""The links that operators see, from the state of the machines at both ends.

`ProcessLinks` is the `LinkControl` of one process. If all regions run in it, every link has both
its ends here. If it runs one region, it sees and controls the ends of that region. Each link is
shown once: by its sink, which has more figures, or else by its source.

An end that was cut reports this to the other end, again at every attempt to connect. So a link that
was cut in another process is shown as cut here too, until it is connected again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from crdb.deployment.config import Config
from crdb.engine.environment.link_control import (
    NOT_LIVE,
    LinkInfo,
    LinkOutOfReach,
    LinkState,
    NoSuchLink,
    QueryNumbers,
    have_arrived,
)
from crdb.engine.events.event_bases import Emit, OperatorEvent
from crdb.engine.events.operator_events import LinkCutEvent, LinkHealedEvent
from crdb.region.report.link_lines import count_unseen, reported_vectors
from replication.mesh.absence import CUT
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.mesh.statistics import LinkStatistics
from replication.protocol.peers import Direction, Peer, link_ends

UNCONNECTED: Final = ("down", "closed", "awaiting hello")
SINK_STATES: Final = {
    "resuming": LinkState.CONNECTING,
    "loading": LinkState.SNAPSHOT,
    "waiting": LinkState.CATCHING_UP,
    "stalled": LinkState.CATCHING_UP,
    "streaming": LinkState.STREAMING,
}
STAGES: Final = {
    "snapshot": LinkState.SNAPSHOT,
    "catching up": LinkState.CATCHING_UP,
    "streaming": LinkState.STREAMING,
}
MS: Final = 1_000_000


def ignore_event(_event: OperatorEvent) -> None:
    """Ignore an event."""


class ProcessLinks:
    """The links whose ends are in this process. `clock` is monotone, in nanoseconds."""

    def __init__(
        self,
        config: Config,
        ends: Mapping[str, Links],
        *,
        clock: Callable[[], int],
    ) -> None:
        self.config = config
        self.ends = ends
        self.clock = clock
        self.emit: Emit = ignore_event
        """Receives an event for each cut or healed link."""
        for name, links in ends.items():
            links.convergence_queries.has_missing_link = partial(self.has_missing_link, name)

    def regions(self) -> Sequence[str]:
        """Return the names of all regions, in the order of their numbers."""
        return [region.name for region in self.config.regions]

    def links(self) -> Sequence[LinkInfo]:
        """Return all links with an end here, with their state and lag."""
        now = self.clock()
        rows: dict[tuple[str, str], LinkStatistics] = {}
        cuts: set[tuple[str, str]] = set()
        lags: dict[tuple[str, str], int] = {}
        for name, links in self.ends.items():
            for row in links.statistics(now):
                inward = row.direction is Direction.IN
                link = (row.peer, name) if inward else (name, row.peer)
                if row.cut:
                    cuts.add(link)
                if not inward and row.state in UNCONNECTED:
                    lags[link] = count_unseen(links, reported_vectors(links, row.region)[0])
                if inward or link not in rows:
                    rows[link] = row
        names = set(self.regions())
        return [
            self.describe_link(link, rows[link], link in cuts, lags.get(link, 0))
            for link in sorted(rows)
            if link[0] in names and link[1] in names
        ]

    def describe_link(
        self, link: tuple[str, str], row: LinkStatistics, cut: bool, lag: int
    ) -> LinkInfo:
        """Return one link. `lag` is the number of effects that a sink lacks while not connected."""
        source, sink = link
        return LinkInfo(
            source,
            sink,
            LinkState.CUT if cut else self.state(link, row),
            lag_ops=row.behind or lag,
            lag_ms=row.lag_ms,
            delay_ms=self.config.delay_ns(source, sink) / MS,
        )

    def state(self, link: tuple[str, str], row: LinkStatistics) -> LinkState:
        """Return the state of a link that is not cut."""
        if row.direction is Direction.OUT and row.state not in UNCONNECTED:
            return STAGES[row.stage]
        if row.state not in UNCONNECTED:
            return SINK_STATES[row.state]
        if row.last_error == CUT and not self.ends.keys() >= set(link):
            return LinkState.CUT
        here = link[1] if row.direction is Direction.IN else link[0]
        is_away = self.ends[here].is_away(row.peer, row.direction, self.clock())
        return LinkState.DOWN if is_away else LinkState.CONNECTING

    # -- control ---------------------------------------------------------------------------

    def cut(self, source: str, sink: str) -> None:
        """Cut the link from `source` to `sink`. Raises LinkError."""
        now = self.clock()
        was_cut = self.is_cut(source, sink)
        for name, peer, direction in self.find_ends(source, sink):
            self.ends[name].cut(peer, direction, now)
        if not was_cut:
            self.emit(LinkCutEvent(source=source, sink=sink))

    def heal(self, source: str, sink: str) -> None:
        """Undo `cut`, and connect immediately. Raises LinkError."""
        if self.is_cut(source, sink):
            self.emit(LinkHealedEvent(source=source, sink=sink))
        for name, peer, direction in reversed(self.find_ends(source, sink)):
            self.ends[name].tally(peer, direction).last_error = ""
            self.ends[name].heal(peer, direction)

    def is_cut(self, source: str, sink: str) -> bool:
        """Return whether the link was cut in this process. Raises LinkError."""
        return any(
            self.ends[name].is_cut(peer, way) for name, peer, way in self.find_ends(source, sink)
        )

    def find_ends(self, source: str, sink: str) -> list[tuple[str, str, Direction]]:
        """Return the ends of a link that are here, the source's last. Raises LinkError."""
        if (source, sink) not in self.config.topology.links:
            raise NoSuchLink(source, sink)
        found = [end for end in reversed(link_ends(source, sink)) if end[0] in self.ends]
        if not found:
            raise LinkOutOfReach(source, sink)
        return found

    def cut_all(self) -> None:
        """Cut every link with an end here."""
        for source, sink in self.within_reach():
            self.cut(source, sink)

    def heal_all(self) -> None:
        """Heal every link with an end here."""
        for source, sink in self.within_reach():
            self.heal(source, sink)

    def within_reach(self) -> list[tuple[str, str]]:
        """Return the names of all links with an end here."""
        here = self.ends.keys()
        return sorted(link for link in self.config.topology.links if not here.isdisjoint(link))

    # -- convergence -----------------------------------------------------------------------

    def ask(self) -> QueryNumbers:
        """Start a convergence query in each region, if some regions run in other processes."""
        if len(self.ends) == len(self.config.regions):
            return {}
        return {name: links.convergence_queries.start_query() for name, links in self.ends.items()}

    def has_converged(self, query: QueryNumbers) -> bool | None:
        """Return the result of a convergence query, None while it is under way. If all regions run
        in this process, compare their vectors instead."""
        if not query:
            vectors = {
                name: dict(links.replica.keyspace.vector) for name, links in self.ends.items()
            }
            return have_arrived(self.links(), vectors)
        replies = [
            self.ends[name].convergence_queries.find_result(number)
            for name, number in query.items()
        ]
        return None if None in replies else all(replies)

    def has_missing_link(self, name: str) -> bool:
        """Return whether a live link of a region here is not connected at the moment."""
        links = self.ends[name]
        edges = links.convergence_queries.edges
        if len(self.ends) == 1:
            awaited = [each for each in links.list_links() if each[2] not in edges]
            return any(self.is_live(name, *each) for each in awaited)
        for link in self.links():
            if link.is_live and name in (link.source, link.sink):
                inward = link.sink == name
                end = links.sinks.get(link.source) if inward else links.sources.get(link.sink)
                if end not in edges:
                    return True
        return False

    def is_live(self, name: str, peer: Peer, direction: Direction, end: Machine | None) -> bool:
        """Return whether a link of the only region here is live."""
        if peer.name not in self.regions():
            return False
        row = self.ends[name].row(peer, direction, end, self.clock())
        link = (peer.name, name) if direction is Direction.IN else (name, peer.name)
        return not row.cut and self.state(link, row) not in NOT_LIVE
