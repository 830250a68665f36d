"""CLIENT and its subcommands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from crdb.commands.connection.connection import check_name, is_attribute
from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.shared.timeouts import parse_timeout_ms
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.clients.client_line import client_line
from crdb.engine.errors import SYNTAX, CommandError, one_line, printable
from crdb.engine.instance import Instance
from crdb.engine.session import MUTED, SKIP_NEXT, SKIPPING, SUBSCRIBED, UNTOUCHING, Session
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("connection")
CLIENT: Final = COMMANDS.container(
    "client", since="2.4.0", summary="A container for client connection commands."
)
CLIENT.declare_help(since="5.0.0")


NO_SUCH_CLIENT: Final = b"ERR No such client"
INVALID_ID: Final = b"ERR Invalid client ID"
ID_NOT_POSITIVE: Final = b"ERR client-id should be greater than 0"
PAUSE_MODE: Final = b"ERR CLIENT PAUSE mode must be WRITE or ALL"
UNBLOCK_REASON: Final = b"ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
TOO_MANY: Final = b"ERR unknown subcommand or wrong number of arguments for '%b'. Try CLIENT HELP."
LINE_ITEMS: Final = 8
"""A line of CLIENT LIST takes as long as so many items of other work."""
TYPES: Final = frozenset({b"normal", b"slave", b"replica", b"master", b"pubsub"})


@CLIENT.declare(
    "id",
    "",
    "noscript loading stale",
    since="5.0.0",
    summary="Returns the unique id of the connection.",
)
def client_id(client: Client, _args: list[bytes]) -> None:
    reply.integer(client.out, client.id)


@CLIENT.declare(
    "info",
    "",
    "noscript loading stale",
    since="6.2.0",
    summary="Returns information about the connection.",
    tips="nondeterministic_output",
)
def client_info(client: Client, args: list[bytes]) -> None:
    line = client_line(client, client.instance.now, args) + b"\n"
    reply.verbatim(client.out, client.protocol, line)


@CLIENT.declare(
    "getname",
    "",
    "noscript loading stale",
    since="2.6.9",
    summary="Returns the name of the connection.",
)
def client_getname(client: Client, _args: list[bytes]) -> None:
    reply.bulk_or_null(client.out, client.protocol, client.name or None)


@CLIENT.declare(
    "setname",
    "connection-name",
    "noscript loading stale",
    since="2.6.9",
    summary="Sets the connection name.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def client_setname(client: Client, args: list[bytes]) -> None:
    """Set the connection's name. An empty name removes it."""
    check_name(args[2])
    client.name = args[2]
    reply.ok(client.out)


@CLIENT.declare(
    "setinfo",
    "<attr: 'lib-name' libname | 'lib-ver' libver>",
    "noscript loading stale",
    since="7.2.0",
    summary="Sets the name or the version of the client's library.",
    tips="request_policy:all_nodes response_policy:all_succeeded",
)
def client_setinfo(client: Client, args: list[bytes]) -> None:
    option = args[2].lower()
    shown = one_line(printable(args[2], len(args[2])))
    if option not in {b"lib-name", b"lib-ver"}:
        raise CommandError(b"ERR Unrecognized option '%b'" % shown)
    if not is_attribute(args[3]):
        raise CommandError(b"ERR %b cannot contain spaces, newlines or special characters." % shown)
    if option == b"lib-name":
        client.library = args[3]
    else:
        client.library_version = args[3]
    reply.ok(client.out)


@CLIENT.declare(
    "list",
    "[TYPE <client-type: 'normal' | 'master' | 'replica' | 'pubsub'>] [ID client-id...]",
    "admin noscript loading stale sliced",
    summary="Lists open connections.",
    complexity="O(N) where N is the number of client connections",
    tips="nondeterministic_output",
    history=(
        "2.8.12 field id",
        "5.0.0 filter `TYPE`",
        "6.0.0 field user",
        "6.2.0 fields argv-mem, tot-mem, laddr and redir, filter `ID`",
        "7.0.0 fields resp, multi-mem, rbs and rbp",
        "7.0.3 field ssub",
    ),
)
def client_list(client: Client, args: list[bytes]) -> None:
    """List connections, the oldest first."""
    sessions = client.instance.clients
    chosen = list(sessions.values())
    if len(args) == 4 and arguments.is_word(args[2], b"TYPE"):
        kind = type_of_clients(args[3])
        chosen = [session for session in chosen if type_of(session) == kind]
    elif len(args) > 3 and arguments.is_word(args[2], b"ID"):
        wanted = [arguments.integer(argument, INVALID_ID) for argument in args[3:]]
        chosen = [sessions[identity] for identity in wanted if identity in sessions]
    elif len(args) != 2:
        raise CommandError(SYNTAX)
    slicing.run(client, args, len(chosen) * LINE_ITEMS, list_steps(client, args, chosen))


def list_steps(client: Client, args: list[bytes], chosen: list[Session]) -> Iterator[None]:
    """Reply with a line for each of the sessions, as of now or of a moment later."""
    now, part = client.instance.now, max(client.slice_items // LINE_ITEMS, 1)
    lines: list[bytes] = []
    for start in range(0, len(chosen), part):
        if start:
            yield
        for each in chosen[start : start + part]:
            lines += (client_line(each, now, args if each is client else None), b"\n")
    reply.verbatim(client.out, client.protocol, b"".join(lines))


def type_of(session: Session) -> bytes:
    """Return the type of a client."""
    return b"pubsub" if session.flags & SUBSCRIBED else b"normal"


def type_of_clients(kind: bytes) -> bytes:
    """Return a type of clients in lower case. Raises CommandError if there is no such type."""
    if kind.lower() not in TYPES:
        raise CommandError(b"ERR Unknown client type '%b'" % one_line(printable(kind, len(kind))))
    return kind.lower()


@CLIENT.declare(
    "reply",
    "<action: ON | OFF | SKIP>",
    "noscript loading stale",
    since="3.2.0",
    summary="Sets whether the server replies to the client.",
)
def client_reply(client: Client, args: list[bytes]) -> None:
    mode = args[2].lower()
    if mode == b"on":
        client.flags &= ~(MUTED | SKIPPING)
        reply.ok(client.out)
    elif mode == b"off":
        client.flags |= MUTED
    elif mode == b"skip":
        if not client.flags & MUTED:
            client.flags |= SKIP_NEXT
    else:
        raise CommandError(SYNTAX)


def is_on(argument: bytes) -> bool:
    """Return True for ON, False for OFF. Raises CommandError."""
    if argument.lower() not in {b"on", b"off"}:
        raise CommandError(SYNTAX)
    return argument.lower() == b"on"


@CLIENT.declare(
    "no-evict",
    "<enabled: ON | OFF>",
    "admin noscript loading stale",
    since="7.0.0",
    summary="Sets whether the client is exempt from eviction.",
)
def client_no_evict(client: Client, args: list[bytes]) -> None:
    """Store the mode for CLIENT LIST. Clients are not evicted here."""
    client.no_evict = is_on(args[2])
    reply.ok(client.out)


@CLIENT.declare(
    "no-touch",
    "<enabled: ON | OFF>",
    "noscript loading stale",
    since="7.2.0",
    summary="Controls whether the client's reads count as use of keys.",
)
def client_no_touch(client: Client, args: list[bytes]) -> None:
    client.no_touch = is_on(args[2])
    if client.no_touch:
        client.flags |= UNTOUCHING
    else:
        client.flags &= ~UNTOUCHING
    reply.ok(client.out)


@CLIENT.declare(
    "unblock",
    "client-id [unblock-type: TIMEOUT | ERROR]",
    "admin noscript loading stale",
    since="5.0.0",
    summary="Unblocks a waiting client.",
)
def client_unblock(client: Client, args: list[bytes]) -> None:
    if len(args) > 4:
        raise CommandError(TOO_MANY % args[1])
    reason = args[3].lower() if len(args) == 4 else b"timeout"
    if reason not in {b"timeout", b"error"}:
        raise CommandError(UNBLOCK_REASON)
    identity = arguments.integer(args[2])
    is_unblocked = client.instance.blocked.unblock(identity, with_error=reason == b"error")
    reply.integer(client.out, int(is_unblocked))


@CLIENT.declare(
    "kill",
    "<filter: old-format=ip:port | <new-format: [ID client-id]"
    " | [TYPE <client-type: 'normal' | 'master' | 'slave' | 'replica' | 'pubsub'>]"
    " | [USER username] | [ADDR addr=ip:port] | [LADDR laddr=ip:port]"
    " | [SKIPME <skipme: YES | NO>]>...>",
    "admin noscript loading stale",
    summary="Terminates open connections.",
    complexity="O(N) where N is the number of client connections",
    deprecated_arguments=("2.8.12 old-format",),
    history=(
        "2.8.12 filters `TYPE` and others",
        "2.8.12 filter `ID`",
        "3.2.0 type `master`",
        "5.0.0 type `replica`; slave is still accepted",
        "6.2.0 filter `LADDR`",
    ),
)
def client_kill(client: Client, args: list[bytes]) -> None:
    instance = client.instance
    old_form = len(args) == 3
    wanted, skip_me = ([by_address(args[2])], False) if old_form else kill_filters(instance, args)
    doomed = [
        session
        for session in list(instance.clients.values())
        if all(fits(session) for fits in wanted) and not (skip_me and session is client)
    ]
    for session in doomed:
        if session is client:
            client.close_after_reply()
        else:
            instance.kill(session)
    if not old_form:
        reply.integer(client.out, len(doomed))
    elif doomed:
        reply.ok(client.out)
    else:
        raise CommandError(NO_SUCH_CLIENT)


Filter = Callable[[Session], bool]


def by_address(address: bytes) -> Filter:
    """Return a filter for the clients that connected from `address`."""
    return lambda session: session.address == address


def kill_filters(instance: Instance, args: list[bytes]) -> tuple[list[Filter], bool]:
    """Return the filters that CLIENT KILL's options name, and whether to spare the caller."""
    wanted: list[Filter] = []
    skip_me = True
    for at in range(2, len(args), 2):
        option = args[at].lower()
        if at + 1 == len(args):
            raise CommandError(SYNTAX)
        value = args[at + 1]
        if option == b"id":
            identity = arguments.positive(value, ID_NOT_POSITIVE)
            if identity == 0:
                raise CommandError(ID_NOT_POSITIVE)
            wanted.append(lambda session, identity=identity: session.id == identity)
        elif option == b"type":
            kind = type_of_clients(value)
            wanted.append(lambda session, kind=kind: type_of(session) == kind)
        elif option == b"addr":
            wanted.append(by_address(value))
        elif option == b"laddr":
            wanted.append(lambda session, value=value: session.local_address == value)
        elif option == b"user":
            if instance.access.users.find(value) is None:
                shown = one_line(printable(value, len(value)))
                raise CommandError(b"ERR No such user '%b'" % shown)
            wanted.append(lambda session, value=value: session.user == value)
        elif option == b"skipme" and value.lower() in {b"yes", b"no"}:
            skip_me = value.lower() == b"yes"
        else:
            raise CommandError(SYNTAX)
    return wanted, skip_me


@CLIENT.declare(
    "pause",
    "timeout:integer [mode: WRITE | ALL]",
    "admin noscript loading stale",
    since="3.0.0",
    summary="Delays the requests of clients for a time.",
    history=("6.2.0 argument `mode`",),
)
def client_pause(client: Client, args: list[bytes]) -> None:
    if len(args) > 4:
        raise CommandError(TOO_MANY % args[1])
    mode = args[3].upper() if len(args) == 4 else b"ALL"
    if mode not in {b"WRITE", b"ALL"}:
        raise CommandError(PAUSE_MODE)
    ms = parse_timeout_ms(args[2])
    instance = client.instance
    instance.pause.begin(instance.now + ms, holds_reads=mode == b"ALL")
    instance.pause.expire(instance.now)
    reply.ok(client.out)


@CLIENT.declare(
    "unpause",
    "",
    "admin noscript loading stale",
    since="6.2.0",
    summary="Ends the delay of requests.",
)
def client_unpause(client: Client, _args: list[bytes]) -> None:
    client.instance.pause.end()
    reply.ok(client.out)
