"""The model of commands on the bits of a string. A string of bits has one character for each."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import attrs

from sim.redis.state import STRING, Act, CommandFailure, RedisModel, Words, integer

BYTE_BITS: Final = 8
WRITING: Final = frozenset({"SET", "INCRBY"})


def bits_of(text: str) -> str:
    """Return the bits of a string, the highest of the first byte first."""
    return "".join(f"{ord(character):08b}" for character in text)


def text_from(digits: str) -> str:
    """Return the string with these bits. Their number is a multiple of 8."""
    return "".join(chr(int(digits[i : i + BYTE_BITS], 2)) for i in range(0, len(digits), BYTE_BITS))


def read_bits(db: RedisModel, key: str) -> str:
    """Return the bits under a key. Raises CommandFailure if it is of another type."""
    return bits_of(db.read(key, STRING) or "")


def write_bits(db: RedisModel, key: str, digits: str) -> None:
    """Store bits under a key, filled up to whole bytes, unless the string has these already."""
    text = text_from(digits + "0" * (-len(digits) % BYTE_BITS))
    if text != db.read(key, STRING):
        db.update(key, STRING, text)


def get_bit(db: RedisModel, args: Words, _found: Any) -> Any:
    digits, at = read_bits(db, args[0]), integer(args[1])
    return int(digits[at : at + 1] or "0")


def set_bit(db: RedisModel, args: Words, _found: Any) -> Any:
    at = integer(args[1])
    digits = read_bits(db, args[0]).ljust(at + 1, "0")
    write_bits(db, args[0], digits[:at] + args[2] + digits[at + 1 :])
    return int(digits[at])


def select_bits(digits: str, start: str, end: str, unit: str) -> tuple[int, int]:
    """Return the first bit of a range and the one after its last. `end` is included. Indexes count
    bytes, or bits if `unit` is BIT, and negative ones count from the end of the string."""
    width = 1 if unit == "BIT" else BYTE_BITS
    size = len(digits) // width
    first, last = (max(0, it + size if it < 0 else it) for it in (integer(start), integer(end)))
    return first * width, (min(last, size - 1) + 1) * width


def count_bits(db: RedisModel, args: Words, _found: Any) -> Any:
    key, *borders = args
    digits = read_bits(db, key)
    if borders and digits:
        start, end, unit = [*borders, "BYTE"][:3]
        if integer(start) < 0 and integer(end) < 0 and integer(start) > integer(end):
            return 0
        low, high = select_bits(digits, start, end, unit)
        digits = digits[low:high]
    return digits.count("1")


def find_bit(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute BITPOS. A string without a given end continues with zeros."""
    key, bit, *borders = args
    if db.read(key, STRING) is None:
        return -1 if bit == "1" else 0
    digits = read_bits(db, key)
    start, end, unit = [*borders, *("0", "-1", "BYTE")[len(borders) :]]
    low, high = select_bits(digits, start, end, unit)
    if low >= high:
        return -1
    found = digits.find(bit, low, high)
    return len(digits) if found < 0 and bit == "0" and len(borders) < 2 else found


def combine_bits(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute BITOP. Short strings continue with zeros."""
    operation, target, *keys = args
    if operation == "NOT" and len(keys) > 1:
        raise CommandFailure
    inputs = [read_bits(db, key) for key in keys]
    size = max(map(len, inputs))
    columns = [
        [int(digit) for digit in column]
        for column in zip(*(digits.ljust(size, "0") for digits in inputs), strict=True)
    ]
    match operation:
        case "AND":
            combined = [min(column) for column in columns]
        case "OR":
            combined = [max(column) for column in columns]
        case "XOR":
            combined = [sum(column) % 2 for column in columns]
        case _:
            combined = [1 - column[0] for column in columns]
    if combined:
        db.replace(target, STRING, text_from("".join(map(str, combined))))
    else:
        db.remove(target)
    return size // BYTE_BITS


@attrs.frozen
class BitNumber:
    """A type of numbers in a BITFIELD, such as u8 or i16."""

    width: int
    is_signed: bool

    @property
    def low(self) -> int:
        """The smallest number."""
        return -(1 << self.width - 1) if self.is_signed else 0

    @property
    def high(self) -> int:
        """The largest number."""
        return self.low + (1 << self.width) - 1

    def wrap(self, number: int) -> int:
        """Return the number of this type with the same lowest bits."""
        return (number - self.low) % (1 << self.width) + self.low

    def read(self, digits: str, at: int) -> int:
        """Return the number at the bit `at`."""
        return self.wrap(int(digits[at : at + self.width].ljust(self.width, "0"), 2))

    def write(self, digits: str, at: int, number: int) -> str:
        """Return the bits after a number was written at the bit `at`."""
        written = f"{number % (1 << self.width):0{self.width}b}"
        return digits[:at] + written + digits[at + self.width :]

    def fit(self, number: int, overflow: str) -> int | None:
        """Return a number that fits, or None if it does not and must not be changed."""
        if self.low <= number <= self.high:
            return number
        if overflow == "SAT":
            return self.high if number > self.high else self.low
        return None if overflow == "FAIL" else self.wrap(number)


@attrs.frozen
class FieldStep:
    """An operation of a BITFIELD."""

    name: str
    kind: BitNumber
    at: int
    operand: int
    overflow: str


def read_steps(words: Words) -> list[FieldStep]:
    """Return the operations of a BITFIELD. OVERFLOW holds for all that follow it."""
    steps: list[FieldStep] = []
    left, overflow = list(words), "WRAP"
    while left:
        name = left.pop(0)
        if name == "OVERFLOW":
            overflow = left.pop(0)
            continue
        encoding, offset = left.pop(0), left.pop(0)
        kind = BitNumber(int(encoding[1:]), encoding[0] == "i")
        at = kind.width * int(offset[1:]) if offset[0] == "#" else int(offset)
        operand = integer(left.pop(0)) if name in WRITING else 0
        steps.append(FieldStep(name, kind, at, operand, overflow))
    return steps


def run_steps(may_write: bool, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute BITFIELD, or BITFIELD_RO unless it `may_write`."""
    steps = read_steps(args[1:])
    ends = [step.at + step.kind.width for step in steps if step.name in WRITING]
    if ends and not may_write:
        raise CommandFailure
    digits = read_bits(db, args[0])
    if ends:
        digits = digits.ljust(-(-max(ends) // BYTE_BITS) * BYTE_BITS, "0")
    replies: list[int | None] = []
    for step in steps:
        held = step.kind.read(digits, step.at)
        if step.name == "GET":
            replies.append(held)
            continue
        number = step.operand + (held if step.name == "INCRBY" else 0)
        if step.name == "SET" and not step.kind.is_signed:
            number %= 1 << 64
        written = step.kind.fit(number, step.overflow)
        if written is not None:
            digits = step.kind.write(digits, step.at, written)
        replies.append(held if step.name == "SET" and written is not None else written)
    if ends:
        write_bits(db, args[0], digits)
    return replies


BIT_COMMANDS: Final[dict[str, Act]] = {
    "GETBIT": get_bit,
    "SETBIT": set_bit,
    "BITCOUNT": count_bits,
    "BITPOS": find_bit,
    "BITOP": combine_bits,
    "BITFIELD": partial(run_steps, True),
    "BITFIELD_RO": partial(run_steps, False),
}
