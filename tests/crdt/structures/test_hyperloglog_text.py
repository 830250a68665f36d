"""The string of a HyperLogLog in Redis."""

from __future__ import annotations

from random import Random

import pytest

from crdt.structures.hyperloglog_text import (
    DENSE,
    DENSE_BYTES,
    SPARSE,
    describe_runs,
    is_text,
    read_text,
    to_text,
)
from crdt.structures.register_array import RANKS, REGISTERS, RegisterArray, code_of

HEADER = b"HYLL\x01\x00\x00\x00" + bytes(7) + b"\x80"


def of_codes(*codes: int) -> RegisterArray:
    registers = RegisterArray()
    for code in codes:
        registers.put(code)
    return registers


def test_runs_of_zeros_and_of_equal_ranks() -> None:
    registers = of_codes(*(index * RANKS + 3 for index in range(5, 10)), 100 * RANKS + 32)
    text = to_text(registers)
    assert text == HEADER + b"\x04\x8b\x88\x40\x59\xfc\x7f\x9a"
    assert describe_runs(text) == b"z:5 v:3,4 v:3,1 Z:90 v:32,1 Z:16283"
    assert to_text(of_codes()) == HEADER + b"\x7f\xff"


@pytest.mark.parametrize("count", [0, 1, 50, 700, 4000])
@pytest.mark.parametrize("limit", [0, 3000])
def test_registers_survive(count: int, limit: int) -> None:
    rng = Random(count)
    registers = of_codes(*(code_of(rng.randbytes(5)) for _ in range(count)))
    text = to_text(registers, limit)
    found = read_text(text)
    assert found is not None
    assert found.ranks() == registers.ranks()
    assert text[4] == (SPARSE if limit and count < 1000 else DENSE)


def test_great_ranks_and_many_bytes_are_dense() -> None:
    assert to_text(of_codes(33))[4] == DENSE
    assert to_text(of_codes(32))[4] == SPARSE
    assert to_text(of_codes(32), 2)[4] == DENSE
    assert len(to_text(of_codes(33))) == 16 + DENSE_BYTES


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"HYLL",
        HEADER,
        b"HYLX" + HEADER[4:] + b"\x7f\xff",
        b"HYLL\x02" + HEADER[5:] + b"\x7f\xff",
        HEADER + b"\x7f",
        HEADER + b"\x7f\xfe",
        HEADER + b"\x7f\xff\x00",
        HEADER + b"\x7f\xff\x80",
        b"HYLL\x00" + HEADER[5:] + bytes(DENSE_BYTES - 1),
    ],
)
def test_other_strings_are_none(text: bytes) -> None:
    assert read_text(text) is None


def test_first_bytes_tell_whether_it_may_be_one() -> None:
    assert is_text(HEADER + b"\x00")
    assert not is_text(HEADER)
    assert not is_text(b"GOLD" + bytes(REGISTERS))
