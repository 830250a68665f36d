"""Random commands on strings, counters, expiry and keys in three regions converge.

Commands go to any region, operations travel between any two at any time, and clocks move and are
wrong. Once all regions have received everything, all show the same (rule ORD-9).
"""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crdb.resp.decoder import Status
from tests.crdb.redis_peer import Word
from tests.crdb.regions import Regions

KEYS = st.sampled_from(["a", "b"])
NUMBERS = st.sampled_from(["1", "-1", "7", "1000"])
SPANS = st.sampled_from(["5", "20", "60"])
COMMAND: st.SearchStrategy[tuple[Word, ...]] = st.one_of(
    st.tuples(st.just("SET"), KEYS, st.sampled_from(["x", "10", "2.5"])),
    st.tuples(st.just("SET"), KEYS, NUMBERS, st.just("PX"), SPANS),
    st.tuples(st.just("SET"), KEYS, NUMBERS, st.just("KEEPTTL")),
    st.tuples(
        st.sampled_from(["INCRBY", "DECRBY", "INCRBYFLOAT", "APPEND", "GETSET"]), KEYS, NUMBERS
    ),
    st.tuples(st.just("INCRBYFLOAT"), KEYS, st.sampled_from(["0.1", "-2.5"])),
    st.tuples(st.sampled_from(["DEL", "PERSIST", "GETDEL"]), KEYS),
    st.tuples(st.just("PEXPIRE"), KEYS, SPANS, st.sampled_from(["GT", "LT", "NX"])),
    st.tuples(st.just("PEXPIRE"), KEYS, SPANS),
    st.tuples(st.sampled_from(["RENAME", "COPY"]), KEYS, KEYS),
    st.tuples(st.just("COPY"), KEYS, KEYS, st.just("REPLACE")),
    st.tuples(st.just("SADD"), KEYS, NUMBERS, NUMBERS),
    st.tuples(st.just("HINCRBY"), KEYS, st.just("f"), NUMBERS),
    st.tuples(st.just("RPUSH"), KEYS, NUMBERS),
    st.tuples(st.just("ZADD"), KEYS, NUMBERS, st.just("m")),
    st.just(("FLUSHALL",)),
    st.tuples(st.just("SETBIT"), KEYS, st.sampled_from(["1", "9"]), st.just("1")),
    st.just(("MSET", "a", "1", "b", "2")),
)
REGION = st.integers(1, 3)
STEP = st.one_of(
    st.tuples(st.just("write"), REGION, COMMAND),
    st.tuples(st.just("write"), REGION, COMMAND),
    st.tuples(st.just("send"), REGION, REGION),
    st.tuples(st.just("clock"), st.integers(-30, 30), st.none()),
)


@given(steps=st.lists(STEP, max_size=40))
@example(
    steps=[  # region 1 had a later clock than any has when `a` is looked at
        ("write", 1, ("SET", "b", "x")),
        ("clock", -61, None),
        ("write", 2, ("SET", "a", "7", "PX", "60")),
        ("clock", -40, None),
    ]
)
@pytest.mark.rule("ORD-9")
def test_all_regions_show_same(steps: list[tuple[str, int, object]]) -> None:
    regions = Regions(3)
    latest = regions.now
    for name, number, detail in steps:
        if name == "write":
            regions.run(number, *cast("tuple[Word, ...]", detail))
        elif name == "send":
            assert isinstance(detail, int)
            regions.send(number, detail)
        else:
            regions.now += number
            latest = max(latest, regions.now)
    regions.now = latest + 100  # when all clocks agree on what has expired (rule EXP-8)
    regions.sync()
    for key in ("a", "b"):
        for command in ("PEXPIRETIME", "EXISTS"):
            regions.everywhere(command, key)
        if regions.everywhere("TYPE", key) != Status(b"string"):  # how it was written is not sent
            regions.everywhere("OBJECT", "ENCODING", key)
    assert len({tuple(regions.run(n, "MGET", "a", "b")) for n in (1, 2, 3)}) == 1


def test_encoding_of_string_is_local() -> None:
    """Rule KEY-13: no operation carries an encoding."""
    regions = Regions(2)
    regions.run(1, "SET", "k", "v")
    regions.run(1, "SETBIT", "k", "1", "1")
    regions.sync()
    assert regions.run(1, "OBJECT", "ENCODING", "k") == b"raw"
    assert regions.run(2, "OBJECT", "ENCODING", "k") == b"embstr"
    assert regions.everywhere("GET", "k") == b"v"


@pytest.mark.parametrize("name", ["GET k", "TTL k", "EXISTS k", "TYPE k", "SCAN 0", "KEYS *"])
def test_reads_of_expired_key_write_nothing(name: str) -> None:
    """Rules EXP-5 and EXP-6: a read hides an expired key, and a write removes it."""
    regions = Regions(2)
    regions.run(1, "SET", "k", "v", "PX", "10")
    regions.sync()
    regions.now += 1000
    before = regions.replicas[2].vector
    regions.run(2, *name.split())
    assert regions.replicas[2].vector == before
    regions.run(2, "SETNX", "k", "new")
    (op,) = regions.replicas[2].since(before)
    assert len(op.effects) == 2
