"""Moves between lists and pops from several lists: waiting, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.declared import key_positions
from tests.crdb.regions import Regions
from tests.crdb.waiters import Waiters


def test_positions_of_keys() -> None:
    assert key_positions(b"LMPOP 2 a b LEFT") == [2, 3]
    assert key_positions(b"BLMPOP 0 1 a LEFT") == [3]
    assert key_positions(b"BLPOP a b 0") == [1, 2]


def test_waiters_are_served_in_order_in_which_they_came() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    first = waiters.block(1, "BLPOP", "other", "l", "0")
    second = waiters.block(1, "BRPOP", "l", "0", protocol=3)
    third = waiters.block(1, "BLMPOP", "0", "2", "l", "other", "LEFT", "COUNT", "2")
    regions.run(1, "RPUSH", "l", "a", "b", "c", "d", "e")
    assert waiters.replies(first) == [[b"l", b"a"]]
    assert waiters.replies(second) == [[b"l", b"e"]]
    assert waiters.replies(third) == [[b"l", [b"b", b"c"]]]
    assert regions.run(1, "LRANGE", "l", "0", "-1") == [b"d"]


def test_transaction_serves_when_it_has_ended() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    waiter = waiters.block(1, "BLPOP", "l", "0")
    regions.transaction(1, ["MULTI"], ["RPUSH", "l", "a"], ["LPUSH", "l", "b"], ["EXEC"])
    assert waiters.replies(waiter) == [[b"l", b"b"]]
    regions.transaction(1, ["DEL", "l"], ["MULTI"], ["RPUSH", "l", "a"], ["DEL", "l"], ["EXEC"])
    waiter = waiters.block(1, "BLPOP", "l", "0")
    assert waiters.replies(waiter) == []


def test_one_that_waits_may_serve_next() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    last = waiters.block(1, "BLPOP", "c", "0")
    middle = waiters.block(1, "BRPOPLPUSH", "b", "c", "0")
    first = waiters.block(1, "BLMOVE", "a", "b", "LEFT", "RIGHT", "0")
    regions.run(1, "LPUSH", "a", "x")
    assert waiters.replies(first) == waiters.replies(middle) == [b"x"]
    assert waiters.replies(last) == [[b"c", b"x"]]
    assert regions.run(1, "EXISTS", "a", "b", "c") == 0


def test_blocked_move_into_wrong_type_is_refused() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    waiter = waiters.block(1, "BLMOVE", "l", "string", "LEFT", "LEFT", "0")
    regions.run(1, "SET", "string", "x")
    regions.run(1, "RPUSH", "l", "a")
    (refusal,) = waiters.replies(waiter)
    assert isinstance(refusal, ErrorReply)
    assert refusal.text.startswith(b"WRONGTYPE")
    assert regions.run(1, "LRANGE", "l", "0", "-1") == [b"a"]


def test_key_of_another_type_serves_no_client() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    waiter = waiters.block(1, "BLPOP", "s", "l", "0")
    regions.run(1, "SADD", "s", "x")
    assert waiters.replies(waiter) == []
    regions.run(1, "RPUSH", "l", "a")
    assert waiters.replies(waiter) == [[b"l", b"a"]]


@pytest.mark.parametrize("protocol", [2, 3])
def test_wait_ends_with_null(protocol: int) -> None:
    waiters = Waiters(Regions())
    clients = [
        waiters.block(1, "BLPOP", "l", "0.05", protocol=protocol),
        waiters.block(1, "BLMOVE", "l", "m", "LEFT", "LEFT", "0.05", protocol=protocol),
        waiters.block(1, "BLMPOP", "0.05", "1", "l", "LEFT", protocol=protocol),
    ]
    forever = waiters.block(1, "BLPOP", "l", "0", protocol=protocol)
    waiters.wait(1, 49)
    assert [waiters.replies(client) for client in clients] == [[], [], []]
    waiters.wait(1, 1)
    assert [waiters.replies(client) for client in clients] == [[None], [None], [None]]
    waiters.wait(1, 1_000_000)
    assert waiters.replies(forever) == []


def test_client_that_waits_does_not_read_on() -> None:
    regions = Regions()
    waiters = Waiters(regions)
    waiter = waiters.block(1, "BLPOP", "l", "0")
    assert waiters.send(waiter, "LLEN", "l") == b""
    regions.run(1, "RPUSH", "l", "a", "b")
    assert waiters.replies(waiter) == [[b"l", b"a"], 1]


@pytest.mark.rule("LST-10")
def test_elements_that_arrive_by_replication_serve_as_well() -> None:
    regions = Regions(3)
    waiters = Waiters(regions)
    here, there = waiters.block(2, "BLPOP", "l", "0"), waiters.block(3, "BLPOP", "l", "0")
    regions.run(1, "RPUSH", "l", "a")
    regions.send(1, 2)
    regions.send(1, 3)
    assert waiters.replies(here) == waiters.replies(there) == [[b"l", b"a"]]  # in both regions
    for n in (2, 3):
        regions.replicas[n].seal()
    regions.sync()
    assert regions.everywhere("EXISTS", "l") == 0


@pytest.mark.rule("LST-8")
def test_concurrent_moves_duplicate_an_element() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "l", "a")
    regions.sync()
    assert regions.run(1, "LMOVE", "l", "m", "LEFT", "RIGHT") == b"a"
    assert regions.run(2, "RPOPLPUSH", "l", "m") == b"a"
    regions.sync()
    assert regions.everywhere("EXISTS", "l") == 0
    assert regions.everywhere("LRANGE", "m", "0", "-1") == [b"a", b"a"]


@pytest.mark.rule("LST-8")
def test_move_is_one_operation() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "l", "a")
    regions.sync()
    regions.run(1, "LMOVE", "l", "m", "LEFT", "RIGHT")
    (op,) = regions.replicas[1].since(regions.replicas[2].vector)
    assert len(op.effects) == 2


@pytest.mark.rule("LST-4")
def test_pops_from_several_lists_remove_what_they_gave() -> None:
    regions = Regions()
    regions.run(1, "RPUSH", "l", "a", "b", "c")
    regions.sync()
    assert regions.run(1, "LMPOP", "2", "k", "l", "LEFT", "COUNT", "2") == [b"l", [b"a", b"b"]]
    assert regions.run(2, "LMPOP", "1", "l", "RIGHT", "COUNT", "9") == [b"l", [b"c", b"b", b"a"]]
    regions.run(2, "RPUSH", "l", "d")
    regions.sync()
    assert regions.everywhere("LRANGE", "l", "0", "-1") == [b"d"]
