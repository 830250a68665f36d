"""Short strings and counters in a short form: one byte string of value and metadata.

Most keys hold one write of a short text, or the increments of one origin. As a `String` they are
two to four objects. A store keeps such a string *folded*, as one byte string. It is unfolded to a
`String` when anything else happens to it. All numbers are little-endian.

    bytes    a write                  a counter
    0 to 7   dot                      dot of the latest increment
    8 to 15  stamp * 16 + flags       birth * 16 + flags
    16 to 19 second of the last use   second of the last use
    20 on    text                     sum, 8 bytes

The flags are those of a register, and one that tells a counter from a write.
"""

from __future__ import annotations

from typing import Any, Final

from librt.strings import BytesWriter, read_i32_le, read_i64_le, write_i32_le, write_i64_le

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.types.base import Value
from crdt.types.components.counter import Share
from crdt.types.string import ADD, SET, String

FOLDED_BYTES_MAX: Final = 256
"""The longest text of a folded string. A longer one would be copied often, and gain little."""
SECOND_MAX: Final = (1 << 32) - 1
"""The largest time of use, in seconds: it is in the year 2106."""
SECOND_OFFSET: Final = 1 << 31  # a time of use is stored as a signed number
SUM_LIMIT: Final = 1 << 63
NO_EXPIRY: Final = 1
IS_RAW: Final = 2
IS_TEXT: Final = 4
IS_COUNTER: Final = 8
FLAG_BITS: Final = 4


class Folder:
    """Makes folded strings. A keyspace and a store have one each, as another thread must not use
    the buffer of this one."""

    __slots__ = ("writer",)

    def __init__(self) -> None:
        self.writer: BytesWriter = BytesWriter()

    def write(self, dot: Dot, stamp: int, second: int, text: bytes) -> bytes:
        """Return one write of a short text, which ends the time to live."""
        return self.pack(dot, stamp << FLAG_BITS | NO_EXPIRY, second, text)

    def pack(self, dot: Dot, stamp_and_flags: int, second: int, text: bytes) -> bytes:
        """Return one write of a short text."""
        writer = self.writer
        writer.truncate(0)
        write_i64_le(writer, dot)
        write_i64_le(writer, stamp_and_flags)
        write_i32_le(writer, second - SECOND_OFFSET)
        writer.write(text)
        return writer.getvalue()

    def counter(self, dot: Dot, birth: int, second: int, amount: int, flags: int = 0) -> bytes:
        """Return the increments of one origin. Their sum needs 64 bits at most."""
        writer = self.writer
        writer.truncate(0)
        write_i64_le(writer, dot)
        write_i64_le(writer, birth << FLAG_BITS | IS_COUNTER | flags)
        write_i32_le(writer, second - SECOND_OFFSET)
        write_i64_le(writer, amount)
        return writer.getvalue()

    def used(self, folded: bytes, second: int) -> bytes:
        """Return the same string, as used in this second."""
        word = int(read_i64_le(folded, 8))
        return self.pack(dot_of(folded), word, second, folded[20:])

    def fold(self, value: Value) -> Any:
        """Return a string in its short form, or `value` itself if it has none."""
        if type(value) is not String or value.sibling_writes:
            return value
        flags = value.no_expiry * NO_EXPIRY | value.is_raw * IS_RAW | value.is_text * IS_TEXT
        shares = value.shares
        if not shares:
            text: Any = value.value
            if type(text) is not bytes or len(text) > FOLDED_BYTES_MAX:
                return value
            return self.pack(value.dot, value.stamp << FLAG_BITS | flags, value.accessed, text)
        if value.dot or len(shares) != 1:
            return value
        share = shares[0]
        amount: Any = share.sum
        if share.reset_dot or type(amount) is not int or not -SUM_LIMIT <= amount < SUM_LIMIT:
            return value
        dot = share.origin << SEQ_BITS | share.seq
        return self.counter(dot, share.birth, value.accessed, amount, flags)

    def applied(
        self, folded: bytes | None, effect: Effect, dot: Dot, observed: Observed, second: int
    ) -> bytes | None:
        """Return the folded string after an effect on a string. It is None if the result must be
        found out in the general way. `folded` is None where nothing is held."""
        operation: int = effect[1]
        if operation == SET:
            relative: int = effect[3]
            text: bytes = effect[4]
            if len(effect) > 5 or len(text) > FOLDED_BYTES_MAX:
                return None
            if folded is not None and (is_counter(folded) or not observed.covers(dot_of(folded))):
                return None
            return self.write(dot, observed.base + relative, second, text)
        if operation == ADD:
            amount: Any = effect[4]
            if type(amount) is not int or not -SUM_LIMIT <= amount < SUM_LIMIT:
                return None
            birth: int = effect[3]
            if folded is None or adds_up(folded, dot >> SEQ_BITS, birth):
                return self.counter(dot, birth, second, amount)
        return None


def may_fold(value: Value) -> bool:
    """Return whether a store may keep a value in its short form."""
    return type(value) is String


def dot_of(folded: bytes) -> Dot:
    """Return the dot of the write, or of the latest increment."""
    return int(read_i64_le(folded, 0))


def is_counter(folded: bytes) -> bool:
    """Return whether this is a counter, not a write."""
    return read_i64_le(folded, 8) & IS_COUNTER != 0


def stamp_of(folded: bytes) -> int:
    """Return the stamp of a write, or the birth of a counter."""
    return int(read_i64_le(folded, 8) >> FLAG_BITS)


def second_of(folded: bytes) -> int:
    """Return the second of the last use."""
    return int(read_i32_le(folded, 16)) + SECOND_OFFSET


def sum_of(folded: bytes) -> int:
    """Return the sum of a counter."""
    return int(read_i64_le(folded, 20))


def adds_up(folded: bytes, origin: Origin, birth: int) -> bool:
    """Return whether this is a counter, of this origin and birth."""
    return is_counter(folded) and dot_of(folded) >> SEQ_BITS == origin and stamp_of(folded) == birth


def text_of(folded: bytes) -> bytes:
    """Return what GET shows."""
    if is_counter(folded):
        return b"%d" % sum_of(folded)
    return folded[20:]


def unfold(folded: bytes) -> String:
    """Return the string in its long form."""
    value = String()
    word = int(read_i64_le(folded, 8))
    dot = dot_of(folded)
    if word & IS_COUNTER:
        share = Share(dot >> SEQ_BITS, word >> FLAG_BITS, dot & SEQ_MAX, sum_of(folded))
        value.shares = (share,)
    else:
        value.dot = dot
        value.stamp = word >> FLAG_BITS
        value.value = folded[20:]
        value.no_expiry = word & NO_EXPIRY != 0
    value.is_raw = word & IS_RAW != 0
    value.is_text = word & IS_TEXT != 0
    value.accessed = second_of(folded)
    return value


def value_of(entry: Any) -> Any:
    """Return an entry of a store in its long form: a value, or None."""
    return unfold(entry) if type(entry) is bytes else entry
