"""The orders of one part of a table."""

from __future__ import annotations

import pytest

from crdt.structures import part
from crdt.structures.part import Part
from crdt.structures.places import HASH_PLACES, place_of_hash


def sorted_part(size: int) -> Part:
    """Return a part of `size` keys that is sorted for scans."""
    made = Part({name(number): number for number in range(size)}, 0, 0, size)
    made.names = sorted(made.held, key=part.place_of_hash)
    return made


def name(number: int) -> bytes:
    return b"k%d" % number


def add(tested: Part, key: bytes) -> None:
    tested.held[key] = 0
    tested.add_name(key)


@pytest.mark.interpreted("it replaces the function that hashes")
def test_keys_of_one_place_share_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(key: bytes) -> int:
        return 7 if key.startswith(b"k") else 9

    monkeypatch.setattr(part, "place_of_hash", same)
    tested = sorted_part(30)
    for number in range(25, 35):
        add(tested, name(number))
    add(tested, b"x")
    place, page = tested.page(0, 1)
    assert place == 9
    assert sorted(page) == sorted(name(number) for number in range(35))
    assert tested.page(9, 1) == (HASH_PLACES, [b"x"])


def test_key_that_came_back_is_returned_once() -> None:
    tested = sorted_part(30)
    del tested.held[name(3)]
    assert sorted(tested.page(0, 100)[1]) == sorted(tested.held)
    add(tested, name(3))
    assert sorted(tested.page(0, 100)[1]) == sorted(tested.held)


def test_page_ends_at_place_of_next_key() -> None:
    tested = sorted_part(30)
    place, page = tested.page(0, 10)
    assert len(page) >= 10
    assert max(map(place_of_hash, page)) < place
    assert tested.page(place, 1)[1][0] not in page
    later = Part({}, 2, HASH_PLACES // 4, 1)
    assert later.stop() == HASH_PLACES // 2


def test_new_key_is_sampled() -> None:
    tested = sorted_part(2)
    assert tested.sampled().keys == [name(0), name(1)]
    add(tested, name(2))
    assert tested.sampled().keys == [name(0), name(1), name(2)]
