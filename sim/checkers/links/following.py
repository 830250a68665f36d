"""Following: a follower holds exactly the data of its sources, and keeps it when it is promoted.

The follower reports a vector for each source. The vector must be causally closed and must not cover
a part of an operation. It never goes back, unless the follower starts empty again. A follower keeps
the data that it has until the data of a source is here to replace it: a source that has lost
everything takes nothing away. A follower writes nothing. In the end it holds all data of its
sources: with one source the same state, with several the state of a replica that has applied their
operations once, in order, under their mapped origins. Streams and HyperLogLogs may differ then.

`convergence` compares a follower of one source, at every step, with regions at the same vector. Not
checked: the time after a promotion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.dots import Vector, dominates
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.testing.builtin_types.subjects import NAMES
from sim.checkers.replicas.convergence import shown
from sim.checkers.replicas.explain import (
    IN_ORDER,
    Holder,
    differing_key,
    elements_text,
    explain_key,
    held_text,
    missing_text,
)
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.run_history import EMPTY, RunHistory
from sim.nodes.state_hash import Change, StateHash

DELETE_WINS: Final = frozenset({"stream", "hyperloglog"})
"""The types in which a delete wins over concurrent writes (rules HLL-3, STM-14)."""


class FollowingChecker(Checker):
    """Checks followers against their sources."""

    promise: ClassVar[str] = "following"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.known: dict[str, tuple[int, dict[str, Vector]]] = {}
        """Of each follower how often it had begun, and what it claimed at its last step."""
        self.holding: dict[str, int] = {}
        """Of each follower that has held data: the number of the start of its process."""

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Check the vectors that the follower reports."""
        if copy.replica.keyspace.vector:
            self.holding[copy.name] = copy.process_starts
        if not copy.is_following:
            return
        self.looked += 1
        if not copy.replica.keyspace.vector and (
            self.holding.get(copy.name) == copy.process_starts
        ):
            raise self.violation(
                f"{copy.name} has deleted all that it held, and no source has replaced it"
            )
        beginnings, before = self.known.get(copy.name, (0, {}))
        if beginnings != copy.beginnings:
            before = {}
        claims = copy.claims()
        for source, vector in claims.items():
            self.compare_with_source(copy.name, source, before=before.get(source, {}), now=vector)
        if copy.replica.keyspace.seq:
            raise self.violation(f"{copy.name} has written {copy.replica.keyspace.seq} effects")
        self.known[copy.name] = copy.beginnings, claims

    def compare_with_source(self, name: str, source: str, *, before: Vector, now: Vector) -> None:
        """Compare the present claim about one source with the previous one."""
        if now == before:
            return
        if not dominates(now, before):
            raise self.violation(
                f"{name} went back with {source}: {shown(before)} to {shown(now)}"
                f"{missing_text(self.run_history, name, now, before)}"
            )
        lacking = self.run_history.explain_unclosed(now, before or EMPTY)
        if lacking:
            raise self.violation(f"{name} has {shown(now)} of {source}, but {lacking}")

    def on_promotion(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Check that the promotion has changed no key."""
        self.looked += 1
        if changes:
            db = copy.replica.keyspace
            keys = ", ".join(
                f"{change.key!r}, which held {elements_text(change.before)} and holds"
                f" {held_text(db, change.key)}"
                for change in changes
            )
            raise self.violation(f"{copy.name} was promoted, and that changed {keys}")

    def on_followers_end(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """Check that every follower holds the data of its sources."""
        by_name = {region.name: region for region in regions}
        for copy in copies:
            self.looked += 1
            for source, claim in copy.claims().items():
                vector = dict(by_name[source].replica.keyspace.vector)
                if claim != vector:
                    there = Holder(source, by_name[source].state_hash)
                    raise self.violation(
                        f"{copy.name} has {shown(claim)} of {source}, which has {shown(vector)}"
                        f"{missing_text(self.run_history, copy.name, claim, vector)}"
                        f"{self.explain_difference(copy, there, 0, vector)}"
                    )
            sources = [by_name[name] for name in copy.claims()]
            state_hash = sources[0].state_hash if len(sources) == 1 else self.counterpart(copy)
            clock = max(each.replica.keyspace.expiry_clock for each in regions)
            clock = max(clock, copy.replica.keyspace.expiry_clock)
            if len(sources) > 1 and self.equals_but_delete_wins(copy, state_hash, clock):
                continue
            if not state_hash.fingerprint().is_equal_after(copy.state_hash.fingerprint(), clock):
                names = ", ".join(region.name for region in sources)
                known: Vector = {}
                for region in sources:
                    known.update(region.replica.keyspace.vector)
                there = Holder(names if len(sources) == 1 else IN_ORDER, state_hash)
                raise self.violation(
                    f"{copy.name} does not hold what {names} hold"
                    + self.explain_difference(copy, there, clock, known)
                )

    def equals_but_delete_wins(self, copy: Followed, other: StateHash, clock: int) -> bool:
        """Return whether a follower of several sources holds what `other` does, apart from streams
        and HyperLogLogs.

        It keeps what it has from each source apart. A delete of one source is concurrent with the
        writes of another, and wins if they are in a delete-wins type. But it has no effect if that
        source has forgotten it before it sends a snapshot.
        """
        left_out = {
            key
            for state_hash in (copy.state_hash, other)
            for key in state_hash.db.held_keys()
            if any(NAMES[part.code()] in DELETE_WINS for part in state_hash.db.live_parts(key))
        }
        return differing_key(copy.state_hash, other, clock, left_out) is None

    def explain_difference(self, copy: Followed, there: Holder, clock: int, vector: Vector) -> str:
        """Return which key differs between a follower and its sources."""
        here = Holder(copy.name, copy.state_hash)
        return explain_key(self.run_history, here, [there], clock, vector)

    def counterpart(self, copy: Followed) -> StateHash:
        """Return the state hash that a follower of several sources should have."""
        twin = Replica(copy.replica.origin)
        for source, vector in copy.claims().items():
            for entry in self.run_history.ops_within(vector):
                twin.accept(copy.origin_maps[source].op(Op.from_bytes(entry.data)))
        state_hash = StateHash(twin.keyspace)
        state_hash.drain_changes()
        return state_hash
