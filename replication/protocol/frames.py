"""The messages between the two ends of a link. All frames are frozen values.

    sink (dials)                         source (serves)
      Hello                        ->
                                   <-    Hello, or Refuse
      Resume(vector, routes)       ->
                                   <-    Resumed, then Ops ...         the backlog reaches that far
                                   <-    Truncated                     it does not
      SnapshotRequest              ->
                                   <-    SnapshotBegin, SnapshotPiece ..., SnapshotEnd, Ops ...
      GapRequest(origin, after)    ->                                  gap repair
                                   <-    Ops ..., or GapRefused(origin)
      GapEnd(origin)               ->
      Ack(vector, received_bytes)  ->                                  by bytes or by time
                                   <-    Heartbeat(vector, clock)      by time
      Present(view)                <->   Present(view)                 ahead of these, if it is new
      Lacking(...)                 <->   Lacking(...)                  if a dependency may be lost

Either end may send ConvergenceRequest. It gets ConvergenceReply, or the same request, in return
(see `replication.mesh.convergence_query`). Either end may send Refuse and close. `Eof` is never
sent. It represents the end of the stream, so that the tables of the machines decide what it means.

A *route* is the number of a region whose ops this link carries without a request. In a full mesh it
is the source alone. Otherwise it is also each region whose ops the source relays. Routes None ask
for all regions (a follower).

`stamp`, `echo` and `held` measure the round trip as NTP does: an end sends its monotone time, and
the other end returns it with the time for which it held it. `pause` is the time in which the next
regular message comes at the latest, on an empty link; 0 is the usual time. All are nanoseconds.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs

from crdt.causality.dots import Origin, Vector

PROTOCOL: Final = 8
MEMBER: Final = 0  #    a region of the same CRDB: its reports count for stability
FOLLOWER: Final = 1  #  somebody who only listens (Replica Of)


Members: TypeAlias = tuple[tuple[int, str], ...]
"""The number and name of each region, in ascending order of numbers."""
Lineage: TypeAlias = tuple[tuple[Origin, str], ...]
"""The origin and name of each instance whose data somebody gets by following it (Replica Of)."""


@attrs.frozen
class Hello:
    """The identity of the sender, and the vector that it holds."""

    name: str
    region: int
    origin: Origin
    cluster: str
    vector: Vector
    role: int = MEMBER
    protocol: int = PROTOCOL
    members: Members = ()
    """The regions of the CRDB, as the sender's file lists them (see `roster`)."""
    others: Members = ()
    """More regions, which only the files of the sender's peers list."""
    holds_aside: bool = False
    """True if the sender has put its state aside (see `disputed_state`), so `vector` does not cover
    all that it holds. A region that has lost its data does not count it as an answer."""
    lineage: Lineage = ()
    """The instances that the sender follows, and those that they follow."""


@attrs.frozen
class Resume:
    """From sink: the vector of what it has applied or buffered, and the regions whose later ops the
    source has to send."""

    vector: Vector
    routes: tuple[int, ...] | None


@attrs.frozen
class Resumed:
    """From source: the backlog reaches back to the vector, ops follow (a partial resync)."""


@attrs.frozen
class Truncated:
    """From source: the backlog does not reach back to the vector. Ask for a snapshot, or resume
    from a later vector."""


@attrs.frozen
class SnapshotRequest:
    """From sink: requests the whole state, to be merged (a full resync)."""


@attrs.frozen
class SnapshotBegin:
    """From source: pieces of a snapshot that stands at `vector` follow."""

    vector: Vector


@attrs.frozen
class SnapshotPiece:
    """A part of a piece of a snapshot; `last` ends the piece."""

    data: bytes
    last: bool


@attrs.frozen
class SnapshotEnd:
    """All pieces have been sent."""


@attrs.frozen
class Ops:
    """Encoded ops, in an order that respects causality. The bytes are those of the history."""

    batch: tuple[bytes, ...]


@attrs.frozen
class OpPart:
    """A part of an op that is too large for one frame; `last` ends the op."""

    data: bytes
    last: bool


@attrs.frozen
class Ack:
    """From sink: what it has applied, and how many bytes of ops and pieces have come since
    the link began, which opens the window. Sent by bytes or by time, never for each op."""

    vector: Vector
    received_bytes: int
    clock: int = 0
    stamp: int = 0
    echo: int = 0
    held: int = 0
    pause: int = 0


EPOCH_MAX: Final = (1 << 31) - 1  # of incarnations that were noticed, one after the other

View: TypeAlias = tuple[tuple[int, int, Origin], ...]
"""The region, epoch and origin of each present incarnation, by region (see `membership_view`)."""

Report: TypeAlias = tuple[int, Vector, int]
"""The last report of a region: its number, vector and wall clock in ms."""


@attrs.frozen
class Heartbeat:
    """From source: what it has applied, its wall clock in ms, and what regions that the sink gets
    through it have last reported."""

    vector: Vector
    clock: int
    reports: tuple[Report, ...] = ()
    stamp: int = 0
    echo: int = 0
    held: int = 0
    pause: int = 0


@attrs.frozen
class Present:
    """The membership view of the sender. It makes its later reports in this view, and they count
    only if `counts`. Not exchanged with followers."""

    view: View
    counts: bool = True


@attrs.frozen
class Lacking:
    """In `view` these regions have neither applied nor buffered effect `seq` of `origin` (see
    `replication.mesh.lost`). Not exchanged with followers."""

    view: View
    origin: Origin
    seq: int
    regions: tuple[int, ...]


@attrs.frozen
class GapRequest:
    """From sink: requests the ops of `origin` after its effect `after`, until GapEnd."""

    origin: Origin
    after: int


@attrs.frozen
class GapEnd:
    """From sink: the ops of `origin` come another way again."""

    origin: Origin


@attrs.frozen
class GapRefused:
    """From source: the backlog does not hold the ops of `origin` that were requested."""

    origin: Origin


@attrs.frozen
class ConvergenceRequest:
    """Asks whether the regions behind the receiver have converged. `vector` is the sender's vector
    when it first received the query, which has been forwarded over `hops` links."""

    asker: Origin
    number: int
    hops: int
    vector: Vector


@attrs.frozen
class ConvergenceReply:
    """The reply to a convergence query: yes or no, for the regions that the sender asked."""

    asker: Origin
    number: int
    is_so: bool


@attrs.frozen
class Refuse:
    """Refuses the link, with the reason. Dial again later."""

    reason: str


@attrs.frozen
class Eof:
    """The end of the stream. Never sent."""

    reason: str = "the peer hung up"


@attrs.frozen
class Grouped:
    """A frame of the link of another slot group than 0, on a connection that carries the links of
    several groups (see `replication.machines.connections.multiplexer`)."""

    group: int
    frame: Frame


Frame: TypeAlias = (
    Hello
    | Resume
    | Resumed
    | Truncated
    | SnapshotRequest
    | SnapshotBegin
    | SnapshotPiece
    | SnapshotEnd
    | Ops
    | OpPart
    | Ack
    | Heartbeat
    | Present
    | Lacking
    | GapRequest
    | GapEnd
    | GapRefused
    | ConvergenceRequest
    | ConvergenceReply
    | Refuse
    | Eof
    | Grouped
)
