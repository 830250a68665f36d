"""Compare COMMAND about categories, tips and history with those of a real redis-server."""

from __future__ import annotations

from typing import cast

from crdb.commands.declare.command_facts import TIPS
from crdb.commands.table import build_table
from tests.crdb.redis_peer import Peer, decode

NAMES = {command.full_name.decode(): command for command in build_table().everything()}
CHANGED = """
client|setname config|resetstat config|rewrite config|set latency|reset msetnx randomkey scan
"""
"""By version 7.2: what 7.0 says of these is older."""


def test_tips_are_those_of_redis(peer: Peer) -> None:
    asked = [[b"COMMAND", b"INFO", name.encode()] for name in NAMES]
    rows = [decode(raw)[0] for raw in peer.server.run_all(asked)]
    theirs = {
        name: [tip.decode() for tip in cast("list[bytes]", row[7])]
        for name, row in zip(NAMES, rows, strict=True)
        if row is not None
    }
    different = {name for name, tips in theirs.items() if tips != TIPS.get(name, [])}
    assert different <= set(CHANGED.split())
