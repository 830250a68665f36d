"""The table of types."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.testing.builtin import NAMES
from crdt.types.registry import MAKERS


@pytest.mark.parametrize("code", MAKERS)
def test_a_type_is_listed_under_its_code(code: int) -> None:
    value = MAKERS[code]()
    assert value.code() == code
    assert value.is_empty()
    assert value.min_dot() == 0
    assert not value.has_garbage()
    assert 1 <= code <= 15


def test_every_type_has_a_specification() -> None:
    assert set(NAMES) == set(MAKERS)


def test_a_replica_knows_them_all() -> None:
    assert Replica(1).keyspace.makers == MAKERS
