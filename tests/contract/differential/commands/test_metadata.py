"""Compare the replies of COMMAND INFO for every command with those of a real redis-server."""

from __future__ import annotations

from typing import cast

import attrs

from crdb.commands.table import COMMANDS
from crdb.engine.command import Command
from tests.crdb.redis_peer import Peer, Reply, Status, decode

SHARED = [c for c in COMMANDS if not c.name.startswith(b"crdb.")]
ALL = SHARED + [child for command in SHARED for child in command.subcommands.values()]
NO_LONGER_NOSCRIPT = (
    b"blmove",
    b"brpoplpush",
    b"blpop",
    b"brpop",
    b"bzpopmin",
    b"bzpopmax",
    b"wait",
)
NOW_LOADING = (b"cluster|shards", b"cluster|slots")
NEW_IN_7_2 = {b"client|no-touch", b"client|setinfo", b"waitaof"}
ARITIES = {
    b"zrank": -3,
    b"zrevrank": -3,
    b"command|getkeys": -3,
    b"command|getkeysandflags": -3,
}


def words(reply: Reply) -> set[str]:
    """Flags or categories out of a reply."""
    return {word.text.decode() for word in cast("list[Status]", reply)}


@attrs.frozen
class Row:
    """What COMMAND INFO tells of a command, as far as it is compared."""

    arity: int
    flags: frozenset[str]
    keys: tuple[int, int, int]
    categories: frozenset[str]


def of_redis(command: Command, told: list[Reply]) -> Row:
    """The server's row, with what 7.2 changed."""
    flags = words(told[2])
    if command.name in NO_LONGER_NOSCRIPT:
        flags.discard("noscript")
    if command.full_name in NOW_LOADING:
        flags.add("loading")
    arity = ARITIES.get(command.full_name, cast("int", told[1]))
    first, last, step = cast("list[int]", told[3:6])
    return Row(arity, frozenset(flags), (first, last, step), frozenset(words(told[6])))


def of_ours(command: Command) -> Row:
    """Our row."""
    keys = (command.first_key, command.last_key, command.key_step)
    categories = frozenset(f"@{category}" for category in command.categories)
    return Row(command.arity, frozenset(command.flags), keys, categories)


def test_a_command_is_what_redis_says(peer: Peer) -> None:
    asked = [[b"COMMAND", b"INFO", command.full_name] for command in ALL]
    told = [decode(raw)[0] for raw in peer.server.run_all(asked)]
    unknown = {command.full_name for command, row in zip(ALL, told, strict=True) if row is None}
    assert unknown <= NEW_IN_7_2
    known = [(command, row) for command, row in zip(ALL, told, strict=True) if row is not None]
    assert {command.full_name: of_ours(command) for command, _ in known} == {
        command.full_name: of_redis(command, row) for command, row in known
    }
