"""Names of regions."""

from __future__ import annotations

import pytest

from replication.protocol.names import is_name


@pytest.mark.parametrize(
    "name", ["us", "eu-west-1", "a.b", "1a", "é", "東京", "x" * 64, "a=b", "a..b"]
)
def test_valid_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "7", "x" * 65, "a b", "a,b", "a\nb", "a\r", "a\tb", "a\x1b[2J", "a\x7f", "a\x00b"),
        *("..", ".", "../../escaped", "a/b", "a\\b", ".hidden", "-x", "--json"),
        *("a\u202eb", "a\u200bb", "a\u00a0b", "\ud800", "a\u2028b", "a\x85b"),
    ],
)
def test_invalid_names(name: str) -> None:
    assert not is_name(name)
