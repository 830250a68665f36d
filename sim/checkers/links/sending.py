"""Check that a link sends what its sink lacks, once, as long as the backlog holds it.

* No effect goes twice over one connection, and none that the sink has acknowledged or has named
  when it resumed. What the sink asks for again is sent again: when it resumes, or requests a gap.
* A source says that its backlog does not reach back (`Truncated`, `GapRefused`) only if it does
  not. Otherwise a snapshot would be sent in vain.
* A link that resumes begins with the oldest operation that the sink lacks, and one that sends a
  snapshot goes on with the oldest one that is not in it. It does not look through others.

Not checked: snapshots, and what comes over two connections (see `traffic`).
"""

from __future__ import annotations

from typing import ClassVar, Final

import attrs

from crdt.causality.dots import Origin, Vector, join, name_origin
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source, SourceState
from replication.protocol.frames import (
    Ack,
    Frame,
    GapRefused,
    GapRequest,
    OpPart,
    Ops,
    Resume,
    SnapshotBegin,
    Truncated,
)
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.frame_checker import FrameChecker, Linked
from sim.nodes.run_history import RunHistory

SPANS_MAX: Final = 10_000  # operations whose dots are remembered


@attrs.define
class SentOver:
    """The ops that a source has sent over one connection. `sent` is their vector, joined with the
    vector that the sink is known to have."""

    source: Source
    sent: Vector
    before: Vector
    """The value of `sent` before the first of `parts`."""
    parts: bytes = b""
    """The parts of one operation that were sent so far."""
    was_asked: bool = False
    """True if the sink has asked for something again since the first of them."""


class SendingChecker(FrameChecker):
    """Checks what each source sends."""

    promise: ClassVar[str] = "sending"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.links: ConnectionRecords[Source, SentOver] = ConnectionRecords(begin_sending)
        self.spans: dict[bytes, tuple[Origin, int, int]] = {}
        """The origin, first and last dot of operations, by their bytes."""

    # -- what the sink asks for --------------------------------------------------------------

    def on_frame_received(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Record what the sink has, and where it resumes."""
        if isinstance(end, Sink) or end.closed:
            return
        link = self.links.find(process, end)
        match frame:
            case Ack():
                for origin, seq in end.kept_part(frame.vector).items():
                    if link.sent.get(origin, 0) < seq:
                        link.sent[origin] = seq
            case GapRequest():
                link.sent[frame.origin] = frame.after
                link.was_asked = True
            case Resume():
                link.was_asked = True
                link.sent = dict(end.kept_part(frame.vector))
                if end.state is SourceState.SENDING:
                    self.check_resumption(process, link)
            case _:
                pass

    def check_resumption(self, process: Linked, link: SentOver) -> None:
        """Check that a link resumes with an operation that the sink lacks."""
        self.looked += 1
        cursor = link.source.cursor
        for origin, first, last, _ in process.replica.history.read(cursor.position, 1):
            if last <= link.sent.get(origin, 0) or not cursor.wants(origin):
                raise self.violation(
                    f"{process.name} resumes with {name_origin(origin)}:{first}..{last}, which it"
                    f" need not send to {link.source.peer}"
                )

    def check_continuation(self, process: Linked, source: Source, vector: Vector) -> None:
        """Check that a link goes on after its snapshot with what is not in it."""
        self.looked += 1
        history = process.replica.history
        for origin, first, last, _ in history.read(max(source.cursor.position, history.start), 1):
            if last <= vector.get(origin, 0):
                raise self.violation(
                    f"{process.name} sends {source.peer} a snapshot, and goes on with"
                    f" {name_origin(origin)}:{first}..{last}, which is in it"
                )

    # -- what the source sends ---------------------------------------------------------------

    def on_frame_sent(self, process: Linked, end: Source | Sink, frame: Frame) -> None:
        """Check a frame of a source."""
        if isinstance(end, Sink):
            return
        match frame:
            case Ops():
                link = self.links.find(process, end)
                for data in frame.batch:
                    self.check_op(process, link, data, link.sent)
            case OpPart():
                link = self.links.find(process, end)
                self.check_part(process, link, frame)
            case SnapshotBegin():
                link = self.links.find(process, end)
                link.sent = join(link.sent, frame.vector)
                self.check_continuation(process, end, frame.vector)
            case Truncated():
                self.check_truncation(process, self.links.find(process, end))
            case GapRefused():
                self.check_refusal(process, self.links.find(process, end), frame.origin)
            case _:
                pass

    def check_part(self, process: Linked, link: SentOver, part: OpPart) -> None:
        """Check an operation that is sent in parts. What the sink acknowledges after the first part
        comes too late. If it has asked for the operation meanwhile, that is sent again."""
        if not link.parts:
            link.before, link.was_asked = dict(link.sent), False
        link.parts += part.data
        if part.last:
            data, link.parts = link.parts, b""
            sent = dict(link.sent)
            self.check_op(process, link, data, link.before)
            if link.was_asked:
                link.sent = sent

    def check_op(self, process: Linked, link: SentOver, data: bytes, sent: Vector) -> None:
        """Check that an operation is not in `sent`."""
        self.looked += 1
        origin, first, last = self.find_span(data)
        known = sent.get(origin, 0)
        if last <= known:
            raise self.violation(
                f"{process.name} sends {name_origin(origin)}:{first}..{last} to {link.source.peer},"
                f" where all up to {known} was sent or is known"
            )
        link.sent[origin] = max(last, link.sent.get(origin, 0))

    def find_span(self, data: bytes) -> tuple[Origin, int, int]:
        """Return the origin of an operation, and its first and last dot."""
        span = self.spans.get(data)
        if span is None:
            if len(self.spans) >= SPANS_MAX:
                self.spans.clear()
            op = Op.from_bytes(data)
            span = self.spans[data] = op.origin, op.first, op.last
        return span

    def check_truncation(self, process: Linked, link: SentOver) -> None:
        """Check that the backlog has dropped something that the sink lacks."""
        self.looked += 1
        wants = link.source.cursor.wants
        vector = sealed_vector(process.replica)
        lacked = {origin: link.sent.get(origin, 0) for origin in vector if wants(origin)}
        if all(seq >= vector[origin] for origin, seq in kept_until(process, lacked).items()):
            raise self.violation(
                f"{process.name} has no backlog for {link.source.peer}, it says, and holds all that"
                " is lacking there"
            )

    def check_refusal(self, process: Linked, link: SentOver, origin: Origin) -> None:
        """Check that the backlog does not hold the operations of a gap that is refused."""
        self.looked += 1
        last = sealed_vector(process.replica).get(origin)
        after = link.sent.get(origin, 0)
        if last is not None and kept_until(process, {origin: after})[origin] >= last:
            raise self.violation(
                f"{process.name} refuses {link.source.peer} what {name_origin(origin)} wrote after"
                f" {after}, and holds it"
            )


def sealed_vector(replica: Replica) -> Vector:
    """Return the vector of a replica without the effects that are in no operation yet."""
    keyspace = replica.keyspace
    return {**keyspace.vector, keyspace.origin: keyspace.seq - keyspace.pending_count()}


def kept_until(process: Linked, after: Vector) -> Vector:
    """Return `after`, raised by what the backlog of a process holds without a gap."""
    raised, history = dict(after), process.replica.history
    for origin, first, last, _ in history.read(history.start, history.stop - history.start):
        if first <= raised.get(origin, -1) + 1:
            raised[origin] = max(last, raised[origin])
    return raised


def begin_sending(source: Source) -> SentOver:
    """Return the record of a connection over which nothing was sent."""
    return SentOver(source, {}, {})
