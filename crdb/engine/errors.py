"""Error texts, in the words of Redis 7.2.

A handler raises `CommandError(TEXT)`. The executor takes back what the handler had put into
`client.out` and sends `-TEXT` instead. What the handler had already written to the keyspace
stays, as in Redis: so check everything first, then write.

    if not isinstance(value, Set):
        raise CommandError(WRONG_TYPE)

Texts are bytes with their code in front, without the dash and the line end. They are constants
and not exceptions, since an exception that is raised again and again drags its tracebacks along.
"""

from __future__ import annotations

from typing import Final


class CommandError(Exception):
    """The command is refused, and `text` is sent to the client."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


WRONG_TYPE: Final = b"WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX: Final = b"ERR syntax error"
NO_SUCH_KEY: Final = b"ERR no such key"
SAME_OBJECT: Final = b"ERR source and destination objects are the same"
INDEX_OUT_OF_RANGE: Final = b"ERR index out of range"
OFFSET_OUT_OF_RANGE: Final = b"ERR offset is out of range"
OUT_OF_RANGE: Final = b"ERR value is out of range"
NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
NOT_AN_INTEGER: Final = b"ERR value is not an integer or out of range"
NOT_A_FLOAT: Final = b"ERR value is not a valid float"
OVERFLOW: Final = b"ERR increment or decrement would overflow"
NAN_OR_INFINITY: Final = b"ERR increment would produce NaN or Infinity"
STRING_TOO_LONG: Final = b"ERR string exceeds maximum allowed size (proto-max-bulk-len)"
INVALID_CURSOR: Final = b"ERR invalid cursor"
TIMEOUT_NOT_A_FLOAT: Final = b"ERR timeout is not a float or out of range"
TIMEOUT_NEGATIVE: Final = b"ERR timeout is negative"
TIMEOUT_OUT_OF_RANGE: Final = b"ERR timeout is out of range"
NO_AUTH: Final = b"NOAUTH Authentication required."
READ_ONLY: Final = b"READONLY You can't write against a read only replica."
OUT_OF_MEMORY: Final = b"OOM command not allowed when used memory > 'maxmemory'."
SYSTEM_OUT_OF_MEMORY: Final = (
    b"OOM command not allowed when the process is close to the system's memory limit."
    b" Delete keys, or restart the region with a greater limit (ulimit -v, or its control group)."
)
MEMORY_EXHAUSTED: Final = (
    b"OOM the process has no memory left for this command, which may have been carried out in part."
)
MEMORY_EXHAUSTED_CLOSED: Final = b"OOM the process has no memory left, the connection is closed"
NOT_IN_TRANSACTION: Final = b"ERR Command not allowed inside a transaction"
MISCONF: Final = (
    b"MISCONF the journal cannot be written (%b), so writes are refused."
    b" Repair or free the disk, then restart the region."
)


def wrong_arity(name: bytes) -> bytes:
    """Return the text for a wrong number of arguments. `name` is in lower case, as `config|get`."""
    return b"ERR wrong number of arguments for '%b' command" % name


def invalid_expire(name: bytes) -> bytes:
    """Return the error for a time to live that is not positive or too great."""
    return b"ERR invalid expire time in '%b' command" % name


def one_line(text: bytes) -> bytes:
    """Return `text` with spaces for line ends, which would break the protocol."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ")


def printable(argument: bytes, limit: int = 128) -> bytes:
    """Return an argument for an error text: as a C string it ends at a NUL, and at 128 bytes."""
    return argument.split(b"\x00", 1)[0][:limit]


def journal_failed(reason: str) -> bytes:
    """Return the text for writes after the journal has failed."""
    return one_line(MISCONF % reason.encode())
