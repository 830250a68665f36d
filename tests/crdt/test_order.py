"""Walking and sampling a dictionary that changes meanwhile: the guarantee of SCAN (D-20)."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from crdt.order import SLACK, Order

changes = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "walk"]), st.integers(0, 300)), max_size=300
)


@given(changes, st.integers(1, 40))
def test_what_is_there_throughout_is_visited(steps: list[tuple[str, int]], count: int) -> None:
    alive: dict[bytes, int] = {b"%d" % n: n for n in range(0, 300, 2)}
    order = Order(list(alive))
    there_throughout = set(alive)
    visited: set[bytes] = set()
    cursor, found = order.walk(0, count, alive)
    visited |= set(found)
    for act, n in [*steps, *[("walk", 0)] * 700]:
        key = b"%d" % n
        if act == "add" and key not in alive:
            alive[key] = n
            order.add(key, alive)
        elif act == "remove" and alive.pop(key, None) is not None:
            there_throughout.discard(key)
        elif act == "walk" and cursor:
            cursor, found = order.walk(cursor, count, alive)
            visited |= set(found)
    assert cursor == 0
    assert there_throughout <= visited


def test_the_list_does_not_outgrow_the_dictionary() -> None:
    alive: dict[bytes, int] = {}
    order = Order([])
    for n in range(1000):
        alive[b"k"] = n
        order.add(b"k", alive)
        del alive[b"k"]
    assert len(order.keys) <= SLACK + 1


def test_every_key_is_picked() -> None:
    alive = {b"%d" % n: n for n in range(20)}
    order = Order(list(alive))
    rng = random.Random(1)
    for n in range(15):
        del alive[b"%d" % n]
    assert {order.pick(rng, alive) for _ in range(200)} == set(alive)


def test_picking_from_what_was_large_compacts_first() -> None:
    alive = {b"%d" % n: n for n in range(1000)}
    order = Order(list(alive))
    for n in range(999):
        del alive[b"%d" % n]
    assert order.pick(random.Random(1), alive) == b"999"
    assert order.keys == [b"999"]


def test_what_is_left_of_much_is_walked_at_once() -> None:
    """D-20: nobody pages through what has been deleted."""
    alive = {b"%d" % n: n for n in range(1000)}
    order = Order(list(alive))
    for n in range(997):
        del alive[b"%d" % n]
    assert order.walk(0, 10, alive) == (0, [b"999", b"998", b"997"])
    alive.clear()
    assert order.walk(0, 10, alive) == (0, [])


def test_a_few_dead_entries_take_no_room_in_a_page() -> None:
    alive = {b"%d" % n: n for n in range(100)}
    order = Order(list(alive))
    for n in range(60, 100):
        del alive[b"%d" % n]
    cursor, found = order.walk(0, 20, alive)
    assert found == [b"%d" % n for n in range(59, 39, -1)]
    assert cursor == 40
