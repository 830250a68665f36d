"""MOVE and SWAPDB, which concern several databases. There is only one, with index 0."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared.database_index import check_database
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SAME_OBJECT, CommandError
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("generic")
SERVER_COMMANDS: Final[CommandFamily] = CommandFamily("server")
NOT_FIRST: Final = b"ERR invalid first DB index"
NOT_SECOND: Final = b"ERR invalid second DB index"


@COMMANDS.declare(
    "move",
    "key db:integer",
    "write fast",
    keys="RW access update",
    summary="Refused: a key cannot be moved to another database, as there is only one.",
)
def move(_client: Client, args: list[bytes]) -> None:
    check_database(args[2])
    raise CommandError(SAME_OBJECT)


@SERVER_COMMANDS.declare(
    "swapdb",
    "index1:integer index2:integer",
    "write fast",
    since="4.0.0",
    summary="Swaps two databases. As there is only one, it does nothing.",
    categories="keyspace dangerous",
)
def swapdb(client: Client, args: list[bytes]) -> None:
    for argument, error in ((args[1], NOT_FIRST), (args[2], NOT_SECOND)):
        arguments.integer(argument, error)
    for argument in args[1:]:
        check_database(argument)
    reply.ok(client.out)
