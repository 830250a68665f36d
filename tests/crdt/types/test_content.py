"""What a key holds, taken out and written anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.embed.replica import Replica
from crdt.types.base import Value
from crdt.writes import content as contents


def flat(pairs: dict[bytes, bytes] | dict[bytes, float]) -> list[bytes | float]:
    """Names and values in turn."""
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


def held(replica: Replica, key: bytes) -> Value:
    """What the key holds."""
    value = replica.keyspace.lookup(key)
    assert value is not None
    return value


@given(first=CONTENTS, second=CONTENTS)
def test_any_content_takes_the_place_of_any_other(
    first: tuple[int, list[object]], second: tuple[int, list[object]]
) -> None:
    replica, other = Replica(1), Replica(2)
    db = replica.keyspace
    db.advance(1000)
    contents.put(db, b"k", *first, 5000)
    assert db.deadline(b"k") == 5000
    contents.put(db, b"k", *second, None)
    assert held(replica, b"k").code() == second[0]
    assert contents.content_of(held(replica, b"k")) == second[1]
    assert db.deadline(b"k") is None
    replica.seal()
    for op in replica.since({}):
        other.accept(op)
    assert other.digest() == replica.digest()


def test_types_have_the_names_that_redis_gives_them() -> None:
    replica = Replica(1)
    assert contents.type_name(None) == b"none"
    for code, content in ((1, [b"v"]), (2, [b"m"]), (4, [b"m", 1.5]), (5, [b"v"])):
        contents.put(replica.keyspace, b"k", code, content, None)
        assert contents.type_name(held(replica, b"k")) == contents.TYPE_NAMES[code]


@pytest.mark.interpreted("a compiled module has taken the constant in")
@pytest.mark.parametrize("code", [2, 3, 4, 5])
def test_a_large_copy_is_several_effects(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One effect of any size would be one operation of any size, which no link carries."""
    monkeypatch.setattr("crdt.writes.content.RUN_MAX", 4)
    replica, other = Replica(1), Replica(2)
    plain: list[object] = [b"%d" % index for index in range(11)]
    pairs: list[object] = [x for index in range(9) for x in (b"%d" % index, float(index))]
    if code == 3:
        pairs = [b"%g" % each if isinstance(each, float) else each for each in pairs]
    content = plain if code in {2, 5} else pairs
    contents.put(replica.keyspace, b"k", code, content, None)
    (op,) = replica.since({})
    assert max(len(effect) for effect in op.effects) <= 3 + 4 + 2
    copied = contents.content_of(held(replica, b"k"))
    assert copied == content if code == 5 else sorted(map(str, copied)) == sorted(map(str, content))
    other.accept(op)
    assert other.to_bytes() == replica.to_bytes()
