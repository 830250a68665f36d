"""Add elements to HyperLogLogs, and unite them."""

from __future__ import annotations

from collections.abc import Iterable

from crdt.store.keyspace import Keyspace
from crdt.structures.register_array import RANK_BITS, RANK_MASK, RegisterArray, code_of
from crdt.types.hyperloglog import HYPERLOGLOG, RAISE, HyperLogLog
from crdt.writes.content_writers import add_content_writer

CODES_MAX = 1000
"""The largest number of registers in one effect."""


def add(db: Keyspace, key: bytes, value: HyperLogLog | None, elements: Iterable[bytes]) -> bool:
    """PFADD: add elements to `value`, the visible one under `key`. Return whether a register has
    changed, or the HyperLogLog is new."""
    return raise_registers(db, key, value, [code_of(element) for element in elements])


def raise_registers(db: Keyspace, key: bytes, value: HyperLogLog | None, codes: list[int]) -> bool:
    """Raise registers, given as codes. Only what changes is sent. Return whether anything did."""
    if value is not None and len(codes) == 1 and not value.ranks.is_below(codes[0]):
        return False
    best: dict[int, int] = {}
    for code in codes:
        index, rank = code >> RANK_BITS, code & RANK_MASK
        if rank > (0 if value is None else value.ranks.rank(index)):
            best[index] = max(code, best.get(index, 0))
    if value is not None and not best:
        return False
    write_codes(db, key, list(best.values()) or [0])
    return True


def write_codes(db: Keyspace, key: bytes, codes: list[int]) -> None:
    """Write the codes of registers, in effects of bounded size."""
    for start in range(0, len(codes), CODES_MAX):
        db.emit((HYPERLOGLOG, RAISE, key, *codes[start : start + CODES_MAX]))


def assign(db: Keyspace, key: bytes, registers: RegisterArray) -> None:
    """SET: let the visible content of `key` be a HyperLogLog with these registers (rule HLL-6).

    If the key holds one whose registers are not greater, they are united, so concurrent additions
    stay. Otherwise the key is deleted first, which wins over concurrent additions (HLL-3).
    """
    value = db.lookup_for_write(key)
    codes = registers.list_codes()
    if isinstance(value, HyperLogLog) and not db.is_contested(key):
        held = value.ranks.list_codes()
        if all(registers.rank(code >> RANK_BITS) >= code & RANK_MASK for code in held):
            raise_registers(db, key, value, codes)
            return
    db.delete(key)
    write_codes(db, key, codes or [0])


add_content_writer(HYPERLOGLOG, write_codes)
