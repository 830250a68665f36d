"""The return of a region after a restart: what it waits for, and what it reports to an operator.

Pure. A region that has lived before serves nothing that is wrong: until it has caught up, clients
get LOADING (`crdb.region.staleness`). `held` is what the region had when its earlier incarnation
last noted it; compared with what peers bring, it shows whether something is lost. None means that
nothing was noted, so there may have been anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crdb.engine.event_names import EventName
from crdb.region.staleness import Staleness
from crdt.causality.dots import Vector, join, lacking
from replication.mesh.links import Links
from replication.protocol.events import BroughtBack
from replication.protocol.limits import SECOND

Report = Callable[[EventName, Mapping[str, object]], None]

PATIENCE_NS: Final = 3 * SECOND
"""For so long a region waits for its peers before it says that it waits."""
REPEAT_NS: Final = 60 * SECOND
REPEAT_NS_MAX: Final = 3600 * SECOND
NOBODY: Final = "No peer brings its data, so it does not serve"
REMEDY: Final = "start a peer, or start this region with --start-empty and lose what it held"
SOME_ANSWER: Final = "The peers that have answered hold nothing, so it waits for the others"
REMEDY_FOR_OTHERS: Final = (
    "start the others, or remove from the files those that are gone for good, or start this region "
    "with --start-empty and lose what it held"
)


class Comeback:
    """The return of one region."""

    def __init__(self, staleness: Staleness, links: Links, report: Report) -> None:
        self.staleness = staleness
        self.links = links
        self.report = report
        self.held: Vector | None = {}
        self.is_blocked = False
        """True if the region must not write although it has recovered; see `block`."""
        self.tell_at: int | None = None
        """The time (ns) of the next report; None until `report_waiting` has been called."""
        self.pause_ns = REPEAT_NS
        self.on_ready: Callable[[], None] = nothing

    @property
    def is_ready(self) -> bool:
        """True if clients get correct answers."""
        return not self.staleness.instance.is_stale

    def begin(self, reason: str, held: Vector | None = None) -> None:
        """The region lacks what it has written before."""
        self.held = held
        self.links.memory.expects_data = held is None or held != {}
        self.tell_at = None
        self.pause_ns = REPEAT_NS
        if self.is_ready:
            self.staleness.begin()
            self.report("loading", {"reason": reason})

    def begin_again(self, reason: str) -> None:
        """The region has found out, while it was running, that it lacks something. If it waits
        already, it waits for what it held before too."""
        known = self.links.memory.known_vector()
        if self.is_ready:
            self.begin(reason, known)
        else:
            self.begin(reason, None if self.held is None else join(self.held, known))

    def recover(self) -> None:
        """The region has all that the peers within reach have."""
        if self.is_ready or self.is_blocked:
            return
        have = self.links.replica.keyspace.vector
        lost = lacking(have, self.held or {})
        if lost or (self.held is None and not have):
            reached = sorted(self.links.recovery.done)
            details: dict[str, object] = {"everything": not have, "peers": reached}
            if lost:
                details["writes"] = lost
            self.report("data lost", details)
        self.finish()

    def finish(self) -> None:
        """Let clients read and write again."""
        self.links.memory.expects_data = False
        self.staleness.end()
        self.on_ready()

    def bring_back(self, event: BroughtBack) -> None:
        """Report what became of the state that was put aside."""
        if event.lost_keys:
            self.report("data lost", {"keys": event.lost_keys, "everything": False})
        elif event.merged:
            self.report("kept", {"moved": event.moved})

    def block(self) -> None:
        """Do not let clients write, whatever peers bring, until `unblock`."""
        self.is_blocked = True

    def unblock(self) -> None:
        """Go on with what peers have brought meanwhile."""
        self.is_blocked = False
        if self.links.recovery.is_over:
            self.recover()

    def report_waiting(self, now: int) -> None:
        """Say, rarely, what the region waits for. Call it once a second; `now` is in nanoseconds
        of a monotonic clock."""
        if self.is_ready:
            return
        if self.links.recovery.is_over:  # an operator's cut may have ended it
            self.recover()
            return
        if self.tell_at is None:
            self.tell_at = now + PATIENCE_NS
        if now < self.tell_at:
            return
        self.tell_at = now + self.pause_ns
        self.pause_ns = min(2 * self.pause_ns, REPEAT_NS_MAX)
        waits = self.links.awaited()
        is_linked = any(sink.is_open for sink in self.links.sinks.values())
        details: dict[str, object] = {"peers": waits}
        if not is_linked:
            details |= {"reason": NOBODY, "remedy": REMEDY}
        elif self.links.recovery.done and self.links.memory.awaits_all():
            details |= {"reason": SOME_ANSWER, "remedy": REMEDY_FOR_OTHERS}
        self.report("waiting", details)


def nothing() -> None:
    """Do nothing: no caller waits for the region."""
