"""Compare the replies of SORT with those of a real redis-server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.crdb.redis_peer import Peer, Word

FILLED: list[tuple[Word, ...]] = [
    ("RPUSH", "list", "3", "1", "10", "2", "-1.5", "1"),
    ("RPUSH", "words", "b", "a", "C", "ab", "", "10"),
    ("SADD", "set", "3", "1", "10", "2"),
    ("ZADD", "zset", "5", "3", "4", "1", "3", "10", "2", "2"),
    ("MSET", "w_1", "30", "w_2", "20", "w_3", "10", "w_10", "5", "w_a", "x", "w_", "1"),
    ("MSET", "t_1", "one", "t_2", "two", "t_3", "three", "t_b", "bee"),
    ("HSET", "h_1", "w", "3", "t", "eins"),
    ("HSET", "h_2", "w", "2", "t", "zwei"),
    ("HSET", "h_10", "w", "1"),
    ("SET", "string", "v"),
    ("RPUSH", "destination", "old"),
    ("EXPIRE", "destination", "1000"),
]
KEYS = ["list", "words", "set", "zset", "string", "missing", "h_1"]
OPTIONS: list[str] = [
    "",
    "ASC",
    "DESC",
    "ALPHA",
    "alpha desc",
    "DESC ASC",
    "LIMIT 1 2",
    "LIMIT -5 2",
    "LIMIT 1 -1",
    "LIMIT 0 0",
    "LIMIT 100 2",
    "LIMIT 2 100 DESC",
    "LIMIT x 2",
    "LIMIT 1 x",
    "LIMIT 1",
    "BY w_*",
    "BY w_* DESC",
    "BY w_* ALPHA",
    "BY t_* ALPHA DESC LIMIT 0 1",
    "BY h_*->w",
    "BY h_*->",
    "BY t_*",
    "BY #",
    "GET #",
    "GET # GET t_* GET h_*->t ALPHA",
    "GET h_*->t GET h_* GET list GET *",
    "BY nosort GET t_*",
    "ALPHA STORE destination",
    "DESC STORE list",
    "ALPHA GET t_* STORE destination",
    "LIMIT 100 1 ALPHA STORE destination",
    "BY nosort STORE destination",
    "BY nosort BY w_* STORE destination",
    "BY w_* BY nosort STORE destination",
    "BY nosort DESC STORE destination",
    "STORE",
    "BY",
    "GET",
    "FOO",
]
FREE_ORDER = ("BY #", "BY nosort GET t_*")  # a set has none of its own


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", ["SORT", "SORT_RO"])
def test_options(peer: Peer, name: str, key: str) -> None:
    calls = [
        (name, key, *options.split())
        for options in OPTIONS
        if key != "set" or options not in FREE_ORDER
    ]
    reading = [call for call in calls if "STORE" not in call]
    for protocol in (2, 3):
        peer.play([*FILLED, *reading], protocol)
        for call in calls:
            if "STORE" in call:
                peer.play([*FILLED, call], protocol)
    peer.play([(name,)])


@pytest.mark.parametrize("key", ["list", "zset"])
def test_order_that_is_there_already(peer: Peer, key: str) -> None:
    for limit in ("", " LIMIT 1 2", " LIMIT 3 100", " LIMIT 0 1"):
        for order in ("", " DESC"):
            peer.play([*FILLED, ("SORT", key, "BY", "nosort", *(order + limit).split())])


def test_unsorted_set_is_given_whole(peer: Peer) -> None:
    for command in FILLED:
        peer.same(*command)
    for side in (peer.server, peer.ours):
        reply = side.run([b"SORT", b"set", b"BY", b"nosort", b"LIMIT", b"0", b"3"])
        assert reply.startswith(b"*3\r\n")


ITEMS = st.lists(st.integers(-20, 20).map(str), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=ITEMS,
    weights=st.dictionaries(st.integers(-20, 20), st.integers(0, 3)),
    order=st.sampled_from(["ASC", "DESC"]),
    limit=st.tuples(st.integers(-2, 5), st.integers(-2, 5)),
)
def test_any_list(
    peer: Peer, items: list[str], weights: dict[int, int], order: str, limit: tuple[int, int]
) -> None:
    commands: list[tuple[Word, ...]] = [("SET", f"w{k}", v) for k, v in weights.items()]
    commands += [("RPUSH", "l", *items)] if items else []
    for by in ((), ("BY", "w*")):
        commands.append(("SORT", "l", *by, "LIMIT", *limit, order, "GET", "#", "GET", "w*"))
    peer.play([*commands, ("SORT", "l", order, "ALPHA", "STORE", "m")])
