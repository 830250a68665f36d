"""Sampling from a dictionary that changes between samples."""

from __future__ import annotations

import random

from crdt.structures.sample_order import SLACK, Order


def test_list_does_not_outgrow_dictionary() -> None:
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
