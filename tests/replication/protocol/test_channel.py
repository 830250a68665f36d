"""The channel: frames arrive unchanged after the handshake, or the connection ends."""

from __future__ import annotations

import random

import pytest

from replication.protocol.channel import Channel
from replication.protocol.codec import LENGTH_BYTES, TAG_BYTES, encode
from replication.protocol.errors import NotProven, RemoteProtocolError
from replication.protocol.frames import Ack, Eof, Frame, Ops, Resumed, Truncated
from replication.protocol.handshake import UNREAD_BYTES_MAX
from replication.protocol.secret import NO_SECRET
from tests.replication.secrets import OTHER, SECRET, channels, exchange, open_channels

FRAMES: list[Frame] = [Resumed(), Ops((b"one", b"two")), Ack({1: 2}, 3), Truncated()]


def test_frames_pass_both_ways_after_handshake() -> None:
    one, other = open_channels()
    assert other.receive(one.wrap(FRAMES)) == FRAMES
    assert one.receive(other.wrap(FRAMES[:1])) == FRAMES[:1]
    assert other.receive(one.wrap(FRAMES[2:])) == FRAMES[2:]
    assert one.read_bytes_max is None


def test_frames_may_come_in_pieces() -> None:
    one, other = open_channels()
    got: list[Frame] = []
    data = one.wrap(FRAMES)
    for byte in data:
        got += other.receive(bytes([byte]))
    assert got == FRAMES
    assert (one.frames_received, other.frames_received) == (0, len(FRAMES))
    plain = sum(len(encode(frame)) for frame in FRAMES)
    assert len(data) == plain + TAG_BYTES * len(FRAMES)


def test_before_handshake_nothing_goes_out_or_in() -> None:
    one, other = channels()
    assert one.wrap(FRAMES) == b""
    assert one.frames_received == 0
    assert one.read_bytes_max == UNREAD_BYTES_MAX
    with pytest.raises(RemoteProtocolError, match="version 2 or older"):
        other.receive(encode(Resumed()))
    assert not other.is_proven
    assert other.wrap(FRAMES) == b""


def test_wrong_secret_opens_nothing() -> None:
    one, other = channels(OTHER, SECRET)
    with pytest.raises(NotProven):
        exchange(one, other)
    assert other.bytes_to_send() == b""
    assert other.wrap(FRAMES) == b""
    with pytest.raises(NotProven, match="set the same `secret`"):
        one.end("reset")


def test_without_secret_both_ends_agree_on_that() -> None:
    one, other = open_channels(NO_SECRET)
    assert other.receive(one.wrap(FRAMES)) == FRAMES


def test_end_of_stream_is_frame_of_its_own() -> None:
    one, other = open_channels()
    assert one.end("reset") == [Eof("reset")]
    assert other.end() == [Eof()]


@pytest.mark.parametrize("place", [0, LENGTH_BYTES, LENGTH_BYTES + 8, -1, -TAG_BYTES])
def test_changed_byte_ends_connection(place: int) -> None:
    one, other = open_channels()
    data = bytearray(one.wrap([Ops((b"data",))]))
    data[place] ^= 1
    with pytest.raises(RemoteProtocolError):
        other.receive(bytes(data))


def test_frame_that_is_repeated_or_left_out_is_refused() -> None:
    one, other = open_channels()
    first, second = one.wrap([Resumed()]), one.wrap([Truncated()])
    with pytest.raises(RemoteProtocolError, match="changed, repeated or left out"):
        other.receive(second)
    one, other = open_channels()
    first = one.wrap([Resumed()])
    assert other.receive(first) == [Resumed()]
    with pytest.raises(RemoteProtocolError, match="changed, repeated or left out"):
        other.receive(first)


def test_frame_that_is_sent_back_is_refused() -> None:
    one, _ = open_channels()
    with pytest.raises(RemoteProtocolError, match="changed, repeated or left out"):
        one.receive(one.wrap([Resumed()]))


def test_frames_without_key_are_refused() -> None:
    """An attacker who injects frames into an open connection can only end it."""
    rng = random.Random(30)
    for _ in range(300):
        _, other = open_channels()
        forged = encode(Ops((rng.randbytes(rng.randrange(40)),))) + rng.randbytes(TAG_BYTES)
        with pytest.raises(RemoteProtocolError):
            other.receive(forged)


def test_channel_keeps_no_memory_of_decoded_frames() -> None:
    one, other = open_channels()
    large = one.wrap([Ops((bytes(1 << 20),))])
    other.receive(large[:-1])
    assert other.decoder is not None
    assert len(other.decoder.buffer) == len(large) - 1
    other.receive(large[-1:])
    assert other.decoder.buffer == b""


def test_secret_is_nowhere_in_texts_of_channel() -> None:
    one, other = channels(OTHER, SECRET)
    with pytest.raises(NotProven) as caught:
        exchange(one, other)
    assert isinstance(one, Channel)
    for each in (one, other, one.handshake, caught.value):
        assert "horse" not in f"{each!r} {each}"
