"""Commands of features that are not here, as far as their answers are true: no modules, no cluster,
no users but one."""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import Command, Handler
from crdb.engine.errors import CommandError
from crdb.engine.help import send_help
from crdb.engine.instance import REDIS_VERSION
from crdb.resp import reply

NO_CLUSTER: Final = b"ERR This instance has cluster support disabled"
CLUSTER_HELP: Final = (
    "INFO | MYID | NODES | SHARDS | SLOTS",
    "    Refused: this instance has cluster support disabled.",
)
MODULE_HELP: Final = ("LIST", "    Return the modules: there are none.")
ACL_HELP: Final = ("WHOAMI", "    Return the name of the user of this connection.")


def module_list(client: Client, _args: list[bytes]) -> None:
    """MODULE LIST."""
    reply.array(client.out, 0)


def cluster(_client: Client, _args: list[bytes]) -> None:
    """Reply as CLUSTER does without a cluster."""
    raise CommandError(NO_CLUSTER)


def whoami(client: Client, _args: list[bytes]) -> None:
    """ACL WHOAMI."""
    reply.bulk(client.out, client.user)


def lolwut(client: Client, _args: list[bytes]) -> None:
    """LOLWUT: the version, without a picture."""
    text = f"Redis ver. {REDIS_VERSION}\n".encode()
    reply.verbatim(client.out, client.protocol, text)


def module_help(client: Client, _args: list[bytes]) -> None:
    """MODULE HELP."""
    send_help(client, b"MODULE", MODULE_HELP)


def cluster_help(client: Client, _args: list[bytes]) -> None:
    """CLUSTER HELP."""
    send_help(client, b"CLUSTER", CLUSTER_HELP)


def acl_help(client: Client, _args: list[bytes]) -> None:
    """ACL HELP."""
    send_help(client, b"ACL", ACL_HELP)


def row(name: str, handler: Handler, flags: str, facts: str) -> Command:
    """Return a subcommand without arguments. `facts` are its version and its summary."""
    since, _, summary = facts.partition(" ")
    group = "cluster" if handler in {cluster, cluster_help} else "server"
    return Command(
        name, handler, 2, flags, group=group, since=since, summary=summary, complexity="O(1)"
    )


DISABLED: Final = "Refused: cluster support is disabled."
HELPFUL: Final = "Returns helpful text about subcommands."

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "acl", None, -2, since="6.0.0", summary="A container for user commands.",
        subcommands=(
            row("help", acl_help, "loading stale", f"6.0.0 {HELPFUL}"),
            row("whoami", whoami, "noscript loading stale", "6.0.0 Returns the user's name."),
        ),
    ),
    Command(
        "asking", cluster, 1, "fast", group="cluster", since="3.0.0", summary=DISABLED,
        complexity="O(1)", categories="connection",
    ),
    Command(
        "cluster", None, -2, group="cluster", since="3.0.0",
        summary="A container for cluster commands.",
        subcommands=(
            row("help", cluster_help, "loading stale", f"5.0.0 {HELPFUL}"),
            row("info", cluster, "stale", f"3.0.0 {DISABLED}"),
            row("myid", cluster, "stale", f"3.0.0 {DISABLED}"),
            row("nodes", cluster, "stale", f"3.0.0 {DISABLED}"),
            row("shards", cluster, "loading stale", f"7.0.0 {DISABLED}"),
            row("slots", cluster, "loading stale", f"3.0.0 {DISABLED}"),
        ),
    ),
    Command(
        "lolwut", lolwut, -1, "readonly fast", since="5.0.0",
        summary="Returns the version.", complexity="O(1)",
    ),
    Command(
        "module", None, -2, since="4.0.0", summary="A container for module commands.",
        subcommands=(
            row("help", module_help, "loading stale", f"5.0.0 {HELPFUL}"),
            row("list", module_list, "admin noscript", "4.0.0 Returns the modules: none."),
        ),
    ),
    Command(
        "readonly", cluster, 1, "loading stale fast", group="cluster", since="3.0.0",
        summary=DISABLED, complexity="O(1)", categories="connection",
    ),
    Command(
        "readwrite", cluster, 1, "loading stale fast", group="cluster", since="3.0.0",
        summary=DISABLED, complexity="O(1)", categories="connection",
    ),
)  # fmt: skip
