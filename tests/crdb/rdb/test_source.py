"""Lengths, strings and scores."""

from __future__ import annotations

import math

import pytest

from crdb.rdb.encoder import encode_length
from crdb.rdb.errors import RdbError
from crdb.rdb.source import RdbSource, parse_score


@pytest.mark.parametrize("size", [0, 63, 64, 16383, 16384, (1 << 32) - 1, 1 << 32, 1 << 40])
def test_length_is_what_was_encoded(size: int) -> None:
    assert RdbSource(encode_length(size)).length() == size


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x03abc", b"abc"),
        (b"\xc0\xff", b"-1"),
        (b"\xc1\x00\x01", b"256"),
        (b"\xc2\x00\x00\x00\x80", b"-2147483648"),
        (b"\xc3\x05\x0a\x00a\xe0\x00\x00", b"a" * 10),
    ],
)
def test_string_has_several_forms(data: bytes, text: bytes) -> None:
    source = RdbSource(data)
    assert source.string() == text
    assert source.at == len(data)


@pytest.mark.parametrize("data", [b"", b"\x03ab", b"\x82", b"\xc4", b"\xc0", b"\x81\0", b"\xff"])
def test_damaged_strings_are_refused(data: bytes) -> None:
    with pytest.raises(RdbError):
        RdbSource(data).string()


def test_encoding_is_no_length() -> None:
    with pytest.raises(RdbError):
        RdbSource(b"\xc0\x01").length()


def test_old_scores_are_texts() -> None:
    assert RdbSource(b"\x031.5").old_score() == 1.5
    assert RdbSource(b"\xff").old_score() == -math.inf
    assert RdbSource(b"\xfe").old_score() == math.inf
    assert math.isnan(RdbSource(b"\xfd").old_score())
    with pytest.raises(RdbError):
        parse_score(b"x")
