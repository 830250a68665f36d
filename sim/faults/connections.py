"""Faults of single connections.

They are an end that stops reading, a peer that sends wrong frames, a client that loses its
connection before the reply, and an operation that arrives too early another way.

A wrong frame must end its connection and must have no other effect. A process that keeps such a
connection open violates an invariant (see `LinkedProcess.receive_bytes`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from crdt.wire import codec
from replication.machines.receiving.applier import with_waiting
from replication.protocol.channel import Channel
from replication.protocol.codec import (
    FRAME_BYTES_MAX,
    LENGTH_BYTES,
    TAG_BYTES,
    FrameTag,
    encode,
)
from replication.protocol.frames import PROTOCOL, Ack, ConvergenceReply, Hello
from replication.protocol.handshake import Role
from sim.engine.events import MS
from sim.faults.network import run_all
from sim.network.wire import Wire
from sim.schedule.plan import CLUSTER
from sim.schedule.step import Done, ScheduleStep
from sim.schedule.writes import key_name
from sim.world.world import SimWorld

UNKNOWN_KIND: Final = 200
HEARTBEAT: Final = 12
EARLY_WRITES: Final = 3
EARLY_NS: Final = 5 * MS  # between two of them, so that they become several operations
NOBODY: Final = 1 << 14
"""An origin of which no region has asked anything."""
SESSIONS_FROM: Final = 1_000_000
"""The first session number of clients that repeat a command."""


def stop_reading(world: SimWorld, step: ScheduleStep) -> Done:
    """Let the second region stop reading from the first. The second region continues to send."""
    source, sink = step.regions[:2]
    pipes = [wire.far.out for wire in world.wires_between(sink, source) if wire.far is not None]
    unread = [pipe for pipe in pipes if pipe is not None]
    if not unread:
        return False, None
    for pipe in unread:
        pipe.stop_reading()
    return True, run_all([pipe.resume_reading for pipe in unread])


def tag_frame(channel: Channel, body: bytes) -> bytes:
    """Return `body` as the next frame of a channel, with a valid tag if its frames have tags."""
    tag = b"" if channel.sent is None else channel.sent.next([body])
    return len(body).to_bytes(LENGTH_BYTES, "big") + body + tag


def unknown_frame(channel: Channel) -> bytes:
    return tag_frame(channel, codec.pack([UNKNOWN_KIND, 0, b"x"]))


def malformed_frame(channel: Channel) -> bytes:
    """Return a heartbeat whose fields have wrong types."""
    return tag_frame(channel, codec.pack([HEARTBEAT, 0, b"v", -1, (), b"", True, None]))


def frame_without_body(channel: Channel) -> bytes:
    """Return a frame whose body is not an encoded value."""
    return tag_frame(channel, bytes(range(40)))


def oversized_frame(_channel: Channel) -> bytes:
    return (FRAME_BYTES_MAX + 1).to_bytes(LENGTH_BYTES, "big")


def other_protocol_frame(channel: Channel) -> bytes:
    """Return a Hello of another protocol version, for the middle of a connection."""
    return encode(Hello("x", 1, 1 << 14, CLUSTER, {}, protocol=PROTOCOL + 1), channel.sent)


def forged_frame(_channel: Channel) -> bytes:
    """Return a well-formed frame with an invalid tag, for an end that never sends such a frame."""
    body = encode(Ack({}, 1 << 40, 0, 0, 0, 0))
    return body + bytes(TAG_BYTES)


def reflected_frame(channel: Channel) -> bytes:
    """Return a frame that the other end has sent itself, as a stranger on the way can send it
    back to it. Where frames have no tags, there are no strangers on the way."""
    if channel.sent is None:
        return unknown_frame(channel)
    other = Role.SERVES if channel.role is Role.DIALS else Role.DIALS
    tag = FrameTag(channel.handshake.frame_key(other))
    tag.number = channel.sent.number
    return encode(ConvergenceReply(NOBODY, 0, False), tag)


BAD_FRAMES: Final[tuple[Callable[[Channel], bytes], ...]] = (
    unknown_frame,
    malformed_frame,
    frame_without_body,
    oversized_frame,
    other_protocol_frame,
    forged_frame,
    reflected_frame,
)


def send_bad_frame(world: SimWorld, step: ScheduleStep) -> Done:
    """Let one end of a connection send a bad frame. `value` chooses the frame and the end."""
    make = BAD_FRAMES[step.value % len(BAD_FRAMES)]
    wires: list[Wire] = []
    for wire in world.wires_between(step.regions[0], step.regions[1]):
        end = wire.far if step.value >= len(BAD_FRAMES) else wire
        if end is not None and end.can_send:
            wires.append(end)
    for end in wires:
        end.send_bad(make(end.connection.channel))
    return bool(wires), None


def greet_with_other_version(world: SimWorld, step: ScheduleStep) -> Done:
    """Send a region the Hello of a peer that uses another version of the protocol."""
    here, there = (world.sites[name] for name in step.regions[:2])
    if not here.is_responding:
        return False, None
    version = PROTOCOL + (1 if step.value else -1)
    origin = there.replica.origin
    here.receive_stranger(Hello(there.name, there.number, origin, CLUSTER, {}, protocol=version))
    return True, None


def retry_command(world: SimWorld, step: ScheduleStep) -> Done:
    """Let a client lose its connection before the reply, and repeat the command elsewhere.

    The client repeats the command in the second region when the step ends. If `value` is odd, the
    command did not arrive the first time. Bit 1 of `value` chooses SADD instead of SET.
    """
    first, second = step.regions[:2]
    key = key_name("retry" if step.value & 2 else "word", step.at, 0)
    name = f"retried{step.at}"
    command = ("SADD" if step.value & 2 else "SET", key, name)
    number = SESSIONS_FROM + step.at

    def send_command(region: str) -> None:
        site = world.sites[region]
        if site.is_responding:
            world.run_session(region, number, command)
            world.sessions.close_session(number)

    if not step.value & 1:
        send_command(first)
    return True, partial(send_command, second)


def deliver_early(world: SimWorld, step: ScheduleStep) -> Done:
    """Let an operation reach a region before the one that precedes it.

    It comes another way than by the link, which is down and resumes when the step ends.
    """
    here, there = (world.sites[name] for name in step.regions[:2])
    if not all(site.can_write for site in (here, there)):
        return False, None
    world.cut(here.name, there.name)

    def write(number: int) -> None:
        if there.is_responding:
            world.run(there.name, "SADD", key_name("all", step.at, 0), f"early{step.at}.{number}")

    def deliver() -> None:
        if here.is_responding and there.is_up:
            origin = there.replica.origin
            have = with_waiting(here.replica).get(origin, 0)
            history = there.replica.history
            for made_by, first, _, data in history.read(history.start, history.stop):
                if made_by == origin and first > have + 1:
                    here.receive_operation(data)
                    return

    for number in range(EARLY_WRITES):
        world.engine.schedule_after(number * EARLY_NS, partial(write, number))
    world.engine.schedule_after(EARLY_WRITES * EARLY_NS, deliver)
    return True, partial(world.heal, here.name, there.name)
