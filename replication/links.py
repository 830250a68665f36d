"""All links of one replica: which there are, which are cut, who repairs a gap, what is stable.

Pure: the driver (`link.py`) or the simulator owns the streams and the clock, and does this:

    links = Links(replica, Member("eu", 2, replica.origin, "shop"), [Peer("us", 1, (1,)), ...])

    to dial:       sink = links.dial("us", now)        raises LinkCut
    to serve:      source = links.serve(now)
    both:          end.notify = wake_the_writer
                   while end.ready: send(end.frames_to_send())
    frame comes:   events = links.receive(end, frame, now)
    stream ends:   events = links.receive(end, Eof("reset"), now)
    op sealed:     links.wake()                        once per turn is enough
    in time:       events = links.tick(now)            at `links.deadline` at the latest

After each of these, some ends may have frames to send; their `notify` was called. An end whose
state is CLOSED sends what `frames_to_send` still gives, and hangs up. `now` is nanoseconds of a
monotone clock. The wall clock is the replica's: call `replica.advance(ms)` before `tick`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import attrs

from crdt.dots import Origin, Vector
from crdt.replica import Replica
from replication.events import Event
from replication.frames import Frame
from replication.limits import Limits
from replication.sink import Sink
from replication.source import Source


@attrs.frozen
class Member:
    """Who we are: the name that others dial us by, and the CRDB that we belong to."""

    name: str
    region: int
    origin: Origin
    cluster: str = ""


@attrs.frozen
class Peer:
    """A region that we are linked with. `routes` are the numbers of the regions whose ops we get
    from it: itself, and those whose shortest way to us leads through it; without any we do not
    dial it. `serves` says whether we serve it."""

    name: str
    region: int
    routes: tuple[int, ...] = ()
    serves: bool = True


class Direction(enum.Enum):
    """Which way data flows, seen from us."""

    IN = "in"
    OUT = "out"


@attrs.frozen
class LinkStatistics:
    """One link, seen from our end of it; counts since the replica's start."""

    peer: str
    region: int
    direction: Direction
    state: str
    """`down`, or the state of the machine."""
    stage: str
    """Of a source: where the sink stands (see `progress`)."""
    cut: bool
    lag_ms: int
    """Of a sink: how old what we see of the peer is. Of a source: for how long the oldest of our
    effects has not been acknowledged."""
    rtt_ms: float
    behind: int
    """Effects of the routes that the receiving side is known to lack."""
    ops: int
    bytes: int
    connects: int
    full: int
    partial_ok: int
    partial_err: int
    last_error: str
    acknowledged: Vector


class Links:
    """The links of one replica."""

    def __init__(
        self,
        replica: Replica,
        member: Member,
        peers: Iterable[Peer] = (),
        *,
        limits: Limits | None = None,
    ) -> None:
        raise NotImplementedError

    def dial(self, peer: str, now: int) -> Sink:
        """A machine for a new connection to `peer`. Raises LinkCut, UnknownPeer. An older one to
        the same peer is closed."""
        raise NotImplementedError

    def serve(self, now: int) -> Source:
        """A machine for a connection that has come in."""
        raise NotImplementedError

    def receive(self, end: Source | Sink, frame: Frame, now: int) -> list[Event]:
        """Take in a frame of one connection, and do all that follows from it. Never raises for
        what a peer sends: the machine is closed instead."""
        raise NotImplementedError

    def wake(self) -> None:
        """The history has grown."""
        raise NotImplementedError

    @property
    def deadline(self) -> int:
        """When `tick` wants to be called."""
        raise NotImplementedError

    def tick(self, now: int) -> list[Event]:
        """Do what is due on all links: heartbeats, time-outs, gap repair, garbage collection."""
        raise NotImplementedError

    def cut(self, peer: str, direction: Direction) -> list[Event]:
        """Cut one direction: an open link is closed, and none is made until `heal`."""
        raise NotImplementedError

    def heal(self, peer: str, direction: Direction) -> None:
        """Let the link connect again; `healed` callbacks run."""
        raise NotImplementedError

    def is_cut(self, peer: str, direction: Direction) -> bool:
        """Whether that direction is cut."""
        raise NotImplementedError

    def vectors(self) -> dict[str, Vector]:
        """The latest vector that each connected peer has told, for CRDB.SETTLE."""
        raise NotImplementedError

    def statistics(self) -> tuple[LinkStatistics, ...]:
        """Every link, both directions, by name of the peer."""
        raise NotImplementedError
