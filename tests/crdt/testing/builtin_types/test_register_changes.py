"""The changes of commands by register."""

from __future__ import annotations

import pytest

from crdt.testing.builtin_types.commands import command
from crdt.testing.builtin_types.register_changes import (
    ChangesOf,
    RegisterChange,
    hash_changes,
    set_changes,
    string_changes,
    zset_changes,
)


@pytest.mark.parametrize(
    ("changes_of", "text", "expected"),
    [
        (string_changes, "SET k a", {"": ("write", "a")}),
        (string_changes, "DEL k", {}),
        (hash_changes, "HSET k f 1 g 2", {"f": ("write", "1"), "g": ("write", "2")}),
        (hash_changes, "HINCRBY k f 2", {"f": ("add", 2)}),
        (hash_changes, "HANEW k f 2", {"f": ("anew", 2)}),
        (hash_changes, "HDEL k f", {"f": ("remove", None)}),
        (zset_changes, "ZADD k m 1", {"m": ("write", 1.0)}),
        (set_changes, "SREM k m", {"m": ("remove", None)}),
    ],
)
def test_changes_by_register(
    changes_of: ChangesOf, text: str, expected: dict[str, RegisterChange]
) -> None:
    assert changes_of(command(text)) == expected
