"""The checker of reads finds replies that differ from the applied writes."""

from __future__ import annotations

from typing import Any

import pytest

from sim.checkers.clients.reads import HISTORY_MAX, ReadsChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.client import Refusal
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

FILLED = (
    ("SET", "string", "abc"),
    ("SADD", "set", "b", "a"),
    ("HSET", "hash", "f", "1"),
    ("PFADD", "sketch", "a"),
    ("ZADD", "zset", "1.5", "m"),
    ("RPUSH", "list", "y", "x"),
    ("SET", "mortal", "v", "PX", "5000"),
)
RIGHT: list[tuple[str, Any, Any]] = [
    ("GET string", b"abc", b"abd"),
    ("GET nothing", None, b""),
    ("GET set", Refusal("WRONGTYPE x"), None),
    ("GET sketch", b"HYLL...", b"a"),
    ("STRLEN string", 3, 2),
    ("SMEMBERS set", [b"a", b"b"], [b"a"]),
    ("SCARD set", 2, 3),
    ("SISMEMBER set a", 1, 0),
    ("HGETALL hash", [b"f", b"1"], [b"f", b"2"]),
    ("HLEN hash", 1, 0),
    ("HGET hash f", b"1", None),
    ("ZRANGE zset 0 -1 WITHSCORES", [b"m", b"1.5"], [b"m", b"1"]),
    ("ZRANGE zset 0 -1", [b"m"], [b"1.5"]),
    ("ZCARD zset", 1, 2),
    ("ZSCORE zset m", b"1.5", b"2"),
    ("ZSCORE zset x", None, b"2"),
    ("LRANGE list 0 -1", [b"x", b"y"], []),
    ("LLEN list", 2, 1),
    ("EXISTS set", 1, 0),
    ("TYPE zset", "zset", "set"),
    ("TYPE nothing", "none", "set"),
    ("PTTL mortal", 5000, 4999),
    ("PTTL set", -1, -2),
    ("PTTL nothing", -2, -1),
    ("PEXPIRETIME mortal", 1_700_000_007_000, -1),
]


@pytest.fixture
def world() -> SimWorld:
    made = fresh(ReadsChecker)
    made.run_all("eu", *FILLED)
    return made


@pytest.mark.parametrize(("asked", "right", "wrong"), RIGHT, ids=[row[0] for row in RIGHT])
def test_reply_that_is_not_so_is_caught(
    world: SimWorld, asked: str, right: Any, wrong: Any
) -> None:
    words = tuple(asked.split())
    reported = world.run_session("eu", 1, words)
    assert reported is not None
    checker = checker_of(world)
    assert checker.looked == 1
    replies: tuple[Any, ...] = (right,)
    checker.on_replies(world.sites["eu"], 1, (words,), replies)
    with pytest.raises(Violation, match=f"eu answers {asked} with "):
        checker.on_replies(world.sites["eu"], 1, (words,), (wrong,))


def test_another_region_shows_what_it_has(world: SimWorld) -> None:
    assert world.run_session("us", 1, ("GET", "string")) == [None]
    assert checker_of(world).looked == 1


def test_reads_next_to_writes_and_of_busy_keys_are_left_alone(world: SimWorld) -> None:
    for i in range(HISTORY_MAX + 1):
        world.run("eu", "SADD", "busy", f"{i}")
    world.run_session("eu", 1, ("SMEMBERS", "busy"))
    world.run_session("eu", 1, ("SADD", "set", "c"), ("SMEMBERS", "set"))
    world.run_session("eu", 1, ("MULTI",), ("EXEC",), ("CRDB.VECTOR",))
    world.run_session("eu", 1, ("ZRANGE", "zset", "0", "0"), ("LRANGE", "list", "1", "-1"))
    assert checker_of(world).looked == 0


@pytest.mark.parametrize("number", [2, 255])
def test_wrong_reply_of_follower_is_caught(number: int) -> None:
    world = fresh(ReadsChecker, copies=(Copy("f", number, ("eu",)), Copy("g", 9, ("eu", "us"))))
    world.run_all("eu", *FILLED)
    assert world.converge(10 * SECOND)
    ask = ("GET", "string")
    assert world.run_session("f", 1, ask) == [b"abc"]
    assert world.run_session("g", 2, ask) == [b"abc"]
    checker = checker_of(world)
    assert checker.looked == 1, "of several sources it is not known"
    with pytest.raises(Violation, match=r"f answers GET string with 'abd', not 'abc'"):
        checker.on_follower_replies(world.copies["f"], 1, (ask,), (b"abd",))
    world.copies["f"].stop_following()
    world.run("f", "SET", "string", "mine")
    assert world.run_session("f", 1, ask) == [b"mine"]
    world.copies["f"].start_following()
    assert world.copies["f"].holds_old
    assert world.run_session("f", 1, ask) == [b"mine"], "until the snapshot is here"
    assert checker.looked == 2
    assert world.converge(10 * SECOND)
    assert world.run_session("f", 1, ask) == [b"abc"]
    assert checker.looked == 3
