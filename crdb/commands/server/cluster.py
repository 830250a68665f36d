"""CLUSTER and related commands, which are refused: cluster mode is not supported."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.errors import CommandError

COMMANDS: Final[CommandFamily] = CommandFamily("cluster", since="3.0.0")
CLUSTER: Final = COMMANDS.container("cluster", summary="A container for cluster commands.")
CLUSTER.declare_help(since="5.0.0")

NO_CLUSTER: Final = b"ERR This instance has cluster support disabled"
SUMMARY: Final = "Refused: cluster support is disabled."
TIPS: Final = "nondeterministic_output"
HISTORY: Final = ("4.0.0 ids of nodes", "7.0.0 more about the addresses of nodes")


@COMMANDS.declare("asking", "", "fast", summary=SUMMARY, categories="connection")
@COMMANDS.declare("readonly", "", "loading stale fast", summary=SUMMARY, categories="connection")
@COMMANDS.declare("readwrite", "", "loading stale fast", summary=SUMMARY, categories="connection")
@CLUSTER.declare("info", "", "stale", summary=SUMMARY, tips=TIPS)
@CLUSTER.declare("myid", "", "stale", summary=SUMMARY)
@CLUSTER.declare("nodes", "", "stale", summary=SUMMARY, tips=TIPS)
@CLUSTER.declare("shards", "", "loading stale", since="7.0.0", summary=SUMMARY, tips=TIPS)
@CLUSTER.declare(
    "slots",
    "",
    "loading stale",
    summary=SUMMARY,
    tips=TIPS,
    history=HISTORY,
    deprecated="7.0.0 `CLUSTER SHARDS`",
)
def refuse_cluster(_client: Client, _args: list[bytes]) -> None:
    """Refuse, as Redis does without a cluster."""
    raise CommandError(NO_CLUSTER)
