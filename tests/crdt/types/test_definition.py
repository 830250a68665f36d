"""The definitions of types agree with the behaviour of the types."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica
from crdt.causality.dots import SEQ_BITS
from crdt.causality.schema import KEY_SHAPES, are_resets, is_bytes, is_position
from crdt.types.base import Value
from crdt.types.components.register import Register
from crdt.types.definition import Operation, TypeDefinition, existence, holds_origins
from crdt.types.registry import BUILT_IN, DEFINITIONS
from crdt.writes import hash as hashes
from crdt.writes import hyperloglog, stream, string
from crdt.writes import json as documents
from crdt.writes import list as lists
from crdt.writes import set as sets
from crdt.writes import sorted_set as zset
from crdt.writes.content import is_copyable


def filled() -> dict[str, Value]:
    """Return a value of each type that can be copied, by the definition's name."""
    db = Replica(1).keyspace
    string.assign(db, b"string", b"text")
    sets.add(db, b"set", [b"a", b"b"])
    hashes.assign(db, b"hash", [b"f", b"v"])
    zset.assign(db, b"sorted set", [b"m", 1.5])
    lists.push_tail(db, b"list", [b"x", b"y", b"x"])
    hyperloglog.raise_registers(db, b"hyperloglog", None, [65, 130])
    documents.assign(db, b"JSON", (), b'{"b":[1],"a":null}')
    stream.add(db, b"stream", (7, 1), [b"f", b"v"])
    return {key.decode(): db.data[key] for key in db.data}


CONTENT: dict[str, list[Any]] = {
    "string": [b"text"],
    "set": [b"a", b"b"],
    "hash": [b"f", b"v"],
    "sorted set": [b"m", 1.5],
    "list": [b"x", b"y", b"x"],
    "hyperloglog": [0, 65, 130],
    "JSON": [b'{"b":[1],"a":null}'],
    "stream": [(7, 1, b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n"), (7, 1, 1, 0, 0)],
}
ELEMENTS = {
    "string": {b""},
    "set": {b"a", b"b"},
    "hash": {b"f"},
    "sorted set": {b"m"},
    "list": {b"x", b"y"},
    "hyperloglog": {b""},
    "JSON": {b""},
    "stream": {b"7-1"},
}


@pytest.mark.parametrize("name", CONTENT)
def test_content_and_elements_are_what_readers_see(name: str) -> None:
    value = filled()[name]
    definition = BUILT_IN.definition(value)
    assert definition.name == name
    assert definition.content is not None
    assert definition.content(value) == CONTENT[name]
    assert definition.elements(value.visible()) == ELEMENTS[name]


def test_types_that_redis_serves_can_be_copied_and_renamed() -> None:
    served = {each.name for each in DEFINITIONS if each.redis_name is not None}
    assert served == CONTENT.keys()
    assert served == {each.name for each in DEFINITIONS if each.content is not None}
    assert served == {each.name for each in DEFINITIONS if each.rename_origins is not None}
    assert all(is_copyable(Replica(1).keyspace, value) for value in filled().values())


def test_codes_and_names_are_unique() -> None:
    assert len(BUILT_IN.by_code) == len(DEFINITIONS) == len({each.name for each in DEFINITIONS})


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.name)
def test_every_operation_has_declared_shape(definition: TypeDefinition) -> None:
    for kind, operation in definition.kinds().items():
        assert kind[0] == definition.code
        assert BUILT_IN.shapes[kind] == operation.shape()
        assert BUILT_IN.operations[kind] is operation
    assert (definition.code, len(definition.operations)) not in BUILT_IN.shapes


def test_shapes_are_those_of_keys_and_of_types() -> None:
    assert BUILT_IN.shapes.keys() == KEY_SHAPES.keys() | BUILT_IN.operations.keys()


def test_members_and_scores_are_changes_only_if_seen() -> None:
    assert {
        (0, 3),
        (2, 0),
        (2, 1),
        (4, 0),
        (4, 1),
        (4, 2),
        (11, 1),
        (11, 2),
    } == BUILT_IN.change_if_seen


def test_only_plain_write_of_string_ends_time_to_live() -> None:
    assert [kind for kind, each in BUILT_IN.operations.items() if each.ends_ttl] == [(1, 0)]


def test_origins_are_found_in_every_part_of_shape() -> None:
    assert holds_origins(Operation("a", (is_bytes, are_resets)).shape())
    assert holds_origins(Operation("b", repeated=(is_position,)).shape())
    assert holds_origins(Operation("c", optional=(are_resets,)).shape())
    assert not holds_origins(Operation("d", (is_bytes,), repeated=(is_bytes,)).shape())


def test_value_without_parts_has_one_element() -> None:
    assert existence([b"anything"]) == {b""}


def test_no_operation_has_both_repeated_and_optional_items() -> None:
    assert not [each for each in BUILT_IN.operations.values() if each.repeated and each.optional]


@pytest.mark.parametrize("name", CONTENT)
def test_copies_are_equal_until_one_is_written(name: str) -> None:
    value = filled()[name]
    copy = BUILT_IN.definition(value).make()
    assert not value.equals(copy)
    copy.load(value.state())
    assert value.equals(copy)


@pytest.mark.parametrize(
    ("name", "text", "field", "sequence"),
    [
        ("string", b"text", None, None),
        ("set", None, None, [b"a", b"b"]),
        ("hash", None, b"v", None),
        ("sorted set", None, None, [b"m"]),
        ("list", None, None, [b"x", b"y", b"x"]),
        ("hyperloglog", None, None, None),
        ("JSON", None, None, None),
    ],
)
def test_values_are_read_without_naming_their_type(
    name: str, text: bytes | None, field: bytes | None, sequence: list[bytes] | None
) -> None:
    value = filled()[name]
    assert value.text() == text
    assert value.field(b"f") == field
    assert value.field(b"g") is None
    assert value.sequence() == sequence


def test_registers_are_those_that_may_hold_concurrent_writes() -> None:
    values = filled()
    assert values["string"].registers() == []
    assert values["hash"].registers() == []
    assert values["list"].registers() == []
    db = Replica(1).keyspace
    hashes.increment(db, b"h", b"f", 1)
    assert [name for name, _ in db.data[b"h"].registers()] == [b"f"]
    lists.push_tail(db, b"l", [b"x", b"y"])
    lists.assign(db, b"l", 1, b"z")
    ((index, element),) = db.data[b"l"].registers()
    assert (index, element.visible()) == (b"1", b"z")


def test_increments_are_listed_by_origin() -> None:
    here, there = Replica(1), Replica(2)
    here.counter("c").increment(3)
    here.sorted_set("z").increment("m", 2)
    there.counter("c").increment(4)
    here.merge(there.snapshot())
    value = here.keyspace.data[b"c"]
    assert isinstance(value, Register)
    assert [amount for _, amount in value.increments()] == [3, 4]
    ((_, score),) = here.keyspace.data[b"z"].registers()
    assert isinstance(score, Register)
    ((dot, amount),) = score.increments()
    assert (dot >> SEQ_BITS, amount, type(amount)) == (here.origin, 2.0, float)
    here.keyspace.delete(b"c")
    assert value.increments() == []
