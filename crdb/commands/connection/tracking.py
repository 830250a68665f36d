"""The subcommands of CLIENT for client-side caching."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crdb.commands.connection.clients import CLIENT, is_on
from crdb.commands.family import CommandFamily
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError, one_line, printable
from crdb.engine.tracking.modes import TrackingMode
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("connection")
"""Empty, since the commands of this module are subcommands of CLIENT."""

ONE_REDIRECT: Final = b"ERR A client can only redirect to a single other client"
NO_REDIRECT: Final = b"ERR The client ID you want redirect to does not exist"
PREFIX_WITHOUT_BCAST: Final = b"ERR PREFIX option requires BCAST mode to be enabled"
SWITCHED_BCAST: Final = (
    b"ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
    b"re-enabling it with a different mode."
)
SWITCHED_OPTION: Final = (
    b"ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
    b"re-enabling it with a different mode."
)
OPTION_WITH_BCAST: Final = b"ERR OPTIN and OPTOUT are not compatible with BCAST"
BOTH_OPTIONS: Final = b"ERR You can't specify both OPTIN mode and OPTOUT mode"
OVERLAP: Final = (
    b"ERR Prefix '%b' overlaps with %b prefix '%b'. Prefixes for a single client must not overlap."
)
NOT_TRACKED: Final = (
    b"ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or"
    b" OPTOUT mode enabled"
)
YES_WITHOUT_OPT_IN: Final = (
    b"ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
)
NO_WITHOUT_OPT_OUT: Final = (
    b"ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
)


@CLIENT.declare(
    "tracking",
    "<status: ON | OFF> [REDIRECT client-id] [PREFIX prefix]..."
    " [BCAST:BCAST] [OPTIN:OPTIN] [OPTOUT:OPTOUT] [NOLOOP:NOLOOP]",
    "noscript loading stale",
    since="6.0.0",
    summary="Controls server-assisted client-side caching for the connection.",
    complexity="O(1). Some options may introduce additional complexity.",
)
def client_tracking(client: Client, args: list[bytes]) -> None:
    """Start or stop the tracking of keys. Changes of all regions count."""
    prefixes: list[bytes] = []
    mode = parse_mode(client, args, prefixes)
    if is_on(args[2]):
        check_mode(client, mode, prefixes)
        if mode.is_broadcast and not prefixes:
            prefixes.append(b"")
        mode.prefixes = dict.fromkeys(prefixes)
        client.instance.tracking.enable(client, mode)
    else:
        client.instance.tracking.disable(client)
    reply.ok(client.out)


def parse_mode(client: Client, args: list[bytes], prefixes: list[bytes]) -> TrackingMode:
    """Return the options of CLIENT TRACKING, and add its prefixes to `prefixes`. Raises
    CommandError."""
    mode = TrackingMode()
    at = 3
    while at < len(args):
        option = args[at].lower()
        has_value = at + 1 < len(args)
        if option == b"redirect" and has_value:
            at += 1
            if mode.redirect:
                raise CommandError(ONE_REDIRECT)
            mode.redirect = arguments.integer(args[at])
            if mode.redirect not in client.instance.clients:
                raise CommandError(NO_REDIRECT)
        elif option == b"prefix" and has_value:
            at += 1
            prefixes.append(args[at])
        elif option == b"bcast":
            mode.is_broadcast = True
        elif option == b"optin":
            mode.is_opt_in = True
        elif option == b"optout":
            mode.is_opt_out = True
        elif option == b"noloop":
            mode.skips_own = True
        else:
            raise CommandError(SYNTAX)
        at += 1
    return mode


def check_mode(client: Client, mode: TrackingMode, prefixes: list[bytes]) -> None:
    """Raise CommandError if the options exclude each other or the present mode."""
    if prefixes and not mode.is_broadcast:
        raise CommandError(PREFIX_WITHOUT_BCAST)
    held = client.tracking
    if held is not None and held.is_broadcast != mode.is_broadcast:
        raise CommandError(SWITCHED_BCAST)
    if mode.is_broadcast and (mode.is_opt_in or mode.is_opt_out):
        raise CommandError(OPTION_WITH_BCAST)
    if mode.is_opt_in and mode.is_opt_out:
        raise CommandError(BOTH_OPTIONS)
    if held is not None and (
        (mode.is_opt_in and held.is_opt_out) or (mode.is_opt_out and held.is_opt_in)
    ):
        raise CommandError(SWITCHED_OPTION)
    existing = [] if held is None else sorted(held.prefixes)
    for index, prefix in enumerate(prefixes):
        check_prefix(existing, prefix, b"an existing")
        check_prefix(prefixes[index + 1 :], prefix, b"another provided")


def check_prefix(others: Iterable[bytes], prefix: bytes, kind: bytes) -> None:
    """Raise CommandError if some key could have `prefix` and one of `others`, which are of this
    kind."""
    for other in others:
        if other.startswith(prefix) or prefix.startswith(other):
            shown, also = (one_line(printable(each, len(each))) for each in (prefix, other))
            raise CommandError(OVERLAP % (shown, kind, also))


@CLIENT.declare(
    "caching",
    "<mode: YES | NO>",
    "noscript loading stale",
    since="6.0.0",
    summary="Tells whether the keys of the next command are tracked.",
)
def client_caching(client: Client, args: list[bytes]) -> None:
    mode = client.tracking
    if mode is None:
        raise CommandError(NOT_TRACKED)
    word = args[2].lower()
    if word == b"yes":
        if not mode.is_opt_in:
            raise CommandError(YES_WITHOUT_OPT_IN)
    elif word == b"no":
        if not mode.is_opt_out:
            raise CommandError(NO_WITHOUT_OPT_OUT)
    else:
        raise CommandError(SYNTAX)
    mode.is_caching_set = True
    reply.ok(client.out)


@CLIENT.declare(
    "trackinginfo",
    "",
    "noscript loading stale",
    since="6.2.0",
    summary="Returns the mode in which the connection tracks keys.",
)
def client_trackinginfo(client: Client, _args: list[bytes]) -> None:
    out, protocol, mode = client.out, client.protocol, client.tracking
    flags = words_of(mode)
    reply.map_header(out, protocol, 3)
    reply.bulk(out, b"flags")
    reply.set_header(out, protocol, len(flags))
    for flag in flags:
        reply.bulk(out, flag)
    reply.bulk(out, b"redirect")
    reply.integer(out, -1 if mode is None else mode.redirect)
    reply.bulk(out, b"prefixes")
    reply.bulks(out, [] if mode is None else sorted(mode.prefixes))


def words_of(mode: TrackingMode | None) -> list[bytes]:
    """Return the flags of CLIENT TRACKINGINFO."""
    if mode is None:
        return [b"off"]
    words = [b"on"]
    if mode.is_broadcast:
        words.append(b"bcast")
    if mode.is_opt_in:
        words += [b"optin", b"caching-yes"] if mode.is_caching_set else [b"optin"]
    if mode.is_opt_out:
        words += [b"optout", b"caching-no"] if mode.is_caching_set else [b"optout"]
    if mode.skips_own:
        words.append(b"noloop")
    if mode.is_redirect_broken:
        words.append(b"broken_redirect")
    return words


@CLIENT.declare(
    "getredir",
    "",
    "noscript loading stale",
    since="6.0.0",
    summary="Returns the id of the client that receives the connection's invalidations.",
)
def client_getredir(client: Client, _args: list[bytes]) -> None:
    """Return the id, 0 if it is this client, or -1 if the client does not track keys."""
    mode = client.tracking
    reply.integer(client.out, -1 if mode is None else mode.redirect)
