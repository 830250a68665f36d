"""The contents of a key: read, and written to another key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.embed.replica import Replica
from crdt.types.base import Value
from crdt.types.registry import BUILT_IN
from crdt.types.string import String
from crdt.writes import content as contents
from crdt.writes import string as strings


def flat(pairs: dict[bytes, bytes] | dict[bytes, float]) -> list[bytes | float]:
    """Return names and values in turn."""
    return [item for pair in pairs.items() for item in pair]


SCORES = st.floats(allow_nan=False)
NAMES = st.binary(max_size=3)
CONTENTS = st.one_of(
    st.tuples(st.just(1), st.lists(st.binary(), min_size=1, max_size=1)),
    st.tuples(st.just(2), st.lists(NAMES, min_size=1, unique=True)),
    st.tuples(st.just(3), st.dictionaries(NAMES, NAMES, min_size=1).map(flat)),
    st.tuples(st.just(4), st.dictionaries(NAMES, SCORES, min_size=1).map(flat)),
    st.tuples(st.just(5), st.lists(NAMES, min_size=1)),
)


def content_of(value: Value) -> list[object]:
    """Return the content of a value, as its write function takes it."""
    content = BUILT_IN.definition(value).content
    assert content is not None
    return content(value)


def held(replica: Replica, key: bytes) -> Value:
    """Return the value of the key."""
    value = replica.keyspace.lookup(key)
    assert value is not None
    return value


@given(first=CONTENTS, second=CONTENTS)
def test_any_content_takes_place_of_any_other(
    first: tuple[int, list[object]], second: tuple[int, list[object]]
) -> None:
    replica, other = Replica(1), Replica(2)
    db = replica.keyspace
    db.advance(1000)
    contents.put(db, b"k", *first, 5000)
    assert db.deadline(b"k") == 5000
    contents.put(db, b"k", *second, None)
    assert held(replica, b"k").code() == second[0]
    assert content_of(held(replica, b"k")) == second[1]
    assert db.deadline(b"k") is None
    replica.seal()
    for op in replica.since({}):
        other.accept(op)
    assert other.digest() == replica.digest()


def test_types_have_names_that_redis_gives_them() -> None:
    replica = Replica(1)
    db = replica.keyspace
    assert contents.type_name(db, None) == b"none"
    names = {1: b"string", 2: b"set", 4: b"zset", 5: b"list"}
    for code, content in ((1, [b"v"]), (2, [b"m"]), (4, [b"m", 1.5]), (5, [b"v"])):
        contents.put(db, b"k", code, content, None)
        assert contents.type_name(db, held(replica, b"k")) == names[code]
    replica.flag("f").enable()
    assert contents.type_name(db, db.lookup(b"f")) == b"custom"


def test_copy_of_string_keeps_how_redis_would_keep_it() -> None:
    db = Replica(1).keyspace
    strings.assign(db, b"a", b"5")
    for is_raw in (True, False):
        strings.mark(db, b"a", is_raw=is_raw)
        value = db.lookup(b"a")
        assert isinstance(value, String)
        contents.copy(db, value, b"b", None)
        copied = db.lookup(b"b")
        assert isinstance(copied, String)
        assert (copied.is_raw, copied.is_text) == (is_raw, not is_raw)
        assert copied.read() == b"5"


def test_stored_list_replaces_what_was_there() -> None:
    replica = Replica(1)
    replica.set("k").add("a")
    contents.put_list(replica.keyspace, b"k", [b"x", b"y"])
    assert held(replica, b"k").visible() == [b"x", b"y"]


@pytest.mark.interpreted("a compiled module has taken the constant in")
@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_large_copy_is_several_effects(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single effect of any size would be an operation of any size, which no link carries."""
    monkeypatch.setattr("crdt.writes.content.RUN_MAX", 4)
    replica, other = Replica(1), Replica(2)
    plain: list[object] = [b"%d" % index for index in range(11)]
    pairs: list[object] = [x for index in range(9) for x in (b"%d" % index, float(index))]
    if code == 3:
        pairs = [b"%g" % each if isinstance(each, float) else each for each in pairs]
    content = plain if code in {2, 5} else pairs
    contents.put(replica.keyspace, b"k", code, content, None)
    (op,) = replica.since({})
    assert max(len(effect) for effect in op.effects) <= 4 + 4 + 2
    copied = content_of(held(replica, b"k"))
    assert copied == content if code == 5 else sorted(map(str, copied)) == sorted(map(str, content))
    other.accept(op)
    assert other.to_bytes() == replica.to_bytes()
