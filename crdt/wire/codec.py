"""Encode everything that is sent or stored: versioned, checked, canonical.

The envelope is one byte of version, four bytes of CRC-32 (big-endian) of what follows, and one
msgpack value made of arrays, integers, floats and byte strings. Integers have up to 128 bits, so
that a dot has room for an origin of 64 bits. Mappings are written as sorted flat arrays, so equal
content has equal bytes on every machine.
"""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Callable
from typing import Any, Final, cast

import msgpack

from crdt.errors import DecodeError
from crdt.wire.expect import Given, expect

MSGPACK: Final[Any] = cast(Any, msgpack)  # it comes without types
pack_header: Final[Callable[[int], bytes]] = MSGPACK.Packer().pack_array_header

VERSION: Final = 1
NEWER_MAX: Final = 31
"""The highest first byte that may be a newer version. Text begins with a higher one."""
VERSION_BYTE: Final = bytes([VERSION])
OVERHEAD: Final = 5
LARGE_BYTES: Final = 64 << 10
"""Longer bytes are not copied where that can be avoided."""
PACKER_BYTES_MAX: Final = 1 << 20
"""The bytes that a packer may keep. Its buffer grows with the largest value and never shrinks. A
new packer costs some microseconds, much less than packing a value of this size."""


WIDE_CODE: Final = 1
"""The code of msgpack's extension for integers of more than 64 bits."""
WIDE_BYTES: Final = 16
WIDE_MIN: Final = 1 << 64


def write_wide(value: object) -> object:
    """Return an integer of more than 64 bits as an extension. msgpack calls this with what it
    cannot write itself. Raises OverflowError, or TypeError if `value` is not an integer."""
    if type(value) is not int:
        raise TypeError(f"a {type(value).__name__} has no form in bytes")
    if not WIDE_MIN <= value < WIDE_MIN << 64:
        raise OverflowError("an integer of more than 128 bits, or below -2^63")
    return MSGPACK.ExtType(WIDE_CODE, value.to_bytes(WIDE_BYTES, "big"))


def read_wide(code: int, data: bytes) -> int:
    """Return the integer that was written as an extension. Raises DecodeError for any other."""
    value = int.from_bytes(data, "big")
    if code != WIDE_CODE or len(data) != WIDE_BYTES or value < WIDE_MIN:
        raise DecodeError(f"not a value: extension {code} of {len(data)} bytes")
    return value


def new_packer() -> Any:
    """Return a packer. Its buffer is small at first."""
    return MSGPACK.Packer(default=write_wide, use_bin_type=False)


packer: Final[list[Any]] = [new_packer()]
packers: Final = [cast("Callable[[object], bytes]", packer[0].pack)]
"""The method `pack` of `packer`."""


def replace_packer() -> None:
    """Use a new packer. If there is no memory for it, the present one keeps nothing of a value that
    it could not pack. Raises MemoryError then."""
    packer[0].reset()
    packer[0] = new_packer()
    packers[0] = cast("Callable[[object], bytes]", packer[0].pack)


def pack_body(value: object) -> bytes:
    """Return `value` as msgpack."""
    try:
        body = packers[0](value)
    except MemoryError:
        replace_packer()
        raise
    if len(body) > PACKER_BYTES_MAX:
        replace_packer()
    return body


def pack(value: object) -> bytes:
    """Put `value` into an envelope."""
    return envelope(pack_body(value))


def envelope(body: bytes) -> bytes:
    """Put a packed value into an envelope."""
    return b"\x01" + zlib.crc32(body).to_bytes(4, "big") + body


def pack_all(items: list[Any]) -> bytes:
    """Return the bytes of several tuples, one behind the other, each as `pack_body` returns it."""
    if not IS_COMPILED:
        return b"".join([pack_body(item) for item in items])
    pieces: list[bytes] = []
    for item in items:
        append_array(pieces, item)
    return b"".join(pieces)


def pack_array(items: list[bytes]) -> bytes:
    """Return an array as `pack_body` does, from its packed items."""
    return pack_header(len(items)) + b"".join(items)


CACHED: Final = 256
"""The number of the shortest headers, and of the smallest integers, that are packed in advance."""
ARRAY_HEADERS: Final[list[bytes]] = [pack_header(count) for count in range(CACHED)]
BYTES_HEADERS: Final[list[bytes]] = [
    pack_body(bytes(size))[: len(pack_body(bytes(size))) - size] for size in range(CACHED)
]
SMALL_INTEGERS: Final[list[bytes]] = [pack_body(number) for number in range(CACHED)]
IS_COMPILED: Final = not hasattr(pack_body, "__code__")
"""True if mypyc has compiled this module."""


def pack_tuple(items: tuple[object, ...]) -> bytes:
    """Put a tuple into an envelope, as `pack` does.

    A compiled `append_array` takes less than half the time of msgpack, an interpreted one far more.
    """
    return envelope(joined_array(items) if IS_COMPILED else pack_body(items))


def joined_array(items: tuple[object, ...]) -> bytes:
    """Return a tuple as `pack_body` does."""
    pieces: list[bytes] = []
    append_array(pieces, items)
    return b"".join(pieces)


def pack_large(items: tuple[object, ...]) -> list[bytes]:
    """Put a tuple that holds long byte strings into an envelope, as `pack` does. Return the bytes
    in pieces, to copy nothing: each long string is a piece."""
    parts: list[bytes] = []
    append_array(parts, items)
    checksum = 0
    pieces: list[bytes] = []
    short: list[bytes] = [b""]
    for part in parts:
        checksum = zlib.crc32(part, checksum)
        if len(part) > LARGE_BYTES:
            pieces += [b"".join(short), part]
            short = []
        else:
            short.append(part)
    if short:
        pieces.append(b"".join(short))
    pieces[0] = VERSION_BYTE + checksum.to_bytes(4, "big") + pieces[0]
    return pieces


def append_array(pieces: list[bytes], items: tuple[object, ...]) -> None:
    """Append to `pieces` what `pack_body` makes of `items`, in parts."""
    append_header(pieces, len(items))
    for item in items:
        if type(item) is bytes:
            append_bytes(pieces, item)
        elif type(item) is int:
            pieces.append(packed_integer(item))
        elif type(item) is tuple:
            append_array(pieces, cast("tuple[object, ...]", item))
        else:
            pieces.append(pack_body(item))


def append_header(pieces: list[bytes], count: int) -> None:
    """Append the beginning of an array of `count` items."""
    pieces.append(ARRAY_HEADERS[count] if count < CACHED else pack_header(count))


def append_bytes(pieces: list[bytes], text: bytes) -> None:
    """Append a packed byte string."""
    size = len(text)
    if size < CACHED:
        pieces.append(BYTES_HEADERS[size])
        pieces.append(text)
    elif size < 1 << 16:
        pieces.append(b"\xda" + size.to_bytes(2, "big"))
        pieces.append(text)
    elif size < 1 << 32:
        pieces.append(b"\xdb" + size.to_bytes(4, "big"))
        pieces.append(text)
    else:
        pieces.append(pack_body(text))  # raises the error of a string that is too long


def packed_integer(number: int) -> bytes:
    """Return a packed integer."""
    if not 0 <= number < 1 << 32:
        return pack_body(number)
    if number < CACHED:
        return SMALL_INTEGERS[number]
    if number < 1 << 16:
        return b"\xcd" + number.to_bytes(2, "big")
    return b"\xce" + number.to_bytes(4, "big")


def unpack(data: bytes) -> Any:
    """Take the value out of its envelope. Raises DecodeError if it is damaged or newer."""
    if len(data) <= OVERHEAD:
        raise DecodeError(f"{len(data)} bytes are too few: they are damaged or cut off")
    if data[0] != VERSION:
        raise DecodeError(
            f"these bytes are of format version {data[0]}; this program reads version {VERSION}"
            if data[0] <= NEWER_MAX
            else f"these bytes were not written by this package: they begin with {data[:8]!r}"
        )
    is_large = len(data) > LARGE_BYTES
    body = memoryview(data)[OVERHEAD:] if is_large else data[OVERHEAD:]  # a view is slower to make
    if zlib.crc32(body) != int.from_bytes(data[1:OVERHEAD], "big"):
        raise DecodeError("the checksum does not match: the bytes are damaged")
    return unpack_body(body)


def is_envelope(data: bytes) -> bool:
    """Return whether `data` is an envelope of this version that is not damaged."""
    try:
        unpack(data)
    except DecodeError:
        return False
    return True


def unpack_body(body: bytes | memoryview) -> Any:
    """Return one msgpack value, arrays as tuples and strings as bytes. Raises DecodeError."""
    try:
        return MSGPACK.unpackb(
            body, raw=True, use_list=False, strict_map_key=False, ext_hook=read_wide
        )
    except (ValueError, RecursionError, TypeError, msgpack.UnpackException) as error:
        raise DecodeError(f"not msgpack: {error}") from error


READ_BYTES_MAX: Final = 1 << 20
"""The longest byte string that is read in steps."""
READ_ITEMS_MAX: Final = 1 << 16
"""The longest array that is read in steps. Memory for all items is taken at its beginning."""


def new_unpacker(buffer_bytes: int = 2 * READ_BYTES_MAX) -> Any:
    """Return an object that reads msgpack values while their bytes come. It raises ValueError at
    what is not msgpack, and at long arrays and byte strings, and BufferFull if more than
    `buffer_bytes` have to wait for the end of a value."""
    return MSGPACK.Unpacker(
        raw=True,
        use_list=False,
        strict_map_key=False,
        ext_hook=read_wide,
        max_buffer_size=buffer_bytes,
        max_str_len=READ_BYTES_MAX,
        max_bin_len=READ_BYTES_MAX,
        max_array_len=READ_ITEMS_MAX,
        max_map_len=0,
        max_ext_len=WIDE_BYTES,
    )


def checksum(data: bytes) -> int:
    """Return the CRC-32 that the envelope `data` begins with."""
    return int.from_bytes(data[1:OVERHEAD], "big")


def to_text(data: bytes) -> str:
    """Return bytes as ASCII text, in base64."""
    return binascii.b2a_base64(data, newline=False).decode()


def from_text(text: Given[str]) -> bytes:
    """Return the bytes that `to_text` was given. Raises DecodeError, or TypeError if `text` is not
    str."""
    plain = expect(text, str, "use what to_text returned; from_bytes reads bytes")
    try:
        return binascii.a2b_base64(plain.encode("utf-8", "replace"), strict_mode=True)
    except binascii.Error as error:
        raise DecodeError(f"not base64, as to_text writes it: {error}") from error
