"""The common part of both ends of a link: sending, receiving, time-outs, statistics, closing.

A subclass adds its table of transitions and the handling of frames. A frame that the table does not
allow in the present state closes the link, with an error that names the frame and the state.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import attrs

from crdt.causality.dots import Origin, Vector
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import (
    Closed,
    ConvergenceReceived,
    Event,
    LackReported,
    ViewReceived,
)
from replication.protocol.frames import (
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Frame,
    Grouped,
    Heartbeat,
    Hello,
    Lacking,
    Present,
    Refuse,
    View,
)
from replication.protocol.limits import Limits
from replication.protocol.membership_view import MembershipView
from replication.protocol.peers import Direction

NEVER: Final = (1 << 63) - 1  # a deadline that does not come
OUTBOX_MAX: Final = 1024  # frames for a peer that does not read them, but asks for more and more
ALIVE_HEARTBEATS: Final = 5
"""An end that has been silent for the time of so many heartbeats may be dead."""
LATEST: Final = (Ack, Heartbeat, Present)  # of these only the newest is worth sending


@attrs.define
class Tally:
    """Counts of one link over all its connections, since the start of the process."""

    connects: int = 0
    ops: int = 0
    bytes: int = 0
    full: int = 0
    partial_ok: int = 0
    partial_err: int = 0
    last_error: str = ""


QUICK_BEATS: Final = 3
"""The number of regular messages at the usual interval after something has happened. So vectors,
and reports about them, reach everybody before the links rest."""


class Activity:
    """Counts what happens on the links of one replica. Their ends share it."""

    def __init__(self) -> None:
        self.count = 0
        self.is_resting = False
        """True if an end sends its regular messages more rarely than usual."""


def nobody() -> None:
    """Ignore a notification."""


def always_false() -> bool:
    """Return False."""
    return False


class End:
    """An end of a connection. The driver sets `notify`, which is called when there may be frames
    to send, or when the end has closed. `hello` is the Hello of the other end."""

    direction: ClassVar[Direction]

    def __init__(self, now: int, limits: Limits) -> None:
        self.limits = limits
        self.notify: Callable[[], None] = nobody
        self.outbox: list[Frame] = []
        self.hello: Hello | None = None
        self.address = ""
        """The address of the other end, as far as it is known."""
        self.tally = Tally()
        self.membership: MembershipView | None = None
        """The membership view that we exchange with the other end; None unless it is a member."""
        self.is_refused = False
        """True if one of the ends has refused the link."""
        self.view_sent = Present(())
        self.view_received: View = ()
        """The view in which the other end makes its reports."""
        self.counts = False
        """True if they count. They do not while it holds operations of an incarnation that is
        over."""
        self.lacking_sent: dict[tuple[Origin, int], Lacking] = {}
        """The statements about lost effects that we have sent to the other end."""
        self.last_received_at = now
        """The time at which bytes last came."""
        self.whole_at = now
        """The time at which bytes last completed a frame."""
        self.last_sent_at = now
        self.vector: Vector = {}
        """The vector that the other end has last reported."""
        self.rtt = 0
        """The round trip of the latest exchange, in nanoseconds; 0 before the first."""
        self.rtt_best = 0
        """The shortest round trip of this connection; 0 before the first."""
        self.trip: int | None = None
        """The round trip of the exchange that the last regular message ended, in nanoseconds; None
        if that message echoed no time."""
        self.measured = False
        self.stamp = 0
        self.stamped_at = now
        self.pause_ns = limits.heartbeat_ns
        """The time in which the next regular message of the other end comes at the latest."""
        self.activity = Activity()
        self.interval_ns = limits.heartbeat_ns
        """The time between our regular messages."""
        self.beats = 0
        """The number of regular messages since something has happened; `beaten` is the count of
        the activity at the latest of them."""
        self.beaten = 0

    # -- for subclasses to implement -------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Return whether the link is closed."""
        raise NotImplementedError

    def shut(self) -> None:
        """Go to the last state and release what is held."""
        raise NotImplementedError

    def table(self) -> Mapping[tuple[enum.Enum, type[Frame]], enum.Enum]:
        """Return the table of transitions: from a state and a type of frame to the next state."""
        raise NotImplementedError

    def enter(self, state: enum.Enum) -> None:
        """Change to `state`."""
        raise NotImplementedError

    # -- receiving -------------------------------------------------------------------------

    @property
    def peer(self) -> str:
        """The name of the other end, empty before its Hello."""
        return self.hello.name if self.hello is not None else ""

    @property
    def region(self) -> int:
        """The number of the other end's region, 0 before its Hello."""
        return self.hello.region if self.hello is not None else 0

    def step(self, state: enum.Enum, frame: Frame, now: int) -> None:
        """Look `frame` up in the table and change the state. Raises RemoteProtocolError."""
        following = self.table().get((state, type(frame)))
        if following is None:
            hint = ""
            if isinstance(frame, Grouped):
                hint = f": this link is of slot group 0, not {frame.group}"
            raise RemoteProtocolError(f"{type(frame).__name__} while {state.value}{hint}")
        self.enter(following)
        self.last_received_at = self.whole_at = max(now, self.last_received_at)

    def note_bytes(self, now: int) -> None:
        """Record that a part of a frame has come: the other end is alive, and the link is slow.

        It does not count before the other end's Hello, or if the frame takes longer than
        `idle_ns_max`.
        """
        if self.hello is not None and now - self.whole_at <= self.limits.idle_ns_max:
            self.last_received_at = max(now, self.last_received_at)

    def measure(self, frame: Heartbeat | Ack, now: int) -> bool:
        """Record the vector and the round trip of a regular message. Return whether it was the
        first, which is answered immediately so that the round trip is known early."""
        first, self.measured = not self.measured, True
        self.vector = frame.vector
        self.trip = None
        if frame.echo:
            self.trip = self.rtt = max(0, now - frame.echo - frame.held)
            self.rtt_best = min(self.rtt, self.rtt_best or self.rtt)
        self.stamp = frame.stamp
        self.stamped_at = now
        self.pause_ns = max(frame.pause, self.limits.heartbeat_ns)
        return first

    def receive_convergence_frame(
        self, frame: ConvergenceRequest | ConvergenceReply
    ) -> list[Event]:
        """Process a convergence request or reply. Raises RemoteProtocolError if the other end asks
        for more than it reads."""
        if isinstance(frame, ConvergenceRequest):
            self.check_outbox()
        return [ConvergenceReceived(self.peer, frame)]

    def receive_statement(self, frame: Present | Lacking) -> list[Event]:
        """Process a new view of the other end, or its statement about a lost effect."""
        if isinstance(frame, Lacking):
            return [LackReported(self.peer, frame)]
        self.view_received = frame.view
        self.counts = frame.counts
        return [ViewReceived(self.peer)]

    def ended(self, frame: Eof | Refuse) -> list[Event]:
        """Close, since the other end has hung up."""
        self.tally.last_error = frame.reason
        self.is_refused = isinstance(frame, Refuse)
        self.outbox = []
        self.shut()
        self.notify()
        return [Closed(self.peer, self.direction, frame.reason)]

    # -- sending ---------------------------------------------------------------------------

    def send(self, frame: Frame) -> None:
        """Send a frame as soon as the driver can."""
        kind = type(frame)
        if kind in LATEST:
            self.outbox = [each for each in self.outbox if type(each) is not kind]
        self.outbox.append(frame)
        self.notify()

    def send_view(self) -> None:
        """Send our view if it has changed. It must go ahead of reports that are made in it."""
        if self.membership is not None:
            present = Present(self.membership.view, counts=bool(self.membership.view_to_send()))
            sent = self.view_sent
            if (present.view, present.counts) != (sent.view, sent.counts):
                self.view_sent = present
                self.send(present)

    def send_lacking(self, frame: Lacking) -> None:
        """Send a statement about a lost effect, unless the other end has it from us."""
        effect = frame.origin, frame.seq
        sent = self.lacking_sent.get(effect)
        is_new = sent is None or (sent.view, sent.regions) != (frame.view, frame.regions)
        if is_new and not self.is_swamped:
            self.lacking_sent[effect] = frame
            self.send(frame)

    def reply(self, frame: Frame) -> None:
        """Send what the other end has asked for. Raises RemoteProtocolError if it asks for more
        than it reads."""
        self.check_outbox()
        self.send(frame)

    @property
    def is_swamped(self) -> bool:
        """Return whether too many frames wait for the other end to read them."""
        return len(self.outbox) >= OUTBOX_MAX

    def check_outbox(self) -> None:
        """Raise RemoteProtocolError if too many frames wait for the other end to read them."""
        if self.is_swamped:
            raise RemoteProtocolError(f"{OUTBOX_MAX} frames wait for it, and it asks for more")

    # -- time ------------------------------------------------------------------------------

    @property
    def queueing_ns(self) -> int:
        """The additional time that a message takes now, compared with an empty link. Regular
        messages come so much more rarely, or they would fill a slow link by themselves."""
        return min(self.rtt - self.rtt_best, self.limits.silence_ns_max // 4)

    def beat(self, now: int) -> None:
        """Record that a regular message is sent, and compute when the next one is due. While
        nothing happens, each interval is twice as long as the one before."""
        self.last_sent_at = now
        activity = self.activity
        if self.beaten != activity.count:
            self.beaten = activity.count
            self.beats = 0
        self.beats += 1
        limits = self.limits
        if self.beats <= QUICK_BEATS or limits.longest_ns == limits.heartbeat_ns:
            self.interval_ns = limits.heartbeat_ns
        else:
            self.interval_ns = min(2 * self.interval_ns, limits.longest_ns)
            activity.is_resting = True

    @property
    def beat_at(self) -> int:
        """The time (ns) at which the next regular message is due."""
        return self.last_sent_at + self.interval_ns + self.queueing_ns

    @property
    def announced_ns(self) -> int:
        """The time (ns) until our next regular message, as we announce it; 0 for the usual one."""
        return 0 if self.interval_ns == self.limits.heartbeat_ns else self.interval_ns

    def beat_now(self, now: int) -> None:
        """Send a regular message."""
        raise NotImplementedError

    def may_beat(self, now: int) -> bool:
        """Return whether the next message may be sent now, since others are sent too: fewer wakeups
        serve all links while they rest. It may come after half of its interval, but not sooner than
        while there is no rest."""
        usual = self.limits.heartbeat_ns
        return self.interval_ns > usual and now >= self.last_sent_at + max(
            usual, self.interval_ns // 2
        )

    @property
    def silent_at(self) -> int:
        """The time (ns) at which the other end counts as dead if nothing comes."""
        return self.last_received_at + self.limits.silence_ns_max

    def is_alive(self, now: int) -> bool:
        """Return whether the other end has sent something in the time of some heartbeats."""
        alive_ns = ALIVE_HEARTBEATS * (self.limits.heartbeat_ns + self.queueing_ns)
        alive_ns += self.pause_ns - self.limits.heartbeat_ns
        return now - self.last_received_at <= alive_ns

    def reset_silence(self, now: int) -> None:
        """Restart the time-out of silence, since this process itself was paused for a while."""
        self.last_received_at = self.whole_at = now

    def close_if_silent(self, now: int) -> list[Event]:
        """Close the link if the other end has been silent for too long."""
        if self.closed or now < self.silent_at:
            return []
        if now - self.whole_at > self.limits.idle_ns_max:
            return self.close(f"no whole message in {(now - self.whole_at) // 1_000_000} ms")
        return self.close(f"silent for {self.limits.silence_ns_max // 1_000_000} ms")

    def close(self, reason: str) -> list[Event]:
        """Close the link from this side. A Refuse with the reason is sent last."""
        if self.closed:
            return []
        self.tally.last_error = reason
        self.outbox = [Refuse(reason)]
        self.shut()
        self.notify()
        return [Closed(self.peer, self.direction, reason)]
