"""Strings and counters: a register with increments on top.

A string that nobody increments is one last-writer-wins register (rules STR-1 to STR-4). Increments
of all regions add up on top of the last SET (rules CTR-1, CTR-6, CTR-9). A SET resets the
increments it observed; one that it has not seen adds to the new base if that is a number, else the
base is shown alone (D-04). A delete resets too, so an unobserved increment survives by itself
(rule CTR-4).

APPEND and similar commands write the whole value (rule STR-4), but a long one travels as an *edit*:
an offset and the bytes written there. An edit applies to the latest write of its own origin, which
every replica has: effects of one origin arrive in order, and a replica retains the text of a write
for as long as its origin may edit it (see `Register`). The first edit of a text carries the whole
text (`REBASE`). That makes it a write of this origin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from mypy_extensions import mypyc_attr

from crdt.causality.dots import SEQ_BITS, Dot, Origin, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.causality.schema import are_resets, is_bytes, is_offset, is_seq, is_stamp, is_sum
from crdt.errors import DecodeError
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
from crdt.structures.large_text import LargeText
from crdt.types.base import Value
from crdt.types.components.counter import live, total
from crdt.types.components.register import Register, rename_register, whole_value
from crdt.types.definition import (
    Operation,
    Spelling,
    SpellingForm,
    TypeDefinition,
)
from crdt.wire.decoding import bytes_of, items_of

STRING: Final = 1
SET: Final = 0  #   (code, operation, key, stamp, value[, resets])  ends the time to live
KEEP: Final = 1  #  (code, operation, key, stamp, value[, resets])  keeps it
ADD: Final = 2  #   (code, operation, key, birth, sum)
REBASE: Final = 3  # (code, operation, key, stamp, offset, patch, text)  keeps it: an edit of text
EDIT: Final = 4  #   (code, operation, key, stamp, offset, patch)        keeps it

LARGE_TEXT_BYTES: Final = 256 << 10
"""A text of at least this size can be edited by its origin as it was written, without a REBASE. A
shorter one is a plain value, of which no other replica has to retain anything."""

SMALL_PARTS_MAX: Final = 64
SMALL_PART_BYTES: Final = 16 << 10
"""A text is divided into more than `SMALL_PARTS_MAX` parts only if they have so many bytes."""

EMBEDDED_BYTES_MAX: Final = 44
"""The longest text that Redis keeps next to its header."""


@mypyc_attr(acyclic=True)
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
        elif operation >= REBASE:
            base = LargeText(effect[6]) if operation == REBASE else self.base(observed.origin)
            base.overwrite(effect[4], effect[5])
            self.write(dot, observed.base + number, base, observed)
        else:
            text: bytes = effect[4]
            value: Any = text
            if len(text) >= LARGE_TEXT_BYTES:
                value = LargeText(text)
            self.write(dot, observed.base + number, value, observed)
            if len(effect) > 5:
                self.reset(effect[5], dot)

    def is_lone(self) -> bool:
        """Return whether this is one write of a short text, and nothing else."""
        return type(self.value) is bytes and not self.sibling_writes and not self.shares

    def set_lone(self, dot: Dot, stamp: int, text: bytes, second: int) -> None:
        """Hold one write of a short text, which is used now and ends the time to live. It replaces
        a lone write, or nothing."""
        self.dot = dot
        self.stamp = stamp
        self.value = text
        self.no_expiry = True
        self.is_raw = self.is_text = False
        self.accessed = second

    def base(self, origin: Origin) -> LargeText:
        """Return the text that an edit by `origin` applies to: its latest write here."""
        if self.dot >> SEQ_BITS == origin and isinstance(self.value, LargeText):
            shown: LargeText = self.value
            return shown
        for write in self.bases():
            if write.dot >> SEQ_BITS == origin:
                text: LargeText = write.value
                return text
        return LargeText(b"")  # only a peer that breaks the rules sends such an edit

    def held_value(self, text: bytes) -> Any:
        """Return the form in which a register holds a text that was written as a whole."""
        return text if len(text) < LARGE_TEXT_BYTES else LargeText(text)

    def large_text(self) -> LargeText | None:
        """Return what readers see if it is a text that can be read in parts, else None."""
        value: Any = self.value
        if isinstance(value, LargeText) and not live(self.shares):
            return value
        return None

    def short_text(self) -> bytes | None:
        """Return what readers see if it is held as one byte string, else None. It is the fastest
        way to read most strings."""
        value: Any = self.value
        if isinstance(value, bytes) and not self.shares:
            return value
        return None

    def size(self) -> int:
        """Return the length of what readers see."""
        text = self.large_text()
        return len(self.read()) if text is None else text.size

    def part(self, start: int, stop: int) -> bytes:
        """Return the bytes from `start` to `stop` of what readers see, without reading it all.
        Neither index is negative."""
        text = self.large_text()
        if text is None:
            return self.read()[start : max(start, stop)]
        return text.part(start, stop)

    def unpacked(self, item: Any) -> Any:
        if isinstance(item, tuple):
            items = items_of(cast("object", item), 1, "an edited text")
            return LargeText(bytes_of(items[0], "an edited text"))
        return item

    def admits(self, value: object) -> bool:
        return type(value) is bytes or isinstance(value, LargeText)

    def text_written(self) -> bytes | None:
        """Return the shown write, None if there is none."""
        value: bytes | None = whole_value(self.value)
        return value

    def read(self) -> bytes:
        """Return what GET shows."""
        text = self.short_text()
        if text is not None:
            return text
        value = self.text_written()
        if value is None:
            return text_of(total(self.shares))
        if not self.shares:
            return value
        base = parse_number(value) if live(self.shares) else None
        return value if base is None else text_of(add(base, total(self.shares)))

    def number(self) -> Number | None:
        """Return what increments add to: the exact value, 0 if there is none, None if it is no
        number."""
        value = self.text_written()
        base = parse_number(value) if value is not None else 0
        if base is None or not live(self.shares):
            return base
        return total(self.shares) if base == 0 else add(base, total(self.shares))

    def integer(self) -> int | None:
        """Return the value if it reads as an integer, 0 if there is none, else None."""
        value = self.text_written()
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

    def divides(self, count: int, size: int) -> bool:
        value: Any = self.value
        return isinstance(value, LargeText) and value.size > size

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        text: LargeText = self.value
        size = max(size, min(text.size // SMALL_PARTS_MAX, SMALL_PART_BYTES))
        yield self.state_with((text.part(0, size),))
        for start in range(size, text.size, size):
            yield text.part(start, start + size)

    def load_part(self, part: Any, vector: Vector) -> bool:
        text: Any = self.value
        if type(part) is not bytes:
            self.load(part)
            return self.covered(vector)
        if not isinstance(text, LargeText):
            raise DecodeError("a part of a text without its beginning")
        text.overwrite(text.size, part)
        return True

    def equals(self, other: Value) -> bool:
        """Compare the names of lone writes: the text of one name is the same everywhere."""
        assert isinstance(other, String)
        if self.dot and self.dot == other.dot and not self.sibling_writes and not self.shares:
            if not other.sibling_writes and not other.shares:
                return self.no_expiry == other.no_expiry
        return bool(self.state() == other.state())

    def visible(self) -> object:
        return self.read()

    def text(self) -> bytes | None:
        return self.read()


def content(value: String) -> list[Any]:
    """Return the text that readers see."""
    return [value.read()]


def encoding(value: String, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a string in Redis."""
    if value.is_raw or value.size() > EMBEDDED_BYTES_MAX:
        return b"raw"
    text = value.read()
    return b"embstr" if value.is_text or parse_integer(text) is None else b"int"


WRITE_ITEMS: Final = (is_stamp, is_bytes)
EDIT_ITEMS: Final = (is_stamp, is_offset, is_bytes)
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
        Operation(
            "rebase",
            (*EDIT_ITEMS, is_bytes),
            is_edit=True,
            spelling=Spelling("KEEP", SpellingForm.EDIT),
        ),
        Operation("edit", EDIT_ITEMS, is_edit=True, spelling=Spelling("KEEP", SpellingForm.EDIT)),
    ),
    is_plain=True,
    redis_name=b"string",
    encoding=encoding,
    rename_origins=rename_register,
    content=content,
)
