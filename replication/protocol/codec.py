"""Frames as bytes: four bytes of length (big-endian), then the frame in the envelope of
`crdt.wire.codec`, which brings a version and a CRC-32. Inside is an array: the kind, the slot group
that the link belongs to, then the fields. Behind the frame stands its tag, where the ends share a
key (see `channel`).

Ops and pieces of snapshots are not copied into the envelope, but follow it as they stand in the
history. The envelope holds their sizes. Its CRC-32 does not cover them, as each has one of its own,
which is checked when it is read. Any bytes whatever give frames or RemoteProtocolError, and the
decoder never keeps more than one frame of the largest size and what came with its last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Any, Final

from crdt.causality.dots import (
    GROUP_MAX,
    INCARNATION_MAX,
    REGION_MAX,
    SEQ_MAX,
    make_origin,
    read_origin,
)
from crdt.causality.op import read_vector, write_vector
from crdt.causality.schema import STAMP_MAX
from crdt.errors import DecodeError
from crdt.wire import codec
from crdt.wire.decoding import bytes_of, integer_of, items_of, tuple_of
from replication.protocol import frames
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import EPOCH_MAX, Frame, Grouped, Lineage, Members, Report, View

LENGTH_BYTES: Final = 4
TAG_BYTES: Final = 16  # of which a forger guesses one in 2**128
FRAME_BYTES_MAX: Final = 4 << 20  # a full batch, or a vector of all incarnations of 255 regions
TEXT_BYTES_MAX: Final = 1024  # a name, or the reason for a refusal
INTEGER_MAX: Final = (1 << 63) - 1  # nanoseconds, bytes

NO_MEMORY: Final = "what came needs more memory than there is"

PAYLOAD: Final = 2
"""The first byte of a frame with a payload. An envelope begins with another one, its version."""
HEAD_BYTES: Final = 4
"""PAYLOAD and the length of the envelope, before that."""

Write = Callable[[Any], Any] | None  # None: as it is
Read = Callable[[Any], Any]
Field = tuple[Write, Read]


def integer(most: int) -> Field:
    """Return how an integer from 0 to `most` is written and read."""

    def read(item: Any) -> int:
        return integer_of(item, "a field", 0, most)

    return None, read


def read_origin_or_none(item: Any) -> int:
    """Read an origin, or 0 for none."""
    if type(item) is int and item == 0:
        return 0
    return read_origin(item, "a field")


def read_bool(item: Any) -> bool:
    """Read a truth value."""
    if type(item) is not bool:
        raise DecodeError("a field: expected a truth value")
    return item


def write_text(text: str) -> bytes:
    """Return a short text as bytes, truncated if it is too long."""
    return text.encode(errors="replace")[:TEXT_BYTES_MAX]


def read_text(item: Any) -> str:
    """Read what `write_text` wrote."""
    text = bytes_of(item, "a text")
    if len(text) > TEXT_BYTES_MAX:
        raise DecodeError(f"a text: expected at most {TEXT_BYTES_MAX} bytes")
    return text.decode(errors="replace")


def write_sizes(batch: tuple[bytes, ...]) -> tuple[int, ...]:
    """Return the sizes of the parts of a payload."""
    return tuple(map(len, batch))


def read_sizes(item: Any) -> tuple[int, ...]:
    """Read the sizes of the parts of a payload."""
    sizes = tuple_of(item, "a batch")
    for size in sizes:
        read_size(size)
    return sizes


def read_size(item: Any) -> int:
    """Read the size of a payload."""
    return integer_of(item, "a size", 0, FRAME_BYTES_MAX)


def few_of(item: Any, what: str) -> tuple[Any, ...]:
    """Return `item` if it is a tuple with at most one item for each region."""
    items = tuple_of(item, what)
    if len(items) > REGION_MAX:
        raise DecodeError(f"{what}: expected at most {REGION_MAX}")
    return items


def read_routes(item: Any) -> tuple[int, ...] | None:
    """Read numbers of regions, or None."""
    if item is None:
        return None
    return read_regions(item)


def read_regions(item: Any) -> tuple[int, ...]:
    """Read numbers of regions."""
    return tuple(integer_of(each, "a region", 1, REGION_MAX) for each in few_of(item, "regions"))


def write_reports(reports: tuple[Report, ...]) -> tuple[Any, ...]:
    """Return regions with their vectors and clocks, as they are sent."""
    return tuple((region, write_vector(vector), clock) for region, vector, clock in reports)


def read_reports(item: Any) -> tuple[Report, ...]:
    """Read what `write_reports` wrote."""
    return tuple(map(read_report, few_of(item, "reports")))


def read_report(item: Any) -> Report:
    """Read a region, its vector and its clock."""
    region, vector, clock = items_of(item, 3, "a report")
    region = integer_of(region, "a report's region", 1, REGION_MAX)
    return region, read_vector(vector), integer_of(clock, "a report's clock", 0, STAMP_MAX)


def read_view(item: Any) -> View:
    """Return a view: the present incarnation of each region."""
    return tuple(map(read_incarnation, few_of(item, "a view")))


def read_incarnation(item: Any) -> tuple[int, int, int]:
    """Return a region, and the epoch and origin of its incarnation."""
    region, epoch, origin = items_of(item, 3, "an incarnation")
    region = integer_of(region, "an incarnation's region", 1, REGION_MAX)
    first, last = make_origin(region), make_origin(region, INCARNATION_MAX)
    read_origin(origin, "an incarnation's origin")
    return (
        region,
        integer_of(epoch, "an incarnation's epoch", 0, EPOCH_MAX),
        integer_of(origin, "an incarnation's origin", first, last),
    )


def write_members(members: Members) -> tuple[Any, ...]:
    """Return the numbers and names of regions, as they are sent."""
    return tuple((number, write_text(name)) for number, name in members)


def read_members(item: Any) -> Members:
    """Read what `write_members` wrote."""
    members: list[tuple[int, str]] = []
    for each in few_of(item, "members"):
        number, name = items_of(each, 2, "a member")
        members.append((integer_of(number, "a member's number", 1, REGION_MAX), read_text(name)))
    return tuple(members)


def write_lineage(lineage: Lineage) -> tuple[Any, ...]:
    """Return the origins and names of followed instances, as they are sent."""
    return tuple((origin, write_text(name)) for origin, name in lineage)


def read_lineage(item: Any) -> Lineage:
    """Read what `write_lineage` wrote."""
    lineage: list[tuple[int, str]] = []
    for each in few_of(item, "a lineage"):
        origin, name = items_of(each, 2, "an instance")
        lineage.append((read_origin_or_none(origin), read_text(name)))
    return tuple(lineage)


# For each field of a frame, how it is written, and how it is read and checked.
TEXT: Final = (write_text, read_text)
VECTOR: Final = (write_vector, read_vector)
SIZE: Final = (len, read_size)
SIZES: Final = (write_sizes, read_sizes)
BOOL: Final = (None, read_bool)
SMALL: Final = integer(REGION_MAX)
ORIGIN: Final = (None, read_origin_or_none)
SEQ: Final = integer(SEQ_MAX)
INTEGER: Final = integer(INTEGER_MAX)
CLOCK: Final = integer(STAMP_MAX)
ROUTES: Final = (None, read_routes)
REGIONS: Final = (None, read_regions)
REPORTS: Final = (write_reports, read_reports)
VIEW: Final = (None, read_view)
MEMBERS: Final = (write_members, read_members)
LINEAGE: Final = (write_lineage, read_lineage)

# Within a protocol kinds keep their meaning. The fields stand in the order of the class.
WITH_PAYLOAD: Final = frozenset({frames.Ops, frames.OpPart, frames.SnapshotPiece})
PAYLOAD_MARK: Final = bytes([PAYLOAD])
KINDS: Final[dict[int, tuple[type[Frame], tuple[Field, ...]]]] = {
    1: (
        frames.Hello,
        (TEXT, SMALL, ORIGIN, TEXT, VECTOR, SMALL, SMALL, MEMBERS, MEMBERS, BOOL, LINEAGE),
    ),
    2: (frames.Resume, (VECTOR, ROUTES)),
    3: (frames.Resumed, ()),
    4: (frames.Truncated, ()),
    5: (frames.SnapshotRequest, ()),
    6: (frames.SnapshotBegin, (VECTOR,)),
    7: (frames.SnapshotPiece, (SIZE, BOOL)),
    8: (frames.SnapshotEnd, ()),
    9: (frames.Ops, (SIZES,)),
    10: (frames.OpPart, (SIZE, BOOL)),
    11: (frames.Ack, (VECTOR, INTEGER, CLOCK, INTEGER, INTEGER, INTEGER, INTEGER)),
    12: (frames.Heartbeat, (VECTOR, CLOCK, REPORTS, INTEGER, INTEGER, INTEGER, INTEGER)),
    13: (frames.GapRequest, (ORIGIN, SEQ)),
    14: (frames.GapEnd, (ORIGIN,)),
    15: (frames.GapRefused, (ORIGIN,)),
    16: (frames.Refuse, (TEXT,)),
    17: (frames.ConvergenceRequest, (ORIGIN, INTEGER, SMALL, VECTOR)),
    18: (frames.ConvergenceReply, (ORIGIN, INTEGER, BOOL)),
    19: (frames.Present, (VIEW, BOOL)),
    20: (frames.Lacking, (VIEW, ORIGIN, SEQ, REGIONS)),
}
HELLO: Final = 1
NAME_PLACE: Final = 2
PROTOCOL_PLACE: Final = 8
NUMBERS: Final[dict[type[Frame], int]] = {kind: number for number, (kind, _) in KINDS.items()}
READS: Final[dict[int, tuple[type[Frame], tuple[Read, ...]]]] = {
    number: (kind, tuple([read for _, read in fields])) for number, (kind, fields) in KINDS.items()
}
WRITES: Final[dict[type[Frame], tuple[tuple[str, Write], ...]]] = {
    kind: tuple(zip(kind.__annotations__, [write for write, _ in fields], strict=True))
    for kind, fields in KINDS.values()
}


class FrameTag:
    """Authenticates what one end sends on one connection: a tag behind each frame.

    The tag is a keyed BLAKE2b (RFC 7693) over the number of the frame and its bytes. The number
    makes a frame that is repeated, left out or moved to another place as wrong as a changed one.
    """

    def __init__(self, key: bytes) -> None:
        self.keyed = blake2b(key=key, digest_size=TAG_BYTES)
        self.number = 0

    def next(self, parts: Sequence[bytes | memoryview]) -> bytes:
        """Return the tag of the next frame, which is given in parts."""
        tag = self.keyed.copy()
        tag.update(self.number.to_bytes(8, "big"))
        for part in parts:
            tag.update(part)
        self.number += 1
        return tag.digest()


def encode(frame: Frame, tag: FrameTag | None = None) -> bytes:
    """Return one frame as bytes."""
    return encode_all([frame], tag)


def encode_all(several: list[Frame], tag: FrameTag | None = None) -> bytes:
    """Return frames as bytes, one behind the other."""
    parts: list[bytes] = []
    for frame in several:
        append_frame(parts, frame, tag)
    return b"".join(parts)


def append_frame(parts: list[bytes], frame: Frame, tag: FrameTag | None) -> None:
    """Append the bytes of a frame to `parts`, without copying its payload."""
    group = 0
    if isinstance(frame, Grouped):
        group, frame = frame.group, frame.frame
    kind = type(frame)
    items: list[Any] = [NUMBERS[kind], group]
    for name, write in WRITES[kind]:
        item = getattr(frame, name)
        items.append(item if write is None else write(item))
    head = codec.pack(items)
    body = [head]
    size = len(head)
    payload = payload_of(frame)
    if payload is not None:
        body = [PAYLOAD_MARK + size.to_bytes(HEAD_BYTES - 1, "big"), head, *payload]
        size = sum(map(len, body))
    assert size <= FRAME_BYTES_MAX, f"a {kind.__name__} of {size} bytes"
    parts.append(size.to_bytes(LENGTH_BYTES, "big"))
    parts += body
    if tag is not None:
        parts.append(tag.next(body))


def payload_of(frame: Frame) -> tuple[bytes, ...] | None:
    """Return the parts that follow the envelope of a frame; None for a frame without a payload."""
    if isinstance(frame, frames.Ops):
        return frame.batch
    if isinstance(frame, frames.OpPart | frames.SnapshotPiece):
        return (frame.data,)
    return None


def decode(body: bytes | memoryview) -> Frame:
    """Return the frame that is encoded in `body`. Raises RemoteProtocolError."""
    try:
        if len(body) > HEAD_BYTES and body[0] == PAYLOAD:
            stop = HEAD_BYTES + int.from_bytes(body[1:HEAD_BYTES], "big")
            if stop > len(body):
                raise DecodeError(f"an envelope that ends at {stop} of {len(body)} bytes")
            return decode_parts(bytes(body[HEAD_BYTES:stop]), body[stop:])
        return decode_parts(bytes(body), None)
    except DecodeError as error:
        raise RemoteProtocolError(f"not a frame: {error}") from error
    except MemoryError as error:
        raise RemoteProtocolError(NO_MEMORY) from error


def decode_parts(head: bytes, payload: bytes | memoryview | None) -> Frame:
    """Return a frame from its envelope and its payload. Raises DecodeError."""
    items = tuple_of(codec.unpack(head), "a frame")
    known = READS.get(items[0] if items and type(items[0]) is int else 0)
    if known is None:
        raise DecodeError("a frame of unknown kind")
    if items[0] == HELLO and is_foreign(items):
        name, version = read_text(items[NAME_PLACE]), items[PROTOCOL_PLACE]
        return frames.Hello(name, 0, 0, "", {}, protocol=version)
    kind, reads = known
    items_of(items, len(reads) + 2, kind.__name__)
    group = integer_of(items[1], "a frame's slot group", 0, GROUP_MAX)
    fields: list[Any] = []
    for index, read in enumerate(reads, 2):
        fields.append(read(items[index]))
    if (kind in WITH_PAYLOAD) != (payload is not None):
        raise DecodeError(f"a {kind.__name__} {'without' if payload is None else 'with'} a payload")
    if payload is not None:
        take_payload(fields, payload)
    frame = kind(*fields)
    return Grouped(group, frame) if group else frame


def take_payload(fields: list[Any], payload: bytes | memoryview) -> None:
    """Replace the sizes in the first field by the parts of a payload. Raises DecodeError."""
    sizes: Any = fields[0]
    is_one = type(sizes) is int
    parts: list[bytes] = []
    start = 0
    for size in (sizes,) if is_one else sizes:
        parts.append(bytes(payload[start : start + size]))
        start += size
    if start != len(payload):
        raise DecodeError(f"a payload of {len(payload)} bytes, expected {start}")
    fields[0] = parts[0] if is_one else tuple(parts)


def is_foreign(items: tuple[Any, ...]) -> bool:
    """Return whether a Hello is of another version of the protocol. Whatever else it holds, the
    name and the version stand in their places, so that the refusal can name both versions."""
    return (
        len(items) > PROTOCOL_PLACE
        and type(items[PROTOCOL_PLACE]) is int
        and items[PROTOCOL_PLACE] != frames.PROTOCOL
    )


class FrameDecoder:
    """Cuts a stream of bytes into frames, and checks their tags if there are any."""

    def __init__(self, tag: FrameTag | None = None) -> None:
        self.buffer = bytearray()
        self.tag = tag
        self.tag_bytes = 0 if tag is None else TAG_BYTES
        self.count = 0
        """The number of frames that have come, also of one whose tag was wrong."""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that end in `data`. Raises RemoteProtocolError; the stream is useless
        then."""
        buffer = self.buffer
        if not buffer and self.is_frame(data):
            return [self.read(memoryview(data)[LENGTH_BYTES:])]
        buffer += data
        found: list[Frame] = []
        start = 0
        with memoryview(buffer) as view:
            while len(view) - start >= LENGTH_BYTES:
                begin = start + LENGTH_BYTES
                length = int.from_bytes(view[start:begin], "big")
                if length > FRAME_BYTES_MAX:
                    raise RemoteProtocolError(
                        f"a frame of {length} bytes, at most {FRAME_BYTES_MAX}"
                    )
                stop = begin + length + self.tag_bytes
                if len(view) < stop:
                    break
                found.append(self.read(view[begin:stop]))
                start = stop
        del buffer[:start]
        return found

    @property
    def missing_bytes(self) -> int:
        """Return how many bytes of the frame that has begun are missing, 0 if that is not known."""
        if len(self.buffer) < LENGTH_BYTES:
            return 0
        length = int.from_bytes(self.buffer[:LENGTH_BYTES], "big")
        return LENGTH_BYTES + length + self.tag_bytes - len(self.buffer)

    def is_frame(self, data: bytes) -> bool:
        """Return whether `data` is exactly one frame, which is how most frames arrive."""
        length = int.from_bytes(data[:LENGTH_BYTES], "big")
        return len(data) == LENGTH_BYTES + length + self.tag_bytes and length <= FRAME_BYTES_MAX

    def read(self, data: memoryview) -> Frame:
        """Return the frame that `data` is, without its length but with its tag."""
        self.count += 1
        if self.tag is None:
            return decode(data)
        body = data[:-TAG_BYTES]
        if not compare_digest(data[-TAG_BYTES:], self.tag.next([body])):
            raise RemoteProtocolError("a frame was changed, repeated or left out on its way")
        return decode(body)
