"""Scripts for the model of a single Redis: commands and their exact replies.

A line is a command, `=>`, and the reply as a Python literal, or the code of an error. `replay` runs
each line in the model and in the server. Both must give this reply, and hold the same values after.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from random import Random
from typing import Any, Final

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from sim.checkers.clients.commands import plain, read_item
from sim.nodes.client import SimClient
from sim.redis.commands import COMMANDS, execute, is_expected, keys_of
from sim.redis.state import AnyOrder, CommandFailure, RedisModel

CLOCK: Final = 1_000
ERRORS: Final = frozenset({"ERR", "WRONGTYPE"})
BLOCKING: Final = frozenset(
    {"BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT"}
)


def replay(script: str) -> None:
    """Run a script. Raises AssertionError at the first line that differs."""
    instance = Instance(Replica(1), build_table(), rng=Random(0))
    instance.advance(CLOCK)
    sim_client = SimClient(instance)
    model = RedisModel({}, CLOCK)
    for line in filter(None, map(str.strip, script.splitlines())):
        command, _, wanted = line.partition(" => ")
        words = [word.strip("'") for word in command.split(" ")]
        found = ask(sim_client, words)
        expected = execute(model, words, found)
        assert is_expected(expected, found), f"{line}: the model replies {expected}, not {found}"
        if wanted in ERRORS:
            assert isinstance(found, CommandFailure), f"{line}: {found}"
            assert found.code == wanted, f"{line}: {found}"
        elif isinstance(expected, AnyOrder):
            assert expected.equals(ast.literal_eval(wanted)), f"{line}: {found}"
        else:
            assert found == ast.literal_eval(wanted), f"{line}: {found}"
        for key in keys_of(words):
            assert read_item(instance.keyspace, key) == model.items.get(key), line


def ask(sim_client: SimClient, words: list[str]) -> Any:
    """Return the server's reply. A blocking command is sent in a transaction."""
    if words[0] in BLOCKING:
        return plain(sim_client.send_commands(["MULTI"], words, ["EXEC"])[-1])[0]
    (reply,) = sim_client.send_commands(words)
    return plain(reply)


def commands_in(*scripts: str) -> set[str]:
    """Return the names of the commands in scripts."""
    return {line.split()[0] for script in scripts for line in script.splitlines() if line.strip()}


def check_complete(table: Collection[str], *scripts: str) -> None:
    """Check that scripts have all commands of a table, which the model knows."""
    assert set(table) <= set(COMMANDS)
    assert set(table) <= commands_in(*scripts), set(table) - commands_in(*scripts)
