"""The invariant `idle links`: without writes, established links send hardly anything.

Each end sends one message per `heartbeat_ns`: the source a heartbeat, the sink an acknowledgement.
Each op crosses each way at most once, if the way carries its region, or if a repair peer was asked
for its origin before the check and has not been told to stop. Each frame with a part of an op
causes at most one acknowledgement. The sizes of these messages bound the traffic of every way. The
bound is checked while nothing is written, and while every region writes one value.

Not checked: ways on which a connection begins or ends during the check, or which carry a full
resync meanwhile: a write may cause one where the backlog is small. Checks during which a region
asks a repair peer count for no way. The invariant `traffic` bounds the data that arrives twice.
"""

from __future__ import annotations

from typing import Final

import attrs

from crdt.causality.dots import Origin, Vector, region_of
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.pacing import BATCH_BYTES_LEAST
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.protocol.codec import LENGTH_BYTES, TAG_BYTES, encode
from replication.protocol.frames import Ack, Frame, Heartbeat
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.network.ways import Way
from sim.network.wire import Wire
from sim.nodes.linked_process import LinkedProcess
from sim.nodes.run_history import Entry
from sim.world.world import SimWorld

PROMISE: Final = "idle links"
BEATS: Final = 4
WRITTEN_BYTES: Final = 2000
PART_BYTES: Final = 32 + LENGTH_BYTES + TAG_BYTES
"""The largest overhead of a frame over the part of an op that it carries."""
NUMBER: Final = (1 << 63) - 1
KEY: Final = "idle"
RESYNCING: Final = frozenset(
    {SourceState.TRUNCATED, SourceState.SNAPSHOT, SinkState.WAITING, SinkState.LOADING}
)


@attrs.frozen
class Use:
    """An end of a connection that sends over a way.

    `before` is the number of bytes that the way had sent when the check began, `resyncs` the number
    of full resyncs that the link had begun or ended. `requested` are the origins that a repair peer
    sends over the link.
    """

    host: LinkedProcess
    wire: Wire
    way: Way
    before: int
    resyncs: int
    requested: frozenset[Origin]


def check_idleness(world: SimWorld) -> None:
    """Check the traffic of all links, first without writes, then with some. Raises Violation."""
    limits = [site.tuning.limits for site in world.sites.values()]
    span = max(SECOND, BEATS * max(each.heartbeat_ns for each in limits))
    check_span(world, span, ())
    check_span(world, span, tuple(world.sites))


def check_span(world: SimWorld, span: int, writers: tuple[str, ...]) -> None:
    """Let some regions write, wait `span` ns, and check the traffic of each way.

    Raises Violation.
    """
    written = len(world.run_history.in_order)
    uses, asked = sending_ends(world), repair_requests(world)
    for name in writers:
        world.run(name, "SET", f"{KEY}:{name}", "x" * WRITTEN_BYTES)
    world.sleep(span)
    made = world.run_history.in_order[written:]
    if repair_requests(world) != asked:
        return
    left = {id(use.wire) for use in sending_ends(world)}
    for way in world.network:
        senders = [use for use in uses if use.way is way]
        now_there = [use for use in sending_ends(world) if use.way is way]
        if not senders or len(now_there) != len(senders):
            continue
        if all(id(use.wire) in left and not had_resync(use) for use in senders):
            check_way(world, senders, made, span)


def repair_requests(world: SimWorld) -> int:
    """Return the number of requests that all processes have sent to repair peers."""
    return sum(host.links.repair.requests for host in world.places.values())


def sending_ends(world: SimWorld) -> list[Use]:
    """Return the ends of established connections."""
    return [
        Use(
            host,
            wire,
            wire.out.way,
            wire.out.way.tally.sent,
            count_resyncs(wire),
            requested_origins(wire),
        )
        for host in world.places.values()
        for wire in host.wires
        if wire.out is not None and wire.can_send and wire.machine.hello is not None
    ]


def requested_origins(wire: Wire) -> frozenset[Origin]:
    """Return the origins whose ops a repair peer sends over a link."""
    end = wire.machine
    return end.cursor.extra if isinstance(end, Source) else end.asked


def count_resyncs(wire: Wire) -> int:
    """Return the number of full resyncs that a link has begun or ended."""
    return wire.machine.tally.partial_err + wire.machine.tally.full


def had_resync(use: Use) -> bool:
    """Return whether a link carries a full resync now, or began or ended one in this check."""
    return use.wire.machine.state in RESYNCING or count_resyncs(use.wire) != use.resyncs


def check_way(world: SimWorld, senders: list[Use], made: list[Entry], span: int) -> None:
    """Compare the traffic of a way with the bound. Raises Violation."""
    way, room = senders[0].way, 0
    for use in senders:
        room += regular_bytes(world, use, span) + written_bytes(world, use, made)
    sent = way.tally.sent - senders[0].before
    if sent > room:
        raise Violation(
            PROMISE,
            f"{way.source} has sent {way.sink} {sent} bytes in {span / SECOND:g} s, in which"
            f" {sum(len(entry.data) for entry in made)} bytes were written; at most {room} may be",
        )


def regular_bytes(world: SimWorld, use: Use, span: int) -> int:
    """Return the number of bytes that one idle end may send in `span` ns."""
    beat = use.host.tuning.limits.heartbeat_ns
    return (span // beat + 1) * size_bytes(world, regular_frame(world, use))


def written_bytes(world: SimWorld, use: Use, made: list[Entry]) -> int:
    """Return the number of bytes that one end may send because of the ops in `made`.

    A source sends parts of the ops. A sink sends acknowledgements of these parts.
    """
    is_source = isinstance(use.wire.machine, Source)
    ends = (use.host.name, use.wire.peer)
    source, sink = ends if is_source else reversed(ends)
    routes = routed_regions(world, source, sink)
    part = min(world.places[source].tuning.limits.batch_bytes_max, BATCH_BYTES_LEAST)
    total = 0
    for entry in made:
        is_routed = routes is None or region_of(entry.origin) in routes
        if is_routed or entry.origin in use.requested:
            frames = len(entry.data) // part + 2
            more = len(entry.data) + frames * PART_BYTES
            total += more if is_source else frames * size_bytes(world, regular_frame(world, use))
    return total


def routed_regions(world: SimWorld, source: str, sink: str) -> tuple[int, ...] | None:
    """Return the regions whose ops `source` sends to `sink`; None for all regions."""
    if source in world.sites and sink in world.sites:
        return world.plan.config.routes(source, sink)
    return None


def regular_frame(world: SimWorld, use: Use) -> Frame:
    """Return the largest regular message of one end."""
    vector = dict(use.host.replica.keyspace.vector)
    if not isinstance(use.wire.machine, Source):
        return Ack(vector, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
    routes = routed_regions(world, use.host.name, use.wire.peer)
    regions = {0}  # stands for all
    if routes is not None:
        regions = {*routes, *map(region_of, use.requested)} - {routes[0]}  # that is the sender
    reports: list[tuple[int, Vector, int]] = [(number, vector, NUMBER) for number in regions]
    return Heartbeat(vector, NUMBER, tuple(reports), NUMBER, NUMBER, NUMBER)


def size_bytes(world: SimWorld, frame: Frame) -> int:
    """Return the size of a frame on the wire, with its tag if there is a secret."""
    return len(encode(frame)) + (TAG_BYTES if world.plan.secret.is_set else 0)
