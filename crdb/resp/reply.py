"""Replies as bytes: every function appends one encoded piece to `out`.

RESP3 has separate types for values that RESP2 represents as arrays, bulk strings and integers.
Where the protocols differ, the function takes `protocol`, 2 or 3. An aggregate is a header with the
number of elements; the caller then appends the elements one by one:

    reply.map_header(client.out, client.protocol, 1)
    reply.bulk(client.out, b"milk")
    reply.integer(client.out, 2)

Headers of small sizes are made once. A value is appended without a copy, between its header and its
line end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdb.resp.numbers import format_double

OK: Final = b"+OK\r\n"
QUEUED: Final = b"+QUEUED\r\n"
PONG: Final = b"+PONG\r\n"
CRLF: Final = b"\r\n"
ZERO: Final = b":0\r\n"
ONE: Final = b":1\r\n"
EMPTY_ARRAY: Final = b"*0\r\n"
NULL_BULK: Final = b"$-1\r\n"
NULL_ARRAY: Final = b"*-1\r\n"
NULL: Final = b"_\r\n"

CACHED: Final = 1024
BULK_HEADERS: Final[list[bytes]] = [b"$%d\r\n" % n for n in range(CACHED)]
ARRAY_HEADERS: Final[list[bytes]] = [b"*%d\r\n" % n for n in range(CACHED)]
INTEGERS: Final[list[bytes]] = [b":%d\r\n" % n for n in range(CACHED)]


def ok(out: list[bytes]) -> None:
    """Append `OK`, the reply of a write without a result."""
    out.append(OK)


def queued(out: list[bytes]) -> None:
    """Append the reply to a request inside MULTI."""
    out.append(QUEUED)


def simple(out: list[bytes], text: bytes) -> None:
    """Append a status: one line of constant text."""
    out.append(b"+%b\r\n" % text)


def error(out: list[bytes], text: bytes) -> None:
    """Append an error, which begins with its code. Handlers raise CommandError instead."""
    out.append(b"-%b\r\n" % text)


def integer(out: list[bytes], value: int) -> None:
    """Append an integer."""
    if 0 <= value < CACHED:
        out.append(INTEGERS[value])
    else:
        out.append(b":%d\r\n" % value)


def bulk(out: list[bytes], value: bytes) -> None:
    """Append a string of any bytes."""
    size = len(value)
    out.append(BULK_HEADERS[size] if size < CACHED else b"$%d\r\n" % size)
    out.append(value)
    out.append(CRLF)


def bulk_parts(out: list[bytes], size: int, parts: Sequence[bytes | memoryview]) -> None:
    """Append a string of `size` bytes that is held in parts."""
    out.append(b"$%d\r\n" % size)
    out.extend([part if isinstance(part, bytes) else bytes(part) for part in parts])
    out.append(CRLF)


def bulk_or_null(out: list[bytes], protocol: int, value: bytes | None) -> None:
    """Append a string, or null for None."""
    if value is None:
        out.append(NULL_BULK if protocol == 2 else NULL)
    else:
        bulk(out, value)


def null(out: list[bytes], protocol: int) -> None:
    """Append null in place of a single value."""
    out.append(NULL_BULK if protocol == 2 else NULL)


def null_array(out: list[bytes], protocol: int) -> None:
    """Append null in place of an array. RESP2 has a separate form for it."""
    out.append(NULL_ARRAY if protocol == 2 else NULL)


def array(out: list[bytes], length: int) -> None:
    """Append the header of an array. `length` elements follow."""
    out.append(ARRAY_HEADERS[length] if length < CACHED else b"*%d\r\n" % length)


def bulks(out: list[bytes], values: Sequence[bytes]) -> None:
    """Append a complete array of strings."""
    array(out, len(values))
    for value in values:
        bulk(out, value)


def push_header(out: list[bytes], protocol: int, length: int) -> None:
    """Append the header of a push, which is an array in RESP2. `length` elements follow."""
    if protocol == 2:
        array(out, length)
    else:
        out.append(b">%d\r\n" % length)


def map_header(out: list[bytes], protocol: int, length: int) -> None:
    """Append the header of a map. `length` keys with their values follow."""
    if protocol == 2:
        array(out, 2 * length)
    else:
        out.append(b"%%%d\r\n" % length)


def set_header(out: list[bytes], protocol: int, length: int) -> None:
    """Append the header of a set. `length` members follow."""
    if protocol == 2:
        array(out, length)
    else:
        out.append(b"~%d\r\n" % length)


def double(out: list[bytes], protocol: int, value: float) -> None:
    """Append a floating-point number, which is a string in RESP2."""
    text = format_double(value)
    if protocol == 2:
        bulk(out, text)
    else:
        out.append(b",%b\r\n" % text)


def boolean(out: list[bytes], protocol: int, value: bool) -> None:
    """Append true or false, which is 1 or 0 in RESP2."""
    if protocol == 2:
        out.append(ONE if value else ZERO)
    else:
        out.append(b"#t\r\n" if value else b"#f\r\n")


def verbatim(out: list[bytes], protocol: int, text: bytes, kind: bytes = b"txt") -> None:
    """Append text that a terminal should show unchanged. `kind` is `txt` or `mkd`."""
    assert len(kind) == 3
    if protocol == 2:
        bulk(out, text)
    else:
        out.append(b"=%d\r\n%b:%b\r\n" % (len(text) + 4, kind, text))
