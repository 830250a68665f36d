"""The registers of HyperLogLogs."""

from __future__ import annotations

from random import Random

import pytest

from crdt.structures.register_array import (
    RANKS,
    REGISTERS,
    SPARSE_MAX,
    RegisterArray,
    code_of,
    estimate,
    greatest_ranks,
)


def filled(count: int, seed: int = 1) -> RegisterArray:
    rng, registers = Random(seed), RegisterArray()
    for _ in range(count):
        registers.put(code_of(rng.randbytes(8)))
    return registers


@pytest.mark.parametrize("count", [0, 1, 100, 1000, 20_000])
def test_estimate_is_within_three_standard_errors(count: int) -> None:
    assert abs(filled(count).estimate() - count) <= 0.025 * count + 0.5


def test_few_and_many_registers_behave_alike() -> None:
    rng = Random(2)
    registers, expected = RegisterArray(), bytearray(REGISTERS)
    for step in range(3 * SPARSE_MAX):
        code = rng.randrange(2 * SPARSE_MAX) * RANKS + rng.randrange(52)
        registers.put(code)
        expected[code // RANKS] = max(expected[code // RANKS], code % RANKS)
        assert registers.rank(code // RANKS) == expected[code // RANKS]
        if step % 500 == 0:
            assert registers.ranks() == bytes(expected)
    assert registers.dense is not None
    assert registers.ranks() == bytes(expected)
    assert registers.rank(REGISTERS - 1) == 0
    assert registers.counts == [expected.count(rank) for rank in range(RANKS)]
    assert registers.list_codes() == [i * RANKS + rank for i, rank in enumerate(expected) if rank]
    assert registers.estimate() == estimate(registers.counts)


@pytest.mark.parametrize("count", [0, 10, 900, 5000])
def test_state_depends_on_ranks_only(count: int) -> None:
    registers, loaded, copied = filled(count), RegisterArray(), RegisterArray()
    assert loaded.load(registers.state())
    copied.set_ranks(registers.ranks())
    assert loaded.state() == copied.state() == registers.state()
    assert loaded.estimate() == copied.estimate() == registers.estimate()


@pytest.mark.parametrize(
    "state",
    [
        b"\x00",
        b"\x00\x00\x40",  # rank 0
        b"\x00\x01\x41\x00\x00\x41",  # not in order
        b"\x00\x00\x41\x00\x00\x42",  # one register twice
        b"\x10\x00\x01",  # no such register
        bytes(REGISTERS),  # few registers, in the form of many
        b"\x40" * REGISTERS,
        b"".join((i * RANKS + 1).to_bytes(3, "big") for i in range(SPARSE_MAX + 1)),
    ],
)
def test_other_states_are_refused(state: bytes) -> None:
    assert not RegisterArray().load(state)


def test_greatest_rank_of_each_register() -> None:
    rng = Random(3)
    one, other = (bytes(rng.randrange(64) for _ in range(REGISTERS)) for _ in range(2))
    assert greatest_ranks(one, other) == bytes(map(max, one, other))


def test_element_chooses_register_and_rank() -> None:
    codes = [code_of(b"%d" % number) for number in range(2000)]
    assert len({code // RANKS for code in codes}) > 1800
    ranks = [code % RANKS for code in codes]
    assert min(ranks) == 1
    assert 900 < ranks.count(1) < 1100
