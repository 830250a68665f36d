"""Frames are decoded unchanged, and arbitrary bytes do no harm (invariant I36)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import (
    GROUP_MAX,
    INCARNATION_MAX,
    ORIGIN_MAX,
    REGION_MAX,
    SEQ_MAX,
    make_origin,
    region_of,
)
from crdt.causality.schema import STAMP_MAX
from crdt.wire import codec as envelope
from replication.protocol import frames
from replication.protocol.codec import (
    FRAME_BYTES_MAX,
    INTEGER_MAX,
    KINDS,
    LENGTH_BYTES,
    TEXT_BYTES_MAX,
    FrameDecoder,
    decode,
    encode,
    encode_all,
    payload_of,
)
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import (
    EPOCH_MAX,
    Frame,
    Heartbeat,
    Hello,
    Ops,
    Refuse,
    Resume,
    Resumed,
)

vectors = st.dictionaries(st.integers(1, ORIGIN_MAX), st.integers(0, SEQ_MAX), max_size=4)
texts = st.text(max_size=20)
regions = st.integers(1, REGION_MAX)
numbers = st.integers(0, INTEGER_MAX)
clocks = st.integers(0, STAMP_MAX)
reports = st.lists(st.tuples(regions, vectors, clocks), max_size=3).map(tuple)
members = st.lists(st.tuples(regions, texts), max_size=4).map(tuple)
data = st.binary(max_size=50)
origins = st.integers(0, ORIGIN_MAX)
lineages = st.lists(st.tuples(origins, texts), max_size=4).map(tuple)
membership = st.builds(make_origin, regions, st.integers(0, INCARNATION_MAX)).flatmap(
    lambda origin: st.tuples(st.just(region_of(origin)), st.integers(0, EPOCH_MAX), st.just(origin))
)
every_frame: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Hello,
        *(texts, regions, origins, texts, vectors, st.integers(0, 1), st.just(frames.PROTOCOL)),
        *(members, members, st.booleans(), lineages),
    ),
    st.builds(Resume, vectors, st.none() | st.lists(regions, max_size=5).map(tuple)),
    st.builds(Resumed),
    st.builds(frames.Truncated),
    st.builds(frames.SnapshotRequest),
    st.builds(frames.SnapshotBegin, vectors),
    st.builds(frames.SnapshotPiece, data, st.booleans()),
    st.builds(frames.SnapshotEnd),
    st.builds(Ops, st.lists(data, max_size=5).map(tuple)),
    st.builds(frames.OpPart, data, st.booleans()),
    st.builds(frames.Ack, vectors, numbers, clocks, numbers, numbers, numbers),
    st.builds(Heartbeat, vectors, clocks, reports, numbers, numbers, numbers),
    st.builds(frames.GapRequest, origins, st.integers(0, SEQ_MAX)),
    st.builds(frames.GapEnd, origins),
    st.builds(frames.GapRefused, origins),
    st.builds(frames.ConvergenceRequest, origins, numbers, st.integers(0, REGION_MAX), vectors),
    st.builds(frames.ConvergenceReply, origins, numbers, st.booleans()),
    st.builds(frames.Present, st.lists(membership, max_size=3).map(tuple), st.booleans()),
    st.builds(
        frames.Lacking,
        st.lists(membership, max_size=3).map(tuple),
        origins,
        st.integers(0, SEQ_MAX),
        st.lists(regions, max_size=3).map(tuple),
    ),
    st.builds(Refuse, texts),
)
every_frame |= st.builds(frames.Grouped, st.integers(1, GROUP_MAX), every_frame)


def fed(pieces: Sequence[bytes]) -> list[Frame]:
    """Return the frames of a decoder that receives the bytes in pieces."""
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)]


@given(st.lists(every_frame, max_size=5), st.integers(1, 9))
def test_frames_come_out_as_they_went_in(several: list[Frame], size: int) -> None:
    whole = encode_all(several)
    assert fed([whole]) == several
    assert fed([whole[start : start + size] for start in range(0, len(whole), size)]) == several


@given(every_frame)
def test_equal_frames_have_equal_bytes(frame: Frame) -> None:
    assert encode(fed([encode(frame)])[0]) == encode(frame)


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_any_bytes_give_frames_or_one_error(pieces: list[bytes]) -> None:
    with suppress(RemoteProtocolError):
        fed(pieces)


@given(every_frame, st.integers(0, 200), st.integers(1, 255))
def test_damage_is_noticed(frame: Frame, place: int, change: int) -> None:
    whole = bytearray(encode(frame))
    inner = frame.frame if isinstance(frame, frames.Grouped) else frame
    covered = len(whole) - LENGTH_BYTES - sum(map(len, payload_of(inner) or ()))
    whole[LENGTH_BYTES + place % covered] ^= change
    with pytest.raises(RemoteProtocolError):
        fed([bytes(whole)])


@pytest.mark.parametrize("frame", [Ops((b"one", b"other")), frames.OpPart(b"part", True)])
def test_payload_must_have_its_size(frame: Frame) -> None:
    body = encode(frame)[LENGTH_BYTES:]
    for wrong in (body[:-1], body + b"x"):
        with pytest.raises(RemoteProtocolError, match="a payload of"):
            decode(wrong)


def test_envelope_must_end_within_its_frame() -> None:
    with pytest.raises(RemoteProtocolError, match="an envelope that ends at 13 of 5 bytes"):
        decode(b"\x02\x00\x00\x09x")


def test_payload_stands_where_it_is_expected() -> None:
    ops = envelope.pack((9, 0, ()))
    with pytest.raises(RemoteProtocolError, match="a Ops without a payload"):
        decode(ops)
    resumed = envelope.pack((3, 0))
    with pytest.raises(RemoteProtocolError, match="a Resumed with a payload"):
        decode(b"\x02\x00\x00" + bytes([len(resumed)]) + resumed)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 1 << 63) | st.binary(max_size=4) | st.floats(),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=8,
)


@given(st.integers(0, len(KINDS) + 2), st.lists(anything, max_size=8))
def test_fields_of_any_form_give_frame_or_one_error(kind: int, fields: list[Any]) -> None:
    with suppress(RemoteProtocolError):
        decode(envelope.pack((kind, 0, *fields)))


@pytest.mark.parametrize(
    "items",
    [
        7,
        (),
        ("x",),
        (99,),
        (3,),
        (3, 0, 1),
        (2, 0, (), 5),
        (2, 0, (), (0,)),
        (2, 0, (1,), None),
        (7, 0, b"", 1),
        (7, 0, None, True),
        (9, 0, 5),
        (9, 0, (5,)),
        (12, 0, (), 0, ((1, ()),), 0, 0, 0),
        (12, 0, (), 0, ((0, (), 0),), 0, 0, 0),
        (12, 0, (), -1, (), 0, 0, 0),
        (13, 0, ORIGIN_MAX + 1, 0),
        (16, 0, bytes(TEXT_BYTES_MAX + 1)),
        (16, 0, 5),
        (19, 0, ((2, 0),)),
        (19, 0, ((0, 0, make_origin(1)),)),
        (19, 0, ((2, 0, make_origin(3)),)),
        (19, 0, ((2, EPOCH_MAX + 1, make_origin(2)),)),
        (3, -1),
        (3, None),
        (3, GROUP_MAX + 1),
    ],
)
def test_invalid_frames_are_refused(items: object) -> None:
    with pytest.raises(RemoteProtocolError, match="not a frame"):
        decode(envelope.pack(items))


def test_frame_beyond_largest_is_refused_before_it_is_kept() -> None:
    decoder = FrameDecoder()
    with pytest.raises(RemoteProtocolError, match="a frame of"):
        decoder.feed((FRAME_BYTES_MAX + 1).to_bytes(LENGTH_BYTES, "big"))


def test_frame_is_not_made_beyond_largest() -> None:
    with pytest.raises(AssertionError, match="a Ops of"):
        encode(Ops((bytes(FRAME_BYTES_MAX),)))


def test_long_reason_is_cut_off() -> None:
    assert fed([encode(Refuse("é" * TEXT_BYTES_MAX))]) == [Refuse("é" * (TEXT_BYTES_MAX // 2))]


def test_every_frame_but_end_travels() -> None:
    travelling = {kind for kind, _ in KINDS.values()}
    assert travelling == set(Frame.__args__) - {frames.Eof, frames.Grouped}
    assert len(travelling) == len(KINDS)


def test_hello_of_another_version_keeps_its_name_and_version() -> None:
    """A Hello of a newer version may have more fields, and one of an older version has fewer."""
    for fields in (
        (1, 0, b"eu", 0, 0, b"", (), 0, 2),
        (1, "?", b"eu", "?", (), (), (), (), 99, 5, 6, 7, 8),
    ):
        hello = decode(envelope.pack(list(fields)))
        assert isinstance(hello, Hello)
        assert (hello.name, hello.protocol) == ("eu", fields[8])


def test_list_of_too_many_regions_is_refused() -> None:
    hello = Hello("eu", 2, make_origin(2), "", {}, members=((1, "x"),) * 256)
    with pytest.raises(RemoteProtocolError, match="at most 255"):
        decode(encode(hello)[4:])


@pytest.mark.interpreted("gives a module another function")
def test_frame_for_which_there_is_no_memory_is_error_of_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exhausted(_data: bytes) -> object:
        raise MemoryError

    monkeypatch.setattr(envelope, "unpack", exhausted)
    with pytest.raises(RemoteProtocolError, match="more memory than there is"):
        decode(b"frame")


@pytest.mark.parametrize(
    "items",
    [
        (13, 0, (1 << 64) - 1, 1),
        (17, 0, (1 << 64) - 1, 1, 0, ()),
        (19, 0, ((1, 0, (1 << 64) - 1),), True),
        (6, 0, ((1 << 64) - 1, 1)),
    ],
    ids=("GapRequest", "ConvergenceRequest", "Present", "SnapshotBegin"),
)
def test_origins_of_64_bits_are_read_and_refused_by_name(items: tuple[Any, ...]) -> None:
    """The frames reserve space for such origins (docs/formats.md)."""
    with pytest.raises(RemoteProtocolError, match="supports origins up to 4194303"):
        decode(envelope.pack(items))


@pytest.mark.parametrize(
    "frame",
    [
        frames.Ack({}, 0, STAMP_MAX + 1),
        Heartbeat({}, STAMP_MAX + 1),
        Heartbeat({}, 0, ((2, {}, STAMP_MAX + 1),)),
    ],
)
def test_clock_that_no_replica_can_show_is_refused(frame: Frame) -> None:
    """A report with such a clock once ended the process that received it."""
    with pytest.raises(RemoteProtocolError, match="expected"):
        decode(encode(frame)[LENGTH_BYTES:])
