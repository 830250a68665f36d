"""Arrival: commands that wait until other regions have a write reply when they should.

* WAIT replies soon after enough regions have acknowledged, and soon after its timeout.
* CRDB.SETTLE replies 1 only if all that was written before has arrived. This holds for each link
  that was up all the time, in all regions that such links connect with the client's region.

That WAIT never counts too many regions is checked by `waiting`.

Not checked: a CRDB.SETTLE that replies too late (see `freshness`), and regions that were paused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, TypeAlias

import attrs

from crdt.causality.dots import Origin, Vector, dominates
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

LATE_MS_MAX: Final = 50  # a region polls at least every 20 ms

LiveLinks: TypeAlias = Mapping[tuple[str, str], tuple[Source, Sink]]
"""The two ends of each link that is up, by the names of its source and its sink."""


@attrs.define
class AcknowledgementWait:
    """A client that is blocked in WAIT. Times are in ms of its region's monotonic clock."""

    command: Words
    wanted: int
    origin: Origin
    seq: int
    until: int
    since: int | None = None
    """The time at which enough regions were first seen to have acknowledged."""


@attrs.frozen
class ArrivalWait:
    """A client that is blocked in CRDB.SETTLE: the links and vectors when it began."""

    links: LiveLinks
    vectors: Mapping[str, Vector]


class ArrivalChecker(Checker):
    """Checks WAIT and CRDB.SETTLE."""

    promise: ClassVar[str] = "arrival"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.up: dict[str, Watched] = {}
        self.waits: dict[str, dict[int, AcknowledgementWait]] = {}
        """The clients that are blocked in WAIT, by region and session."""
        self.converging: dict[str, dict[int, ArrivalWait]] = {}
        """The clients that are blocked in CRDB.SETTLE, by region and session."""

    def on_region_started(self, region: Watched) -> None:
        self.up[region.name] = region
        self.waits[region.name] = {}
        self.converging[region.name] = {}

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        del self.up[region.name]

    def on_client_left(self, region: Watched, session: int) -> None:
        self.waits[region.name].pop(session, None)
        self.converging[region.name].pop(session, None)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Record a client that is blocked now, and check what another one has learnt."""
        for words, reply in executed_commands(commands, replies):
            if words[0] == "CRDB.SETTLE" and reply == 1:
                self.check_arrival(region, session, self.describe_present())
        if not session or len(replies) == len(commands):
            return
        words, keyspace = commands[len(replies)], region.replica.keyspace
        if words[0] == "WAIT":
            until = region.now_ms + int(words[2])
            self.waits[region.name][session] = AcknowledgementWait(
                words, int(words[1]), keyspace.origin, keyspace.seq, until
            )
        elif words[0] == "CRDB.SETTLE":
            self.converging[region.name][session] = self.describe_present()

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Check whether the reply has come in time, and whether it is true."""
        wait = self.waits[region.name].pop(session, None)
        if wait is not None:
            self.looked += 1
            self.check_time(region, session, wait)
        waiting = self.converging[region.name].pop(session, None)
        if waiting is not None and reply == 1:
            self.check_arrival(region, session, waiting)

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check that no client waits for what has happened."""
        for session, wait in self.waits[region.name].items():
            self.check_time(region, session, wait)

    # -- WAIT ------------------------------------------------------------------------------

    def check_time(self, region: Watched, session: int, wait: AcknowledgementWait) -> None:
        """Check that the reply to a WAIT is not overdue. Raises Violation."""
        if region.was_paused or wait.origin != region.replica.origin:
            wait.since = None
            return
        late = region.now_ms - wait.until
        if late > LATE_MS_MAX:
            raise self.violation(
                f"session {session} in {region.name} should have given up"
                f" {' '.join(wait.command)} {late} ms ago"
            )
        heard = regions_heard(region, wait.origin, wait.seq)
        if heard < wait.wanted:
            wait.since = None
        elif wait.since is None:
            wait.since = region.now_ms
        elif region.now_ms - wait.since > LATE_MS_MAX:
            raise self.violation(
                f"session {session} in {region.name} waits, {' '.join(wait.command)}, although"
                f" {heard} regions have acknowledged for {region.now_ms - wait.since} ms"
            )

    # -- CRDB.SETTLE -----------------------------------------------------------------------

    def describe_present(self) -> ArrivalWait:
        """Return the links that are up now, and the vectors of all regions."""
        vectors = {name: dict(each.replica.keyspace.vector) for name, each in self.up.items()}
        return ArrivalWait(self.live_links(), vectors)

    def live_links(self) -> LiveLinks:
        """Return the links over which ops are sent and received now."""
        found: dict[tuple[str, str], tuple[Source, Sink]] = {}
        for name, region in self.up.items():
            for peer, sink in region.links.sinks.items():
                source = self.up[peer].links.sources.get(name) if peer in self.up else None
                is_up = source is not None and source.state is SourceState.SENDING
                if source is not None and is_up and sink.state is SinkState.STREAMING:
                    found[peer, name] = source, sink
        return found

    def check_arrival(self, region: Watched, session: int, waiting: ArrivalWait) -> None:
        """Check that the writes of before have arrived. Raises Violation."""
        now = self.live_links()
        links = [link for link, ends in waiting.links.items() if now.get(link) == ends]
        reached, left = {region.name}, list(links)
        while any(reached.intersection(link) for link in left):
            reached.update(*(link for link in left if reached.intersection(link)))
            left = [link for link in left if not reached.issuperset(link)]
        for source, sink in links:
            if sink in reached:
                self.looked += 1
                have = self.up[sink].replica.keyspace.vector
                if not dominates(have, waiting.vectors[source]):
                    raise self.violation(
                        f"session {session} in {region.name} learns that all has arrived, but"
                        f" {source} had {shown(waiting.vectors[source])} when it asked, and"
                        f" {sink} has {shown(have)}"
                    )


def regions_heard(region: Watched, origin: Origin, seq: int) -> int:
    """Return how many peers have told a region that they hold an effect of `origin`."""
    links = region.links
    reports = [(peer, source.progress.acknowledged) for peer, source in links.sources.items()]
    reports += [(peer, sink.vector) for peer, sink in links.sinks.items() if sink.hello is not None]
    return len({peer for peer, vector in reports if vector.get(origin, 0) >= seq})
