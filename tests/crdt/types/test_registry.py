"""The registry of types."""

from __future__ import annotations

from functools import partial

import pytest

from crdt import DecodeError, Replica
from crdt.testing.builtin_types.specifications import SPECIFICATIONS
from crdt.testing.builtin_types.subjects import NAMES
from crdt.types.definition import Operation, TypeDefinition
from crdt.types.list import List
from crdt.types.registry import (
    BUILT_IN,
    DEFINITIONS,
    ENDS_TTL,
    KEEPS_TTL,
    NO_ASSIGNMENT,
    TypeRegistry,
)

MAKERS = BUILT_IN.makers


@pytest.mark.parametrize("code", MAKERS)
def test_type_is_listed_under_its_code(code: int) -> None:
    value = MAKERS[code]()
    assert value.code() == code
    assert value.is_empty()
    assert value.min_dot() == 0
    assert not value.has_garbage()
    assert 1 <= code <= 15
    assert BUILT_IN.definition(value).code == code


def test_every_type_has_specification() -> None:
    assert set(NAMES) == set(MAKERS)
    assert set(NAMES.values()) == set(SPECIFICATIONS)


def test_replica_knows_them_all() -> None:
    assert Replica(1).keyspace.types is BUILT_IN


def test_registry_without_additions_is_same() -> None:
    assert BUILT_IN.with_types(()) is BUILT_IN


def test_another_maker_replaces_built_in_type() -> None:
    types = BUILT_IN.with_types([partial(List, 2)])
    assert list(types.by_code) == list(BUILT_IN.by_code)
    made = types.makers[5]()
    assert isinstance(made, List)
    assert made.items.block_max == 2
    assert types.by_code[5].content is BUILT_IN.by_code[5].content
    assert types.by_code[1] is BUILT_IN.by_code[1]


def test_definition_joins_registry() -> None:
    added = TypeDefinition("added", 200, MAKERS[2], (Operation("touch"),))
    types = BUILT_IN.with_types([added])
    types.check_effect((200, 0, b"k"))
    with pytest.raises(DecodeError, match="unknown type 200"):
        BUILT_IN.check_effect((200, 0, b"k"))
    with pytest.raises(DecodeError, match="type 200 has an unknown operation 1"):
        types.check_effect((200, 1, b"k"))
    with pytest.raises(ValueError, match="two types have the code 200"):
        BUILT_IN.with_types([added, added])


def test_one_type_at_most_is_plain() -> None:
    assert BUILT_IN.plain_code == 1
    assert TypeRegistry(()).plain_code == 0
    second = TypeDefinition("second", 2, MAKERS[2], is_plain=True)
    with pytest.raises(ValueError, match=r"types \[1, 2\] are all plain"):
        TypeRegistry([BUILT_IN.by_code[1], second])


def test_only_plain_type_has_assignments() -> None:
    assert (BUILT_IN.assignments, BUILT_IN.ends_ttl) == ({0, 1}, {0})
    assert list(BUILT_IN.assignment_kinds[:3]) == [ENDS_TTL, KEEPS_TTL, NO_ASSIGNMENT]
    assert not any(TypeRegistry(()).assignment_kinds)
    assert [BUILT_IN.is_assignment(each) for each in ((1, 1), (1, 2), (2, 0))] == [
        True,
        False,
        False,
    ]
    other = TypeDefinition("other", 200, MAKERS[2], (Operation("a"), Operation("b", ends_ttl=True)))
    with pytest.raises(ValueError, match="operation 1 of type 200: the type is not plain"):
        TypeRegistry([BUILT_IN.by_code[1], other])


def test_shapes_are_found_by_code_and_operation() -> None:
    for (code, operation), shape in BUILT_IN.shapes.items():
        assert BUILT_IN.shape_table[code][operation] == shape
    found = [shape for row in BUILT_IN.shape_table for shape in row if shape is not None]
    assert len(found) == len(BUILT_IN.shapes)


def test_limits_of_encodings_are_those_of_all_types() -> None:
    limits = BUILT_IN.encoding_limits()
    assert len(limits) == sum(len(each.encoding_limits) for each in DEFINITIONS) == 9
    assert limits["list-max-listpack-size"] == -2


class Unlisted(List):
    """A value of an application's own, which is not wrapped."""

    def code(self) -> int:
        return 201


@pytest.mark.interpreted("it derives from a compiled class")
def test_value_of_another_code_gets_definition() -> None:
    types = BUILT_IN.with_types([Unlisted])
    assert types.by_code[201].name == "Unlisted"
    with pytest.raises(DecodeError, match="type 201 has an unknown operation 0"):
        types.check_effect((201, 0, b"k"))


def test_operations_of_another_version_are_refused_by_it() -> None:
    with pytest.raises(DecodeError, match="list positions: format version 1"):
        BUILT_IN.check_effect((5, 2, b"k"))


def test_served_clients_add_and_take_elements_alone() -> None:
    found = {
        (each.name, operation.name)
        for each in DEFINITIONS
        for operation in each.operations
        if operation.serves_waiters
    }
    assert found == {
        ("list", "insert"),
        ("list", "remove"),
        ("stream", "add"),
        ("stream", "acknowledge"),
        ("sorted set", "remove"),
        ("sorted set", "erase"),
    }
