"""The checker of commands finds replies and effects that differ from Redis."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.store.keyspace import CLOCK_SLACK_MS
from sim.checkers.clients.commands import LARGE_SAMPLE, CommandChecker, is_modelled
from sim.engine.checker import Violation
from sim.nodes.client import Refusal, Reply
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, drop_key, fresh


@pytest.fixture
def world() -> SimWorld:
    return fresh(CommandChecker)


def reported(world: SimWorld, words: tuple[str, ...], reply: Any) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    checker.on_replies(eu, 0, (words,), (reply,))


def test_replies_of_redis_are_accepted(world: SimWorld) -> None:
    assert world.run("eu", "SADD", "k", "a", "b") == 2
    assert world.run("eu", "SREM", "k", "a", "b") == 2
    assert world.run("eu", "SETNX", "k", "v") == 1
    assert world.run("eu", "SETNX", "k", "w") == 0
    assert world.run("eu", "GETDEL", "k") == b"v"
    world.run("eu", "RPUSH", "l", "a", "b")
    assert world.run("eu", "LPOP", "l", "2") == [b"a", b"b"]
    world.run_all("eu", ("SADD", "k", "x"), ("SADD", "k", "y"))
    assert world.run("eu", "RPUSH", "k", "x") == Refusal(
        "WRONGTYPE Operation against a key holding the wrong kind of value"
    )
    assert checker_of(world).looked == 10
    world.run_all("eu", ("SET", "k", "x"), ("KEYS", "*"))
    world.run("eu", "PING")
    assert checker_of(world).looked == 10


def test_wrong_reply_is_noticed(world: SimWorld) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    checker.before_commands(eu, 0, (("SETNX", "k", "v"),))
    with pytest.raises(Violation, match="eu answers SETNX k v with 0, not 1, where k was None"):
        reported(world, ("SETNX", "k", "v"), 0)
    reported(world, ("SETNX", "k", "v"), Refusal("STALE"))
    assert checker.looked == 1
    checker.before_commands(eu, 0, (("SETNX", "k", "v"),))
    with pytest.raises(Violation, match=r"with CommandFailure\('ERR'\), not 1"):
        reported(world, ("SETNX", "k", "v"), Refusal("ERR syntax error"))


def test_wrong_effect_is_noticed(world: SimWorld) -> None:
    world.run("eu", "SADD", "k", "a")
    eu, checker = world.sites["eu"], checker_of(world)
    checker.before_commands(eu, 0, (("SADD", "k", "b"),))
    drop_key(eu, b"k")
    with pytest.raises(Violation, match=r"eu shows None under k after SADD k b, not \('set'"):
        reported(world, ("SADD", "k", "b"), 1)


def test_large_values_are_looked_at_now_and_then(world: SimWorld) -> None:
    for i in range(2 * LARGE_SAMPLE):
        world.run("eu", "SADD", "crowd:0", f"{i}")
    assert checker_of(world).looked == 2


def test_element_for_waiter_may_be_gone(world: SimWorld) -> None:
    world.run_session("us", 1, ("BLPOP", "q", "0"))
    assert world.run("us", "RPUSH", "q", "a") == 1


def test_key_of_several_types_may_show_other_one(world: SimWorld) -> None:
    world.run("eu", "SADD", "k", "a")
    world.run("us", "RPUSH", "k", "a")
    assert world.converge(10**9)
    world.run("eu", "SREM", "k", "a")
    assert world.run("us", "TYPE", "k") == "set"


def test_type_without_model_is_not_judged(world: SimWorld) -> None:
    replica = world.sites["eu"].replica
    replica.flag("k").enable()
    assert not is_modelled(replica.keyspace, "k")
    assert is_modelled(replica.keyspace, "missing")
    checker = checker_of(world)
    assert isinstance(checker, CommandChecker)
    checker.before_commands(world.sites["eu"], 1, (("EXISTS", "k"),))
    assert checker.model is None


def test_wrong_deadline_is_found(world: SimWorld) -> None:
    world.run("eu", "SET", "k", "v", "PX", "9000")
    world.run("eu", "SET", "k", "w", "KEEPTTL")
    world.run("eu", "PEXPIRE", "k", "8000")
    world.run("eu", "PERSIST", "k")
    world.run("eu", "PERSIST", "k")
    world.run("eu", "PEXPIRE", "absent", "8000")
    world.run("eu", "PING")
    world.run("eu", "SET", "k", "x")
    eu, checker = world.sites["eu"], checker_of(world)
    assert checker.looked > 6
    words = ("PEXPIRE", "k", "1000")
    checker.before_commands(eu, 0, (words,))
    reported(world, words, Refusal("STALE"))
    with pytest.raises(
        Violation, match=r"eu shows \('string', 'x'\) under k after PEXPIRE k 1000, not .* until"
    ):
        reported(world, words, 1)


@pytest.mark.parametrize(
    ("condition", "without", "shorter", "longer"),
    [("NX", 1, 0, 0), ("XX", 0, 1, 1), ("GT", 0, 0, 1), ("LT", 1, 1, 0)],
)
def test_deadline_changes_under_condition(
    world: SimWorld, condition: str, without: int, shorter: int, longer: int
) -> None:
    looked = checker_of(world).looked
    replies: list[Reply] = []
    for earlier, ms in (("", "5000"), ("8000", "5000"), ("8000", "9000")):
        world.run("eu", "SET", "k", "v")
        if earlier:
            world.run("eu", "PEXPIRE", "k", earlier)
        replies.append(world.run("eu", "PEXPIRE", "k", ms, condition))
        words = ("PEXPIRE", "k", ms, condition)
        checker_of(world).before_commands(world.sites["eu"], 0, (words,))
        with pytest.raises(Violation, match=f"eu answers PEXPIRE k {ms} {condition} with"):
            reported(world, words, 2)
    assert replies == [without, shorter, longer]
    assert checker_of(world).looked > looked + 6


def test_deadline_follows_expiry_clock(world: SimWorld) -> None:
    eu = world.sites["eu"]
    world.run("eu", "SET", "k", "v")
    eu.clock.step_by(-CLOCK_SLACK_MS // 2)
    assert world.run("eu", "PEXPIRE", "k", "9000") == 1
    assert world.run("eu", "SET", "k", "v", "PX", "9000") == "OK"
    db = eu.replica.keyspace
    assert db.now < db.expiry_clock


def test_transaction_has_reply_for_each_command(world: SimWorld) -> None:
    ask = (("MULTI",), ("SADD", "k", "a"), ("EXEC",))
    assert world.run_all("eu", *ask) == ["OK", "QUEUED", [1]]
    eu, checker = world.sites["eu"], checker_of(world)
    looked = checker.looked
    checker.on_replies(eu, 0, ask, ("OK", "QUEUED", None))
    checker.on_replies(eu, 0, ask, (Refusal("STALE"),))
    checker.on_replies(eu, 0, ask, ())  # seed 432: it waits
    assert checker.looked == looked
    with pytest.raises(Violation, match="eu answers a transaction of 1 commands with 2 replies"):
        checker.on_replies(eu, 0, ask, ("OK", "QUEUED", [1, 1]))


def test_commands_of_transaction_are_judged(world: SimWorld) -> None:
    ask = (("MULTI",), ("SADD", "k", "a"), ("SCARD", "k"), ("EXEC",))
    checker = checker_of(world)
    checker.before_commands(world.sites["eu"], 1, ask)
    with pytest.raises(Violation, match="eu answers SCARD k with 2, not 1, where k was"):
        checker.on_replies(world.sites["eu"], 1, ask, ("OK", "QUEUED", "QUEUED", [1, 2]))


def test_transaction_of_several_requests_is_not_judged(world: SimWorld) -> None:
    world.run_session("eu", 1, ("MULTI",), ("SADD", "k", "a"))
    looked = checker_of(world).looked
    assert world.run_session("eu", 1, ("SCARD", "k"), ("EXEC",)) == ["QUEUED", [1, 1]]
    assert checker_of(world).looked == looked


def test_discarded_commands_change_nothing(world: SimWorld) -> None:
    world.run_all("eu", ("MULTI",), ("SADD", "k", "a"), ("DISCARD",))
    eu, checker = world.sites["eu"], checker_of(world)
    ask = (("MULTI",), ("SADD", "k", "a"), ("DISCARD",))
    checker.before_commands(eu, 0, ask)
    eu.run_in_turn(("SADD", "k", "a"))
    with pytest.raises(Violation, match=r"eu shows \('set', \{'a'\}\) under k after MULTI; SADD"):
        checker.on_replies(eu, 0, ask, ("OK", "QUEUED", "OK"))


def test_undefined_reply_is_not_judged(world: SimWorld) -> None:
    world.run("eu", "ZADD", "k", "1", "a", "2", "b")
    looked = checker_of(world).looked
    world.run_all("eu", ("ZLEXCOUNT", "k", "-", "+"), ("ZCARD", "k"))
    assert checker_of(world).looked == looked + 1


def test_effect_without_change_is_noticed(world: SimWorld) -> None:
    world.run("eu", "SADD", "k", "a")
    eu, checker, words = world.sites["eu"], checker_of(world), ("SREM", "k", "b")
    checker.before_commands(eu, 0, (words,))
    eu.replica.keyspace.expire(b"k", None)
    with pytest.raises(Violation, match="eu makes 1 effects for SREM k b, which change nothing"):
        reported(world, words, 0)


def test_change_without_effect_is_noticed(world: SimWorld) -> None:
    world.run("eu", "SADD", "k", "a")
    words = ("PERSIST", "k")
    checker_of(world).before_commands(world.sites["eu"], 0, (words,))
    with pytest.raises(Violation, match="eu makes no effect for PERSIST k, so no other region"):
        reported(world, words, 0)


def test_expired_key_is_deleted_by_effect_of_its_own(world: SimWorld) -> None:
    eu = world.sites["eu"]
    world.run("eu", "SET", "k", "v", "PX", "5")
    world.sleep(10**7)
    before = eu.replica.keyspace.seq
    assert world.run("eu", "SET", "k", "v", "XX") is None
    assert eu.replica.keyspace.seq == before + 1


def block(world: SimWorld, *words: str) -> None:
    assert world.run_session("eu", 7, words) == []


@pytest.mark.parametrize(
    ("blocked", "request_", "late"),
    [
        (("BLPOP", "l", "0"), (("RPUSH", "l", "a", "b"),), [b"l", b"a"]),
        (("BRPOP", "m", "l", "0"), (("RPUSH", "l", "a", "b"),), [b"l", b"b"]),
        (("BLMOVE", "l", "m", "LEFT", "RIGHT", "0"), (("RPUSH", "l", "a", "b"),), b"a"),
        (("BLMPOP", "0", "1", "l", "RIGHT", "COUNT", "2"), (("RPUSH", "l", "a"),), [b"l", [b"a"]]),
        (("BZPOPMAX", "l", "0"), (("ZADD", "l", "1", "a", "2", "b"),), [b"l", b"b", b"2"]),
        (
            ("BLPOP", "l", "0"),
            (("MULTI",), ("RPUSH", "l", "a"), ("LPUSH", "l", "b"), ("EXEC",)),
            [b"l", b"b"],
        ),
        (("BLPOP", "l", "0"), (("RPUSH", "l", "a"), ("LPUSH", "l", "b")), [b"l", b"a"]),
    ],
)
@pytest.mark.interpreted("replaces a method of a compiled class")
def test_blocked_client_gets_what_model_predicts(
    world: SimWorld,
    blocked: tuple[str, ...],
    request_: tuple[tuple[str, ...], ...],
    late: Reply,
) -> None:
    served: list[tuple[object, ...]] = []
    checker = checker_of(world)
    check = checker.on_late_reply
    checker.on_late_reply = lambda *args: (served.append(args), check(*args))  # type: ignore[method-assign]
    block(world, *blocked)
    looked = checker.looked
    world.run_all("eu", *request_)
    assert checker_of(world).looked > looked + 1
    assert world.sessions.by_number[7].waiting is None
    assert served[0][1:] == (7, blocked, late)


def test_wrong_element_for_blocked_client_is_noticed(world: SimWorld) -> None:
    block(world, "BLPOP", "l", "0")
    eu, checker, push = world.sites["eu"], checker_of(world), ("RPUSH", "l", "a", "b")
    checker.before_commands(eu, 0, (push,))
    eu.run_in_turn(push)
    checker.on_replies(eu, 0, (push,), (2,))
    with pytest.raises(Violation, match=r"eu serves BLPOP l 0 with \['l', 'b'\], not \['l', 'a'\]"):
        checker.on_late_reply(eu, 7, ("BLPOP", "l", "0"), [b"l", b"b"])


def test_key_of_other_type_leaves_blocked_client_unjudged(world: SimWorld) -> None:
    block(world, "BLPOP", "l", "m", "0")
    world.run("eu", "SET", "l", "v")
    looked = checker_of(world).looked
    world.run_all("eu", ("STRLEN", "l"), ("RPUSH", "m", "a"))
    assert checker_of(world).looked == looked + 2
    assert world.sessions.by_number[7].waiting is None
    block(world, "BLPOP", "m", "0")
    world.run_all("eu", ("RPUSH", "m", "a"), ("MULTI",), ("LLEN", "m"), ("EXEC",))
    assert checker_of(world).looked == looked + 2


def test_blocked_client_that_leaves_is_forgotten(world: SimWorld) -> None:
    block(world, "BLMOVE", "l", "m", "LEFT", "LEFT", "0")
    assert world.run_session("eu", 8, ("BLPOP", "m", "0")) == []
    world.run("eu", "RPUSH", "l", "a")
    assert world.sessions.by_number[8].waiting is None
    block(world, "BLPOP", "l", "0")
    world.sessions.close_session(7)
    assert world.run_all("eu", ("RPUSH", "l", "a"), ("LLEN", "l")) == [1, 1]
