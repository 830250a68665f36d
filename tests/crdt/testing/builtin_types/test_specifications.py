"""The specifications, compared with the rules for conflicts of three regions.

Each case is one line of the conflict matrix (section 4.13 of the specification): first what all
regions have seen, then what regions 1 and 2 do concurrently. The specification and the replicas
must both give the result of the rule.
"""

from __future__ import annotations

from typing import Any

import pytest

from crdt.causality.dots import make_dot, make_origin
from crdt.testing import Subject, World, parse
from crdt.testing.builtin_types import single_types
from crdt.testing.builtin_types import specifications as specs
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.builtin_types.subjects import subject
from crdt.testing.history import History, HistoryEvent

String, Zset = "string", "sorted set"

# The rule, what all had seen, what region 1 does, what region 2 does, what all show under k.
MATRIX: list[tuple[str, str, str, str, Any]] = [
    ("STR-2, lower origin", "", "SET k a", "SET k b", (String, "a", None)),
    ("STR-2, later stamp", "", "SET k a", "@30; SET k b", (String, "b", None)),
    ("D-03", "SET k a", "DEL k", "SET k b", (String, "b", None)),
    ("KEY-1", "SET k a", "DEL k", "DEL k", None),
    ("STR-4", "SET k a", "APPEND k b", "@30; APPEND k c", (String, "ac", None)),
    ("CTR-1", "SET k 5", "INCRBY k 1", "INCRBY k 10", (String, "16", None)),
    ("CTR-4", "INCRBY k 5", "INCRBY k 1", "DEL k", (String, "1", None)),
    ("CTR-4 twice", "INCRBY k 5", "DEL k", "DEL k", None),
    ("D-04", "INCRBY k 5", "INCRBY k 1", "SET k 7", (String, "8", None)),
    ("D-04, no number", "INCRBY k 5", "INCRBY k 1", "SET k a", (String, "a", None)),
    ("CTR-3", "", "INCRBY k 0.1", "INCRBY k 0.2", (String, "0.3", None)),
    ("CTR-9", "INCRBY k 5", "SET k 7; INCRBY k 1", "", (String, "8", None)),
    ("HSH-1", "", "HSET k f a", "HSET k g b", ("hash", [("f", "a"), ("g", "b")], None)),
    ("HSH-3", "", "HSET k f a", "@30; HSET k f b", ("hash", [("f", "b")], None)),
    ("HSH-6", "HSET k f a", "HSET k f b", "HDEL k f", ("hash", [("f", "b")], None)),
    ("HSH-4", "HSET k f 5", "HINCRBY k f 1", "HINCRBY k f 10", ("hash", [("f", "16")], None)),
    ("HSH-5", "HINCRBY k f 5", "HINCRBY k f 1", "HDEL k f", ("hash", [("f", "1")], None)),
    ("HSH-7", "HSET k f a", "HSET k g b", "DEL k", ("hash", [("g", "b")], None)),
    ("SET-1", "", "SADD k a", "SADD k b", ("set", ["a", "b"], None)),
    ("SET-3", "SADD k a", "SADD k a", "SREM k a", ("set", ["a"], None)),
    ("SET-4", "SADD k a", "SADD k b", "DEL k", ("set", ["b"], None)),
    ("SET-2", "SADD k b", "SREM k a", "SADD k a", ("set", ["a", "b"], None)),
    ("ZST-2", "", "ZADD k a 1.0", "@30; ZADD k a 2.0", (Zset, [("a", 2.0)], None)),
    ("ZST-3", "", "ZADD k a 1.0", "ZADD k a 2.0", (Zset, [("a", 1.0)], None)),
    ("ZST-4", "ZADD k a 1.5", "ZINCRBY k a 1.0", "ZINCRBY k a 1.0", (Zset, [("a", 3.5)], None)),
    ("ZST-5", "ZADD k a 4.5", "ZINCRBY k a 2.0", "ZREM k a", (Zset, [("a", 2.0)], None)),
    ("ZST-6", "ZADD k a 4.5", "ZADD k a 2.0", "ZREM k a", (Zset, [("a", 2.0)], None)),
    ("D-07", "ZADD k a 4.5", "ZADD k a 2.0", "ZINCRBY k a 1.0", (Zset, [("a", 3.0)], None)),
    ("LST-3", "RPUSH k a", "RPUSH k b", "DEL k", ("list", ["b"], None)),
    ("LST-4", "RPUSH k a b", "LPOP k", "LPOP k", ("list", ["b"], None)),
    ("LST-7", "RPUSH k a", "LSET k 0 b", "@30; LSET k 0 c", ("list", ["c"], None)),
    ("D-08", "RPUSH k a", "LSET k 0 b", "LPOP k", ("list", ["b"], None)),
    ("LST-5", "RPUSH k a b", "LTRIM k 0 2", "RPUSH k c", ("list", ["c"], None)),
    ("LST-2", "RPUSH k a", "LINSERT k 1 b", "LINSERT k 1 c", ("list", ["a", "b", "c"], None)),
    ("EXP-1", "SET k a", "EXPIRE k 10", "EXPIRE k 50", (String, "a", 1050)),
    ("EXP-2", "SET k a", "EXPIRE k 10", "PERSIST k", (String, "a", None)),
    ("EXP-3", "SET k a; EXPIRE k 50", "EXPIRE k 10", "", (String, "a", 1010)),
    ("D-10, SET ends it", "SET k a; EXPIRE k 50", "SET k b", "EXPIRE k 90", (String, "b", None)),
    ("D-10, KEEPTTL", "SET k a; EXPIRE k 50", "KEEP k b", "", (String, "b", 1050)),
    ("D-10, survivor", "SADD k a; EXPIRE k 50", "DEL k", "SADD k b", ("set", ["b"], None)),
    ("EXP-5", "SADD k a; EXPIRE k 10", "@30", "@30", None),
    ("EXP-6", "SADD k a; EXPIRE k 10", "@30; SADD k b", "@30", ("set", ["b"], None)),
    ("D-02, lower origin", "", "RPUSH k a", "SET k b", ("list", ["a"], None)),
    ("D-02, the rest shows", "", "RPUSH k a; DEL k", "SET k b", (String, "b", None)),
    ("KEY-6", "SET k a", "SADD k b", "", (String, "a", None)),
    ("SET over another type", "SADD k a", "SET k b", "SADD k c", (String, "b", None)),
    ("KEEPTTL over another type", "SADD k a; EXPIRE k 9", "KEEP k b", "", (String, "b", 1009)),
    ("FLUSHALL", "SADD k a; INCRBY l 5", "FLUSHALL", "SADD k b", ("set", ["b"], None)),
    ("multi-value", "MVSET k a", "MVSET k b", "MVSET k c", ("multi-value", ["b", "c"], None)),
    ("remove wins", "RWADD k a b", "RWADD k a", "RWREM k a", ("remove-wins set", ["b"], None)),
    ("remove of nothing wins", "", "RWADD k a", "RWREM k a", None),
    ("grow", "GROWBY k 1", "GROWBY k 10", "GROWBY k 100", ("growing counter", 111, None)),
    ("grow || DEL", "GROWBY k 1", "GROWBY k 10", "DEL k", ("growing counter", 10, None)),
    ("enable wins", "EWENABLE k", "EWENABLE k", "EWDISABLE k", ("enable-wins flag", True, None)),
    ("disable wins", "DWENABLE k", "DWENABLE k", "DWDISABLE k", None),
    ("enable after all", "", "DWDISABLE k; DWENABLE k", "", ("disable-wins flag", True, None)),
]


def commands_of(text: str) -> list[str]:
    """Yield the commands of a case. `@30` is not a command: 30 ms pass."""
    return [each.strip() for each in text.split(";") if each.strip()]


def play(case: tuple[str, str, str, str, Any]) -> World:
    """Play the case of a rule, and check the specification at every step."""
    seen, first, second = (commands_of(text) for text in case[1:4])
    used = [each for each in (*seen, *first, *second) if not each.startswith("@")]
    tried: Subject = subject("matrix", tuple(dict.fromkeys(used)))
    world = World(tried)
    for region, part in ((3, seen), (0, ["settle"]), (1, first), (2, second), (0, ["settle"])):
        for each in part:
            line = each if each == "settle" else f"write {region} {each}"
            line = f"advance {region} {each[1:]}" if each.startswith("@") else line
            world.run_on(parse(tried, line))
    return world


@pytest.mark.parametrize("case", MATRIX, ids=[f"{case[0]}" for case in MATRIX])
def test_conflict_matrix(case: tuple[str, str, str, str, Any]) -> None:
    world = play(case)
    shown = world.subject.read(world.sites[0].replica)
    assert shown.get("k") == case[4]


def event(index: int, command: Any, past: int, clock: int = 0) -> HistoryEvent:
    """Return the `index`-th operation, of an origin of its own."""
    dot = (index + 1) << 40 | 1
    return HistoryEvent(command, dot, clock, clock, index, past)


def test_specifications_of_small_types() -> None:
    done = [event(0, (0, b"x"), 0), event(1, (1, b"x"), 0b1), event(2, (0, b"x"), 0b1, 9)]
    everything = History(done, 0b111)
    assert single_types.add_wins(everything) == {b"x"}
    assert single_types.remove_wins(everything) == set()
    assert single_types.multi_value(everything) == {b"x"}
    assert single_types.add_wins(History(done, 0b011)) == set()
    assert single_types.remove_wins(History(done, 0b101)) == {b"x"}
    counts = History([event(0, (0, 3), 0), event(1, (0, 4), 0)], 0b11)
    assert single_types.total(counts) == 7


def test_untouched_key_does_not_exist() -> None:
    assert specs.visible_state(History([], 0), "k") is None
    flushed = History([event(0, TypeCommand("FLUSHALL"), 0)], 1)
    assert specs.keyspace(flushed) == {}


def test_forgetting_deadlines_changes_nothing_that_is_seen() -> None:
    """A key that another region had made persistent once expired, since a deadline was forgotten
    too early."""
    endless = HistoryEvent(TypeCommand("PERSIST", "k", ()), make_dot(make_origin(1), 2), 0, 0, 1, 1)
    made = HistoryEvent(TypeCommand("SADD", "k", ("m",)), make_dot(make_origin(1), 1), 0, 0, 0, 0)
    forgotten = HistoryEvent(TypeCommand("FORGET", "k"), make_dot(make_origin(1), 3), 0, 0, 2, 3)
    ends = HistoryEvent(TypeCommand("EXPIREAT", "k", (9,)), make_dot(make_origin(2), 1), 0, 0, 3, 1)
    everything = [made, endless, forgotten, ends]
    for visible in (0b1011, 0b1111):
        assert specs.visible_state(History(everything, visible, 20), "k") == ("set", ["m"], None)
