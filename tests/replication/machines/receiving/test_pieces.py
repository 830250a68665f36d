"""Parts of ops and pieces: joined in order, bounded, and dropped when they are unused."""

from __future__ import annotations

import pytest

from crdt.causality.op import OP_BYTES
from crdt.embed.replica import Outcome
from replication.machines.receiving.applier import Arrival, WholeOp, finish_op
from replication.machines.receiving.pieces import OP_BYTES_MAX, REQUEST_BYTES_MAX, PartBuffer
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import OpPart, SnapshotPiece


class Accepted:
    """The ops that were accepted."""

    def __init__(self) -> None:
        self.ops: list[bytes] = []

    def accept(self, data: bytes) -> Outcome:
        """Keep an op."""
        self.ops.append(data)
        return Outcome.APPLIED

    def buffer(self) -> PartBuffer:
        """Return a buffer whose ops come here."""
        return PartBuffer(lambda: WholeOp(self.accept))


def finish(whole: Arrival | bytes | None) -> Outcome:
    """Accept an op whose last part has come."""
    assert whole is not None
    assert not isinstance(whole, bytes)
    return finish_op(whole)


def test_parts_are_put_together() -> None:
    accepted = Accepted()
    parts = accepted.buffer()
    assert parts.add(OpPart(b"a", False), keep=True) is None
    assert parts.add(OpPart(b"b", False), keep=False) is None
    assert finish(parts.add(OpPart(b"c", True), keep=False)) is Outcome.APPLIED
    assert accepted.ops == [b"abc"]
    assert parts.add(SnapshotPiece(b"d", True), keep=True) == b"d"
    assert parts.size == 0


def test_discarded_pieces_take_no_memory() -> None:
    accepted = Accepted()
    parts = accepted.buffer()
    for _ in range(100):
        assert parts.add(OpPart(bytes(1000), False), keep=False) is None
    assert parts.size == 0
    assert parts.add(OpPart(b"x", True), keep=True) is None
    assert finish(parts.add(OpPart(b"whole", True), keep=True)) is Outcome.APPLIED
    assert accepted.ops == [b"whole"]


def test_op_inside_piece_is_refused() -> None:
    parts = Accepted().buffer()
    parts.add(SnapshotPiece(b"a", False), keep=True)
    with pytest.raises(RemoteProtocolError, match="OpPart inside another SnapshotPiece"):
        parts.add(OpPart(b"b", True), keep=True)


def test_largest_op_is_largest_that_we_make() -> None:
    assert OP_BYTES_MAX == REQUEST_BYTES_MAX + OP_BYTES == (1 << 30) + (16 << 20)


@pytest.mark.interpreted("a compiled module has taken the constants in")
@pytest.mark.parametrize(
    ("kind", "name"), [(OpPart, "OP_BYTES_MAX"), (SnapshotPiece, "PIECE_BYTES_MAX")]
)
def test_more_than_whole_is_refused_before_it_is_kept(
    kind: type[OpPart | SnapshotPiece], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"replication.machines.receiving.pieces.{name}", 10)
    parts = Accepted().buffer()
    parts.add(kind(bytes(10), False), keep=True)
    with pytest.raises(RemoteProtocolError, match="more than 10 bytes in parts of one"):
        parts.add(kind(b"x", False), keep=True)
    assert parts.size == 10
    parts.clear()
    assert parts.add(kind(b"y", True), keep=True) is not None


def test_op_that_ends_with_its_link_is_dropped() -> None:
    accepted = Accepted()
    parts = accepted.buffer()
    parts.add(OpPart(b"a", False), keep=True)
    parts.clear()
    assert finish(parts.add(OpPart(b"b", True), keep=True)) is Outcome.APPLIED
    assert accepted.ops == [b"b"]
