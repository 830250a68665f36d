"""The footer of payloads."""

from __future__ import annotations

import pytest

from crdb.rdb.crc64 import crc64
from crdb.rdb.errors import RdbError
from crdb.rdb.payload import PIECE_BYTES, VERSION_MAX, check_in_slices, seal


def test_sealed_value_passes() -> None:
    assert list(check_in_slices(seal([b"\x00", b"\x01a"]))) == []


def test_long_payload_takes_several_slices() -> None:
    assert len(list(check_in_slices(seal([b"x" * (3 * PIECE_BYTES)])))) == 3


def test_new_version_and_any_change_are_refused() -> None:
    sealed = seal([b"\x00\x01a"])
    for place in range(len(sealed)):
        with pytest.raises(RdbError):
            list(check_in_slices(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]))
    new = b"\x00\x01a" + (VERSION_MAX + 1).to_bytes(2, "little")
    with pytest.raises(RdbError):
        list(check_in_slices(new + crc64(new).to_bytes(8, "little")))
    with pytest.raises(RdbError):
        list(check_in_slices(b"short"))
