"""Vectors as values: bytes, text, JSON, copies and refused input."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import DecodeError, Replica, Vector, make_origin
from crdt.causality.dots import ORIGIN_MAX, SEQ_MAX
from crdt.causality.version_vector import format_vector, vector_of
from crdt.wire import codec

ORIGINS = st.integers(make_origin(1), ORIGIN_MAX)


def vector_with(numbers: dict[int, int], seed: int) -> Vector:
    """Return a vector with some fingerprint for each origin."""
    return Vector(numbers, {origin: 1 + (origin * seed) % 4_000_000_000 for origin in numbers})


VECTORS = st.builds(
    vector_with,
    st.dictionaries(ORIGINS, st.integers(0, SEQ_MAX), max_size=5),
    st.integers(0, 1 << 31),
)


def sample() -> Vector:
    replica = Replica(1)
    for name in "abc":
        replica.set("s").add(name)
        replica.seal()
    return replica.vector


@given(VECTORS)
def test_bytes_and_text_come_back(vector: Vector) -> None:
    for again in (Vector.from_bytes(vector.to_bytes()), Vector.from_text(vector.to_text())):
        assert again == vector == dict(vector)
        assert again.fingerprints == vector.fingerprints
        assert hash(again) == hash(vector)
    assert Vector.from_bytes(vector.to_bytes()).to_bytes() == vector.to_bytes()


def test_copies_and_pickles_are_equal() -> None:
    vector = sample()
    for again in (pickle.loads(pickle.dumps(vector)), copy.copy(vector), copy.deepcopy(vector)):
        assert type(again) is Vector
        assert again.to_bytes() == vector.to_bytes()
        assert again.fingerprints == vector.fingerprints


def test_text_is_for_people() -> None:
    vector = Vector({make_origin(2, 1): 9, make_origin(1): 42}, {make_origin(1): 255})
    assert str(vector) == "1=42:000000ff,2.1=9"
    assert repr(vector) == "<Vector 1=42:000000ff,2.1=9>"
    assert format_vector(vector) == "1=42,2.1=9"
    assert Vector.from_text("") == Vector() == {}
    assert str(Vector()) == ""


@pytest.mark.parametrize(
    "text",
    ["1", "1=", "0=1", "256=1", "1.16384=1", "1=1,1=2", "1=x", "1=1:12", "1=9999999999999", ","],
)
def test_invalid_vector_texts_are_refused(text: str) -> None:
    with pytest.raises(DecodeError, match=r"vector|region|incarnation|twice"):
        Vector.from_text(text)


@pytest.mark.parametrize(
    "items",
    [(), (1, (), ()), (1, (1, 2), (3, 4), ()), (1, (1, 2), (1, 0), ()), (1, (1, 2), (1,), ())],
)
def test_invalid_vector_bytes_are_refused(items: Any) -> None:
    with pytest.raises(DecodeError):
        Vector.from_bytes(codec.pack(items))


def test_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(DecodeError, match=r"a vector: format version 2; .* reads version 1"):
        Vector.from_bytes(codec.pack((2,)))


@pytest.mark.parametrize("reader", [Vector.from_bytes, Vector.from_text])
def test_readers_refuse_other_types(reader: Any) -> None:
    with pytest.raises(TypeError, match=r"expected|bytes|str"):
        reader(5)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("__setitem__", (1, 2)),
        ("__delitem__", (1,)),
        ("__ior__", ({1: 2},)),
        ("update", ({1: 2},)),
        ("clear", ()),
        ("pop", (1,)),
        ("popitem", ()),
        ("setdefault", (1, 2)),
    ],
)
def test_vector_cannot_be_changed(method: str, given: tuple[Any, ...]) -> None:
    vector = sample()
    with pytest.raises(TypeError, match="cannot be changed"):
        getattr(vector, method)(*given)
    assert vector == sample()


def test_json_makes_text_of_keys_and_is_understood() -> None:
    here, there = Replica(1), Replica(2)
    here.set("s").add("a")
    there.apply(here.changes_for(there.vector))
    assert json.loads(json.dumps(there.vector)) == {str(here.origin): 1}
    assert here.since(json.loads(json.dumps(there.vector))) == []
    assert len(here.since(json.loads(json.dumps({})))) == 1


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        (None, TypeError, "expected a Vector.*NoneType"),
        (5, TypeError, "expected a Vector.*int"),
        ("1=2", TypeError, "from_text"),
        (b"1", TypeError, "from_bytes"),
        ([1, 2], TypeError, "expected a Vector.*list"),
        ({"x": 1}, TypeError, "maps origins"),
        ({1.5: 1}, TypeError, "maps origins"),
        ({1: "1"}, TypeError, "maps origins"),
        ({True: 1}, TypeError, "maps origins"),
        ({0: 1}, ValueError, "is not an entry"),
        ({5: -1}, ValueError, "is not an entry"),
    ],
)
def test_anything_else_is_refused(given: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        vector_of(given)
    replica = Replica(1)
    for method in (replica.since, replica.changes_for):
        with pytest.raises(error, match=match):
            method(given)


def test_vector_is_restored_from_json() -> None:
    replica = Replica(1)
    replica.set("cart").add("milk")
    again = Vector(json.loads(json.dumps(replica.vector)))
    assert again == replica.vector
    assert not replica.since(again)
    odd: Any = {"a": 1}
    with pytest.raises(TypeError, match="a vector maps origins to numbers of effects, not 'a' to"):
        Vector(odd)
