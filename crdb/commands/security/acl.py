"""ACL and its subcommands: users, their rules, and the log of what was denied.

Users are local to an instance. They are kept in memory, and in a file where `aclfile` names one.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.environment.surroundings import AclFile
from crdb.engine.errors import CommandError, one_line, printable, wrong_arity
from crdb.resp import reply
from crdb.security.acl_file import AclFileError, format_user, format_users, parse_users
from crdb.security.acl_log import LogEntry
from crdb.security.command_rules import CATEGORIES, commands_of_category
from crdb.security.rule_error import RuleError
from crdb.security.selector import Selector, has_spaces
from crdb.security.user import DEFAULT_USER, UnmatchedParenthesis
from crdb.security.verdict import Request, describe_denial

COMMANDS: Final[CommandFamily] = CommandFamily("server", since="6.0.0")
ACL: Final = COMMANDS.container("acl", summary="A container for user commands.")
ACL.declare_help()

BAD_NAME: Final = b"ERR Usernames can't contain spaces or null characters"
KEEPS_DEFAULT: Final = b"ERR The 'default' user cannot be removed"
GENPASS_BITS_MAX: Final = 4096
WRONG_BITS: Final = (
    b"ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
    b"number up to 4096"
)
NO_FILE: Final = (
    b"ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
    b"via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    b"configuration file set) in order to store users in the Redis configuration."
)
NOT_LOADED: Final = (
    b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
)
NOT_SAVED: Final = b"ERR There was an error trying to save the ACLs. Writing file '%b': %b"
TOO_MANY: Final = b"ERR unknown subcommand or wrong number of arguments for '%b'. Try ACL HELP."
LOG_ENTRIES: Final = 10
"""The number of entries that ACL LOG shows unless another is asked for."""
ALL_NODES: Final = "request_policy:all_nodes response_policy:all_succeeded"


def shown(word: bytes) -> bytes:
    """Return an argument as an error text shows it."""
    return printable(word, len(word))


def check_count(args: list[bytes], most: int) -> None:
    """Raise CommandError if there are more arguments than `most`, as Redis does where the number
    of arguments is not part of the declaration."""
    if len(args) > most:
        raise CommandError(one_line(TOO_MANY % printable(args[1])))


# -- users -----------------------------------------------------------------------------------


@ACL.declare(
    "setuser",
    "username [rule]...",
    "admin noscript loading stale",
    summary="Creates a user, or changes one.",
    complexity="O(N) where N is the number of rules and of connections.",
    history=("6.2.0 patterns of channels", "7.0.0 selectors, and permissions of keys"),
    tips=ALL_NODES,
)
def acl_setuser(client: Client, args: list[bytes]) -> None:
    """Apply rules to a user; all of them, or none (ACL-4)."""
    if has_spaces(args[2]):
        raise CommandError(BAD_NAME)
    try:
        client.instance.access.change_user(client, args[2], args[3:])
    except UnmatchedParenthesis as fault:
        text = b"ERR Unmatched parenthesis in acl selector starting at '%b'."
        raise CommandError(one_line(text % shown(fault.argument))) from None
    except RuleError as fault:
        text = b"ERR Error in ACL SETUSER modifier '%b': %b"
        raise CommandError(one_line(text % (shown(fault.rule), fault.reason))) from None
    reply.ok(client.out)


@ACL.declare(
    "deluser",
    "username...",
    "admin noscript loading stale",
    summary="Deletes users, and closes their connections.",
    complexity="O(N) where N is the number of users and of connections.",
    tips=ALL_NODES,
)
def acl_deluser(client: Client, args: list[bytes]) -> None:
    if DEFAULT_USER in args[2:]:
        raise CommandError(KEEPS_DEFAULT)
    reply.integer(client.out, client.instance.access.delete_users(client, args[2:]))


@ACL.declare(
    "getuser",
    "username",
    "admin noscript loading stale",
    summary="Returns the rules of a user.",
    complexity="O(N) where N is the number of passwords, commands and patterns of the user.",
    history=("6.2.0 patterns of channels", "7.0.0 selectors; patterns in the form of rules"),
)
def acl_getuser(client: Client, args: list[bytes]) -> None:
    out, protocol = client.out, client.protocol
    user = client.instance.access.users.find(args[2])
    if user is None:
        reply.null(out, protocol)
        return
    reply.map_header(out, protocol, 6)
    reply.bulk(out, b"flags")
    reply.set_header(out, protocol, len(user.flags()))
    for flag in user.flags():
        reply.bulk(out, flag)
    reply.bulk(out, b"passwords")
    reply.bulks(out, user.passwords)
    root, *others = user.selectors
    reply_selector(client, root)
    reply.bulk(out, b"selectors")
    reply.array(out, len(others))
    for selector in others:
        reply.map_header(out, protocol, 3)
        reply_selector(client, selector)


def reply_selector(client: Client, selector: Selector) -> None:
    """Append the three fields of a selector."""
    fields = (
        (b"commands", selector.commands.describe()),
        (b"keys", selector.describe_keys()),
        (b"channels", selector.describe_channels()),
    )
    for name, value in fields:
        reply.bulk(client.out, name)
        reply.bulk(client.out, value)


@ACL.declare(
    "list",
    "",
    "admin noscript loading stale",
    summary="Returns the rules of all users, as lines of an ACL file.",
    complexity="O(N) where N is the number of users.",
)
def acl_list(client: Client, _args: list[bytes]) -> None:
    reply.bulks(client.out, [format_user(user) for user in client.instance.access.users.sorted()])


@ACL.declare(
    "users",
    "",
    "admin noscript loading stale",
    summary="Returns the names of all users.",
    complexity="O(N) where N is the number of users.",
)
def acl_users(client: Client, _args: list[bytes]) -> None:
    reply.bulks(client.out, [user.name for user in client.instance.access.users.sorted()])


@ACL.declare("whoami", "", "noscript loading stale", summary="Returns the user's name.")
def acl_whoami(client: Client, _args: list[bytes]) -> None:
    reply.bulk(client.out, client.user)


# -- the file --------------------------------------------------------------------------------


def require_file(client: Client) -> AclFile:
    """Return the file of users. Raises CommandError if none is configured."""
    file = client.instance.surroundings.acl_file
    if file is None:
        raise CommandError(NO_FILE)
    return file


@ACL.declare(
    "load",
    "",
    "admin noscript loading stale",
    summary="Replaces all users by those of the ACL file.",
    complexity="O(N) where N is the number of users and of connections.",
)
def acl_load(client: Client, _args: list[bytes]) -> None:
    """Read the file. With an error in it nothing changes."""
    file = require_file(client)
    access = client.instance.access
    path = file.path.encode()
    try:
        users = parse_users(file.read(), path, access.users)
    except OSError as fault:
        reason = (fault.strerror or str(fault)).encode()
        text = b"ERR Error loading ACLs, opening file '%b': %b" % (path, reason)
        raise CommandError(one_line(text)) from None
    except AclFileError as fault:
        raise CommandError(one_line(b"ERR " + fault.text + NOT_LOADED)) from None
    access.replace_users(client, users)
    reply.ok(client.out)


@ACL.declare(
    "save",
    "",
    "admin noscript loading stale",
    summary="Writes all users to the ACL file.",
    complexity="O(N) where N is the number of users.",
    tips=ALL_NODES,
)
def acl_save(client: Client, _args: list[bytes]) -> None:
    file = require_file(client)
    try:
        file.write(format_users(client.instance.access.users.sorted()))
    except OSError as fault:
        reason = (fault.strerror or str(fault)).encode()
        raise CommandError(one_line(NOT_SAVED % (file.path.encode(), reason))) from None
    reply.ok(client.out)


# -- questions -------------------------------------------------------------------------------


@ACL.declare(
    "cat",
    "[category]",
    "noscript loading stale",
    summary="Lists the categories of commands, or the commands of one.",
    complexity="O(1) since the categories and commands are a fixed set.",
)
def acl_cat(client: Client, args: list[bytes]) -> None:
    check_count(args, 3)
    if len(args) == 2:
        reply.bulks(client.out, [name.encode() for name in CATEGORIES])
        return
    name = args[2].lower().decode("latin-1")
    found = commands_of_category(client.instance.commands, name)
    if found is None:
        raise CommandError(one_line(b"ERR Unknown category '%b'" % printable(args[2])))
    reply.bulks(client.out, [command.full_name for command in found])


@ACL.declare(
    "genpass",
    "[bits:integer]",
    "noscript loading stale",
    summary="Returns a random password.",
)
def acl_genpass(client: Client, args: list[bytes]) -> None:
    """Reply with hexadecimal digits: one for each four bits, or part of four."""
    check_count(args, 3)
    bits = arguments.integer(args[2]) if len(args) == 3 else 256
    if not 0 < bits <= GENPASS_BITS_MAX:
        raise CommandError(WRONG_BITS)
    digits = (bits + 3) // 4
    instance = client.instance
    draw = instance.surroundings.secret_bits or instance.random.getrandbits
    reply.bulk(client.out, b"%0*x" % (digits, draw(digits * 4)))


@ACL.declare(
    "dryrun",
    "username command [arg]...",
    "admin noscript loading stale",
    since="7.0.0",
    summary="Tells whether a user may run a command, without running it.",
)
def acl_dryrun(client: Client, args: list[bytes]) -> None:
    instance = client.instance
    user = instance.access.users.find(args[2])
    if user is None:
        raise CommandError(one_line(b"ERR User '%b' not found" % shown(args[2])))
    tried = args[3:]
    command = instance.commands.find(tried)
    if command is None:
        raise CommandError(one_line(b"ERR Command '%b' not found" % shown(args[3])))
    if not command.takes(len(tried)):
        raise CommandError(wrong_arity(command.full_name))
    request = Request(command, tried)
    denial = user.deny(request)
    if denial is None:
        reply.ok(client.out)
    else:
        reply.bulk(client.out, describe_denial(denial, user.name, request))


@ACL.declare(
    "log",
    "[operation: count:integer | RESET]",
    "admin noscript loading stale",
    summary="Lists the latest requests and logins that were denied.",
    complexity="O(N) with N being the number of entries shown.",
    history=("7.2.0 fields entry-id, timestamp-created and timestamp-last-updated",),
)
def acl_log(client: Client, args: list[bytes]) -> None:
    check_count(args, 3)
    log = client.instance.access.log
    if len(args) == 3 and arguments.is_word(args[2], b"RESET"):
        log.clear()
        reply.ok(client.out)
        return
    count = arguments.integer(args[2]) if len(args) == 3 else LOG_ENTRIES
    entries = list(log.entries)[: max(count, 0)]
    reply.array(client.out, len(entries))
    for entry in entries:
        reply_entry(client, entry)


def reply_entry(client: Client, entry: LogEntry) -> None:
    """Append an entry of the log."""
    out, protocol = client.out, client.protocol
    denied = entry.denied
    reply.map_header(out, protocol, 10)
    reply.bulk(out, b"count")
    reply.integer(out, entry.count)
    for name, text in (
        (b"reason", denied.reason.name.lower().encode()),
        (b"context", denied.context),
        (b"object", denied.subject),
        (b"username", denied.user),
    ):
        reply.bulk(out, name)
        reply.bulk(out, text)
    reply.bulk(out, b"age-seconds")
    reply.double(out, protocol, (client.instance.wall - entry.updated_at) / 1000)
    reply.bulk(out, b"client-info")
    reply.bulk(out, entry.client_info)
    for name, number in (
        (b"entry-id", entry.number),
        (b"timestamp-created", entry.created_at),
        (b"timestamp-last-updated", entry.updated_at),
    ):
        reply.bulk(out, name)
        reply.integer(out, number)
