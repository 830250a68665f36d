"""The remains of large requests, which are freed in slices."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import run
from crdb.engine.execution.leftovers import LONG_BYTES, Leftovers, has_many_items
from crdt.types.set import ADD, SET_TYPE
from tests.crdb.raw import instance, lines


def test_slices_free_items_of_the_latest_list_first() -> None:
    left = Leftovers()
    words, effects = [b"a"] * 5, [(1, 2, b"k", *[b"m"] * 7)] * 3
    left.add(words)
    left.add(effects)
    sizes: list[tuple[int, int]] = []
    while left.lists:
        left.free_slice(4)
        sizes.append((len(words), len(effects)))
    assert sizes == [(5, 2), (5, 1), (5, 0), (1, 0), (0, 0)]


@pytest.mark.parametrize(
    ("members", "effects", "has_many"),
    [(1, 2, False), (1, 3, True), (1_000, 2, False), (LONG_BYTES // 10, 1, True)],
)
def test_effects_of_many_items_are_known(members: int, effects: int, has_many: bool) -> None:
    db = instance().keyspace
    for _ in range(effects):
        db.emit((SET_TYPE, ADD, b"k", *[b"%08d" % number for number in range(members)]))
    assert has_many_items(db, 2) == has_many


def test_long_effects_of_a_command_are_freed_in_slices() -> None:
    database = instance()
    members = " ".join(f"member{number:03d}" for number in range(900))
    for name in range(8):
        lines(Client(database), f"SADD s{name} {members.replace('member', f'member{name}')}")
    database.replica.seal()
    database.slices.items = 500
    run(Client(database), b"SUNIONSTORE t s0 s1 s2 s3 s4 s5 s6 s7\r\n")
    while database.slices.works:
        database.slices.run_slice()
    assert database.replica.seal() is not None
    assert len(database.slices.garbage.lists) == 1
    effects = database.slices.garbage.lists[0]
    assert sum(map(len, effects)) > 7_000
    while not database.slices.is_idle():
        database.slices.run_slice()
    assert not effects
