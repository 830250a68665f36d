"""The history of a world, and the comparison of its regions with the specification.

Each region must show what the specification gives for the operations that it has applied. Regions
with equal vectors must show the same. A collection of garbage must change no visible value.
"""

from __future__ import annotations

from typing import Any

from crdt.causality.dots import Dot, dominates, origin_of, region_of, seq_of
from crdt.embed.replica import Replica
from crdt.testing.history import History, HistoryEvent
from crdt.testing.peeking import Peek
from crdt.testing.subject import Disagreement, ExtraCheck, Subject, TraceEntry
from crdt.testing.worlds.site import Site, digest_at


class WorldChecks:
    """Records the operations of a world and checks its regions."""

    def __init__(self, subject: Subject, sites: list[Site]) -> None:
        self.subject: Subject = subject
        self.sites: list[Site] = sites
        self.everything: list[HistoryEvent] = []
        """All operations so far."""
        self.answers: dict[tuple[int, int], Any] = {}
        """The values that the specification gave, by visible operations and time."""
        self.digests: dict[tuple[object, ...], tuple[bytes, int, Any]] = {}
        """The digest, region and reading that were seen first for each time and vector."""
        make_check = subject.extra_check
        self.extra_check: ExtraCheck | None = None if make_check is None else make_check()
        self.counts: dict[str, int] = {}
        """The number of checks of each law."""
        self.trace: list[TraceEntry] = []

    def count(self, law: str) -> None:
        """Record that a law was checked."""
        self.counts[law] = self.counts.get(law, 0) + 1

    # -- history ---------------------------------------------------------------------------

    def note(self, came_to: Any, dot: Dot, past: int) -> None:
        """Add one operation to the history. Its region had seen the operations in `past`."""
        db = self.sites[region_of(origin_of(dot)) - 1].replica.keyspace
        index = len(self.everything)
        self.everything.append(HistoryEvent(came_to, dot, db.now, db.expiry_clock, index, past))

    def history(self, replica: Replica) -> History:
        """Return the history that a replica has applied, by its vector."""
        vector, visible = replica.keyspace.vector, 0
        for event in self.everything:
            if vector.get(origin_of(event.dot), 0) >= seq_of(event.dot):
                visible |= 1 << event.index
        return History(self.everything, visible, replica.keyspace.expiry_clock)

    def moment(self, site: Site) -> History:
        """Return the history of a region at the latest time that its clock has ever shown. Keys
        that had expired then may be deleted even if the clock was set back later."""
        applied = self.history(site.replica)
        return History(self.everything, applied.visible, max(applied.now, site.reached))

    # -- checks ----------------------------------------------------------------------------

    def check(self, site: Site, step: int) -> None:
        """Compare one region with the specification and with all regions that had its vector.

        `step` is the number of the world's present step.
        """
        with Peek(site.replica.keyspace):
            self.examine(site, step)

    def examine(self, site: Site, step: int) -> None:
        """Do what `check` does, while work may wait."""
        replica = site.replica
        vector = replica.vector
        if not dominates(vector, site.vector):
            raise Disagreement("a vector never goes back", f"{site.vector} became {vector}")
        site.vector = vector
        history = self.history(replica)
        shown = self.subject.read(replica)
        self.trace.append((step, f"region {site.region}", shown))
        self.check_shown(site, history, shown)
        self.check_digest(site, shown)
        if self.extra_check is not None:
            self.extra_check.check(replica, history)

    def check_shown(self, site: Site, history: History, shown: Any) -> None:
        """Compare the reading of a region with the specification and the invariants."""
        where, promises = f"region {site.region}", self.subject.promises
        if promises is not None:
            promises.check_invariants(where, shown, self.count)
        expected = self.expected(history)
        if promises is not None:
            promises.check_spec(where, shown, expected, self.count)
            return
        self.count("value equals specification")
        if shown != expected:
            message = f"{where} shows {shown!r}, the specification says {expected!r}"
            raise Disagreement("value equals specification", message)

    def expected(self, history: History) -> Any:
        """Return the value that the specification gives. It is computed once for each history."""
        moment = history.visible, history.now
        if moment not in self.answers:
            self.answers[moment] = self.subject.spec(history)
        return self.answers[moment]

    def check_digest(self, site: Site, shown: Any) -> None:
        """Check that regions with equal vectors have equal digests and readings."""
        now = max(other.expiry_clock for other in self.sites)
        digest = digest_at(site.replica, now)
        key = (now, *sorted(site.vector.items()))
        known, other, before = self.digests.setdefault(key, (digest, site.region, shown))
        self.count("equal vectors, equal digests")
        if known != digest:
            message = (
                f"region {site.region} shows {shown!r}, region {other} showed {before!r} after the "
                f"same operations"
            )
            raise Disagreement("equal vectors, equal digests", message)
        if self.subject.promises is not None:
            self.subject.promises.check_equal(
                f"region {site.region}", shown, f"region {other}", before
            )

    def check_unseen(self, moment: History, seen: int, past: int) -> None:
        """Check that the effects of a collection change no visible value in another region.

        `seen` are the operations before the collection, and `past` includes its effects. The other
        region may have an earlier clock, and operations may be in transit to it.
        """
        before = History(self.everything, moment.visible | seen, moment.now)
        after = History(self.everything, moment.visible | past, moment.now)
        shown, expected = self.expected(after), self.expected(before)
        if shown != expected:
            where = f"a collection turns {expected!r} into {shown!r} where it arrives"
            raise Disagreement("garbage collection is invisible", where)
