"""Commands about the connection itself: HELLO, AUTH, PING, ECHO, SELECT, QUIT, RESET."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared.database_index import check_database
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.clients.watch import discard
from crdb.engine.errors import SYNTAX, CommandError, one_line, printable, wrong_arity
from crdb.engine.events.operator_events import WrongPasswordEvent
from crdb.engine.instance import REDIS_VERSION
from crdb.engine.session import IN_TRANSACTION, MUTED, SKIP_NEXT, SUBSCRIBED, UNTOUCHING
from crdb.resp import reply
from crdb.security.user import DEFAULT_USER

COMMANDS: Final[CommandFamily] = CommandFamily("connection")


NO_PROTOCOL: Final = b"NOPROTO unsupported protocol version"
PROTOCOL_NOT_AN_INTEGER: Final = b"ERR Protocol version is not an integer or out of range"
HELLO_NO_AUTH: Final = (
    b"NOAUTH HELLO must be called with the client already authenticated, otherwise the "
    b"HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
    b"select the RESP protocol version at the same time"
)
WRONG_PASSWORD: Final = b"WRONGPASS invalid username-password pair or user is disabled."
NO_PASSWORD: Final = (
    b"ERR AUTH <password> called without any password configured for the default user. "
    b"Are you sure your configuration is correct?"
)
BAD_NAME: Final = b"ERR Client names cannot contain spaces, newlines or special characters."


@COMMANDS.declare(
    "ping",
    "[message]",
    "fast",
    summary="Replies PONG, or with the given message.",
    tips="request_policy:all_shards response_policy:all_succeeded",
)
def ping(client: Client, args: list[bytes]) -> None:
    """Reply PONG. A client that subscribes and uses RESP2 gets a reply in the form of a message."""
    if client.flags & SUBSCRIBED and client.protocol == 2 and len(args) < 3:
        reply.bulks(client.out, [b"pong", args[1] if len(args) > 1 else b""])
    elif len(args) == 1:
        client.out.append(reply.PONG)
    elif len(args) == 2:
        reply.bulk(client.out, args[1])
    else:
        raise CommandError(wrong_arity(b"ping"))


@COMMANDS.declare("echo", "message", "loading stale fast", summary="Returns the given string.")
def echo(client: Client, args: list[bytes]) -> None:
    reply.bulk(client.out, args[1])


@COMMANDS.declare("select", "index", "loading stale fast", summary="Changes the selected database.")
def select(client: Client, args: list[bytes]) -> None:
    """Accept database 0, the only one."""
    check_database(args[1])
    reply.ok(client.out)


@COMMANDS.declare(
    "quit",
    "",
    "noscript loading stale fast no_auth allow_busy unqueued",
    summary="Closes the connection.",
    ignores_arguments=True,
    deprecated="7.2.0 just closing the connection",
)
def quit_(client: Client, _args: list[bytes]) -> None:
    reply.ok(client.out)
    client.close_after_reply()


@COMMANDS.declare(
    "reset",
    "",
    "noscript loading stale fast no_auth allow_busy unqueued",
    since="6.2.0",
    summary="Resets the connection.",
)
def reset(client: Client, _args: list[bytes]) -> None:
    """Restore the state of a new connection. The values of CLIENT SETINFO are kept."""
    discard(client, client.instance.watching)
    client.flags &= ~(IN_TRANSACTION | MUTED | SKIP_NEXT)
    client.protocol = 2
    client.name = b""
    client.no_evict = False
    client.no_touch = False
    client.flags &= ~UNTOUCHING
    client.instance.monitors.remove(client)
    client.instance.access.begin(client)
    client.instance.tracking.disable(client)
    client.instance.hub.end(client)
    client.instance.limit_output(client)
    reply.simple(client.out, b"RESET")


@COMMANDS.declare(
    "auth",
    "[username] password",
    "noscript loading stale fast no_auth allow_busy",
    summary="Authenticates the connection.",
    history=("6.0.0 argument `username`",),
)
def auth(client: Client, args: list[bytes]) -> None:
    """Authenticate, as `default` if no user is named (AUTH-1)."""
    if len(args) > 3:
        raise CommandError(SYNTAX)
    if len(args) == 2 and client.instance.access.users.default.needs_no_password:
        raise CommandError(NO_PASSWORD)
    authenticate(client, args[1] if len(args) == 3 else DEFAULT_USER, args[-1], args[0])
    reply.ok(client.out)


def authenticate(client: Client, user: bytes, password: bytes, word: bytes) -> None:
    """Make the client a user. `word` is the command as it was sent. Raises CommandError if the
    password is wrong; then nothing changes."""
    client.last_command = word.lower()  # as the log shows it
    if not client.instance.access.log_in(client, user, password, word):
        host = client.address.rpartition(b":")[0].decode("latin-1")
        client.instance.emit_event(WrongPasswordEvent(address=host))
        raise CommandError(WRONG_PASSWORD)


def check_name(name: bytes) -> None:
    """Raise CommandError for a name that would break a line of CLIENT LIST."""
    if not is_attribute(name):
        raise CommandError(BAD_NAME)


def is_attribute(text: bytes) -> bool:
    """Return whether `text` consists of visible ASCII characters."""
    return all(33 <= byte <= 126 for byte in text)


@COMMANDS.declare(
    "hello",
    "[arguments: protover [AUTH username password] [SETNAME clientname]]",
    "noscript loading stale fast no_auth allow_busy",
    since="6.0.0",
    summary="Selects the protocol, and optionally authenticates and names the connection.",
    history=("6.2.0 the protocol may be left out",),
)
def hello(client: Client, args: list[bytes]) -> None:
    protocol = 0
    if len(args) > 1:
        protocol = arguments.integer(args[1], PROTOCOL_NOT_AN_INTEGER)
        if protocol not in {2, 3}:
            raise CommandError(NO_PROTOCOL)
    name: bytes | None = None
    credentials: list[bytes] = []
    at = 2
    while at < len(args):
        if arguments.is_word(args[at], b"AUTH") and at + 2 < len(args):
            credentials = args[at + 1 : at + 3]
            at += 3
        elif arguments.is_word(args[at], b"SETNAME") and at + 1 < len(args):
            name = args[at + 1]
            check_name(name)
            at += 2
        else:
            option = one_line(printable(args[at], len(args[at])))
            raise CommandError(b"ERR Syntax error in HELLO option '%b'" % option)
    if credentials:
        authenticate(client, credentials[0], credentials[1], args[0])
    if not client.authenticated:
        raise CommandError(HELLO_NO_AUTH)
    if name is not None:
        client.name = name
    client.protocol = protocol or client.protocol
    reply_properties(client)


def reply_properties(client: Client) -> None:
    """Reply with the properties of the server and of the connection, as HELLO does."""
    out = client.out
    reply.map_header(out, client.protocol, 7)
    for name, value in ((b"server", b"redis"), (b"version", REDIS_VERSION.encode())):
        reply.bulk(out, name)
        reply.bulk(out, value)
    for name, number in ((b"proto", client.protocol), (b"id", client.id)):
        reply.bulk(out, name)
        reply.integer(out, number)
    for name, value in ((b"mode", b"standalone"), (b"role", client.instance.role)):
        reply.bulk(out, name)
        reply.bulk(out, value)
    reply.bulk(out, b"modules")
    reply.array(out, 0)
