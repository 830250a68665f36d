"""The registers of a HyperLogLog: 16384 small numbers, most of which may be zero.

The hash of an element chooses a register and gives a rank: the number of zeros at the end of the
rest of the hash, plus one. A register holds the greatest rank that was seen. From the ranks the
number of different elements is estimated (Flajolet et al., 2007), with the estimator of Ertl, "New
cardinality estimation algorithms for HyperLogLog sketches", 2017, as in Redis. Its standard error
is 0.81 %.

A *code* is a register and its rank in one integer, `index * 64 + rank`. Few registers are kept as a
sorted array of codes, of 4 bytes each. Many are kept as one byte per register, with the number of
registers of each rank, so that an estimate takes a short time.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import Any, Final

from mypy_extensions import i64

from crdt.structures.murmur import murmur_halves

INDEX_BITS: Final = 14
REGISTERS: Final = 1 << INDEX_BITS
HASH_BITS: Final = 64 - INDEX_BITS  # those that give the rank
RANK_BITS: Final = 6
RANKS: Final = 1 << RANK_BITS
RANK_MASK: Final = RANKS - 1
CODES: Final = REGISTERS << RANK_BITS
SEED: Final = 0xADC83B19
ALPHA: Final = 0.721347520444481703680  # 0.5 / ln 2
SPARSE_MAX: Final = 1024  # nonzero registers that are kept as codes
CODE_BYTES: Final = 3  # of a code in a state

HIGH_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")
"""The highest bit of each byte. No rank has it."""


def code_of(element: bytes) -> int:
    """Return the register and the rank of an element, as one code."""
    high, low = murmur_halves(element, SEED)
    rest: i64 = high << (32 - INDEX_BITS) | low >> INDEX_BITS | 1 << HASH_BITS
    rank: i64 = 1
    while rest & 1 == 0:
        rest >>= 1
        rank += 1
    return (low & REGISTERS - 1) << RANK_BITS | rank


class RegisterArray:
    """The registers of one HyperLogLog."""

    __slots__ = ("codes", "counts", "dense")

    def __init__(self) -> None:
        self.codes: Any = array("I")
        """The codes of all registers that are not zero, sorted, if they are few."""
        self.dense: bytearray | None = None
        """The ranks of all registers, if they are many."""
        self.counts: list[int] = []
        """The number of registers of each rank, if they are many."""

    def rank(self, index: int) -> int:
        """Return the rank of a register."""
        if self.dense is not None:
            return self.dense[index]
        codes = self.codes
        place = bisect_left(codes, index << RANK_BITS)
        if place == len(codes) or codes[place] >> RANK_BITS != index:
            return 0
        found: int = codes[place] & RANK_MASK
        return found

    def is_below(self, code: int) -> bool:
        """Return whether the rank in `code` is greater than that of its register."""
        return self.rank(code >> RANK_BITS) < code & RANK_MASK

    def put(self, code: int) -> None:
        """Raise a register to the rank in `code`, unless its rank is greater."""
        index, rank = code >> RANK_BITS, code & RANK_MASK
        dense = self.dense
        if dense is not None:
            before = dense[index]
            if rank > before:
                dense[index] = rank
                self.counts[before] -= 1
                self.counts[rank] += 1
            return
        codes = self.codes
        place = bisect_left(codes, index << RANK_BITS)
        if place < len(codes) and codes[place] >> RANK_BITS == index:
            if codes[place] < code:
                codes[place] = code
        elif rank > 0:
            codes.insert(place, code)
            if len(codes) > SPARSE_MAX:
                self.set_ranks(self.ranks())

    def set_ranks(self, ranks: bytes) -> None:
        """Hold these ranks of all registers."""
        if REGISTERS - ranks.count(0) <= SPARSE_MAX:
            self.dense = None
            self.counts = []
            self.codes = array(
                "I", [index << RANK_BITS | rank for index, rank in enumerate(ranks) if rank]
            )
        else:
            self.codes = array("I")
            self.dense = bytearray(ranks)
            self.counts = [ranks.count(rank) for rank in range(RANKS)]

    def ranks(self) -> bytes:
        """Return the ranks of all registers, one byte each."""
        if self.dense is not None:
            return bytes(self.dense)
        ranks = bytearray(REGISTERS)
        for code in self.codes:
            ranks[code >> RANK_BITS] = code & RANK_MASK
        return bytes(ranks)

    def list_codes(self) -> list[int]:
        """Return the codes of the registers that are not zero, sorted."""
        if self.dense is None:
            found: list[int] = self.codes.tolist()
            return found
        return [index << RANK_BITS | rank for index, rank in enumerate(bytes(self.dense)) if rank]

    def estimate(self) -> int:
        """Return the estimated number of different elements."""
        if self.dense is not None:
            return estimate(self.counts)
        counts = [0] * RANKS
        counts[0] = REGISTERS - len(self.codes)
        for code in self.codes:
            counts[code & RANK_MASK] += 1
        return estimate(counts)

    def state(self) -> bytes:
        """Return the registers as bytes, which depend on the ranks only."""
        if self.dense is not None:
            return bytes(self.dense)
        return b"".join([code.to_bytes(CODE_BYTES, "big") for code in self.codes])

    def load(self, state: bytes) -> bool:
        """Become what `state` returned. Return False if it is not of that form."""
        if len(state) == REGISTERS:
            self.set_ranks(state)
            return self.dense is not None and max(state) < RANKS
        flat = [
            int.from_bytes(state[start : start + CODE_BYTES], "big")
            for start in range(0, len(state), CODE_BYTES)
        ]
        indexes = [code >> RANK_BITS for code in flat]
        self.codes = array("I", flat)
        return (
            len(state) % CODE_BYTES == 0
            and len(flat) <= SPARSE_MAX
            and indexes == sorted(set(indexes))
            and all(code & RANK_MASK and code < CODES for code in flat)
        )


def greatest_ranks(one: bytes, other: bytes) -> bytes:
    """Return the greater rank of each register. Takes about 50 us: all registers are compared in
    a few operations on large integers."""
    left, right = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    is_greater = (left | HIGH_BITS) - right & HIGH_BITS
    mask = is_greater - (is_greater >> 7)
    return (left & mask | right & ~mask).to_bytes(REGISTERS, "little")


def estimate(counts: list[int]) -> int:
    """Return the estimated number of elements. `counts` has the number of registers of each rank.

    Computed in the order in which Redis does, so that the rounding is the same.
    """
    size = float(REGISTERS)
    total = size * _tau((size - counts[HASH_BITS + 1]) / size)
    for rank in range(HASH_BITS, 0, -1):
        total = (total + counts[rank]) * 0.5
    total += size * _sigma(counts[0] / size)
    return math.floor(ALPHA * size * size / total + 0.5)


def _sigma(share: float) -> float:
    """Return the sum for the registers that are zero. `share` is their share."""
    if share == 1.0:
        return math.inf
    factor, total, before = 1.0, share, -1.0
    while total != before:
        share *= share
        before = total
        total += share * factor
        factor += factor
    return total


def _tau(share: float) -> float:
    """Return the sum for the registers of the greatest rank. `share` is that of all others."""
    if share == 0.0 or share == 1.0:
        return 0.0
    factor, total, before = 1.0, 1 - share, -1.0
    while total != before:
        share = math.sqrt(share)
        before = total
        factor *= 0.5
        total -= (1 - share) * (1 - share) * factor
    return total / 3
