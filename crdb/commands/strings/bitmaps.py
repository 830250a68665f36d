"""Commands on bitmaps and bit fields: SETBIT, BITFIELD and similar ones.

The unit of conflict is the whole string, as for SETRANGE. Concurrent changes of different bits do
not merge: the later whole value wins (specification 4.3). BITFIELD INCRBY is not a counter.

Commands on single bits and fields read and write the bytes around them only. BITCOUNT and BITPOS
read a string piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.strings import bits
from crdb.commands.strings.bits import Field, PartReader
from crdb.commands.strings.strings import read_string, string_for_write
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.resp import reply
from crdb.resp.numbers import parse_integer
from crdt.types.string import String
from crdt.writes.string import assign, edit, mark

COMMANDS: Final[CommandFamily] = CommandFamily("bitmap")


BAD_OFFSET: Final = b"ERR bit offset is not an integer or out of range"
BAD_BIT: Final = b"ERR bit is not an integer or out of range"
NO_BIT: Final = b"ERR The bit argument must be 1 or 0."
NOT_OF_ONE: Final = b"ERR BITOP NOT must be called with a single source key."
BAD_OVERFLOW: Final = b"ERR Invalid OVERFLOW type specified"
BAD_TYPE: Final = (
    b"ERR Invalid bitfield type. Use something like i16 u8. "
    b"Note that u64 is not supported but i64 is."
)
GET_ONLY: Final = b"ERR BITFIELD_RO only supports the GET subcommand"

OVERFLOWS: Final[dict[bytes, int]] = {
    b"WRAP": bits.WRAP,
    b"SAT": bits.SATURATE,
    b"FAIL": bits.FAIL,
}
OPERATIONS: Final = frozenset({b"AND", b"OR", b"XOR", b"NOT"})
SINGLE: Final = Field(1, False)
PARTS: Final = 16
"""A part of a string takes as long as so many items of other work."""
SPAN_BYTES_MAX: Final = 4096
"""The fields of a BITFIELD are read together if they are within so many bytes."""


def bit_offset(client: Client, argument: bytes, width: int = 0) -> int:
    """Parse a bit offset. With a `width`, `#n` is the n-th field of that width."""
    times = 1
    if width and argument[:1] == b"#":
        times = width
        argument = argument[1:]
    offset = arguments.integer(argument, BAD_OFFSET) * times
    if not 0 <= offset >> 3 < client.instance.config.bulk_bytes_max:
        raise CommandError(BAD_OFFSET)
    return offset


def check_memory(client: Client, held: String | None, size: int) -> None:
    """Raise CommandError if memory is too full for what makes a string `size` bytes long."""
    memory = client.instance.memory
    growth = size if held is None else size - held.size()
    if not memory.can_allocate(growth):
        raise CommandError(memory.refusal(growth))


def part_of(value: String | None, start: int, stop: int) -> bytes:
    """Return the bytes from `start` to `stop` of a string. None is an empty one."""
    return b"" if value is None else value.part(start, stop)


# -- single bits -----------------------------------------------------------------------------


@COMMANDS.declare(
    "setbit",
    "key offset value:integer",
    "write denyoom",
    since="2.2.0",
    summary="Sets or clears one bit of a string.",
    complexity="O(1)",
)
def setbit(client: Client, args: list[bytes]) -> None:
    offset = bit_offset(client, args[2])
    bit = arguments.integer(args[3], BAD_BIT)
    if bit not in (0, 1):
        raise CommandError(BAD_BIT)
    held = string_for_write(client.db, args[1])
    place = offset >> 3
    check_memory(client, held, place + 1)
    data = bytearray(part_of(held, place, place + 1))
    is_beyond = len(data) == 0
    if is_beyond:
        data = bytearray(1)
    before = SINGLE.read(data, offset & 7)
    if is_beyond or before != bit:
        SINGLE.write(data, offset & 7, bit)
        edit(client.db, args[1], place, bytes(data))
    mark(client.db, args[1], is_raw=True)
    reply.integer(client.out, before)


@COMMANDS.declare(
    "getbit", "key offset", "readonly fast", since="2.2.0", summary="Returns one bit of a string."
)
def getbit(client: Client, args: list[bytes]) -> None:
    offset = bit_offset(client, args[2])
    held = read_string(client.db, args[1])
    data = part_of(held, offset >> 3, (offset >> 3) + 1)
    reply.integer(client.out, SINGLE.read(data, offset & 7))


# -- ranges ----------------------------------------------------------------------------------


def is_in_bits(argument: bytes) -> bool:
    """Return whether a range is given in bits and not in bytes. Raises CommandError."""
    word = argument.upper()
    if word not in (b"BIT", b"BYTE"):
        raise CommandError(SYNTAX)
    return word == b"BIT"


def clip_range(first: int, last: int, size: int) -> tuple[int, int]:
    """Clip a range to a string of `size`. Negative indexes count from its end.

    The result is empty if first > last.
    """
    first = max(first + size if first < 0 else first, 0)
    last = max(last + size if last < 0 else last, 0)
    return first, min(last, size - 1)


@COMMANDS.declare(
    "bitcount",
    "key [range: start end [unit: BYTE | BIT]]",
    "readonly sliced",
    since="2.6.0",
    summary="Counts the bits of a string that are set.",
    complexity="O(N)",
    history=("7.0.0 argument `unit`",),
)
def bitcount(client: Client, args: list[bytes]) -> None:
    held = read_string(client.db, args[1])
    if held is None:
        reply.integer(client.out, 0)
        return
    if len(args) == 3 or len(args) > 5:
        raise CommandError(SYNTAX)
    first, last = 0, -1
    in_bits = False
    if len(args) > 3:
        first, last = arguments.integer(args[2]), arguments.integer(args[3])
        in_bits = len(args) == 5 and is_in_bits(args[4])
    unit = 1 if in_bits else 8
    if first < 0 and last < 0 and first > last:
        reply.integer(client.out, 0)
        return
    first, last = clip_range(first, last, 8 * held.size() // unit)
    if first > last:
        reply.integer(client.out, 0)
        return
    reader = bits.PartReader(held.part, client.slice_items // PARTS)
    steps = count_steps(client, reader, first * unit, (last + 1) * unit - 1)
    slicing.run(client, args, cost(held.size()), steps)


def cost(size: int) -> int:
    """Return how many items of work `size` bytes are."""
    return size * PARTS // bits.PART_BYTES


def count_steps(client: Client, reader: PartReader, first: int, last: int) -> Iterator[None]:
    """Reply with the number of bits that are set from `first` to `last`."""
    yield from reader.count(first, last)
    reply.integer(client.out, reader.found)


@COMMANDS.declare(
    "bitpos",
    "key bit [range: start [end-unit-block: end [unit: BYTE | BIT]]]",
    "readonly sliced",
    since="2.8.7",
    summary="Returns the position of the first bit that is set, or clear.",
    complexity="O(N)",
    history=("7.0.0 argument `unit`",),
)
def bitpos(client: Client, args: list[bytes]) -> None:
    """Find a bit. A string without a given end continues with zeros."""
    bit = arguments.integer(args[2])
    if bit not in (0, 1):
        raise CommandError(NO_BIT)
    held = read_string(client.db, args[1])
    if held is None:
        reply.integer(client.out, -1 if bit else 0)
        return
    if len(args) > 6:
        raise CommandError(SYNTAX)
    first = arguments.integer(args[3]) if len(args) > 3 else 0
    in_bits = len(args) == 6 and is_in_bits(args[5])
    last = arguments.integer(args[4]) if len(args) > 4 else -1
    unit = 1 if in_bits else 8
    first, last = clip_range(first, last, 8 * held.size() // unit)
    if first > last:
        reply.integer(client.out, -1)
        return
    size = held.size()
    absent = 8 * size if bit == 0 and len(args) < 5 else -1
    reader = bits.PartReader(held.part, client.slice_items // PARTS)
    search = reader.find(bit, first * unit, (last + 1) * unit - 1)
    slicing.run(client, args, cost(size), find_steps(client, reader, search, absent))


def find_steps(
    client: Client, reader: PartReader, search: Iterator[None], absent: int
) -> Iterator[None]:
    """Reply with the bit that a search of `reader` finds, or with `absent`."""
    yield from search
    reply.integer(client.out, absent if reader.found < 0 else reader.found)


@COMMANDS.declare(
    "bitop",
    "<operation: AND | OR | XOR | NOT> destkey key...",
    "write denyoom sliced",
    keys="OW update; RO access",
    since="2.6.0",
    summary="Combines strings bit by bit and writes the result.",
    complexity="O(N)",
)
def bitop(client: Client, args: list[bytes]) -> None:
    operation = args[1].upper()
    if operation not in OPERATIONS:
        raise CommandError(SYNTAX)
    if operation == b"NOT" and len(args) != 4:
        raise CommandError(NOT_OF_ONE)
    held = [read_string(client.db, key) for key in args[3:]]
    size = max([value.size() for value in held if value is not None], default=0)
    steps = combine_steps(client, args[2], operation, held, size)
    slicing.run(client, args, cost(size * len(held)), steps)


def combine_steps(
    client: Client, sink: bytes, operation: bytes, held: list[String | None], size: int
) -> Iterator[None]:
    """Combine strings bit by bit, the longest of which has `size` bytes. Write the result."""
    db = client.db
    gathered = BytesIO()  # becomes one string without a copy
    step = bits.PART_BYTES * max(client.slice_items // PARTS // len(held), 1)
    for start in range(0, size, step):
        stop = min(start + step, size)
        texts = [part_of(value, start, stop).ljust(stop - start, b"\0") for value in held]
        gathered.write(bits.combine(operation, texts))
        yield
    result = gathered.getvalue()
    if result:
        assign(db, sink, result)
        mark(db, sink, is_raw=True)
    else:
        db.delete(sink)
    reply.integer(client.out, len(result))


# -- fields ----------------------------------------------------------------------------------


class BitfieldStep:
    """A GET, SET or INCRBY of a BITFIELD."""

    __slots__ = ("field", "number", "offset", "overflow", "word")

    def __init__(self, word: bytes, field: Field, offset: int, overflow: int) -> None:
        self.word = word
        self.field = field
        self.offset = offset
        self.overflow = overflow
        self.number = 0

    def first(self) -> int:
        """Return the first byte that holds a part of the field."""
        return self.offset >> 3

    def stop(self) -> int:
        """Return the byte behind the last one that holds a part of the field."""
        return ((self.offset + self.field.bits - 1) >> 3) + 1

    def apply(self, data: bytearray, start: int) -> int | None:
        """Apply the operation to `data`, which begins with the byte `start` of the string. Return
        its reply, or None if it failed by overflow."""
        offset = self.offset - 8 * start
        held = self.field.read(data, offset)
        if self.word == b"GET":
            return held
        number = self.number
        if self.word == b"INCRBY":
            number += held
        elif not self.field.signed:
            number %= 1 << 64
        fitted = self.field.fit(number, self.overflow)
        if fitted is None:
            return None
        self.field.write(data, offset, fitted)
        return fitted if self.word == b"INCRBY" else held


def parse_steps(client: Client, args: list[bytes]) -> list[BitfieldStep]:
    """Parse the operations of a BITFIELD. Raises CommandError."""
    steps: list[BitfieldStep] = []
    overflow = bits.WRAP
    index = 2
    while index < len(args):
        word = args[index].upper()
        left = len(args) - index - 1
        if word == b"OVERFLOW" and left >= 1:
            kind = OVERFLOWS.get(args[index + 1].upper())
            if kind is None:
                raise CommandError(BAD_OVERFLOW)
            overflow = kind
            index += 2
            continue
        if not (word == b"GET" and left >= 2) and not (word in (b"SET", b"INCRBY") and left >= 3):
            raise CommandError(SYNTAX)
        field = parse_field(args[index + 1])
        step = BitfieldStep(word, field, bit_offset(client, args[index + 2], field.bits), overflow)
        index += 3
        if word != b"GET":
            step.number = arguments.integer(args[index])
            index += 1
        steps.append(step)
    return steps


def parse_field(argument: bytes) -> Field:
    """Parse a type of bit field: u1 to u63, i1 to i64. Raises CommandError."""
    width = parse_integer(argument[1:])
    signed = argument[:1] == b"i"
    if width is None or argument[:1] not in (b"i", b"u") or not 1 <= width <= 63 + signed:
        raise CommandError(BAD_TYPE)
    return Field(width, signed)


def key_flags_of_bitfield(request: list[bytes]) -> str:
    """Return the key flags of this BITFIELD.

    Arguments from the first invalid one on count as writes.
    """
    words = [word.upper() for word in request]
    index = 2
    while index < len(words):
        left = len(words) - index - 1
        if words[index] == b"GET" and left >= 2:
            index += 3
        elif words[index] == b"OVERFLOW" and left >= 1:
            index += 2
        else:
            return "RW access update"
    return "RO access"


@COMMANDS.declare(
    "bitfield",
    "key [operation: get-block: GET encoding offset"
    " | write: [OVERFLOW <overflow-block: WRAP | SAT | FAIL>]"
    " <write-operation: set-block: SET encoding offset value:integer"
    " | incrby-block: INCRBY encoding offset increment>]...",
    "write denyoom",
    keys="RW access update variable_flags: Some operations only read, others also write.",
    since="3.2.0",
    summary="Reads, writes and increments integers of any width within a string.",
    complexity="O(N) for a string of N bytes.",
    key_flags=key_flags_of_bitfield,
)
def bitfield(client: Client, args: list[bytes]) -> None:
    steps = parse_steps(client, args)
    writes = [step for step in steps if step.word != b"GET"]
    if not writes:
        read_fields(client, steps, read_string(client.db, args[1]))
        return
    held = string_for_write(client.db, args[1])
    first, stop = min([step.first() for step in writes]), max([step.stop() for step in writes])
    check_memory(client, held, stop)
    start, end = span(steps, held)
    data = bytearray(part_of(held, start, end))
    data += bytes(max(0, stop - start - len(data)))
    before = bytes(data)
    reply_fields(client, steps, data, start)
    if bytes(data) != before or held is None or stop > held.size():
        edit(client.db, args[1], first, bytes(data[first - start : stop - start]))
    mark(client.db, args[1], is_raw=True)


@COMMANDS.declare(
    "bitfield_ro",
    "key [get-block: GET encoding offset]...",
    "readonly fast",
    since="6.0.0",
    summary="Reads integers of any width within a string.",
    complexity="O(1) for each.",
)
def bitfield_ro(client: Client, args: list[bytes]) -> None:
    steps = parse_steps(client, args)
    if any(step.word != b"GET" for step in steps):
        raise CommandError(GET_ONLY)
    read_fields(client, steps, read_string(client.db, args[1]))


def span(steps: list[BitfieldStep], held: String | None) -> tuple[int, int]:
    """Return the first byte that a BITFIELD has to read, and the one behind the last. If its fields
    are far apart, that is the whole string."""
    first = min([step.first() for step in steps], default=0)
    stop = max([step.stop() for step in steps], default=0)
    if stop - first <= SPAN_BYTES_MAX:
        return first, stop
    return 0, 0 if held is None else held.size()


def read_fields(client: Client, steps: list[BitfieldStep], held: String | None) -> None:
    """Reply with the fields that these operations, all of them GET, read."""
    start, stop = span(steps, held)
    reply_fields(client, steps, bytearray(part_of(held, start, stop)), start)


def reply_fields(client: Client, steps: list[BitfieldStep], data: bytearray, start: int) -> None:
    """Apply the operations in order and reply with the result of each. `data` are the bytes of the
    string from `start` on."""
    reply.array(client.out, len(steps))
    for step in steps:
        shown = step.apply(data, start)
        if shown is None:
            reply.null(client.out, client.protocol)
        else:
            reply.integer(client.out, shown)
