"""The bytes of an operation in pieces, compared with joined bytes."""

from __future__ import annotations

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.op_pieces import OpPieces, PackedEffects, cut, joined
from crdt.wire import codec


@given(st.lists(st.binary(max_size=9)), st.integers(1, 40))
def test_pieces_are_cut_as_joined_bytes_are(pieces: list[bytes], size: int) -> None:
    whole, data = b"".join(pieces), OpPieces(pieces)
    assert len(data) == len(whole)
    assert joined(data) == joined(whole) == whole
    for start in range(0, len(whole), size):
        assert cut(data, start, start + size) == cut(whole, start, start + size)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_part_of_packed_effects(counts: list[int], data: st.DataObject) -> None:
    effects = tuple((4, 1, b"k", b"%d" % number) for number in range(sum(counts) + 2))
    packed = PackedEffects()
    for count in counts:
        packed.add(list(effects[packed.count : packed.count + count]), weighs=count > 2)
        if count == 3:
            packed.compute_checksums()
    begin = data.draw(st.integers(0, packed.count - 1))
    end = data.draw(st.integers(begin + 1, len(effects)))
    part = packed.part(effects, begin, end)
    expected = codec.pack_all(list(effects[begin : min(end, packed.count)]))
    assert b"".join(part.pieces) == expected
    part.compute_checksums()
    assert part.checksum == crc32(expected)
    assert part.size == len(expected)
    assert part.count == sum(part.counts) == min(end, packed.count) - begin
    assert len(packed.weights) == packed.count
