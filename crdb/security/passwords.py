"""Passwords as users keep them: SHA-256 in lower-case hexadecimal digits."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

_HASH: Final = re.compile(rb"[0-9a-f]{64}")


def hash_password(password: bytes) -> bytes:
    """Return the hash of a password.

    >>> hash_password(b"")[:16]
    b'e3b0c44298fc1c14'
    """
    return hashlib.sha256(password).hexdigest().encode()


def is_password_hash(text: bytes) -> bool:
    """Return whether `text` has the form of a hash."""
    return _HASH.fullmatch(text) is not None


def is_among(password: bytes, hashes: Iterable[bytes]) -> bool:
    """Return whether `password` has one of these hashes (AUTH-3).

    The time does not depend on the place where two hashes differ, nor on which one is equal.
    """
    given = hash_password(password)
    is_equal = False
    for each in hashes:
        is_equal |= hmac.compare_digest(given, each)
    return is_equal
