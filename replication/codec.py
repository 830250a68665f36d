"""Frames as bytes.

    length   4 bytes, big-endian: of all that follows
    CRC-32   4 bytes, big-endian: of the body
    body     one msgpack array: the kind of the frame, then its fields

A frame of ops holds them as they stand in the history: encoding one copies bytes and makes none.
Any bytes whatever give frames or RemoteProtocolError, and never make the decoder keep more than
one frame of the largest size.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

import msgpack

from crdt.dots import ORIGIN_MAX, REGION_MAX, SEQ_MAX
from crdt.errors import DecodeError
from crdt.op import read_vector, write_vector
from replication import frames
from replication.errors import RemoteProtocolError
from replication.frames import Frame

HEADER_BYTES: Final = 8
FRAME_BYTES_MAX: Final = 4 << 20  # the largest part of an op, or a vector of 255 regions' lives
TEXT_BYTES_MAX: Final = 1024  # a name, or the reason for a refusal
NANOSECONDS_MAX: Final = (1 << 63) - 1

Write = Callable[[Any], Any]
Read = Callable[[Any], Any]


def read_int(most: int) -> Read:
    """Reads an integer from 0 to `most`."""

    def read(item: Any) -> int:
        if type(item) is not int or not 0 <= item <= most:
            raise RemoteProtocolError(f"a frame's integer is not one of 0 to {most}")
        return item

    return read


def read_bool(item: Any) -> bool:
    """A truth value."""
    if type(item) is not bool:
        raise RemoteProtocolError("a frame's truth value is none")
    return item


def read_bytes(item: Any) -> bytes:
    """A byte string."""
    if type(item) is not bytes:
        raise RemoteProtocolError("a frame's byte string is none")
    return item


def write_text(text: str) -> bytes:
    """A short text."""
    return text.encode()[:TEXT_BYTES_MAX]


def read_text(item: Any) -> str:
    """The inverse of `write_text`."""
    if type(item) is not bytes or len(item) > TEXT_BYTES_MAX:
        raise RemoteProtocolError("a frame's text is none, or too long")
    return item.decode(errors="replace")


def read_batch(item: Any) -> tuple[bytes, ...]:
    """Byte strings."""
    if type(item) is not tuple or not all(type(each) is bytes for each in item):
        raise RemoteProtocolError("a frame of ops holds something else")
    batch: tuple[bytes, ...] = item
    return batch


def read_routes(item: Any) -> tuple[int, ...] | None:
    """Numbers of regions, or None."""
    if item is None:
        return None
    if type(item) is not tuple or len(item) > REGION_MAX:
        raise RemoteProtocolError("a frame's routes are no numbers of regions")
    return tuple(map(read_region, item))


def write_reports(reports: tuple[frames.Report, ...]) -> tuple[Any, ...]:
    """Regions, their vectors and clocks."""
    return tuple((region, write_vector(vector), clock) for region, vector, clock in reports)


def read_reports(item: Any) -> tuple[frames.Report, ...]:
    """The inverse of `write_reports`."""
    if type(item) is not tuple or len(item) > REGION_MAX:
        raise RemoteProtocolError("a frame's reports are no array")
    reports: list[frames.Report] = []
    for report in item:
        if type(report) is not tuple or len(report) != 3:
            raise RemoteProtocolError("a report is a region, a vector and a clock")
        reports.append((read_region(report[0]), read_vector(report[1]), read_ns(report[2])))
    return tuple(reports)


def same(item: Any) -> Any:
    """What msgpack writes as it is."""
    return item


read_region: Final = read_int(REGION_MAX)
read_origin: Final = read_int(ORIGIN_MAX)
read_seq: Final = read_int(SEQ_MAX)
read_ns: Final = read_int(NANOSECONDS_MAX)
read_small: Final = read_int(255)

# For each field, how it is written and how it is read and checked.
TEXT: Final = (write_text, read_text)
VECTOR: Final = (write_vector, read_vector)
BYTES: Final = (same, read_bytes)
BOOL: Final = (same, read_bool)
REGION: Final = (same, read_region)
ORIGIN: Final = (same, read_origin)
SEQ: Final = (same, read_seq)
NS: Final = (same, read_ns)
SMALL: Final = (same, read_small)
BATCH: Final = (same, read_batch)
ROUTES: Final = (same, read_routes)
REPORTS: Final = (write_reports, read_reports)

Field = tuple[Write, Read]

# Kinds are never given another meaning. Fields in the order of the class.
KINDS: Final[dict[int, tuple[type[Frame], tuple[Field, ...]]]] = {
    1: (frames.Hello, (TEXT, REGION, ORIGIN, TEXT, VECTOR, SMALL, SMALL)),
    2: (frames.Resume, (VECTOR, ROUTES)),
    3: (frames.Resumed, ()),
    4: (frames.Truncated, ()),
    5: (frames.SnapshotRequest, ()),
    6: (frames.SnapshotBegin, (VECTOR,)),
    7: (frames.SnapshotPiece, (BYTES, BOOL)),
    8: (frames.SnapshotEnd, ()),
    9: (frames.Ops, (BATCH,)),
    10: (frames.OpPart, (BYTES, BOOL)),
    11: (frames.Ack, (VECTOR, NS, NS, NS, NS, NS)),
    12: (frames.Heartbeat, (VECTOR, NS, REPORTS, NS, NS, NS)),
    13: (frames.GapRequest, (ORIGIN, SEQ)),
    14: (frames.GapEnd, (ORIGIN,)),
    15: (frames.GapRefused, (ORIGIN,)),
    16: (frames.Refuse, (TEXT,)),
}
NUMBERS: Final = {kind: number for number, (kind, _) in KINDS.items()}
NAMES: Final = {kind: tuple(kind.__annotations__) for kind, _ in KINDS.values()}


def encode(frame: Frame) -> bytes:
    """One frame as bytes."""
    number = NUMBERS[type(frame)]
    items: list[Any] = [number]
    for name, (write, _) in zip(NAMES[type(frame)], KINDS[number][1], strict=True):
        items.append(write(getattr(frame, name)))
    body: bytes = msgpack.packb(items)
    assert len(body) + 4 <= FRAME_BYTES_MAX, f"{type(frame).__name__} of {len(body)} bytes"
    header = (len(body) + 4).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big")
    return header + body


def encode_all(several: list[Frame]) -> bytes:
    """Frames as bytes, one behind the other."""
    return b"".join(map(encode, several))


def decode(body: bytes) -> Frame:
    """The frame that `body` is. Raises RemoteProtocolError."""
    try:
        items: Any = msgpack.unpackb(body, raw=True, use_list=False, strict_map_key=False)
    except (ValueError, msgpack.UnpackException, RecursionError, TypeError) as error:
        raise RemoteProtocolError(f"a frame that is not msgpack: {error}") from error
    if type(items) is not tuple or not items or type(items[0]) is not int:
        raise RemoteProtocolError("a frame is an array that begins with its kind")
    known = KINDS.get(items[0])
    if known is None:
        raise RemoteProtocolError(f"a frame of unknown kind {items[0]}")
    kind, fields = known
    if len(items) != len(fields) + 1:
        raise RemoteProtocolError(f"a {kind.__name__} of {len(items) - 1} fields")
    try:
        return kind(*(read(item) for (_, read), item in zip(fields, items[1:], strict=True)))
    except DecodeError as error:
        raise RemoteProtocolError(f"a {kind.__name__}: {error}") from error


class FrameDecoder:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that end in `data`. Raises RemoteProtocolError; then the stream is lost."""
        buffer = self.buffer
        buffer += data
        found: list[Frame] = []
        start = 0
        while len(buffer) - start >= HEADER_BYTES:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if not 4 < length <= FRAME_BYTES_MAX:
                raise RemoteProtocolError(f"a frame of {length} bytes")
            end = start + 4 + length
            if len(buffer) < end:
                break
            body = bytes(buffer[start + HEADER_BYTES : end])
            if zlib.crc32(body) != int.from_bytes(buffer[start + 4 : start + HEADER_BYTES], "big"):
                raise RemoteProtocolError("a frame's checksum does not match its body")
            found.append(decode(body))
            start = end
        del buffer[:start]
        return found
