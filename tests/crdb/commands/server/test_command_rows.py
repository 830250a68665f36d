"""Rows of COMMAND INFO. The differential tests compare every field."""

from __future__ import annotations

from typing import Any

import pytest

from crdb.engine.client import Client
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode


def row_of(name: str) -> list[Any]:
    """Return the row of one command."""
    [reply] = lines(Client(instance()), f"COMMAND INFO {name}")
    [row] = decode(reply)
    return row


def test_unknown_command_has_no_row() -> None:
    assert row_of("nothing") is None


def test_row_of_container_holds_its_subcommands() -> None:
    assert [child[0] for child in row_of("memory")[9]] == [
        b"memory|doctor",
        b"memory|help",
        b"memory|malloc-stats",
        b"memory|purge",
        b"memory|stats",
        b"memory|usage",
    ]
    assert row_of("get")[9] == []


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("mset", [b"range"]),
        ("zunionstore", [b"range", b"keynum"]),
        ("sort", [b"range", b"unknown", b"unknown"]),
        ("georadius", [b"range", b"range", b"range"]),
    ],
)
def test_kinds_of_key_specifications(name: str, kinds: list[bytes]) -> None:
    specs = [dict(zip(spec[::2], spec[1::2], strict=True)) for spec in row_of(name)[8]]
    assert [spec[b"find_keys"][1] for spec in specs] == kinds


def test_note_belongs_to_its_specification() -> None:
    specs = [dict(zip(spec[::2], spec[1::2], strict=True)) for spec in row_of("sort")[8]]
    notes = [spec.get(b"notes") for spec in specs]
    assert notes[0] is None
    assert notes[1] == b"Keys of BY and GET depend on the elements."
    assert notes[2] == b"The key of STORE may stand anywhere."
