"""The effect decoder: effects as commands of the specification."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_dot, make_origin
from crdt.causality.op import Op
from crdt.types.definition import SpellingForm
from crdt.types.registry import DEFINITIONS
from crdt.types.string import LARGE_TEXT_BYTES
from sim.engine.events import MS, SECOND
from sim.nodes.effect_decoder import EffectDecoder, decode_arguments
from sim.schedule.plan import Plan
from sim.world.world import SimWorld

EU = make_origin(1)
LONG = "a" * 5000
VERY_LONG = "a" * LARGE_TEXT_BYTES
CUSTOM = next(each for each in DEFINITIONS if each.redis_name is None)


def reported(*commands: str) -> list[str]:
    """Run commands in one region. Return the last reported effect."""
    world = SimWorld(Plan.of(["eu", "us"], delay_ms=20), checkers=())
    world.sleep(SECOND)
    deeds = EffectDecoder()
    found: list[str] = []
    for line in commands:
        before = len(world.run_history.in_order)
        world.run("eu", *line.split())
        world.sleep(10 * MS)
        found = [
            str(deeds.decode_effect(effect, entry.origin))
            for entry in world.run_history.in_order[before:]
            for effect in Op.from_bytes(entry.data).effects
        ]
    return found


@pytest.mark.parametrize(
    ("commands", "found"),
    [
        (["SET k v"], ["SET k v"]),
        (["SET k v", "APPEND k w"], ["KEEP k vw"]),
        (["INCRBY k 5"], ["INCRBY k 5"]),
        (["INCRBY k 5", "DECRBY k 2"], ["INCRBY k -2"]),
        (["INCRBY k 5", "DEL k", "INCRBY k 3"], ["INCRBY k 3"]),
        (["INCRBY k 5", "INCRBYFLOAT k 0.5"], ["INCRBY k 0.5"]),
        (["SADD k a b"], ["SADD k a b"]),
        (["SADD k a b", "SREM k a b"], ["SREM k a b"]),
        (["HSET k f 1 g 2"], ["HSET k f 1 g 2"]),
        (["HINCRBY k f 4", "HSET k f 1"], ["HSET k f 1"]),
        (["HINCRBY k f 4", "HINCRBY k g 4", "HINCRBY k f 2"], ["HINCRBY k f 2"]),
        (["HSET k f 1 g 2", "HDEL k f g"], ["HDEL k f g"]),
        (["HINCRBY k f 4", "HDEL k f"], ["HDEL k f"]),
        (["ZADD k 1 a 2 b"], ["ZADD k a 1 b 2"]),
        (["ZINCRBY k 2 a", "ZADD k 5 a"], ["ZADD k a 5"]),
        (["ZINCRBY k 2 a", "ZINCRBY k 3 a"], ["ZINCRBY k a 3"]),
        (["ZADD k 1 a", "ZREM k a"], ["ZREM k a"]),
        (["ZINCRBY k 2 a", "ZREM k a"], ["ZREM k a"]),
        (["SET k v", "DEL k"], ["DEL k"]),
        (["SET k v", "PEXPIREAT k 1900000000000"], ["EXPIREAT k 1900000000000"]),
        (["SET k v PX 1000", "PERSIST k"], ["PERSIST k"]),
        (["SET k v", "FLUSHALL"], ["FLUSHALL"]),
        (["RPUSH k a b"], ["PUSH k a b"]),
        ([f"SET k {LONG}", "APPEND k x"], [f"KEEP k {LONG}x"]),
        ([f"SET k {LONG}", "APPEND k x", "SETRANGE k 0 z"], [f"KEEP k z{LONG[1:]}x"]),
        ([f"SET k {VERY_LONG}", "APPEND k x"], [f"KEEP k {VERY_LONG}x"]),
    ],
)
def test_effects_of_commands(commands: list[str], found: list[str]) -> None:
    assert reported(*commands) == found


def test_elements_of_lists_go_by_push_that_brought_them() -> None:
    push = make_dot(EU, 1)
    assert reported("RPUSH k a b", "LSET k 1 c") == [f"LSET k {(push, 1)} c"]
    assert reported("LPUSH k a", "LPUSH k b", "LREM k 0 a") == [f"LREM k {(push, 0)}"]


def test_impossible_effect_is_not_decoded() -> None:
    with pytest.raises(AssertionError, match="no type 99 with an operation 0 is built in"):
        EffectDecoder().decode_effect((99, 0, b"k"), EU)


def test_operation_of_custom_type_has_no_spelling() -> None:
    """Redis has no command for a flag, which is a type of the library."""
    assert all(each.spelling is None for each in CUSTOM.operations)
    name = CUSTOM.operations[0].name
    with pytest.raises(AssertionError, match=f"the operation '{name}' of type .* set `spelling`"):
        EffectDecoder().decode_effect((CUSTOM.code, 0, b"k"), EU)


def test_numbers_are_decoded_as_they_are() -> None:
    assert decode_arguments((11, 0, b"k", b"a", 5), SpellingForm.NAMES) == ("a", 5)


def test_sum_is_not_read_without_those_before() -> None:
    with pytest.raises(AssertionError, match="has no arguments of its own"):
        decode_arguments((1, 2, b"k", 1, 5), SpellingForm.SUM)
