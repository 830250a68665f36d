"""CLIENT and its subcommands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.commands.connection.connection import DEFAULT_USER, check_name, is_attribute
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.command import Command, Handler
from crdb.engine.errors import SYNTAX, TIMEOUT_NEGATIVE, CommandError, one_line, printable
from crdb.engine.help import send_help
from crdb.engine.session import (
    BLOCKED,
    CLOSING,
    IN_TRANSACTION,
    KILLED,
    MONITORING,
    MUTED,
    POSTPONED,
    SKIP_NEXT,
    SKIPPING,
    UNTOUCHING,
    Session,
)
from crdb.resp import reply
from crdb.resp.numbers import parse_integer

NO_SUCH_CLIENT: Final = b"ERR No such client"
INVALID_ID: Final = b"ERR Invalid client ID"
ID_NOT_POSITIVE: Final = b"ERR client-id should be greater than 0"
NO_TRACKING: Final = (
    b"ERR CLIENT TRACKING ON is not supported by crdb: there is no client-side caching"
)
NOT_TRACKED: Final = (
    b"ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or"
    b" OPTOUT mode enabled"
)
NOT_A_TIMEOUT: Final = b"ERR timeout is not an integer or out of range"
PAUSE_MODE: Final = b"ERR CLIENT PAUSE mode must be WRITE or ALL"
PAUSE_MS_MAX: Final = 1 << 48
UNBLOCK_REASON: Final = b"ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
TOO_MANY: Final = b"ERR unknown subcommand or wrong number of arguments for '%b'. Try CLIENT HELP."
ADMINISTRATION: Final = frozenset({"kill", "list", "no-evict", "pause", "unblock", "unpause"})
TYPES: Final = frozenset({b"normal", b"slave", b"replica", b"master", b"pubsub"})

HELP: Final = (
    "CACHING (YES|NO)",
    "    Refused: there is no tracking.",
    "GETNAME",
    "    The name of this connection.",
    "GETREDIR",
    "    -1: there is no tracking.",
    "ID",
    "    The id of this connection.",
    "INFO",
    "    What is known about this connection.",
    "KILL <ip:port>",
    "    Close the connection from there.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Close connections that fit all of ID, ADDR, LADDR, TYPE and USER; SKIPME (YES|NO).",
    "LIST [TYPE <type> | ID <id> [<id> ...]]",
    "    What is known about connections, a line each.",
    "NO-EVICT (ON|OFF)",
    "    Keep this connection when clients are evicted.",
    "NO-TOUCH (ON|OFF)",
    "    Do not let reads of this connection count as use of a key.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Let requests of all clients, or those that write, wait for so many milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Whether this connection gets replies.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Tell which library this connection uses.",
    "SETNAME <name>",
    "    Name this connection.",
    "TRACKING (ON|OFF)",
    "    ON is refused: there is no client-side caching.",
    "TRACKINGINFO",
    "    That tracking is off.",
    "UNPAUSE",
    "    Let waiting requests go on.",
    "UNBLOCK <client-id> [TIMEOUT|ERROR]",
    "    End the wait of a client in a blocking command.",
)


def describe(session: Session, now: int, request: list[bytes] | None = None) -> bytes:
    """Return one line of CLIENT LIST, without its end. `request` is what this very client asks now.

    There is no fixed reply buffer, so its fields (rbs, rbp, obl) are 0, and there is no spare space
    behind what has been read (qbuf-free).
    """
    letters = (
        (b"O" if session.flags & MONITORING else b"")
        + (b"x" if session.flags & IN_TRANSACTION else b"")
        + (b"b" if session.flags & (BLOCKED | POSTPONED) else b"")
        + (b"d" if session.dirty else b"")
        + (b"c" if session.flags & CLOSING else b"")
        + (b"A" if session.flags & KILLED else b"")
        + (b"e" if session.no_evict else b"")
        + (b"T" if session.no_touch else b"")
    )
    queued = len(session.queue) if session.flags & IN_TRANSACTION else -1
    args = session.postponed or request or []
    argument_bytes = sum(map(len, args))
    pending = session.parser.pending + (encoded_bytes(args) if args else 0)
    events = b"rw" if session.output_bytes else b"r"
    return (
        b"id=%d addr=%b laddr=%b fd=%d name=%b age=%d idle=%d flags=%b db=0 sub=0 psub=0 ssub=0"
        b" multi=%d qbuf=%d qbuf-free=0 argv-mem=%d multi-mem=%d rbs=0 rbp=0 obl=0 oll=%d omem=%d"
        b" tot-mem=%d events=%b cmd=%b user=%b redir=-1 resp=%d lib-name=%b lib-ver=%b"
    ) % (
        session.id,
        session.address,
        session.local_address,
        session.fd,
        session.name,
        (now - session.created_at) // 1000,
        (now - session.active_at) // 1000,
        letters or b"N",
        queued,
        pending,
        argument_bytes,
        session.queue_bytes,
        len(session.out),
        session.output_bytes,
        session.memory_bytes + argument_bytes,
        events,
        session.last_command,
        session.user,
        session.protocol,
        session.library,
        session.library_version,
    )


def encoded_bytes(args: list[bytes]) -> int:
    """Return how long a request is as clients send it."""
    headers = len(b"*%d\r\n" % len(args)) + sum(len(b"$%d\r\n\r\n" % len(arg)) for arg in args)
    return headers + sum(map(len, args))


def client_id(client: Client, _args: list[bytes]) -> None:
    """The number of this connection."""
    reply.integer(client.out, client.id)


def client_info(client: Client, args: list[bytes]) -> None:
    """What is known about this connection."""
    line = describe(client, client.instance.now, args) + b"\n"
    reply.verbatim(client.out, client.protocol, line)


def client_getname(client: Client, _args: list[bytes]) -> None:
    """The name of this connection."""
    reply.bulk_or_null(client.out, client.protocol, client.name or None)


def client_setname(client: Client, args: list[bytes]) -> None:
    """Name this connection; the empty name is none."""
    check_name(args[2])
    client.name = args[2]
    reply.ok(client.out)


def client_setinfo(client: Client, args: list[bytes]) -> None:
    """Tell which library this connection uses."""
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


def client_list(client: Client, args: list[bytes]) -> None:
    """What is known about connections, the oldest first."""
    sessions = client.instance.clients
    chosen = list(sessions.values())
    if len(args) == 4 and arguments.is_word(args[2], b"TYPE"):
        chosen = chosen if is_normal(args[3]) else []
    elif len(args) > 3 and arguments.is_word(args[2], b"ID"):
        wanted = [arguments.integer(argument, INVALID_ID) for argument in args[3:]]
        chosen = [sessions[identity] for identity in wanted if identity in sessions]
    elif len(args) != 2:
        raise CommandError(SYNTAX)
    now = client.instance.now
    lines = [describe(each, now, args if each is client else None) for each in chosen]
    text = b"".join(line + b"\n" for line in lines)
    reply.verbatim(client.out, client.protocol, text)


def is_normal(kind: bytes) -> bool:
    """Whether `kind` is that of all our clients. Raises CommandError if there is no such type."""
    if kind.lower() not in TYPES:
        raise CommandError(b"ERR Unknown client type '%b'" % one_line(printable(kind, len(kind))))
    return kind.lower() == b"normal"


def client_reply(client: Client, args: list[bytes]) -> None:
    """Whether this connection gets replies."""
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
    """ON or OFF. Raises CommandError."""
    if argument.lower() not in {b"on", b"off"}:
        raise CommandError(SYNTAX)
    return argument.lower() == b"on"


def client_no_evict(client: Client, args: list[bytes]) -> None:
    """Kept and shown; clients are not evicted here."""
    client.no_evict = is_on(args[2])
    reply.ok(client.out)


def client_no_touch(client: Client, args: list[bytes]) -> None:
    """Return whether reads of this connection count as use of a key."""
    client.no_touch = is_on(args[2])
    if client.no_touch:
        client.flags |= UNTOUCHING
    else:
        client.flags &= ~UNTOUCHING
    reply.ok(client.out)


def client_unblock(client: Client, args: list[bytes]) -> None:
    """End the wait of a client in a blocking command."""
    if len(args) > 4:
        raise CommandError(TOO_MANY % args[1])
    reason = args[3].lower() if len(args) == 4 else b"timeout"
    if reason not in {b"timeout", b"error"}:
        raise CommandError(UNBLOCK_REASON)
    identity = arguments.integer(args[2])
    is_unblocked = client.instance.blocked.unblock(identity, with_error=reason == b"error")
    reply.integer(client.out, int(is_unblocked))


def client_kill(client: Client, args: list[bytes]) -> None:
    """Close connections."""
    instance = client.instance
    old_form = len(args) == 3
    wanted, skip_me = ([by_address(args[2])], False) if old_form else kill_filters(args)
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
    """Those who came from `address`."""
    return lambda session: session.address == address


def kill_filters(args: list[bytes]) -> tuple[list[Filter], bool]:
    """What CLIENT KILL's options ask for, and whether to spare the caller."""
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
            normal = is_normal(value)
            wanted.append(lambda _session, normal=normal: normal)
        elif option == b"addr":
            wanted.append(by_address(value))
        elif option == b"laddr":
            wanted.append(lambda session, value=value: session.local_address == value)
        elif option == b"user":
            if value != DEFAULT_USER:
                shown = one_line(printable(value, len(value)))
                raise CommandError(b"ERR No such user '%b'" % shown)
        elif option == b"skipme" and value.lower() in {b"yes", b"no"}:
            skip_me = value.lower() == b"yes"
        else:
            raise CommandError(SYNTAX)
    return wanted, skip_me


def client_pause(client: Client, args: list[bytes]) -> None:
    """CLIENT PAUSE timeout [WRITE | ALL]: let requests wait."""
    if len(args) > 4:
        raise CommandError(TOO_MANY % args[1])
    mode = args[3].upper() if len(args) == 4 else b"ALL"
    if mode not in {b"WRITE", b"ALL"}:
        raise CommandError(PAUSE_MODE)
    ms = parse_integer(args[2])
    if ms is None or ms > PAUSE_MS_MAX:
        raise CommandError(NOT_A_TIMEOUT)
    if ms < 0:
        raise CommandError(TIMEOUT_NEGATIVE)
    instance = client.instance
    instance.pause.begin(instance.now + ms, holds_reads=mode == b"ALL")
    instance.pause.expire(instance.now)
    reply.ok(client.out)


def client_unpause(client: Client, _args: list[bytes]) -> None:
    """CLIENT UNPAUSE: let requests go on."""
    client.instance.pause.end()
    reply.ok(client.out)


def client_tracking(client: Client, args: list[bytes]) -> None:
    """CLIENT TRACKING: OFF is true; ON is refused."""
    if is_on(args[2]):
        raise CommandError(NO_TRACKING)
    reply.ok(client.out)


def client_caching(_client: Client, _args: list[bytes]) -> None:
    """CLIENT CACHING: refused, as by Redis without tracking."""
    raise CommandError(NOT_TRACKED)


def client_trackinginfo(client: Client, _args: list[bytes]) -> None:
    """CLIENT TRACKINGINFO: off."""
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, 3)
    reply.bulk(out, b"flags")
    reply.set_header(out, protocol, 1)
    reply.bulk(out, b"off")
    reply.bulk(out, b"redirect")
    reply.integer(out, -1)
    reply.bulk(out, b"prefixes")
    reply.array(out, 0)


def client_getredir(client: Client, _args: list[bytes]) -> None:
    """CLIENT GETREDIR: -1, without tracking."""
    reply.integer(client.out, -1)


def client_help(client: Client, _args: list[bytes]) -> None:
    """What there is."""
    send_help(client, b"CLIENT", HELP)


def row(name: str, handler: Handler, arity: int, since: str, summary: str) -> Command:
    """A subcommand of CLIENT."""
    if name == "help":
        flags = "loading stale"
    elif name in ADMINISTRATION:
        flags = "admin noscript loading stale"
    else:
        flags = "noscript loading stale"
    return Command(
        name,
        handler,
        arity,
        flags,
        categories="connection",
        group="connection",
        since=since,
        summary=summary,
        complexity="O(N) where N is the number of client connections"
        if name in {"kill", "list"}
        else "O(1)",
    )


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "client",
        None,
        -2,
        group="connection",
        since="2.4.0",
        summary="A container for client connection commands.",
        subcommands=(
            row("caching", client_caching, 3, "6.0.0", "Refused: there is no tracking."),
            row("getredir", client_getredir, 2, "6.0.0", "Returns -1: there is no tracking."),
            row("getname", client_getname, 2, "2.6.9", "Returns the name of the connection."),
            row("help", client_help, 2, "5.0.0", "Returns helpful text about subcommands."),
            row("id", client_id, 2, "5.0.0", "Returns the unique id of the connection."),
            row("info", client_info, 2, "6.2.0", "Returns information about the connection."),
            row("kill", client_kill, -3, "2.4.0", "Terminates open connections."),
            row("list", client_list, -2, "2.4.0", "Lists open connections."),
            row("no-evict", client_no_evict, 3, "7.0.0", "Sets the eviction mode."),
            row("no-touch", client_no_touch, 3, "7.2.0", "Controls whether reads mark keys."),
            row("pause", client_pause, -3, "3.0.0", "Lets requests of clients wait."),
            row("reply", client_reply, 3, "3.2.0", "Instructs the server whether to reply."),
            row("setinfo", client_setinfo, 4, "7.2.0", "Tells about the client's library."),
            row("setname", client_setname, 3, "2.6.9", "Sets the connection name."),
            row("tracking", client_tracking, -3, "6.0.0", "Refuses tracking of keys."),
            row("trackinginfo", client_trackinginfo, 2, "6.2.0", "Returns that tracking is off."),
            row("unpause", client_unpause, 2, "6.2.0", "Lets waiting requests go on."),
            row("unblock", client_unblock, -3, "5.0.0", "Unblocks a waiting client."),
        ),
    ),
)
