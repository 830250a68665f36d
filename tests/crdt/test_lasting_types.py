"""A user type that is never deleted and prepares its effects at the origin."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica


class Even:
    """The greatest even number. Odd numbers are refused."""

    code = 211

    def __init__(self) -> None:
        self.number = 0

    def prepare(self, operation: int, number: int) -> tuple[int, int] | None:
        return None if number % 2 else (operation, number)

    def apply(self, effect: tuple[Any, ...], _dot: int, _observed: object) -> None:
        self.number = max(self.number, effect[1])

    def merge(self, other: Even, _mine: object, _theirs: object) -> None:
        self.number = max(self.number, other.number)

    def value(self) -> int:
        return self.number

    def state(self) -> int:
        return self.number

    def load(self, state: int) -> None:
        self.number = state


EVEN: Any = Even  # it needs neither `remove` nor `is_live`


def test_prepare_makes_effect_or_refuses() -> None:
    here, there = Replica(1, types=(EVEN,)), Replica(2, types=(EVEN,))
    assert not here.value("n", EVEN).do(0, 3)
    assert len(here) == 0
    assert here.value("n", EVEN).do(0, 4)
    there.merge(here.snapshot())
    assert there.value("n", EVEN).get() == 4
    assert "n" in there


def test_type_without_remove_cannot_be_deleted_alone() -> None:
    here = Replica(1, types=(EVEN,))
    here.value("n", EVEN).do(0, 4)
    with pytest.raises(TypeError, match="a Even cannot be deleted: write `def remove"):
        here.value("n", EVEN).delete()


def test_whole_deletion_of_such_type_leaves_it() -> None:
    here = Replica(1, types=(EVEN,))
    here.value("n", EVEN).do(0, 4)
    here.delete("n")
    assert here.value("n", EVEN).value == 4


def test_type_that_replica_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="the replica was made without type 211"):
        Replica(1).value("n", EVEN).do(0, 4)


def test_extended_slice_takes_as_many_texts_as_it_has_places() -> None:
    items = Replica(1).list("l")
    items.extend(["a", "b", "c", "d"])
    items[::2] = ["x", "y"]
    assert list(items) == ["x", "b", "y", "d"]
    with pytest.raises(ValueError, match="extended slice of size 2"):
        items[::2] = ["z"]


def test_views_of_hash_combine_into_sets() -> None:
    fields = Replica(1).hash("h")
    fields["a"] = "1"
    assert fields.keys() & {"a", "b"} == {"a"}
