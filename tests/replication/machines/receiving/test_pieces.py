"""Parts of ops and pieces: joined in order, bounded, and dropped when they are unused."""

from __future__ import annotations

import pytest

from crdt.causality.op import OP_BYTES
from replication.machines.receiving.pieces import OP_BYTES_MAX, REQUEST_BYTES_MAX, PartBuffer
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import OpPart, SnapshotPiece


def test_parts_are_put_together() -> None:
    parts = PartBuffer()
    assert parts.add(OpPart(b"a", False), keep=True) is None
    assert parts.add(OpPart(b"b", False), keep=False) is None
    assert parts.add(OpPart(b"c", True), keep=False) == b"abc"
    assert parts.add(SnapshotPiece(b"d", True), keep=True) == b"d"
    assert parts.size == 0


def test_discarded_pieces_take_no_memory() -> None:
    parts = PartBuffer()
    for _ in range(100):
        assert parts.add(OpPart(bytes(1000), False), keep=False) is None
    assert parts.size == 0
    assert parts.add(OpPart(b"x", True), keep=True) is None
    assert parts.add(OpPart(b"whole", True), keep=True) == b"whole"


def test_op_inside_piece_is_refused() -> None:
    parts = PartBuffer()
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
    parts = PartBuffer()
    parts.add(kind(bytes(10), False), keep=True)
    with pytest.raises(RemoteProtocolError, match="more than 10 bytes in parts of one"):
        parts.add(kind(b"x", False), keep=True)
    assert parts.size == 10
    parts.clear()
    assert parts.add(kind(b"y", True), keep=True) == b"y"
