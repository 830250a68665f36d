"""The events that a link reports to its owner. All events are frozen values and name the peer.
`direction` is the end of the link at which the event happened."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from crdt.causality.dots import Origin, Vector
from replication.protocol.frames import ConvergenceReply, ConvergenceRequest, Lacking
from replication.protocol.peers import Direction


@attrs.frozen
class Connected:
    """The handshake is complete."""

    peer: str
    direction: Direction
    region: int
    origin: Origin


@attrs.frozen
class Resynced:
    """Ops flow. `full`: after a snapshot; else from the backlog."""

    peer: str
    direction: Direction
    full: bool


@attrs.frozen
class Unlisted:
    """The peer's file does not list us. It sends us its data. It receives our writes through
    regions that list us, or once its file does."""

    peer: str


@attrs.frozen
class NotDialled:
    """The peer should dial us, and has not done so for too long, although we are connected to it.
    It sends us its data and takes none from us. Once for each time that this begins."""

    peer: str


@attrs.frozen
class ListsCompared:
    """The list of regions in the peer's file, compared with that in ours. Reported when the
    difference has changed. All three are empty when the lists have become equal.

    `only_there` are the regions that the peer's file lists and ours does not. `only_here` are those
    that ours lists and the peer's does not, except ourselves (see `Unlisted`). `from_others` are
    those that only files of the peer's own peers list, as far as we know.
    """

    peer: str
    only_there: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    from_others: tuple[str, ...] = ()


@attrs.frozen
class CaughtUp:
    """We have all that the peer had at its Hello, including our own earlier writes. Once for each
    connection."""

    peer: str


@attrs.frozen
class EarlierIncarnation:
    """The peer has writes of an earlier incarnation of our region that are not here: we have lost
    data, and are read-only until `Recovered` (rule STL-2). At most once."""

    peer: str


@attrs.frozen
class Recovered:
    """We have all that the reachable peers had, so a region that had lost its data may write again
    (rule STL-1; see `recovery`). Once for each incarnation. `peer` is the last that answered."""

    peer: str


@attrs.frozen
class OpsReceived:
    """Ops have come in; `applied` effects have become visible."""

    peer: str
    applied: int


@attrs.frozen
class Merged:
    """A snapshot has been merged."""

    peer: str


@attrs.frozen
class SnapshotWanted:
    """The peer's backlog does not reach back to what we have."""

    peer: str


@attrs.frozen
class Stalled:
    """The causal buffer is full; the link pauses for a moment."""

    peer: str


@attrs.frozen
class GapFound:
    """Effects of `origin` are missing; `asked` is the peer that was asked for them, empty if no
    peer has them."""

    peer: str
    origin: Origin
    asked: str


@attrs.frozen
class GapUnfilled:
    """The peer no longer holds the ops of `origin` that it was asked for."""

    peer: str
    origin: Origin


@attrs.frozen
class Reported:
    """The vector and clock of a region, reported by itself or through the peer. A source reports to
    its followers, under its own region, what is stable."""

    peer: str
    region: int
    vector: Vector
    clock: int


@attrs.frozen
class PeerBehind:
    """The peer is connected and has not been sent `bytes` of our history, the oldest of them for
    `lag_ms`. `slows`: clients' writes are slowed because of it. `over`: it keeps up again. Reported
    when one of these has changed."""

    peer: str
    bytes: int
    lag_ms: int
    slows: bool = False
    over: bool = False


@attrs.frozen
class ClockSkew:
    """The peer's wall clock differs from ours by so many ms, positive if it is ahead. Reported when
    the difference becomes large and when that is over."""

    peer: str
    ms: int


@attrs.frozen
class ViewReceived:
    """The peer has sent its membership view."""

    peer: str


@attrs.frozen
class LackReported:
    """The peer has sent a statement about a lost effect (see `lost`)."""

    peer: str
    frame: Lacking


@attrs.frozen
class OpsDropped:
    """Buffered operations of `origin`, `effects` in all, were dropped. They waited for effect `seq`
    of `lost`, which no region has. Both incarnations are over. `peer` is always empty."""

    peer: str
    origin: Origin
    effects: int
    lost: Origin
    seq: int


@attrs.frozen
class ConvergenceReceived:
    """A convergence request or reply has come (see `convergence_query`)."""

    peer: str
    frame: ConvergenceRequest | ConvergenceReply


@attrs.frozen
class OriginReused:
    """The peer knows effects of our own origin that we did not make: we have lost data. Take a new
    incarnation before the next write."""

    peer: str
    origin: Origin


@attrs.frozen
class OriginShared:
    """The peer has replaced our connections by those of another process that has our origin. Take a
    new incarnation before the next write."""

    peer: str


@attrs.frozen
class RivalFound:
    """The peer refuses us, since it is linked with another process that runs as our region. Do not
    write until `RivalGone`."""

    peer: str


@attrs.frozen
class RivalGone:
    """No peer refuses us any more because of another process. `peer` was the last one."""

    peer: str


@attrs.frozen
class DisputedStateResolved:
    """The state that was put aside at `OriginReused` is not needed any more (see `disputed_state`).
    `merged`: peers lacked some of it, and it is back. `moved`: our own writes in it stand under
    another origin now. `lost_keys`: so many keys could not be brought back."""

    peer: str
    merged: bool = False
    moved: bool = False
    lost_keys: int = 0


@attrs.frozen
class Unproven:
    """The other end of a connection has not proved that it knows the secret of our links. `peer` is
    empty unless we have dialled it; `address` is empty where it is not known."""

    peer: str
    direction: Direction
    address: str
    reason: str


@attrs.frozen
class Closed:
    """The link is over. Dial again, unless it is cut."""

    peer: str
    direction: Direction
    reason: str


Event: TypeAlias = (
    Connected
    | Resynced
    | Unlisted
    | NotDialled
    | ListsCompared
    | CaughtUp
    | EarlierIncarnation
    | Recovered
    | OpsReceived
    | Merged
    | SnapshotWanted
    | Stalled
    | GapFound
    | GapUnfilled
    | Reported
    | PeerBehind
    | ClockSkew
    | ViewReceived
    | LackReported
    | OpsDropped
    | ConvergenceReceived
    | OriginReused
    | OriginShared
    | RivalFound
    | RivalGone
    | DisputedStateResolved
    | Unproven
    | Closed
)
