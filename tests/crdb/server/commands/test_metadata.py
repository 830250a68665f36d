"""What COMMAND INFO tells of each command: as a real server does, but for what 7.2 changed."""

from __future__ import annotations

from typing import cast

import pytest

from crdb.server.registry import COMMANDS
from crdb.server.table import Command
from tests.crdb.redis_peer import Peer, Reply, Status, decode

SHARED = [c for c in COMMANDS if not c.name.startswith(b"crdb.")]
ALL = SHARED + [child for command in SHARED for child in command.subcommands.values()]
NO_LONGER_NOSCRIPT = (b"blmove", b"brpoplpush", b"blpop", b"brpop", b"bzpopmin", b"bzpopmax")
ARITIES = {
    b"zrank": -3,
    b"zrevrank": -3,
    b"command|getkeys": -3,
    b"command|getkeysandflags": -3,
}


def words(reply: Reply) -> set[str]:
    """Flags or categories out of a reply."""
    return {word.text.decode() for word in cast("list[Status]", reply)}


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.full_name.decode())
def test_a_command_is_what_redis_says(peer: Peer, command: Command) -> None:
    row = decode(peer.server.run([b"COMMAND", b"INFO", command.full_name]))[0]
    if row is None:
        pytest.skip("this redis-server is too old to know it")
    flags = words(row[2])
    if command.name in NO_LONGER_NOSCRIPT:
        flags.discard("noscript")
    arity = ARITIES.get(command.full_name, row[1])
    assert (command.arity, set(command.flags)) == (arity, flags)
    assert [command.first_key, command.last_key, command.key_step] == row[3:6]
    assert {f"@{category}" for category in command.categories} == words(row[6])


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.full_name.decode())
def test_a_command_tells_about_itself(command: Command) -> None:
    assert command.summary.endswith(".")
    assert command.complexity
    assert command.since
