"""Strings: GET, SET and the others of their family.

A string is a last-writer-wins register (rules STR-1, STR-2): APPEND and SETRANGE read it here and
write it as a whole (STR-4), and conditions such as NX test what this region sees (STR-5). A write
of a whole value ends the time to live unless it says otherwise (STR-6).

`SET k v` and `GET k` are the requests that most of the time goes into: they take the shortest way.
"""

from __future__ import annotations

from typing import Final

from crdb.commands.strings import lifetime, subsequence
from crdb.commands.strings.lifetime import LIFETIMES
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.command import Command
from crdb.engine.errors import (
    OFFSET_OUT_OF_RANGE,
    STRING_TOO_LONG,
    SYNTAX,
    WRONG_TYPE,
    CommandError,
    wrong_arity,
)
from crdb.resp import reply
from crdb.resp.reply import BULK_HEADERS, CACHED, CRLF, OK
from crdt.store.keyspace import Keyspace
from crdt.types.string import String
from crdt.writes.string import assign, mark

NOT_TWO_STRINGS: Final = b"ERR The specified keys must contain string values"
LENGTH_AND_INDEXES: Final = b"ERR If you want both the length and indexes, please just use IDX."
LCS_TOO_LARGE: Final = (
    b"ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
)


def read_text(db: Keyspace, key: bytes) -> bytes | None:
    """The string under `key`; None if there is nothing. Raises CommandError for another type."""
    value = db.read(key)
    if value is None:
        return None
    if isinstance(value, String):
        return value.read()
    raise CommandError(WRONG_TYPE)


def read_text_for_write(db: Keyspace, key: bytes) -> bytes | None:
    """As `read_text`; what has expired is removed first."""
    value = db.lookup_for_write(key)
    if value is None:
        return None
    if isinstance(value, String):
        return value.read()
    raise CommandError(WRONG_TYPE)


def take_text(db: Keyspace, key: bytes) -> bytes | None:
    """As `read_text_for_write`, for a command that replies with the value: it counts as a read."""
    db.read(key)
    return read_text_for_write(db, key)


def check_length(client: Client, size: int) -> None:
    """Refuse a string that is longer than what a client may send, or for which there is no room."""
    if size > client.instance.config.bulk_bytes_max:
        raise CommandError(STRING_TOO_LONG)
    if not client.instance.memory.has_room(size):
        raise CommandError(client.instance.memory.refusal(size))


# -- reading ---------------------------------------------------------------------------------


def get(client: Client, args: list[bytes]) -> None:
    """GET key."""
    value = client.db.read(args[1])
    if value is None:
        reply.null(client.out, client.protocol)
        return
    if not isinstance(value, String):
        raise CommandError(WRONG_TYPE)
    text = value.read()
    size = len(text)
    out = client.out
    out.append(BULK_HEADERS[size] if size < CACHED else b"$%d\r\n" % size)
    out.append(text)
    out.append(CRLF)


def mget(client: Client, args: list[bytes]) -> None:
    """MGET key [key ...]: null for what is missing or no string."""
    out = client.out
    db = client.db
    reply.array(out, len(args) - 1)
    for index in range(1, len(args)):
        value = db.read(args[index])
        if isinstance(value, String):
            reply.bulk(out, value.read())
        else:
            reply.null(out, client.protocol)


def strlen(client: Client, args: list[bytes]) -> None:
    """STRLEN key."""
    reply.integer(client.out, len(read_text(client.db, args[1]) or b""))


def getrange(client: Client, args: list[bytes]) -> None:
    """GETRANGE key start end: both inclusive, negative ones from the end."""
    first, last = arguments.integer(args[2]), arguments.integer(args[3])
    text = read_text(client.db, args[1]) or b""
    is_reversed = first < 0 and last < 0 and first > last
    size = len(text)
    first = max(first + size if first < 0 else first, 0)
    last = max(last + size if last < 0 else last, 0)
    # Compiled code cannot cut bytes from a later place to an earlier one.
    reply.bulk(client.out, b"" if is_reversed or first > last else text[first : last + 1])


def lcs(client: Client, args: list[bytes]) -> None:
    """LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]."""
    texts: list[bytes] = []
    for key in args[1:3]:
        value = client.db.read(key)
        if value is not None and not isinstance(value, String):
            raise CommandError(NOT_TWO_STRINGS)
        texts.append(b"" if value is None else value.read())
    length_only = indexes = with_length = False
    shortest = 0
    index = 3
    while index < len(args):
        word = args[index].upper()
        if word == b"LEN":
            length_only = True
        elif word == b"IDX":
            indexes = True
        elif word == b"WITHMATCHLEN":
            with_length = True
        elif word == b"MINMATCHLEN" and index + 1 < len(args):
            index += 1
            shortest = arguments.integer(args[index])
        else:
            raise CommandError(SYNTAX)
        index += 1
    if length_only and indexes:
        raise CommandError(LENGTH_AND_INDEXES)
    text, other = texts
    memory = max(4 * (len(text) + 1) * (len(other) + 1), subsequence.table_bytes(text, other))
    if memory > client.instance.config.bulk_bytes_max:
        raise CommandError(LCS_TOO_LARGE)
    if length_only:
        reply.integer(client.out, subsequence.length(text, other))
    elif indexes:
        reply_matches(client, subsequence.matches(text, other), shortest, with_length)
    else:
        runs = reversed(subsequence.matches(text, other))
        reply.bulk(client.out, b"".join([text[run.first : run.last + 1] for run in runs]))


def reply_matches(
    client: Client, found: list[subsequence.Match], shortest: int, with_length: bool
) -> None:
    """The reply of LCS with IDX: the runs of at least `shortest` bytes, and the whole length."""
    out = client.out
    shown = [run for run in found if len(run) >= shortest]
    reply.map_header(out, client.protocol, 2)
    reply.bulk(out, b"matches")
    reply.array(out, len(shown))
    for run in shown:
        reply.array(out, 3 if with_length else 2)
        for first, last in ((run.first, run.last), (run.other_first, run.other_last)):
            reply.array(out, 2)
            reply.integer(out, first)
            reply.integer(out, last)
        if with_length:
            reply.integer(out, len(run))
    reply.bulk(out, b"len")
    reply.integer(out, sum([len(run) for run in found]))


# -- writing ---------------------------------------------------------------------------------


class Options:
    """The options of SET and GETEX."""

    __slots__ = ("amount", "form", "get", "if_absent", "if_present", "keep", "persist")

    def __init__(self) -> None:
        self.if_absent = False
        self.if_present = False
        self.get = False
        self.keep = False
        self.persist = False
        self.form = 0
        """How the time to live is given, see `lifetime`; 0 if it is not."""
        self.amount = b""

    def excludes_lifetime(self, form: int) -> bool:
        """Whether a time to live in this form contradicts what was said before."""
        return self.keep or self.persist or self.form not in (0, form)


def parse_options(args: list[bytes], first: int, is_set: bool) -> Options:
    """The options from `args[first]` on, of SET or of GETEX. Raises CommandError."""
    options = Options()
    index = first
    while index < len(args):
        word = args[index].upper()
        form = LIFETIMES.get(word, 0)
        if form and index + 1 < len(args) and not options.excludes_lifetime(form):
            index += 1
            options.form = form
            options.amount = args[index]
        elif is_set and word == b"NX" and not options.if_present:
            options.if_absent = True
        elif is_set and word == b"XX" and not options.if_absent:
            options.if_present = True
        elif is_set and word == b"GET":
            options.get = True
        elif is_set and word == b"KEEPTTL" and not options.form:
            options.keep = True
        elif not is_set and word == b"PERSIST" and not options.form:
            options.persist = True
        else:
            raise CommandError(SYNTAX)
        index += 1
    return options


def set_value(client: Client, args: list[bytes]) -> None:
    """SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]."""
    if len(args) == 3:
        assign(client.db, args[1], args[2])
        client.out.append(OK)
    else:
        set_with_options(client, args)


def set_with_options(client: Client, args: list[bytes]) -> None:
    """SET with options. The conditions test what this region sees (rule STR-5)."""
    db = client.db
    key = args[1]
    options = parse_options(args, 3, is_set=True)
    deadline = 0
    if options.form:
        deadline = lifetime.positive_deadline(options.amount, options.form, db.expiry_clock, b"set")
    held = db.lookup_for_write(key)
    if options.get:
        db.read(key)
        if held is not None and not isinstance(held, String):
            raise CommandError(WRONG_TYPE)
        text = None if held is None else held.read()
        reply.bulk_or_null(client.out, client.protocol, text)
    if options.if_absent if held is not None else options.if_present:
        if not options.get:
            reply.null(client.out, client.protocol)
        return
    assign(db, key, args[2], options.keep)
    if options.form:
        db.expire(key, deadline)
    if not options.get:
        client.out.append(OK)


def setnx(client: Client, args: list[bytes]) -> None:
    """SETNX key value."""
    if client.db.lookup_for_write(args[1]) is not None:
        reply.integer(client.out, 0)
    else:
        assign(client.db, args[1], args[2])
        reply.integer(client.out, 1)


def setex(client: Client, args: list[bytes]) -> None:
    """SETEX key seconds value."""
    set_for(client, args, lifetime.SECONDS, b"setex")


def psetex(client: Client, args: list[bytes]) -> None:
    """PSETEX key milliseconds value."""
    set_for(client, args, lifetime.MILLISECONDS, b"psetex")


def set_for(client: Client, args: list[bytes], form: int, command: bytes) -> None:
    """Write a value that lives for a while."""
    db = client.db
    deadline = lifetime.positive_deadline(args[2], form, db.expiry_clock, command)
    assign(db, args[1], args[3])
    db.expire(args[1], deadline)
    client.out.append(OK)


def getset(client: Client, args: list[bytes]) -> None:
    """GETSET key value."""
    text = take_text(client.db, args[1])
    assign(client.db, args[1], args[2])
    reply.bulk_or_null(client.out, client.protocol, text)


def getdel(client: Client, args: list[bytes]) -> None:
    """GETDEL key: read it, then remove what was observed (rule STR-7)."""
    text = take_text(client.db, args[1])
    if text is not None:
        client.db.delete(args[1])
    reply.bulk_or_null(client.out, client.protocol, text)


def getex(client: Client, args: list[bytes]) -> None:
    """GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]."""
    db = client.db
    key = args[1]
    options = parse_options(args, 2, is_set=False)
    text = take_text(db, key)
    if text is None:
        reply.null(client.out, client.protocol)
        return
    if options.form:
        form = options.form
        deadline = lifetime.positive_deadline(options.amount, form, db.expiry_clock, b"getex")
        if deadline <= db.expiry_clock:
            db.delete(key)
        else:
            db.expire(key, deadline)
    elif options.persist:
        db.expire(key, None)
    reply.bulk(client.out, text)


def mset(client: Client, args: list[bytes]) -> None:
    """MSET key value [key value ...]: one operation."""
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity(b"mset"))
    db = client.db
    for index in range(1, len(args), 2):
        assign(db, args[index], args[index + 1])
    client.out.append(OK)


def msetnx(client: Client, args: list[bytes]) -> None:
    """MSETNX key value [key value ...]: all or none."""
    if len(args) % 2 == 0:
        raise CommandError(wrong_arity(b"msetnx"))
    db = client.db
    for index in range(1, len(args), 2):
        if db.lookup_for_write(args[index]) is not None:
            reply.integer(client.out, 0)
            return
    for index in range(1, len(args), 2):
        assign(db, args[index], args[index + 1])
    reply.integer(client.out, 1)


def append(client: Client, args: list[bytes]) -> None:
    """APPEND key value."""
    held = read_text_for_write(client.db, args[1])
    text = held or b""
    check_length(client, len(text) + len(args[2]))
    text += args[2]
    assign(client.db, args[1], text, True)
    if held is not None:
        mark(client.db, args[1], is_raw=True)
    reply.integer(client.out, len(text))


def setrange(client: Client, args: list[bytes]) -> None:
    """SETRANGE key offset value: what lies before it and is not there yet is zeros."""
    offset = arguments.integer(args[2])
    patch = args[3]
    if offset < 0:
        raise CommandError(OFFSET_OUT_OF_RANGE)
    text = read_text_for_write(client.db, args[1]) or b""
    if patch:
        check_length(client, offset + len(patch))
        head, tail = text[:offset], text[offset + len(patch) :]
        text = b"".join((head, bytes(offset - len(head)), patch, tail))
        assign(client.db, args[1], text, True)
        mark(client.db, args[1], is_raw=True)
    reply.integer(client.out, len(text))


ONE: Final = (1, 1, 1)
READ: Final = "readonly"
WRITE: Final = "write denyoom"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "get", get, 2, "readonly fast", keys=ONE, group="string",
        summary="The string under a key.", complexity="O(1)",
    ),
    Command(
        "set", set_value, -3, WRITE, keys=ONE, group="string",
        summary="Writes a string, whatever was there; under conditions and for a time if told so.",
        complexity="O(1)",
    ),
    Command(
        "setnx", setnx, 3, "write denyoom fast", keys=ONE, group="string",
        summary="Writes a string if the key does not exist in this region.", complexity="O(1)",
    ),
    Command(
        "setex", setex, 4, WRITE, keys=ONE, group="string", since="2.0.0",
        summary="Writes a string and its time to live in seconds.", complexity="O(1)",
    ),
    Command(
        "psetex", psetex, 4, WRITE, keys=ONE, group="string", since="2.6.0",
        summary="Writes a string and its time to live in milliseconds.", complexity="O(1)",
    ),
    Command(
        "getset", getset, 3, "write denyoom fast", keys=ONE, group="string",
        summary="Writes a string and returns the one before.", complexity="O(1)",
    ),
    Command(
        "getdel", getdel, 2, "write fast", keys=ONE, group="string", since="6.2.0",
        summary="Returns the string under a key and deletes the key.", complexity="O(1)",
    ),
    Command(
        "getex", getex, -2, "write fast", keys=ONE, group="string", since="6.2.0",
        summary="Returns the string under a key and changes its time to live.", complexity="O(1)",
    ),
    Command(
        "mget", mget, -2, "readonly fast", keys=(1, -1, 1), group="string",
        summary="The strings under several keys.", complexity="O(N) for N keys.",
    ),
    Command(
        "mset", mset, -3, WRITE, keys=(1, -1, 2), group="string", since="1.0.1",
        summary="Writes several strings as one operation.", complexity="O(N) for N keys.",
    ),
    Command(
        "msetnx", msetnx, -3, WRITE, keys=(1, -1, 2), group="string", since="1.0.1",
        summary="Writes several strings if none of the keys exists in this region.",
        complexity="O(N) for N keys.",
    ),
    Command(
        "append", append, 3, "write denyoom fast", keys=ONE, group="string", since="2.0.0",
        summary="Writes a string anew with something put behind it.",
        complexity="O(N) for a result of N bytes.",
    ),
    Command(
        "strlen", strlen, 2, "readonly fast", keys=ONE, group="string", since="2.2.0",
        summary="The length of a string in bytes.", complexity="O(1)",
    ),
    Command(
        "getrange", getrange, 4, READ, keys=ONE, group="string", since="2.4.0",
        summary="A part of a string.", complexity="O(N) for N bytes returned.",
    ),
    Command(
        "substr", getrange, 4, READ, keys=ONE, group="string",
        summary="A part of a string; the old name of GETRANGE.",
        complexity="O(N) for N bytes returned.",
    ),
    Command(
        "setrange", setrange, 4, WRITE, keys=ONE, group="string", since="2.2.0",
        summary="Writes a string anew with a part of it replaced.",
        complexity="O(N) for a result of N bytes.",
    ),
    Command(
        "lcs", lcs, -3, READ, keys=(1, 2, 1), group="string", since="7.0.0",
        summary="The longest common subsequence of two strings, or where it lies.",
        complexity="O(N*M) for strings of N and M bytes, many cells at once.",
    ),
)  # fmt: skip
