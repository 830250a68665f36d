"""Strings and counters: a register with increments on top.

A string that nobody increments is one last-writer-wins register (rules STR-1 to STR-4). Increments
of all regions add up on top of the last SET (rules CTR-1, CTR-6, CTR-9). A SET resets the
increments it observed; one that it has not seen adds to the new base if that is a number, else the
base is shown alone (D-04). A delete resets too, so an unobserved increment survives by itself
(rule CTR-4).
"""

from __future__ import annotations

from typing import Final

from crdt.counter import live, next_sum, total
from crdt.dots import Dot
from crdt.errors import NotANumber
from crdt.keyspace import STRING, STRING_KEEP, STRING_SET, Keyspace
from crdt.long_double import LongDouble
from crdt.number import (
    Number,
    add,
    check_range,
    increased,
    integer_of,
    parse_integer,
    parse_number,
    portable,
    shortened,
    subtract,
    text_of,
)
from crdt.observed import Observed
from crdt.register import Register
from crdt.value import LARGE_BYTES, Effect

SET: Final = STRING_SET  #       (kind, key, stamp, value[, resets])  ends the time to live
KEEP: Final = STRING_KEEP  #     (kind, key, stamp, value[, resets])  keeps it
ADD: Final = STRING << 4 | 2  #  (kind, key, birth, sum)


class String(Register):
    """A string, a counter, or a hash field."""

    __slots__ = ()

    def code(self) -> int:
        return STRING

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.is_raw = self.is_text = False
        if effect[0] == ADD:
            self.increment(dot, effect[2], effect[3])
            return
        self.write(dot, observed.base + effect[2], effect[3], observed)
        if len(effect) > 4:
            self.reset(effect[4], dot)

    def read(self) -> bytes:
        """What GET shows."""
        value: bytes | None = self.value
        if value is None:
            return text_of(total(self.shares))
        if not self.shares:
            return value
        base = parse_number(value) if live(self.shares) else None
        return value if base is None else text_of(add(base, total(self.shares)))

    def number(self) -> Number | None:
        """Return what increments add to: the exact value, 0 if there is none, None if it is no
        number."""
        value: bytes | None = self.value
        base = parse_number(value) if value is not None else 0
        if base is None or not live(self.shares):
            return base
        return total(self.shares) if base == 0 else add(base, total(self.shares))

    def integer(self) -> int | None:
        """Return the value if it reads as an integer, 0 if there is none, else None."""
        value: bytes | None = self.value
        base = 0 if value is None else parse_integer(value)
        if not live(self.shares):
            return base
        number = self.number() if base is None else add(base, total(self.shares))
        return number if isinstance(number, int) else None

    def increased(self, delta: LongDouble) -> tuple[bytes | None, Number]:
        """Return what INCRBYFLOAT makes of the value, None if that is no number; and the exact
        number to add for it. Raises NotANumber if the sum would be infinite."""
        text = increased(self.read() if self.alive() else b"0", delta)
        if text is None:
            return None, 0
        number = self.number()
        return text, subtract(shortened(text), 0 if number is None else number)

    def visible(self) -> object:
        return self.read()


def assign(db: Keyspace, key: bytes, value: bytes, keep_ttl: bool = False) -> None:
    """SET: `value` replaces what was observed, whatever its type was."""
    held = db.data.get(key)
    stamp = db.now - db.base
    resets: object = None
    if held is not None:
        if type(held) is not String:
            assign_anew(db, key, value, keep_ttl)
            return
        stamp = db.stamp(held.stamp)
        if held.shares:
            resets = held.resets()
    kind = KEEP if keep_ttl else SET
    if resets is None:
        effect: Effect = (kind, key, stamp, value)
        if len(value) <= LARGE_BYTES or held is None or not db.rewrite(held, effect):
            db.emit(effect)
    else:
        db.emit((kind, key, stamp, value, resets))


def mark(db: Keyspace, key: bytes, *, is_raw: bool) -> None:
    """Note how Redis would keep a string that this region has just written, for OBJECT ENCODING.

    Changes in place leave it raw, and INCRBYFLOAT leaves a text even if that is an integer. Other
    regions do not learn this.
    """
    held = db.data.get(key)
    if type(held) is String:
        held.is_raw, held.is_text = is_raw, not is_raw


def assign_anew(db: Keyspace, key: bytes, value: bytes, keep_ttl: bool) -> None:
    """SET over another type, or over several at once: those go, a time to live may stay."""
    deadline = db.deadline(key) if keep_ttl else None
    db.delete(key)
    db.emit((SET, key, db.now - db.base, value))
    if deadline is not None:
        db.expire(key, deadline)


def increment(db: Keyspace, key: bytes, delta: int, held: String | None = None) -> int:
    """INCRBY: the value afterwards. `held` is the string under `key`, if the caller knows it.

    Raises NotANumber if the key holds something else than an integer, CounterOverflow if the result
    is beyond 59 bits of magnitude and not nearer to them; nothing is changed then.
    """
    if held is None:
        held = held_string(db, key)
    before = 0 if held is None else integer_of(held.integer())
    result = before + delta
    check_range(result, before)
    add_to(db, key, held, delta)
    return result


def increment_decimal(db: Keyspace, key: bytes, delta: LongDouble) -> bytes:
    """INCRBYFLOAT: the value afterwards, as text. Raises NotANumber if there is no number."""
    held = held_string(db, key)
    text, difference = (String() if held is None else held).increased(delta)
    if text is None:
        raise NotANumber("value is not a valid float")
    add_to(db, key, held, difference)
    return text


def held_string(db: Keyspace, key: bytes) -> String | None:
    """The string under `key`, alive or remembered."""
    held = db.remains(key, STRING)
    assert held is None or isinstance(held, String)
    return held


def add_to(db: Keyspace, key: bytes, held: String | None, delta: Number) -> None:
    """Make the increment, known to be allowed."""
    birth, amount = db.seq + 1, delta
    if held is not None and held.shares:
        birth, amount = next_sum(held.shares, db.origin, birth, delta)
    db.emit((ADD, key, birth, portable(amount)))
