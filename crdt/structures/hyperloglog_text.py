"""The string that a HyperLogLog is in Redis, which GET returns and SET accepts.

A header of 16 bytes has the letters `HYLL`, the encoding, 3 zeros, and an estimate of 8 bytes.
The registers follow in one of two encodings:

* dense: 6 bits per register, from the lowest bit of the first byte on;
* sparse: runs of equal registers. `00xxxxxx` are 1 to 64 zeros, `01xxxxxx xxxxxxxx` are 1 to 16384
  zeros, and `1vvvvvxx` are 1 to 4 registers of a rank from 1 to 32.

The estimate is not used here. Its highest bit says that it is out of date.
"""

from __future__ import annotations

from typing import Final

from crdt.structures.register_array import RANK_BITS, RANK_MASK, REGISTERS, RegisterArray

MAGIC: Final = b"HYLL"
DENSE: Final = 0
SPARSE: Final = 1
CACHE_IS_STALE: Final = b"\x00\x00\x00\x00\x00\x00\x00\x80"
HEADER_BYTES: Final = 16
DENSE_BYTES: Final = REGISTERS * RANK_BITS // 8
SPARSE_BYTES_MAX: Final = 3000
SPARSE_RANK_MAX: Final = 32
ZEROS_MAX: Final = 64  # in a short run
RUN_MAX: Final = 4  # registers of one rank

LOW_6: Final = int.from_bytes(b"\x3f\x00" * (REGISTERS // 2), "little")
LOW_12: Final = int.from_bytes(b"\xff\x0f\x00\x00" * (REGISTERS // 4), "little")
NEXT_6: Final = LOW_6 << 6
NEXT_12: Final = LOW_12 << 12


def to_text(registers: RegisterArray, sparse_bytes_max: int = SPARSE_BYTES_MAX) -> bytes:
    """Return the string in Redis. It is sparse if its registers take at most `sparse_bytes_max`
    bytes so, and no rank is too great."""
    sparse = runs_of(registers, sparse_bytes_max)
    if sparse is None:
        body, encoding = packed(registers.ranks()), DENSE
    else:
        body, encoding = sparse, SPARSE
    return b"%b%c\x00\x00\x00%b%b" % (MAGIC, encoding, CACHE_IS_STALE, body)


def is_text(text: bytes) -> bool:
    """Return whether a string may be one of a HyperLogLog, by its first bytes."""
    return len(text) > HEADER_BYTES and text[:4] == MAGIC and text[4] <= SPARSE


def read_text(text: bytes) -> RegisterArray | None:
    """Return the registers in a string; None if it is not that of a HyperLogLog."""
    if not is_text(text):
        return None
    body = text[HEADER_BYTES:]
    ranks = read_runs(body) if text[4] == SPARSE else unpacked(body)
    if ranks is None:
        return None
    registers = RegisterArray()
    registers.set_ranks(ranks)
    return registers


def runs_of(registers: RegisterArray, bytes_max: int) -> bytes | None:
    """Return the registers as runs; None if a rank is too great or there are too many bytes."""
    found = bytearray()
    position = run = rank = 0
    for code in [*registers.list_codes(), REGISTERS << RANK_BITS]:
        index = code >> RANK_BITS
        if run and (index != position or code & RANK_MASK != rank or run == RUN_MAX):
            found.append(0x80 | rank - 1 << 2 | run - 1)
            run = 0
        zeros = index - position
        if zeros > ZEROS_MAX:
            found += (0x4000 | zeros - 1).to_bytes(2, "big")
        elif zeros:
            found.append(zeros - 1)
        rank = code & RANK_MASK
        if rank > SPARSE_RANK_MAX or len(found) > bytes_max:
            return None
        run += 1
        position = index + 1
    return bytes(found)


def describe_runs(text: bytes) -> bytes:
    """Return the runs of a sparse string as PFDEBUG DECODE prints them: `z:5 v:2,1 Z:16378`."""
    words: list[bytes] = []
    place = HEADER_BYTES
    while place < len(text):
        byte = text[place]
        place += 1
        if byte & 0x80:
            words.append(b"v:%d,%d" % ((byte >> 2 & 31) + 1, (byte & 3) + 1))
        elif byte & 0x40:
            words.append(b"Z:%d" % (((byte & 63) << 8 | text[place]) + 1))
            place += 1
        else:
            words.append(b"z:%d" % (byte + 1))
    return b" ".join(words)


def read_runs(body: bytes) -> bytes | None:
    """Return the ranks of all registers out of runs; None if these are not all registers."""
    ranks: list[bytes] = []
    size = place = 0
    while place < len(body) and size <= REGISTERS:
        byte = body[place]
        place += 1
        if byte & 0x80:
            ranks.append(bytes(((byte >> 2 & 31) + 1,)) * ((byte & 3) + 1))
        elif byte & 0x40:
            if place == len(body):
                return None
            ranks.append(bytes(((byte & 63) << 8 | body[place]) + 1))
            place += 1
        else:
            ranks.append(bytes(byte + 1))
        size += len(ranks[-1])
    return b"".join(ranks) if size == REGISTERS and place == len(body) else None


def packed(ranks: bytes) -> bytes:
    """Return ranks of one byte each as 6 bits each: neighbours are joined, and every fourth byte is
    left out then."""
    bits = int.from_bytes(ranks, "little")
    bits = bits & LOW_6 | bits >> 2 & NEXT_6
    bits = bits & LOW_12 | bits >> 4 & NEXT_12
    wide = bits.to_bytes(REGISTERS, "little")
    body = bytearray(DENSE_BYTES)
    for part in range(3):
        body[part::3] = wide[part::4]
    return bytes(body)


def unpacked(body: bytes) -> bytes | None:
    """Return ranks of 6 bits each as one byte each; None if there are more or fewer."""
    if len(body) != DENSE_BYTES:
        return None
    wide = bytearray(REGISTERS)
    for part in range(3):
        wide[part::4] = body[part::3]
    bits = int.from_bytes(wide, "little")
    bits = bits & LOW_12 | (bits & NEXT_12) << 4
    bits = bits & LOW_6 | (bits & NEXT_6) << 2
    return bits.to_bytes(REGISTERS, "little")
