"""Recovery: a restarted region accepts writes only when it has what its reachable peers had.

A region that has lost its memory refuses writes until its recovery is over (STL-1, STL-2). Then it
must hold, of each peer that it dials, all that the peer had when it answered. A peer that has put a
state aside has not answered yet. Exempt are the peers that cannot be reached: the latest attempt
has failed, and since then the peer has not dialled, and its link has not been healed. Exempt are
also the peers whose links are cut by command. But one peer must have answered, unless the region
itself had put its state aside.

Until then the region collects no garbage, accepts no follower, and lets no client wait for a key.

INFO says how far the region is, in numbers of effects: those that it has, and those that it and the
peers that answer have together.

Not checked: regions that do not know of their earlier incarnations (STL-3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Origin, Vector, dominates, join
from replication.protocol.events import Closed, Connected
from replication.protocol.peers import Direction
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.step import Words

PROGRESS: Final[Words] = ("INFO", "persistence")
"""The command that reports how far a region is that refuses clients."""


class Answers:
    """The answers of the peers of one region since it has begun its incarnation."""

    def __init__(self, origin: Origin, *, had_aside: bool) -> None:
        self.origin = origin
        self.had_aside = had_aside
        """True if the region had put its own state aside."""
        self.vectors: dict[str, list[Vector]] = {}
        """The vectors with which each peer has answered, without those that do not count."""
        self.connected: set[str] = set()
        """The peers that answer at present."""
        self.unreachable: set[str] = set()
        """The peers that the latest attempt has not reached."""


class RecoveryChecker(Checker):
    """Checks what a region holds when its recovery ends."""

    promise: ClassVar[str] = "recovery"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.answers: dict[str, Answers] = {}
        self.collected: dict[str, int] = {}
        """The number of keys that each region had collected when it was last seen to be stale."""

    def on_region_started(self, region: Watched) -> None:
        aside = region.links.memory.disputed_state
        self.answers[region.name] = Answers(region.replica.origin, had_aside=aside is not None)
        self.collected.pop(region.name, None)

    def answers_of(self, region: Watched) -> Answers:
        """Return the answers of a region's peers; none if it has just begun an incarnation."""
        answers = self.answers[region.name]
        if answers.origin != region.replica.origin:
            answers = self.answers[region.name] = Answers(region.replica.origin, had_aside=False)
        return answers

    def on_link_event(self, region: Watched, event: Connected | Closed) -> None:
        """Record the answer of a peer, or the end of its connection. Raises Violation if a follower
        connects too early."""
        answers = self.answers_of(region)
        if isinstance(event, Connected) and event.direction is Direction.OUT:
            answers.unreachable.discard(event.peer)
            if event.peer not in region.links.peers and not region.has_caught_up:
                raise self.violation(
                    f"{region.name} has not caught up with its peers and lets {event.peer} follow"
                )
        elif isinstance(event, Connected):
            sink = region.links.sinks.get(event.peer)
            if sink is not None and sink.hello is not None:
                answers.unreachable.discard(event.peer)
                answers.connected.add(event.peer)
                if answers.had_aside or not sink.hello.holds_aside:
                    answers.vectors.setdefault(event.peer, []).append(dict(sink.hello.vector))
        elif event.direction is Direction.IN:
            if event.peer in answers.connected:
                answers.connected.discard(event.peer)
            else:
                answers.unreachable.add(event.peer)

    def on_unreachable(self, region: Watched, peer: str) -> None:
        self.answers_of(region).unreachable.add(peer)

    def on_link_healed(self, region: Watched, peer: str) -> None:
        self.answers_of(region).unreachable.discard(peer)

    def on_recovered(self, region: Watched) -> None:
        """Check that nothing is missing which a reachable peer had. Raises Violation."""
        self.looked += 1
        answers = self.answers_of(region)
        mine = region.replica.keyspace.vector
        excused = answers.unreachable | region.links.peers_cut_off()
        held: list[str] = []
        for peer in sorted(region.links.recovery.peers):
            vectors = answers.vectors.get(peer, [])
            if any(dominates(mine, vector) for vector in vectors):
                held.append(peer)
            elif peer not in excused:
                what = f"has answered {shown(vectors[-1])}" if vectors else "may still answer"
                raise self.violation(
                    f"{region.name} ends its recovery with {shown(mine) or 'nothing'},"
                    f" although {peer} {what}"
                )
        if not held and not answers.had_aside:
            raise self.violation(f"{region.name} ends its recovery without the data of any peer")

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check the progress that a region which has not caught up reports. Raises Violation."""
        for words, reply in zip(commands, replies, strict=False):
            if words == PROGRESS and isinstance(reply, bytes) and not region.has_caught_up:
                lines = [line.partition(":") for line in reply.decode().splitlines()]
                info = {name: value for name, _, value in lines}
                if info.get("loading") == "1":
                    self.check_progress(region, info)

    def check_progress(self, region: Watched, info: Mapping[str, str]) -> None:
        """Compare the reported progress with what the region and its peers have."""
        self.looked += 1
        have, total = int(info["loading_loaded_bytes"]), int(info["loading_total_bytes"])
        mine = region.replica.keyspace.vector
        known = dict(mine)
        for sink in region.links.sinks.values():
            if sink.is_open and sink.hello is not None:
                known = join(known, sink.hello.vector)
        if have != sum(mine.values()) or total < sum(known.values()):
            raise self.violation(
                f"{region.name} says that it has loaded {have} of {total} effects,"
                f" and has {shown(mine) or 'nothing'} of {shown(known)}"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check that a region which has not caught up collects no garbage, and that none of its
        clients is blocked for a key. Raises Violation."""
        if region.has_caught_up:
            self.collected.pop(region.name, None)
            return
        if any(waiter.keys for waiter in region.instance.blocked.by_client.values()):
            raise self.violation(
                f"a client waits in {region.name}, which has not caught up with its peers"
            )
        collected = region.replica.statistics().garbage_collected
        before = self.collected.setdefault(region.name, collected)
        if collected > before:
            raise self.violation(
                f"{region.name} has not caught up with its peers and collects garbage"
            )
        self.collected[region.name] = collected
