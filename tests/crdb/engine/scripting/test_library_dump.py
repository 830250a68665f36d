"""The format of FUNCTION DUMP. The differential tests exchange dumps with Redis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.errors import CommandError
from crdb.engine.scripting.library_dump import (
    DAMAGED,
    FUNCTION2,
    NOT_A_FUNCTION,
    PRE_GA,
    VERSION,
    WRONG_FOOTER,
    crc64,
    dump_libraries,
    encode_length,
    load_libraries,
    unpack_lzf,
)


def sealed(body: bytes, version: int = VERSION) -> bytes:
    """Return a dump with this body and a valid checksum."""
    text = body + version.to_bytes(2, "little")
    return text + crc64(text).to_bytes(8, "little")


def test_checksum() -> None:
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_dump_is_read_again(codes: list[bytes]) -> None:
    assert load_libraries(dump_libraries(codes)) == codes


@pytest.mark.parametrize("size", [0, 63, 64, 16_383, 16_384, 70_000])
def test_long_code(size: int) -> None:
    assert load_libraries(dump_libraries([b"x" * size])) == [b"x" * size]


def test_length_of_64_bits() -> None:
    assert encode_length(1 << 32) == b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"
    body = bytes((FUNCTION2,)) + b"\x81" + (3).to_bytes(8, "big") + b"abc"
    assert load_libraries(sealed(body)) == [b"abc"]


@pytest.mark.parametrize(
    ("string", "value"),
    [
        (b"\xc0\xff", b"-1"),
        (b"\xc1\x00\x01", b"256"),
        (b"\xc2\x00\x00\x01\x00", b"65536"),
        (b"\xc3\x05\x0a\x00a\xe0\x00\x00", b"aaaaaaaaaa"),
    ],
)
def test_special_strings_of_redis(string: bytes, value: bytes) -> None:
    assert load_libraries(sealed(bytes((FUNCTION2,)) + string)) == [value]


@pytest.mark.parametrize(
    ("dump", "error"),
    [
        (b"", WRONG_FOOTER),
        (sealed(b"")[:-1] + b"x", WRONG_FOOTER),
        (sealed(b"", 12), WRONG_FOOTER),
        (sealed(b"\xf6"), PRE_GA),
        (sealed(b"\x00"), NOT_A_FUNCTION),
        (sealed(b"\xf5\x05abc"), DAMAGED),
        (sealed(b"\xf5\x82"), DAMAGED),
        (sealed(b"\xf5\xc4"), DAMAGED),
        (sealed(b"\xf5\xc3\x01\x05\xe0"), DAMAGED),
        (sealed(b"\xf5\xc3\x02\x05\x00a"), DAMAGED),
    ],
)
def test_damaged_dump_is_refused(dump: bytes, error: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        load_libraries(dump)
    assert caught.value.text == error


def test_dump_without_checksum_is_accepted() -> None:
    """Redis writes a zero if checksums are switched off."""
    assert load_libraries(sealed(b"")[:-8] + bytes(8)) == []


@pytest.mark.parametrize("packed", [b"\x20\x05", b"\x00a\x20\x00"])
def test_copy_from_outside_is_refused(packed: bytes) -> None:
    with pytest.raises(CommandError):
        unpack_lzf(packed, 2)
