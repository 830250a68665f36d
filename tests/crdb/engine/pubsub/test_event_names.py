"""The names and classes of keyspace events. The comparison with a real server has most of them."""

from __future__ import annotations

from typing import Any

import pytest

from crdb.commands.table import build_table
from crdb.engine.pubsub.event_names import (
    ALL,
    GENERIC,
    LETTERS,
    NAMES,
    SILENT,
    SPECIAL,
    CommandRun,
    class_bits,
    class_of,
    effect_event,
)
from crdt.causality.schema import FOREVER
from crdt.types.registry import BUILT_IN

EFFECTS = [
    ((0, 0, b"k", ()), "g", b"del"),
    ((0, 1, b"k", 5), "g", b"expire"),
    ((0, 1, b"k", FOREVER), "g", b"persist"),
    ((1, 0, b"k", 0, b"v"), "$", b"set"),
    ((1, 1, b"k", 0, b"v"), "$", b"set"),
    ((1, 2, b"k", 1, 5), "$", b"incrby"),
    ((1, 4, b"k", 0, 0, b"v"), "$", b"setrange"),
    ((2, 0, b"k", b"a"), "s", b"sadd"),
    ((2, 1, b"k", b"a"), "s", b"srem"),
    ((3, 0, b"k", 0, b"f", b"v"), "h", b"hset"),
    ((3, 2, b"k", b"f", 1, 1), "h", b"hincrby"),
    ((3, 3, b"k", b"f"), "h", b"hdel"),
    ((4, 0, b"k", 0, b"m", 1.0), "z", b"zadd"),
    ((4, 2, b"k", b"m", 1, 1.0), "z", b"zincr"),
    ((4, 3, b"k", b"m"), "z", b"zrem"),
    ((5, 16, b"k", (), 0, 1, b"a"), "l", b"rpush"),
    ((5, 16, b"k", (), 0, -1, b"a"), "l", b"lpush"),
    ((7, 0, b"k", b"a"), "d", b"module"),
]


@pytest.mark.rule("PUB-6")
@pytest.mark.parametrize(("effect", "letter", "name"), EFFECTS, ids=str)
def test_effect_of_other_region_has_event(effect: Any, letter: str, name: bytes) -> None:
    assert effect_event(BUILT_IN, effect) == (class_bits(letter), name, b"k")


@pytest.mark.parametrize("effect", [(0, 2, b""), (0, 3, b"k"), (0, 4, b"", 0, b"a", b"b")], ids=str)
def test_other_effects_have_none(effect: Any) -> None:
    assert effect_event(BUILT_IN, effect) is None


def test_letters_stand_for_classes() -> None:
    assert class_bits("") == 0
    assert class_bits("A") == sum(1 << LETTERS.index(letter) for letter in ALL)
    assert class_bits("KEAmn") == (1 << len(LETTERS)) - 1
    assert class_of("set") == class_bits("s")
    assert class_of("json") == class_bits("d")


def test_tables_name_commands() -> None:
    known = {command.full_name for command in build_table().everything()}
    assert known >= SILENT
    assert {*NAMES, *SPECIAL} - known <= LATER


LATER = {b"hpexpire", b"hexpireat", b"hpexpireat"}
"""Commands of families that do not exist yet."""


def test_event_of_module_has_name_of_command() -> None:
    run = CommandRun(b"xgroup|create", "stream", [], {b"k": True})
    run.exists, run.changed = {b"k": True}, {b"k"}
    assert run.events() == [(class_bits("t"), b"xgroup-create", b"k")]
    run.exists = {b"k": False}
    assert run.events()[1] == (GENERIC, b"del", b"k")


def test_geo_results_are_stored() -> None:
    args = [b"GEORADIUS", b"k", b"1", b"2", b"3", b"m", b"STORE", b"d"]
    run = CommandRun(b"georadius", "geo", args, {b"k": True, b"d": False})
    run.exists, run.changed = {b"k": True, b"d": True}, {b"d"}
    assert [event[1:] for event in run.events()] == [(b"new", b"d"), (b"georadiusstore", b"d")]
    run.args = args[:-2]
    assert run.events() == []
