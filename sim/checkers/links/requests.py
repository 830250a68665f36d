"""Check that regions request nothing that they hold.

An operation that has come before something that it depends on waits. When a link resumes, or when a
repair peer is asked, the region names what it has. That includes what waits and only lacks its
dependencies. Otherwise the same bytes would be sent again.

Not checked: followers, and operations that have come in the turn in which the region requests
something.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from crdt.causality.dots import Origin, Vector, name_origin
from crdt.embed.replica import Replica
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.protocol.frames import Frame, GapRequest, Resume
from sim.engine.checker import Watched
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory


@attrs.define
class HeldOps:
    """The last effect of each origin that waited in a region for nothing but its dependencies, at a
    time (ns) and at an earlier one."""

    at: int
    vector: Vector
    before: Vector

    def until(self, now: int) -> Vector:
        """Return what has waited before `now`."""
        return self.vector if self.at < now else self.before


class RequestChecker(FrameChecker):
    """Checks what regions say to have when they request operations."""

    promise: ClassVar[str] = "requests"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, Watched] = {}
        self.held: dict[str, HeldOps] = {}
        """By region, if something waits there."""

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region
        self.held.pop(region.name, None)

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record what waits."""
        name = process.name
        if process.replica.causal_buffer.is_empty():
            if name in self.held:
                del self.held[name]
        elif name in self.regions:
            now, before = process.read_clock(), self.held.get(name)
            known = {} if before is None else before.until(now)
            self.held[name] = HeldOps(now, held_vector(process.replica), known)

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check what a region says to have."""
        if isinstance(end, Source):
            return
        held = self.held.get(process.name)
        if held is None:
            return
        match frame:
            case Resume():
                for origin, seq in held.until(process.read_clock()).items():
                    self.check_named(process, end, origin, frame.vector.get(origin, 0), seq)
            case GapRequest():
                seq = held.until(process.read_clock()).get(frame.origin, 0)
                self.check_named(process, end, frame.origin, frame.after, seq)
            case _:
                pass

    def check_named(
        self, process: Linked, sink: Sink, origin: Origin, named: int, held: int
    ) -> None:
        """Check that a region names all effects of an origin up to `held`, unless it has dropped
        some of those meanwhile."""
        self.looked += 1
        if named < min(held, last_held(process.replica, origin)):
            raise self.violation(
                f"{process.name} requests of {sink.peer} what {name_origin(origin)} wrote after"
                f" {named}, and it holds all up to {held}"
            )


def held_vector(replica: Replica) -> Vector:
    """Return the last effect of each origin that waits only for its dependencies."""
    buffer = replica.causal_buffer
    return {origin: last_held(replica, origin) for origin in buffer.origins()}


def last_held(replica: Replica, origin: Origin) -> int:
    """Return the last effect of an origin up to which all have been applied or wait."""
    last: int = replica.keyspace.vector.get(origin, 0)
    for op in replica.causal_buffer.waiting(origin):
        if op.first > last + 1:
            break
        last = max(last, op.last)
    return last
