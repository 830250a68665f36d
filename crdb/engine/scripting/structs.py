"""The library `struct` of scripts: values as bytes and back, by a format.

It follows Roberto Ierusalimschy's library of that name, version 0.2, with the bounds that Redis
added. Each function gets the number of arguments that the script has passed, and the arguments. It
returns the text of an error; or None, the number of results, and the results.

=====  ===================================  ======  ============================================
`> <`  big and little endian                `!n`    align to at most n bytes
`b B`  signed and unsigned byte             `x`     a byte of padding
`h H`  of two bytes                         `cn`    n characters; `c0` all, or as many as the
`l L`  of eight bytes; `T` is `L`                   number before says
`in`   of n bytes, 4 by default; `In`       `s`     a string that ends with a zero
`f d`  float and double                     ` `     ignored
=====  ===================================  ======  ============================================
"""

from __future__ import annotations

import struct
from typing import Final

from crdb.engine.scripting.numbers_for_lua import Number, as_double, to_int64

Result = tuple[object, ...]

INTEGER_BYTES_MAX: Final = 32
INT_MAX: Final = 0x7FFFFFFF
ALIGN_DEFAULT: Final = 8
RESULTS_MAX: Final = 7900
"""The stack of Lua holds about so many values."""
SIZES: Final[dict[str, int]] = {
    "b": 1, "B": 1, "h": 2, "H": 2, "l": 8, "L": 8, "T": 8, "f": 4, "d": 8, "x": 1,
}  # fmt: skip
INTEGERS: Final = frozenset("bBhHlLTiI")
UINT64: Final = (1 << 64) - 1
TYPE_NAMES: Final[dict[type, str]] = {
    bool: "boolean",
    bytes: "string",
    int: "number",
    float: "number",
}


class StructError(Exception):
    """The format or a value is refused. The text is for the script."""


def bad_argument(index: int, name: str, reason: str) -> StructError:
    """Return the error of an argument."""
    return StructError(f"bad argument #{index} to '{name}' ({reason})")


class Format:
    """A format that is read from its begin to its end."""

    __slots__ = ("align", "at", "is_big", "name", "text")

    def __init__(self, name: str, text: bytes) -> None:
        self.name = name
        self.text = text.split(b"\x00", 1)[0].decode("latin-1")
        self.at = 0
        self.is_big = False
        self.align = 1

    def has_more(self) -> bool:
        """Return whether there is another option."""
        return self.at < len(self.text)

    def next_option(self) -> tuple[str, int]:
        """Return the next option and its size; 0 is none."""
        option = self.text[self.at]
        self.at += 1
        if option in "iI":
            size = self.read_number(4)
            if size > INTEGER_BYTES_MAX:
                raise StructError(
                    f"integral size {size} is larger than limit of {INTEGER_BYTES_MAX}"
                )
            return option, size
        return option, self.read_number(1) if option == "c" else SIZES.get(option, 0)

    def read_number(self, default: int) -> int:
        """Return the number that stands here, or `default`."""
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        if begin == self.at:
            return default
        number = int(self.text[begin : min(self.at, begin + 12)])
        if number > INT_MAX or self.at - begin > 12:
            raise StructError("integral size overflow")
        return number

    def padding(self, place: int, option: str, size: int) -> int:
        """Return how many bytes align an element of this size."""
        if size == 0 or option == "c":
            return 0
        size = min(size, self.align)
        return (size - (place & (size - 1))) & (size - 1)

    def control(self, option: str) -> None:
        """Carry out an option that stands for no value."""
        if option == ">":
            self.is_big = True
        elif option == "<":
            self.is_big = False
        elif option == "!":
            align = self.read_number(ALIGN_DEFAULT)
            if align <= 0 or align & (align - 1):
                raise StructError(f"alignment {align} is not a power of 2")
            self.align = align
        elif option != " ":
            raise bad_argument(1, self.name, f"invalid format option '{option}'")


def type_of(name: str, count: int, index: int, value: object) -> str:
    """Return the name of the type of an argument. `pack` takes a missing one for nil."""
    if index > count + (name == "pack"):
        return "no value"
    if value is None:
        return "nil"
    return TYPE_NAMES.get(type(value), "table")


def check_text(name: str, count: int, index: int, arguments: Result) -> bytes:
    """Return an argument as a string."""
    value = arguments[index - 1] if index <= count else None
    if isinstance(value, bytes):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return b"%.14g" % value
    raise bad_argument(index, name, f"string expected, got {type_of(name, count, index, value)}")


def check_number(name: str, count: int, index: int, arguments: Result) -> Number:
    """Return an argument as a number."""
    value = arguments[index - 1] if index <= count else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        try:
            return float(value)
        except ValueError:
            pass
    raise bad_argument(index, name, f"number expected, got {type_of(name, count, index, value)}")


def pack_integer(number: Number, size: int, is_big: bool) -> bytes:
    """Return an integer in `size` bytes: what of it has place there."""
    whole = to_int64(number)
    if number >= 1 << 63:
        whole = int(number) if number < 1 << 64 else 0
    digits = (whole & UINT64).to_bytes(max(size, 8), "little")[:size]
    return digits[::-1] if is_big else digits


def unpack_integer(digits: bytes, option: str, is_big: bool) -> Number:
    """Return the integer in some bytes, of which the lower eight count."""
    value = int.from_bytes(digits, "big" if is_big else "little") & UINT64
    bits = 8 * min(len(digits), 8)
    if option.islower() and bits and value >> (bits - 1):
        value -= 1 << bits
    return as_double(value)


def pack_float(number: Number, option: str, is_big: bool) -> bytes:
    """Return a float or a double."""
    code = (">" if is_big else "<") + option
    try:
        return struct.pack(code, float(number))
    except OverflowError:
        return struct.pack(code, float("inf") if number > 0 else float("-inf"))


def pack(count: int, *arguments: object) -> Result:
    """Return the packed values."""
    try:
        return None, 1, pack_all(count, arguments)
    except StructError as refusal:
        return (str(refusal).encode("latin-1"),)


def pack_all(count: int, arguments: Result) -> bytes:
    """Return the packed values. Raises StructError."""
    given = Format("pack", check_text("pack", count, 1, arguments))
    made = bytearray()
    index = 2
    while given.has_more():
        option, size = given.next_option()
        made += bytes(given.padding(len(made), option, size))
        if option in INTEGERS:
            number = check_number("pack", count, index, arguments)
            made += pack_integer(number, size, given.is_big)
        elif option in "fd":
            number = check_number("pack", count, index, arguments)
            made += pack_float(number, option, given.is_big)
        elif option in "cs":
            text = check_text("pack", count, index, arguments)
            if len(text) < size:
                raise bad_argument(index + 1, "pack", "string too short")
            made += text[:size] if size else text
            made += b"\x00" if option == "s" else b""
        elif option == "x":
            made.append(0)
            continue
        else:
            given.control(option)
            continue
        index += 1
    return bytes(made)


def unpack(count: int, *arguments: object) -> Result:
    """Return the unpacked values, and the next position."""
    try:
        found = unpack_all(count, arguments)
        return None, len(found), *found
    except StructError as refusal:
        return (str(refusal).encode("latin-1"),)


def unpack_all(count: int, arguments: Result) -> list[object]:
    """Return the unpacked values, and the next position. Raises StructError."""
    given = Format("unpack", check_text("unpack", count, 1, arguments))
    data = check_text("unpack", count, 2, arguments)
    place = 0
    if count > 2 and arguments[2] is not None:
        place = (to_int64(check_number("unpack", count, 3, arguments)) & UINT64) - 1
    if place < 0:
        raise bad_argument(3, "unpack", "offset must be 1 or greater")
    found: list[object] = []
    while given.has_more():
        option, size = given.next_option()
        place += given.padding(place, option, size)
        check_room(data, place, size)
        if len(found) >= RESULTS_MAX:
            raise StructError("stack overflow (too many results)")
        size = unpack_one(given, option, data, found, (place, size))
        place += size
    found.append(place + 1)
    return found


def check_room(data: bytes, place: int, size: int) -> None:
    """Raise StructError unless `data` has `size` bytes at `place`."""
    if size > len(data) or place > len(data) - size:
        raise bad_argument(2, "unpack", "data string too short")


def unpack_one(
    given: Format, option: str, data: bytes, found: list[object], at: tuple[int, int]
) -> int:
    """Append the value at a place of `data`, of a size. Return its true size."""
    place, size = at
    piece = data[place : place + size]
    if option in INTEGERS:
        found.append(unpack_integer(piece, option, given.is_big))
    elif option in "fd":
        found.append(struct.unpack((">" if given.is_big else "<") + option, piece)[0])
    elif option == "c":
        if size == 0:
            size = take_size(found)
            check_room(data, place, size)
        found.append(data[place : place + size])
    elif option == "s":
        end = data.find(b"\x00", place)
        if end < 0:
            raise StructError("unfinished string in data")
        found.append(data[place:end])
        size = end - place + 1
    elif option != "x":
        given.control(option)
    return size


def take_size(found: list[object]) -> int:
    """Return the number that was unpacked last, and remove it."""
    last = found[-1] if found else None
    if isinstance(last, bytes):
        last = check_number("unpack", 1, 1, (last,)) if last.isdigit() else None
    if not isinstance(last, int | float):
        raise StructError("format 'c0' needs a previous size")
    found.pop()
    size = to_int64(last)
    return size if size >= 0 else 1 << 63


def size(count: int, *arguments: object) -> Result:
    """Return the size of what a format describes."""
    try:
        return None, 1, size_of(Format("size", check_text("size", count, 1, arguments)))
    except StructError as refusal:
        return (str(refusal).encode("latin-1"),)


def size_of(given: Format) -> int:
    """Return the size of what a format describes. Raises StructError."""
    place = 0
    while given.has_more():
        option, width = given.next_option()
        place += given.padding(place, option, width)
        if option == "s":
            raise bad_argument(1, "size", "option 's' has no fixed size")
        if option == "c" and width == 0:
            raise bad_argument(1, "size", "option 'c0' has no fixed size")
        if not option.isalnum():
            given.control(option)
        place += width
    return place
