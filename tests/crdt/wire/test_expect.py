"""Errors for arguments of a wrong type."""

from __future__ import annotations

import pytest

from crdt.wire.expect import expect


def test_right_type_passes() -> None:
    expect(b"x", bytes)
    expect(True, int)


def test_wrong_type_is_named_with_hint() -> None:
    with pytest.raises(TypeError, match=r"^expected bytes, not str$"):
        expect("x", bytes)
    with pytest.raises(TypeError, match=r"^expected str, not int: use repr$"):
        expect(1, str, "use repr")
