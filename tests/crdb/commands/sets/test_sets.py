"""Commands on sets, and conflicts between regions as the specification resolves them."""

from __future__ import annotations

import pytest

from crdb.commands.shared.sampling import REPEATED_MAX
from crdb.engine.client import Client
from crdb.resp.decoder import ErrorReply
from tests.crdb.raw import instance, lines
from tests.crdb.regions import Regions

WRONG_TYPE = ErrorReply(b"WRONGTYPE Operation against a key holding the wrong kind of value")


def fill(regions: Regions, key: str, size: int) -> set[bytes]:
    members = [f"member-{n}" for n in range(size)]
    assert regions.run(1, "SADD", key, *members) == size
    return {member.encode() for member in members}


@pytest.mark.parametrize("count", [1, 40, 199, 200, 500])
def test_spop_takes_different_members_out(count: int) -> None:
    regions = Regions()
    members = fill(regions, "s", 200)
    popped = regions.run(1, "SPOP", "s", count)
    assert len(set(popped)) == len(popped) == min(count, 200)
    assert set(regions.run(1, "SMEMBERS", "s")) == members - set(popped)
    regions.sync()


def test_spop_of_all_by_one_empties_key() -> None:
    regions = Regions()
    members = fill(regions, "s", 300)
    assert {regions.run(1, "SPOP", "s") for _ in range(300)} == members
    assert regions.run(1, "EXISTS", "s") == 0
    assert regions.run(1, "SPOP", "s") is None


def test_srandmember_draws_all_members_and_removes_none() -> None:
    regions = Regions()
    members = fill(regions, "s", 20)
    drawn = regions.run(1, "SRANDMEMBER", "s", -1000)
    assert len(drawn) == 1000
    assert set(drawn) == members
    assert len(set(regions.run(1, "SRANDMEMBER", "s", 7))) == 7
    assert set(regions.run(1, "SRANDMEMBER", "s", 21)) == members
    assert regions.run(1, "SRANDMEMBER", "s") in members
    assert set(regions.run(1, "SMEMBERS", "s")) == members


def test_srandmember_refuses_more_than_reply_should_hold() -> None:
    regions = Regions()
    fill(regions, "s", 1)
    refused = regions.run(1, "SRANDMEMBER", "s", -REPEATED_MAX - 1)
    assert refused == ErrorReply(b"ERR value is out of range")


def test_equal_generators_choose_equally() -> None:
    chosen: list[bytes] = []
    for _ in range(2):
        regions = Regions()
        fill(regions, "s", 1000)
        chosen += [b"".join(regions.run(1, "SPOP", "s", 10))]
    assert chosen[0] == chosen[1]


def test_sscan_of_large_set_sees_every_member() -> None:
    regions = Regions()
    members = fill(regions, "s", 1000)
    seen: list[bytes] = []
    cursor, calls = b"0", 0
    while calls == 0 or cursor != b"0":
        cursor, page = regions.run(1, "SSCAN", "s", cursor, "COUNT", 100)
        seen += page
        calls += 1
    assert set(seen) == members
    assert calls == 10


@pytest.mark.rule("SET-1")
def test_concurrent_adds_unite() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a")
    regions.run(2, "SADD", "s", "b")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a", b"b"]


@pytest.mark.rule("SET-1")
def test_add_wins_over_concurrent_remove() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a", "b")
    regions.sync()
    regions.run(1, "SREM", "s", "a", "b")
    regions.run(2, "SREM", "s", "a")
    regions.run(2, "SADD", "s", "a")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a"]


@pytest.mark.rule("SET-1")
def test_concurrent_removes_remove() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a")
    regions.sync()
    assert regions.run(1, "SREM", "s", "a") == 1
    assert regions.run(2, "SREM", "s", "a") == 1
    regions.sync()
    assert regions.everywhere("EXISTS", "s") == 0


@pytest.mark.rule("SET-2")
def test_remove_of_what_was_not_seen_does_nothing_elsewhere() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a")
    regions.run(2, "SADD", "s", "b")
    assert regions.run(2, "SREM", "s", "a") == 0
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a", b"b"]


@pytest.mark.rule("SET-3")
def test_add_of_what_is_there_survives_concurrent_remove() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a", "b")
    regions.sync()
    assert regions.run(1, "SADD", "s", "a") == 0
    assert regions.run(2, "SREM", "s", "a", "b") == 2
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a"]


@pytest.mark.rule("SET-3")
def test_holds_for_several_members_at_once() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "a", "b")
    regions.sync()
    assert regions.run(1, "SADD", "s", "a", "b", "c") == 1
    regions.run(2, "DEL", "s")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a", b"b", b"c"]


@pytest.mark.rule("SET-4")
def test_delete_leaves_what_is_added_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "e1")
    regions.sync()
    regions.run(1, "DEL", "s")
    regions.run(2, "SADD", "s", "e2")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"e2"]


@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.rule("SET-5")
def test_members_popped_by_two_regions_are_gone(count: int) -> None:
    """Rules SET-5 and ORD-3: the chosen members are replicated, not the command."""
    regions = Regions()
    members = fill(regions, "s", 10)
    regions.sync()
    popped = set(regions.run(1, "SPOP", "s", count)) | set(regions.run(2, "SPOP", "s", count))
    regions.sync()
    assert set(regions.everywhere("SMEMBERS", "s")) == members - popped


@pytest.mark.rule("SET-5")
def test_pop_of_all_leaves_what_is_added_meanwhile() -> None:
    regions = Regions()
    fill(regions, "s", 10)
    regions.sync()
    regions.run(1, "SPOP", "s", 100)
    regions.run(2, "SADD", "s", "new")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"new"]


@pytest.mark.rule("SET-6")
def test_move_and_remove() -> None:
    regions = Regions()
    regions.run(1, "SADD", "a", "m")
    regions.sync()
    assert regions.run(1, "SMOVE", "a", "b", "m") == 1
    assert regions.run(2, "SREM", "a", "m") == 1
    regions.sync()
    assert regions.everywhere("SMEMBERS", "a") == []
    assert regions.everywhere("SMEMBERS", "b") == [b"m"]


@pytest.mark.rule("SET-6")
def test_two_moves_of_one_member() -> None:
    regions = Regions()
    regions.run(1, "SADD", "a", "m")
    regions.sync()
    regions.run(1, "SMOVE", "a", "b", "m")
    regions.run(2, "SMOVE", "a", "c", "m")
    regions.sync()
    assert regions.everywhere("EXISTS", "a") == 0
    assert regions.everywhere("SMEMBERS", "b") == [b"m"]
    assert regions.everywhere("SMEMBERS", "c") == [b"m"]


@pytest.mark.rule("EXP-7")
def test_expired_set_keeps_concurrent_adds() -> None:
    regions = Regions()
    regions.run(1, "SADD", "s", "old")
    regions.run(1, "PEXPIRE", "s", "100")
    regions.sync()
    regions.run(2, "SADD", "s", "meanwhile")
    regions.now += 1000
    assert regions.run(1, "SMEMBERS", "s") == []
    assert regions.run(1, "SADD", "s", "new") == 1
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"meanwhile", b"new"]


@pytest.mark.rule("D-02")
def test_contested_set_appears_after_delete_of_visible_type() -> None:
    regions = Regions()
    regions.run(1, "SET", "k", "text")
    regions.run(2, "SADD", "k", "a")
    regions.sync()
    assert regions.everywhere("TYPE", "k").text == b"string"
    assert regions.run(2, "SADD", "k", "b") == WRONG_TYPE


@pytest.mark.parametrize("items", [1, 2, 100])
def test_many_members_are_counted_as_one_by_one(items: int) -> None:
    database = instance()
    database.slices.items = items
    client = Client(database)
    assert lines(client, "SADD k a b a c", "SADD k c d", "SREM k a b a z", "SCARD k") == [
        b":3\r\n",
        b":1\r\n",
        b":2\r\n",
        b":2\r\n",
    ]
    assert lines(client, "SMEMBERS k") == [b"*2\r\n$1\r\nc\r\n$1\r\nd\r\n"]
