"""The format of FUNCTION DUMP: that of Redis' RDB files.

Each library is the byte 245 and the string of its code. The version of the format, two bytes, and a
CRC-64 of everything before follow. A string begins with its length:

=================  =================================================================
first byte         meaning
=================  =================================================================
`00xxxxxx`         a length of six bits
`01xxxxxx`         a length of 14 bits, the upper ones here
`0x80`, `0x81`     a length of 32 or 64 bits follows, the highest byte first
`0xC0` to `0xC2`   an integer of one, two or four bytes follows, the lowest byte first
`0xC3`             compressed by LZF: its length, the length of the text, and the bytes
=================  =================================================================

The version that is written is that of Redis 7.0, since all later ones read it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from crdb.engine.errors import CommandError

FUNCTION2: Final = 245
FUNCTION_PRE_GA: Final = 246
VERSION: Final = 10
VERSION_MAX: Final = 11
"""The version of Redis 7.2."""
FOOTER_BYTES: Final = 10
POLYNOMIAL: Final = 0x95AC9329AC4BC9B5
"""The reversed polynomial of Jones."""
WRONG_FOOTER: Final = b"ERR DUMP payload version or checksum are wrong"
NOT_A_FUNCTION: Final = b"ERR given type is not a function"
PRE_GA: Final = b"ERR Pre-GA function format not supported"
DAMAGED: Final = b"ERR failed loading the given functions payload"


@cache
def crc_table() -> list[int]:
    """Return the remainders of all bytes."""
    table: list[int] = []
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (POLYNOMIAL if remainder & 1 else 0)
        table.append(remainder)
    return table


def crc64(text: bytes) -> int:
    """Return the CRC-64 of Redis.

    >>> hex(crc64(b"123456789"))
    '0xe9c6d914c4b8d9ca'
    """
    table, remainder = crc_table(), 0
    for byte in text:
        remainder = table[(remainder ^ byte) & 0xFF] ^ remainder >> 8
    return remainder


def encode_length(length: int) -> bytes:
    """Return a length."""
    if length < 1 << 6:
        return bytes((length,))
    if length < 1 << 14:
        return (0x4000 | length).to_bytes(2, "big")
    if length < 1 << 32:
        return b"\x80" + length.to_bytes(4, "big")
    return b"\x81" + length.to_bytes(8, "big")


def dump_libraries(codes: list[bytes]) -> bytes:
    """Return the dump of libraries with these codes."""
    parts: list[bytes] = []
    for code in codes:
        parts += (bytes((FUNCTION2,)), encode_length(len(code)), code)
    text = b"".join((*parts, VERSION.to_bytes(2, "little")))
    return text + crc64(text).to_bytes(8, "little")


def load_libraries(dump: bytes) -> list[bytes]:
    """Return the codes of the libraries in a dump. Raises CommandError."""
    if len(dump) < FOOTER_BYTES or int.from_bytes(dump[-10:-8], "little") > VERSION_MAX:
        raise CommandError(WRONG_FOOTER)
    checksum = int.from_bytes(dump[-8:], "little")
    if checksum and checksum != crc64(dump[:-8]):
        raise CommandError(WRONG_FOOTER)
    reader = DumpReader(dump[:-FOOTER_BYTES])
    codes: list[bytes] = []
    while reader.at < len(reader.text):
        kind = reader.take(1)[0]
        if kind != FUNCTION2:
            raise CommandError(PRE_GA if kind == FUNCTION_PRE_GA else NOT_A_FUNCTION)
        codes.append(reader.read_string())
    return codes


class DumpReader:
    """Reads a dump from its begin to its end. Raises CommandError where it is damaged."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self.at + count
        if end > len(self.text):
            raise CommandError(DAMAGED)
        piece = self.text[self.at : end]
        self.at = end
        return piece

    def read_length(self) -> tuple[int, bool]:
        """Return a length, or the number of a special encoding and True."""
        first = self.take(1)[0]
        kind = first >> 6
        if kind == 0:
            return first, False
        if kind == 1:
            return (first & 63) << 8 | self.take(1)[0], False
        if kind == 3:
            return first & 63, True
        if first not in (0x80, 0x81):
            raise CommandError(DAMAGED)
        return int.from_bytes(self.take(4 if first == 0x80 else 8), "big"), False

    def read_string(self) -> bytes:
        """Return a string."""
        length, is_special = self.read_length()
        if not is_special:
            return self.take(length)
        if length <= 2:
            return b"%d" % int.from_bytes(self.take(1 << length), "little", signed=True)
        if length > 3:
            raise CommandError(DAMAGED)
        packed, _ = self.read_length()
        size, _ = self.read_length()
        return unpack_lzf(self.take(packed), size)


def unpack_lzf(packed: bytes, size: int) -> bytes:
    """Return a text of `size` bytes that was compressed by Marc Lehmann's LZF.

    A byte below 32 is followed by one literal byte more than it says. Any other byte has the length
    of a copy in its upper three bits, and with the next byte its distance.
    """
    out = bytearray()
    at = 0
    try:
        while at < len(packed):
            control = packed[at]
            at += 1
            if control < 32:
                out += packed[at : at + control + 1]
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += packed[at]
                at += 1
            begin = len(out) - ((control & 31) << 8) - packed[at] - 1
            at += 1
            if begin < 0 or len(out) + length > size:
                raise CommandError(DAMAGED)
            for place in range(begin, begin + length + 2):
                out.append(out[place])
    except IndexError:
        raise CommandError(DAMAGED) from None
    if len(out) != size:
        raise CommandError(DAMAGED)
    return bytes(out)
