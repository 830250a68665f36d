"""Addresses in JSON documents."""

from __future__ import annotations

import pytest

from crdt.causality.dots import DOT_MAX, make_dot, make_origin
from crdt.types.json_tree.addresses import (
    ITEMS_MAX,
    Address,
    depth_below,
    is_member_address,
    is_node_address,
    is_slot_address,
    renamed_address,
)

ORIGIN = make_origin(1)
DOT = make_dot(ORIGIN, 1)
POSITION = (0, make_dot(ORIGIN, 0), 1 << 22)


def test_addresses_of_nodes_and_slots_alternate() -> None:
    assert is_node_address((DOT,))
    assert is_node_address((DOT, b"a", 0, POSITION, DOT))
    assert is_slot_address(())
    assert is_slot_address((DOT, "ü".encode()))
    assert not is_member_address(())
    assert is_member_address((DOT, b"a"))
    assert depth_below((DOT, b"a", 0, POSITION)) == 2


@pytest.mark.parametrize(
    "address",
    [
        *((), (0,), (b"a",), (DOT, b"a"), (DOT, "a", 0), (DOT, b"\xff", 0), (DOT, (0, 0, 0), 0)),
        *((DOT, b"a", -1), (DOT, b"a", b"b"), [DOT], 5, (-1,), (True, b"a", 0), (DOT, (1, 2), 0)),
        (DOT, b"a", 0) + (b"a", 0) * ITEMS_MAX,
    ],
)
def test_other_forms_are_no_address_of_node(address: object) -> None:
    assert not is_node_address(address)


def test_dots_of_later_programs_are_refused() -> None:
    for address in ((DOT_MAX + 1,), (DOT, (0, DOT_MAX + 1, 1 << 22), 0)):
        assert not is_node_address(address)


class Names:
    """Names of another database's origins."""

    def origin(self, origin: int) -> int:
        return origin + 1

    def dot(self, dot: int) -> int:
        return dot + (1 << 40) if dot else 0


def test_dots_and_positions_are_renamed() -> None:
    address: Address = (DOT, b"a", 0, POSITION, DOT)
    moved = DOT + (1 << 40)
    position = (0, POSITION[1] + (1 << 40), POSITION[2])
    assert renamed_address(address, Names()) == (moved, b"a", 0, position, moved)
