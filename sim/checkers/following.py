"""A follower has what its sources have, no more and no less, and keeps it when it is promoted.

Of each source it claims a vector, which must end between operations and contain all that each of
them had seen, as a region's must; and which never goes back unless the follower begins with nothing
again. It writes nothing while it follows. In the end it has all that its sources have: the same as
one source, or what a replica holds that was given the operations of several, once and in order,
under the names that they go by here.

What a follower of one source shows at every step is compared with what regions showed when they
stood there; see `convergence`. Not checked: what follows a promotion but the moment of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.dots import Vector, dominates
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from sim.checkers.convergence import shown
from sim.checkers.explain import IN_ORDER, Holder, elements_text, explain, held_text, missing_text
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.ledger import EMPTY, Ledger
from sim.nodes.mirror import Change, Mirror


class Following(Checker):
    """A true copy."""

    promise: ClassVar[str] = "following"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.known: dict[str, tuple[int, dict[str, Vector]]] = {}
        """Of each follower how often it had begun, and what it claimed at its last step."""

    def followed(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Look at what it claims."""
        if not copy.is_following:
            return
        self.looked += 1
        beginnings, before = self.known.get(copy.name, (0, {}))
        if beginnings != copy.beginnings:
            before = {}
        claims = copy.claims()
        for source, vector in claims.items():
            self.compare(copy.name, source, before=before.get(source, {}), now=vector)
        if copy.replica.keyspace.seq:
            raise self.broken(f"{copy.name} has written {copy.replica.keyspace.seq} effects")
        self.known[copy.name] = copy.beginnings, claims

    def compare(self, name: str, source: str, *, before: Vector, now: Vector) -> None:
        """What it claims of one source, and what it claimed before."""
        if now == before:
            return
        if not dominates(now, before):
            raise self.broken(
                f"{name} went back with {source}: {shown(before)} to {shown(now)}"
                f"{missing_text(self.ledger, name, now, before)}"
            )
        lacking = self.ledger.lacking(now, before or EMPTY)
        if lacking:
            raise self.broken(f"{name} has {shown(now)} of {source}, but {lacking}")

    def promoted(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Nothing may have changed."""
        self.looked += 1
        if changes:
            db = copy.replica.keyspace
            keys = ", ".join(
                f"{change.key!r}, which held {elements_text(change.before)} and holds"
                f" {held_text(db, change.key)}"
                for change in changes
            )
            raise self.broken(f"{copy.name} was promoted, and that changed {keys}")

    def copied(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """All has come to every follower, and it is what it was."""
        by_name = {region.name: region for region in regions}
        for copy in copies:
            self.looked += 1
            for source, claim in copy.claims().items():
                vector = dict(by_name[source].replica.keyspace.vector)
                if claim != vector:
                    raise self.broken(
                        f"{copy.name} has {shown(claim)} of {source}, which has {shown(vector)}"
                        f"{missing_text(self.ledger, copy.name, claim, vector)}"
                        f"{self.explain(copy, Holder(source, by_name[source].mirror), 0, vector)}"
                    )
            sources = [by_name[name] for name in copy.claims()]
            mirror = sources[0].mirror if len(sources) == 1 else self.twin(copy)
            clock = max(each.replica.keyspace.horizon for each in regions)
            clock = max(clock, copy.replica.keyspace.horizon)
            if not mirror.fingerprint().same(copy.mirror.fingerprint(), clock):
                names = ", ".join(region.name for region in sources)
                known: Vector = {}
                for region in sources:
                    known.update(region.replica.keyspace.vector)
                there = Holder(names if len(sources) == 1 else IN_ORDER, mirror)
                raise self.broken(
                    f"{copy.name} does not hold what {names} hold"
                    + self.explain(copy, there, clock, known)
                )

    def explain(self, copy: Followed, there: Holder, clock: int, vector: Vector) -> str:
        """Return which key differs between a follower and its sources."""
        here = Holder(copy.name, copy.mirror)
        return explain(self.ledger, here, [there], clock, vector)

    def twin(self, copy: Followed) -> Mirror:
        """What a follower of several sources should hold."""
        twin = Replica(copy.replica.origin)
        for source, vector in copy.claims().items():
            for entry in self.ledger.within(vector):
                twin.accept(copy.renamings[source].op(Op.from_bytes(entry.data)))
        mirror = Mirror(twin.keyspace)
        mirror.refresh()
        return mirror
