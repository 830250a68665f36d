"""Strings and counters: a register with increments on top.

A string that nobody increments is one last-writer-wins register (rules STR-1 to STR-4). Increments
of all regions add up on top of the last SET (rules CTR-1, CTR-6, CTR-9). A SET resets the
increments it observed; one that it has not seen adds to the new base if that is a number, else the
base is shown alone (D-04). A delete resets too, so an unobserved increment survives by itself
(rule CTR-4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crdt.causality.dots import Dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import are_resets, is_bytes, is_seq, is_stamp, is_sum
from crdt.numbers.long_double import LongDouble
from crdt.numbers.number import (
    Number,
    add,
    increased,
    parse_integer,
    parse_number,
    shortened,
    subtract,
    text_of,
)
from crdt.types.components.counter import live, total
from crdt.types.components.register import Register, rename_register
from crdt.types.definition import (
    Operation,
    Spelling,
    SpellingForm,
    TypeDefinition,
)

STRING: Final = 1
SET: Final = 0  #   (code, operation, key, stamp, value[, resets])  ends the time to live
KEEP: Final = 1  #  (code, operation, key, stamp, value[, resets])  keeps it
ADD: Final = 2  #   (code, operation, key, birth, sum)


EMBEDDED_BYTES_MAX: Final = 44
"""The longest text that Redis keeps next to its header."""


class String(Register):
    """A string, a counter, or a hash field."""

    __slots__ = ()

    def code(self) -> int:
        return STRING

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.is_raw = self.is_text = False
        operation: int = effect[1]
        number: int = effect[3]
        if operation == ADD:
            self.increment(dot, number, effect[4])
            return
        self.write(dot, observed.base + number, effect[4], observed)
        if len(effect) > 5:
            self.reset(effect[5], dot)

    def read(self) -> bytes:
        """Return what GET shows."""
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
        text = increased(self.read() if self.is_live() else b"0", delta)
        if text is None:
            return None, 0
        number = self.number()
        return text, subtract(shortened(text), 0 if number is None else number)

    def visible(self) -> object:
        return self.read()

    def text(self) -> bytes | None:
        return self.read()


def content(value: String) -> list[Any]:
    """Return the text that readers see."""
    return [value.read()]


def encoding(value: String, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a string in Redis."""
    text = value.read()
    if value.is_raw or len(text) > EMBEDDED_BYTES_MAX:
        return b"raw"
    return b"embstr" if value.is_text or parse_integer(text) is None else b"int"


WRITE_ITEMS: Final = (is_stamp, is_bytes)
DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="string",
    code=STRING,
    make=String,
    operations=(
        Operation(
            "set",
            WRITE_ITEMS,
            optional=(are_resets,),
            is_assignment=True,
            ends_ttl=True,
            spelling=Spelling("SET", SpellingForm.VALUE),
        ),
        Operation(
            "keep",
            WRITE_ITEMS,
            optional=(are_resets,),
            is_assignment=True,
            spelling=Spelling("KEEP", SpellingForm.VALUE),
        ),
        Operation("add", (is_seq, is_sum), spelling=Spelling("INCRBY", SpellingForm.SUM)),
    ),
    is_plain=True,
    redis_name=b"string",
    encoding=encoding,
    rename_origins=rename_register,
    content=content,
)
