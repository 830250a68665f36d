"""Check that nothing but the data grows without a bound.

* The backlog and the causal buffer stay within their limits in bytes. What connected peers need is
  kept up to a limit of its own.
* The unacknowledged bytes of a link are at most its window and one batch.
* The numbers of connections without a Hello and of open ends are bounded (I24, I32, I33).

The sizes that the backlog and the causal buffer report are true, and so is the number of keys that
end. A causal buffer that reports
itself full takes in nothing more.

Not checked: the memory of the data itself; what waits in simulated sockets, which hold all that a
window allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.op_log import ENTRY_BYTES
from replication.machines.sending.progress import MARKS_MAX
from replication.mesh.connections import AWAITING_HELLO_MAX
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 8  # of so many turns of all regions, links are looked at in one
WEIGHED: Final = 512  # ... and the backlog, which may hold thousands of operations


class BoundsChecker(Checker):
    """Checks the bounds of queues."""

    promise: ClassVar[str] = "bounded memory"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.largest = 0
        self.turns = 0

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        """Record the size of the largest operation. An operation may exceed a bound by itself."""
        self.largest = max(self.largest, len(entry.data))

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the queues of one region."""
        self.turns += 1
        history, buffer = region.replica.history, region.replica.causal_buffer
        room = max(history.most_bytes(), self.largest + ENTRY_BYTES)
        if history.bytes > room:
            raise self.violation(
                f"{region.name} keeps a backlog of {history.bytes} bytes, not {room}"
            )
        if buffer.bytes > buffer.limit:
            raise self.violation(f"{buffer.bytes} bytes wait in {region.name}, not {buffer.limit}")
        if self.turns % SAMPLE == 0:
            self.looked += 1
            self.check_limits(region)
            self.measure_snapshot(region)

    def measure_snapshot(self, region: Watched) -> None:
        """Count the buffered operations again, and sometimes the backlog."""
        buffer, history = region.replica.causal_buffer, region.replica.history
        held = buffer.count_bytes()
        if held != buffer.bytes:
            raise self.violation(f"{held} bytes wait in {region.name}, which says {buffer.bytes}")
        kept, known = history.stop - history.start, history.indexed_count()
        if known > kept:
            raise self.violation(f"{region.name} keeps {kept} operations and looks up {known}")
        if self.turns % WEIGHED == 0:
            self.count_again(region)

    def count_again(self, region: Watched) -> None:
        """Compute the size of the backlog again, and count the keys with a deadline."""
        history, keyspace = region.replica.history, region.replica.keyspace
        kept = history.read(history.start, history.stop - history.start)
        size = sum([len(data) + ENTRY_BYTES for _, _, _, data in kept])
        if size != history.bytes:
            raise self.violation(f"{region.name} keeps {size} bytes and says {history.bytes}")
        counted, reported = keyspace.count_deadlines(), keyspace.deadline_count()
        if counted != reported:
            raise self.violation(f"{counted} keys of {region.name} end, which says {reported}")

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Count all once more."""
        for region in regions:
            self.measure_snapshot(region)
            self.count_again(region)

    def check_limits(self, region: Watched) -> None:
        """Check the links of the region."""
        links = region.links
        room = links.limits.window_bytes_max + max(links.limits.batch_bytes_max, self.largest)
        for source in links.sources.values():
            if source.in_flight > room:
                raise self.violation(
                    f"{region.name} has {source.in_flight} bytes on their way to {source.peer},"
                    f" not {room}"
                )
            if len(source.progress.marks) > MARKS_MAX:
                raise self.violation(
                    f"{region.name} remembers {len(source.progress.marks)} moments"
                )
        if len(links.awaiting_hello) > AWAITING_HELLO_MAX:
            raise self.violation(
                f"{len(links.awaiting_hello)} strangers are connected to {region.name}"
            )
        count = len(list(links.ends()))
        most = 2 * len(links.peers) + AWAITING_HELLO_MAX
        if count > most:
            raise self.violation(f"{region.name} has {count} open ends, at most {most} make sense")
