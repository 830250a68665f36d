r"""Parse requests in a client's bytes, with the same limits and errors as Redis 7.2.

A request is an array of bulk strings, `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`, or an inline line of words.
`feed` only stores bytes, and `next` parses them. The result does not depend on how the bytes are
cut into pieces.

Memory and work are bounded by the bytes that have arrived: a header alone allocates nothing. A
request that is not complete keeps the strings read so far, the rest of the buffer and the pieces
fed since. The pieces are joined once there are enough of them for the missing string. So neither a
long string in many pieces nor a request of many strings costs more than its size. `pending` is the
size of the kept bytes, and the owner of the parser limits it.

A very long string is written into a growing buffer as it arrives. The buffer becomes the string
without a copy, so that the last piece of a string takes no longer than any other.

The code is written for mypyc. Short canonical headers are read byte by byte. Headers that are long,
incomplete or wrong are left to `_read_long_count` and `_read_long_size`.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from mypy_extensions import i64

from crdb.resp.errors import ProtocolError
from crdb.resp.inline import split_line
from crdb.resp.numbers import parse_integer

LINE_MAX: Final = 64 * 1024
"""Longest inline request and longest header, as in Redis."""
ELEMENTS_MAX: Final = (1 << 31) - 1
BULK_BYTES_MAX: Final = 512 * 1024 * 1024
"""Default of proto-max-bulk-len."""
RELEASE_BYTES: Final = 1 << 20
"""A read part of the buffer is released from this size on while a request is incomplete, since its
client may not send the rest for a long time."""
GROWING_BYTES: Final = 256 << 10
"""A string from this size on is gathered in a growing buffer."""
UNTRUSTED_ELEMENTS_MAX: Final = 10
UNTRUSTED_BULK_BYTES_MAX: Final = 16 * 1024
"""The limits for a client that has not authenticated."""

STAR: Final = 42
DOLLAR: Final = 36
RETURN: Final = 13
SHORT_DIGITS_MAX: Final = 9
UNKNOWN: Final = -1


class Parser:
    r"""Turns the bytes of one connection into requests.

    >>> parser = Parser()
    >>> parser.feed(b"*2\r\n$3\r\nGET\r\n$4\r\nmi")
    >>> parser.next()
    >>> parser.feed(b"lk\r\nPING\r\n")
    >>> parser.next(), parser.next(), parser.next()
    ([b'GET', b'milk'], [b'PING'], None)
    """

    __slots__ = (
        "args",
        "buffer",
        "bulk_bytes_max",
        "growing",
        "held",
        "kept",
        "missing",
        "name",
        "pieces",
        "position",
        "remaining",
        "size",
        "trusted",
        "wanted",
    )

    def __init__(self) -> None:
        self.trusted = True
        """False until the client has authenticated, if a password is set."""
        self.bulk_bytes_max = BULK_BYTES_MAX
        self.buffer = b""
        self.position: i64 = 0
        self.pieces: list[bytes] = []
        """Data fed after `buffer`, not joined to it yet."""
        self.held = 0
        """The number of bytes in `pieces`."""
        self.wanted = 0
        """The number of bytes after `position` that the request needs to continue."""
        self.args: list[bytes] = []
        """The strings of an unfinished request."""
        self.remaining: i64 = 0
        """The number of strings that are missing."""
        self.size: i64 = UNKNOWN
        """The length of the string at `position`, once its header has been read."""
        self.kept = 0
        """The number of bytes that the strings in `args` used."""
        self.growing: BytesIO | None = None
        """The beginning of a very long string that has not arrived completely."""
        self.missing = 0
        """The number of bytes that this string lacks."""
        self.name = b""
        """The first string of the latest short request. The next request often begins with the same
        one, which is then not made again."""

    @property
    def pending(self) -> int:
        """The number of bytes fed and not yet returned in a request."""
        return len(self.buffer) - self.position + self.held + self.kept

    def feed(self, data: bytes) -> None:
        """Store bytes that the connection received."""
        if self.missing > 0:
            data = self._grow(data)
        if self.position == len(self.buffer) and not self.pieces:
            self.buffer = data
            self.position = 0
        elif data:
            self.pieces.append(data)
            self.held += len(data)

    def next(self) -> list[bytes] | None:
        """Return the next complete request, or None.

        Raises ProtocolError. The parser cannot be used after that.
        """
        if self.growing is not None:
            return self._resume_request() if self._end_growing(self.growing) else None
        if self.pieces and not self._join_pieces():
            return None
        if self.remaining > 0:
            return self._resume_request()
        count: i64
        while True:
            position: i64 = self.position
            buffer = self.buffer
            if position >= len(buffer):
                self.buffer = b""
                self.position = 0
                return None
            if buffer[position] != STAR:
                line = self._read_inline()
                if line is None:
                    self._release_buffer()
                    return None
                if line:
                    return line
                continue
            count, position = short_length(buffer, position)
            if count < 0 or (count > UNTRUSTED_ELEMENTS_MAX and not self.trusted):
                count, position = self._read_long_count()
                if count < 0:
                    self._release_buffer()
                    return None
            if count == 2 or count == 3:
                args = self._read_short(count, position)
                if args is not None:
                    return args
            if count > 0:
                return self._read_strings([], count, position, UNKNOWN)
            self.position = position

    def _read_short(self, count: i64, position: i64) -> list[bytes] | None:
        """Read a request of two or three strings, such as GET or SET, from `position`. Return None,
        with nothing changed, if it is not complete or its headers are unusual."""
        buffer = self.buffer
        end: i64 = len(buffer) - 2
        limit: i64 = self.bulk_bytes_max if self.trusted else UNTRUSTED_BULK_BYTES_MAX
        size: i64
        if position > end or buffer[position] != DOLLAR:
            return None
        size, position = short_length(buffer, position)
        following: i64 = position + size
        if size < 0 or size > limit or following > end:
            return None
        name = self.name
        if size != len(name) or not begins_with(buffer, position, name):
            name = self.name = buffer[position:following]
        position = following + 2
        if position > end or buffer[position] != DOLLAR:
            return None
        size, position = short_length(buffer, position)
        following = position + size
        if size < 0 or size > limit or following > end:
            return None
        second = buffer[position:following]
        position = following + 2
        if count == 2:
            self.position = position
            return [name, second]
        if position > end or buffer[position] != DOLLAR:
            return None
        size, position = short_length(buffer, position)
        following = position + size
        if size < 0 or size > limit or following > end:
            return None
        third = buffer[position:following]
        self.position = following + 2
        return [name, second, third]

    def _read_strings(
        self, args: list[bytes], remaining: i64, position: i64, size: i64
    ) -> list[bytes] | None:
        """Read `remaining` strings from `position`. `size` is the size of the first, if known."""
        buffer = self.buffer
        end: i64 = len(buffer)
        limit: i64 = self.bulk_bytes_max if self.trusted else UNTRUSTED_BULK_BYTES_MAX
        start: i64
        while remaining > 0:
            if size < 0:
                start = position
                if position < end and buffer[position] == DOLLAR:
                    size, position = short_length(buffer, position)
                if size < 0 or size > limit:
                    size, position = self._read_long_size(start)
                    if size < 0:
                        return self._keep_request(args, remaining, position, UNKNOWN)
            following: i64 = position + size
            if following + 2 > end:
                return self._keep_request(args, remaining, position, size)
            args.append(buffer[position:following])
            position = following + 2
            size = UNKNOWN
            remaining -= 1
        self.position = position
        return args

    def _keep_request(
        self, args: list[bytes], remaining: i64, position: i64, size: i64
    ) -> list[bytes] | None:
        """Store an unfinished request. Return None, for `next` to return."""
        self.kept += position - self.position
        self.args = args
        self.remaining = remaining
        self.position = position
        self._release_buffer()
        position = self.position
        self.size = size
        if size >= GROWING_BYTES:
            self._begin_growing(size)
            return None
        self.wanted = size + 2 if size >= 0 else len(self.buffer) - position + 1
        return None

    def _begin_growing(self, size: i64) -> None:
        """Move the beginning of a string of `size` bytes from the buffer to a growing one."""
        growing = BytesIO()
        growing.write(self.buffer[self.position : self.position + size])
        arrived: i64 = growing.tell()
        self.growing = growing
        self.missing = size - arrived
        self.kept += arrived
        self.buffer = self.buffer[self.position + arrived :]
        self.position = 0
        self.wanted = 0

    def _grow(self, data: bytes) -> bytes:
        """Add what belongs to the very long string. Return the rest of `data`."""
        growing = self.growing
        assert growing is not None, "it lacks bytes"
        part = data if len(data) <= self.missing else data[: self.missing]
        growing.write(part)
        self.missing -= len(part)
        self.kept += len(part)
        return data[len(part) :] if len(part) < len(data) else b""

    def _end_growing(self, growing: BytesIO) -> bool:
        """Add the very long string to the request if it has arrived with its line end."""
        rest = len(self.buffer) - self.position + self.held
        if self.missing > 0 or rest < 2:
            return False
        if self.pieces:
            self._join_pieces()
        self.args.append(growing.getvalue())
        self.growing = None
        self.size = UNKNOWN
        self.position += 2
        self.kept += 2
        self.remaining -= 1
        return True

    def _release_buffer(self) -> None:
        """Release the part of the buffer that has been read, if it is large."""
        if self.position > RELEASE_BYTES:
            self.buffer = self.buffer[self.position :]
            self.position = 0

    def _resume_request(self) -> list[bytes] | None:
        """Continue an unfinished request."""
        args = self._read_strings(self.args, self.remaining, self.position, self.size)
        if args is not None:
            self.args = []
            self.remaining = 0
            self.size = UNKNOWN
            self.kept = 0
            self.wanted = 0
        return args

    def _join_pieces(self) -> bool:
        """Append the pieces to the buffer, if there are enough of them to continue."""
        rest = len(self.buffer) - self.position
        if rest + self.held < self.wanted:
            return False
        self.pieces.insert(0, self.buffer[self.position :])
        self.buffer = b"".join(self.pieces)
        self.position = 0
        self.pieces = []
        self.held = 0
        self.wanted = 0
        return True

    def _find_line_end(self, position: i64, too_long: bytes) -> i64:
        """Return the end of the header at `position`, or -1 if it has not arrived."""
        end = self.buffer.find(b"\r", position, position + LINE_MAX + 1)
        if end < 0 and len(self.buffer) - position > LINE_MAX:
            raise ProtocolError(too_long)
        return end if end + 1 < len(self.buffer) else -1

    def _read_long_count(self) -> tuple[i64, i64]:
        """Return the announced number of strings from a long header; -1 if incomplete."""
        start: i64 = self.position
        end = self._find_line_end(start, b"too big mbulk count string")
        if end < 0:
            return -1, start
        count = parse_integer(self.buffer[start + 1 : end])
        if count is None or count > ELEMENTS_MAX:
            raise ProtocolError(b"invalid multibulk length")
        if count > UNTRUSTED_ELEMENTS_MAX and not self.trusted:
            raise ProtocolError(b"unauthenticated multibulk length")
        return max(count, 0), end + 2

    def _read_long_size(self, start: i64) -> tuple[i64, i64]:
        """Return the announced length of a string from a long header; -1 if incomplete."""
        end = self._find_line_end(start, b"too big bulk count string")
        if end < 0:
            return -1, start
        marker = self.buffer[start : start + 1]
        if marker != b"$":
            shown = b" " if marker in b"\r\n" else marker
            raise ProtocolError(b"expected '$', got '%b'" % shown)
        size = parse_integer(self.buffer[start + 1 : end])
        if size is None or size < 0 or size > self.bulk_bytes_max:
            raise ProtocolError(b"invalid bulk length")
        if size > UNTRUSTED_BULK_BYTES_MAX and not self.trusted:
            raise ProtocolError(b"unauthenticated bulk length")
        return size, end + 2

    def _read_inline(self) -> list[bytes] | None:
        """Return the words of an inline request, or None if it is incomplete.

        The list is empty for an empty line.
        """
        start: i64 = self.position
        end = self.buffer.find(b"\n", start, start + LINE_MAX + 1)
        if end < 0:
            if len(self.buffer) - start > LINE_MAX:
                raise ProtocolError(b"too big inline request")
            return None
        line = self.buffer[start:end]
        words = split_line(line[:-1] if line.endswith(b"\r") else line)
        if words is None:
            raise ProtocolError(b"unbalanced quotes in request")
        self.position = end + 1
        return words


def begins_with(buffer: bytes, position: i64, text: bytes) -> bool:
    """Return whether `text`, which is not longer than the rest of the buffer, is at `position`."""
    index: i64 = 0
    size: i64 = len(text)
    while index < size:
        if buffer[position + index] != text[index]:
            return False
        index += 1
    return True


def short_length(buffer: bytes, position: i64) -> tuple[i64, i64]:
    """Return the short canonical number in the header at `position`, and the position after it.

    The number is -1 if the header is incomplete, long or wrong.
    """
    cursor: i64 = position + 1
    end: i64 = len(buffer) - 1
    if position + 2 < end and buffer[position + 2] == RETURN:  # nearly always one digit
        digit: i64 = buffer[cursor]
        if digit > 48 and digit <= 57:
            return digit - 48, position + 4
    length: i64 = 0
    limit: i64 = min(end, cursor + SHORT_DIGITS_MAX)
    if cursor < limit and buffer[cursor] != 48:
        while cursor < limit:
            byte: i64 = buffer[cursor]
            if byte < 48 or byte > 57:
                if byte == RETURN and length > 0:
                    return length, cursor + 2
                break
            length = length * 10 + byte - 48
            cursor += 1
    return -1, position
