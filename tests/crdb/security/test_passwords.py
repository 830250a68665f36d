"""Test the hashes of passwords."""

from __future__ import annotations

from hashlib import sha256

import pytest

from crdb.security.passwords import hash_password, is_among, is_password_hash


def test_hash_is_sha256_in_lower_case() -> None:
    assert hash_password(b"pass\x00word") == sha256(b"pass\x00word").hexdigest().encode()


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        (b"0123456789abcdef" * 4, True),
        (b"0123456789ABCDEF" * 4, False),
        (b"0" * 63, False),
        (b"0" * 65, False),
        (b"g" * 64, False),
        (b"0" * 64 + b"\n", False),
    ],
)
def test_hash_has_64_lower_case_digits(text: bytes, is_valid: bool) -> None:
    assert is_password_hash(text) is is_valid


@pytest.mark.rule("AUTH-3")
def test_password_is_compared_with_every_hash() -> None:
    hashes = [hash_password(word) for word in (b"a", b"b")]
    assert [is_among(word, hashes) for word in (b"a", b"b", b"c", b"")] == [
        True,
        True,
        False,
        False,
    ]
    assert not is_among(b"a", [])
