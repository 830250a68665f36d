"""Commands on following: REPLICAOF, SLAVEOF, CRDB.FOLLOW, ROLE and CRDB.PORT.

`REPLICAOF host port` makes the instance a read-only copy of another, `REPLICAOF NO ONE` ends that
and keeps the data. CRDB.FOLLOW names several sources (section 20 of the specification).
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.environment.follow_control import Address, CannotBeFollower, FollowControl
from crdb.engine.errors import CommandError, one_line, wrong_arity
from crdb.resp import reply
from crdb.resp.numbers import parse_integer

COMMANDS: Final[CommandFamily] = CommandFamily("server")


INVALID_PORT: Final = b"ERR Invalid master port"
NOT_SERVED: Final = b"ERR this instance has no links, so it can neither follow nor be followed"
ITSELF: Final = b"ERR an instance cannot follow itself"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
PORT_MAX: Final = 65_535


def require_following(client: Client) -> FollowControl:
    """Return the control of following. Raises CommandError if the instance has no links."""
    control = client.instance.following
    if control is None:
        raise CommandError(NOT_SERVED)
    return control


@COMMANDS.declare(
    "replicaof",
    "<args: host-port: host port | no-one: NO ONE>",
    "admin noscript stale no_async_loading",
    since="5.0.0",
    summary="Makes the instance a read-only copy of another one, or ends that.",
)
@COMMANDS.declare(
    "slaveof",
    "<args: host-port: host port | no-one: NO ONE>",
    "admin noscript stale no_async_loading",
    summary="Makes the instance a read-only copy of another one, or ends that.",
    deprecated="5.0.0 `REPLICAOF`",
)
def replicaof(client: Client, args: list[bytes]) -> None:
    if arguments.is_word(args[1], b"NO") and arguments.is_word(args[2], b"ONE"):
        require_following(client).promote()
        reply.ok(client.out)
    else:
        follow(client, args)


@COMMANDS.declare(
    "crdb.follow",
    "(host port)...",
    "admin noscript stale",
    since="0.1.0",
    summary="Makes the instance a read-only copy of several others.",
    complexity="O(N) where N is the number of sources.",
)
def follow(client: Client, args: list[bytes]) -> None:
    control = require_following(client)
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity(args[0].lower()))
    sources = [parse_address(args[i], args[i + 1]) for i in range(1, len(args), 2)]
    if sources == list(control.sources()):
        reply.simple(client.out, b"OK Already connected to specified master")
        return
    if any(is_self(client, source) for source in sources):
        raise CommandError(ITSELF)
    try:
        control.follow(sources)
    except CannotBeFollower as fault:
        raise CommandError(one_line(b"ERR " + str(fault).encode())) from None
    reply.ok(client.out)


def parse_address(host: bytes, port: bytes) -> Address:
    """Parse the address of one source. Raises CommandError."""
    number = parse_integer(port)
    if number is None or not 0 < number <= PORT_MAX:
        raise CommandError(INVALID_PORT)
    return host.decode("latin-1"), number


def is_self(client: Client, source: Address) -> bool:
    """Return whether an address is plainly that of this instance.

    Following begins with the loss of all data, so the mistake has to be found before.
    """
    host, port = source
    here = client.instance.config.values
    return str(port) == here["port"] and host in {*LOOPBACK, *here["bind"].split()}


@COMMANDS.declare(
    "role",
    "",
    "noscript loading stale fast",
    since="2.8.12",
    summary="Returns the replication role.",
    categories="admin dangerous",
)
def role(client: Client, args: list[bytes]) -> None:
    """Reply with `master`, or with `slave` and the first source."""
    out = client.out
    control = client.instance.following
    sources = () if control is None else control.sources()
    if control is None or not sources:
        reply.array(out, 3)
        reply.bulk(out, b"master")
        reply.integer(out, sum(client.db.vector.values()))
        reply.array(out, 0)
        return
    host, port = sources[0]
    state = control.state()
    reply.array(out, 5)
    reply.bulk(out, b"slave")
    reply.bulk(out, host.encode("latin-1"))
    reply.integer(out, port)
    reply.bulk(out, state.encode())
    reply.integer(out, sum(client.db.vector.values()))


@COMMANDS.declare(
    "crdb.port",
    "",
    "admin loading stale fast no_auth",
    since="0.1.0",
    summary="Returns the port at which this instance accepts links.",
)
def link_port(client: Client, args: list[bytes]) -> None:
    reply.integer(client.out, require_following(client).link_port)
