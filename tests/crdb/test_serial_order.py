"""Commands in slices have the replies of some serial order."""

from __future__ import annotations

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import POSTPONED, WORKING
from crdb.resp.decoder import decode_replies, encode_request
from tests.crdb.raw import instance

KEYS = ("a", "b", "c")
key = st.sampled_from(KEYS)
member = st.sampled_from("xyz")
many = st.just("9")
count = st.sampled_from(["1", "2", "9"])
index = st.sampled_from(["0", "1", "2", "-1", "-2"])
end = st.sampled_from(["MIN", "MAX"])
side = st.sampled_from(["LEFT", "RIGHT"])
commands = st.one_of(
    st.tuples(st.just("SADD"), key, member, member, member),
    st.tuples(st.just("SREM"), key, member, member),
    st.tuples(st.sampled_from(["SMEMBERS", "SCARD", "TYPE"]), key),
    st.tuples(st.just("SMISMEMBER"), key, member, member, member),
    st.tuples(st.sampled_from(["SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"]), key, many),
    st.tuples(st.just("HRANDFIELD"), key, many, st.just("WITHVALUES")),
    st.tuples(st.just("ZRANDMEMBER"), key, many, st.just("WITHSCORES")),
    st.tuples(st.sampled_from(["SSCAN", "HSCAN", "ZSCAN"]), key, st.just("0")),
    st.tuples(st.just("SCAN"), st.just("0"), st.just("COUNT"), many),
    st.tuples(st.just("SCAN"), st.just("0"), st.just("TYPE"), st.just("set")),
    st.tuples(st.sampled_from(["SINTER", "SUNION", "SDIFF"]), key, key),
    st.tuples(st.sampled_from(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), key, key, key),
    st.tuples(st.just("SINTERCARD"), st.just("2"), key, key),
    st.tuples(st.sampled_from(["DEL", "UNLINK", "EXISTS", "TOUCH"]), key, key),
    st.tuples(st.just("HSET"), key, member, member, member, member),
    st.tuples(st.just("HDEL"), key, member, member),
    st.tuples(st.sampled_from(["HGETALL", "HKEYS", "HVALS"]), key),
    st.tuples(st.just("KEYS"), st.just("*")),
    st.tuples(st.sampled_from(["DBSIZE", "FLUSHALL"])),
    st.tuples(st.just("ZADD"), key, st.just("1"), member, st.just("2"), member),
    st.tuples(st.just("ZADD"), key, st.just("CH"), st.just("3"), member, st.just("2"), member),
    st.tuples(st.just("ZADD"), key, st.just("3"), member, st.just("x"), member),
    st.tuples(st.sampled_from(["ZUNIONSTORE", "ZINTERSTORE"]), key, st.just("2"), key, key),
    st.tuples(st.sampled_from(["ZUNION", "ZINTER"]), st.just("2"), key, key, st.just("WITHSCORES")),
    st.tuples(st.just("ZDIFF"), st.just("2"), key, key),
    st.tuples(st.just("ZINTERCARD"), st.just("2"), key, key),
    st.tuples(st.just("ZRANGESTORE"), key, key, st.just("0"), st.just("-1"), st.just("REV")),
    st.tuples(st.sampled_from(["ZRANK", "ZREVRANK"]), key, member),
    st.tuples(st.sampled_from(["ZPOPMIN", "ZPOPMAX"]), key, st.just("2")),
    st.tuples(st.sampled_from(["ZPOPMIN", "ZPOPMAX"]), key, many),
    st.tuples(st.just("ZMPOP"), st.just("2"), key, key, end, st.just("COUNT"), count),
    st.tuples(st.just("ZMSCORE"), key, member, member, member),
    st.tuples(st.just("ZREM"), key, member, member),
    st.tuples(st.just("ZREVRANGE"), key, st.just("0"), st.just("1")),
    st.tuples(st.just("ZCOUNT"), key, st.just("-inf"), st.just("1")),
    st.tuples(st.just("ZRANGE"), key, st.just("0"), st.just("-1"), st.just("WITHSCORES")),
    st.tuples(st.just("ZREMRANGEBYRANK"), key, st.just("0"), st.just("1")),
    st.tuples(st.just("RPUSH"), key, member, member, member),
    st.tuples(st.sampled_from(["LPOP", "RPOP"]), key, count),
    st.tuples(st.just("LMPOP"), st.just("2"), key, key, side, st.just("COUNT"), count),
    st.tuples(st.just("LTRIM"), key, index, index),
    st.tuples(st.just("LREM"), key, index, member),
    st.tuples(st.just("LPOS"), key, member, st.just("COUNT"), st.just("0")),
    st.tuples(st.just("LINSERT"), key, st.just("AFTER"), member, member),
    st.tuples(st.just("LRANGE"), key, st.just("0"), st.just("-1")),
    st.tuples(st.sampled_from(["COPY", "RENAME", "RENAMENX"]), key, key),
    st.tuples(st.just("COPY"), key, key, st.just("REPLACE")),
    st.tuples(st.just("MSET"), key, member, key, member),
    st.tuples(st.just("MSETNX"), key, member, key, member),
    st.tuples(st.just("MGET"), key, key),
    st.tuples(st.just("BITOP"), st.sampled_from(["AND", "OR", "XOR"]), key, key, key),
    st.tuples(st.just("BITCOUNT"), key),
    st.tuples(st.just("BITPOS"), key, st.sampled_from("01")),
    st.tuples(st.just("LCS"), key, key, st.sampled_from(["LEN", "IDX"])),
    st.tuples(st.sampled_from(["LPUSH", "LPUSHX"]), key, member, member),
    st.tuples(st.just("HMGET"), key, member, member),
    st.tuples(st.just("SORT"), key, st.just("BY"), st.just("*x"), st.just("GET"), st.just("*")),
    st.tuples(st.just("SORT"), key, st.just("ALPHA"), st.just("STORE"), key),
    st.tuples(st.just("SORT_RO"), key, st.just("ALPHA")),
)
modes = st.tuples(st.just("CLIENT"), st.just("REPLY"), st.sampled_from(["OFF", "ON", "SKIP"]))
units = st.one_of(
    commands.map(lambda command: (command,)),
    st.lists(st.one_of(commands, modes), min_size=1, max_size=4).map(
        lambda queue: (("MULTI",), *queue, ("EXEC",)),
    ),
)


def encoded(unit: tuple[tuple[str, ...], ...]) -> bytes:
    """Return a command or a transaction as the bytes of its requests."""
    return b"".join([encode_request([word.encode() for word in command]) for command in unit])


def unordered(replies: object) -> object:
    """Return replies with every array sorted, as sets have no order."""
    if isinstance(replies, list):
        return sorted([repr(unordered(reply)) for reply in cast("list[object]", replies)])
    return repr(replies)


@given(st.lists(units, max_size=12))
def test_slices_change_no_reply_of_a_serial_client(
    script: list[tuple[tuple[str, ...], ...]],
) -> None:
    whole, cut = Client(instance()), Client(instance())
    cut.instance.slices.items = 1
    for unit in script:
        expected = decode_replies(receive(whole, encoded(unit)))
        assert unordered(decode_replies(receive(cut, encoded(unit)))) == unordered(expected)
    assert cut.instance.replica.digest() == whole.instance.replica.digest()


@given(st.lists(st.tuples(st.integers(0, 3), units), max_size=16), st.integers(1, 3))
def test_concurrent_replies_are_those_of_a_serial_order(
    script: list[tuple[int, tuple[tuple[str, ...], ...]]], items: int
) -> None:
    database = instance()
    database.slices.items = items
    clients = [Client(database) for _ in range(3)]
    asked: dict[int, bytes] = {}
    order: list[tuple[bytes, bytes]] = []

    def collect(client: Client) -> None:
        if not client.flags & (WORKING | POSTPONED) and client.id in asked:
            order.append((asked.pop(client.id), b"".join(client.out)))
            client.drop_replies()

    def serve_woken() -> None:
        while database.woken:
            woken = database.woken.pop(0)
            assert isinstance(woken, Client)
            run(woken, b"")
            collect(woken)

    for number, unit in script:
        if number == 3 or clients[number].id in asked:
            database.slices.run_slice()
        else:
            asked[clients[number].id] = encoded(unit)
            run(clients[number], encoded(unit))
            collect(clients[number])
        serve_woken()
    while database.slices.works:
        database.slices.run_slice()
        serve_woken()
    assert not asked
    serial = Client(instance())
    for data, replies in order:
        expected = decode_replies(receive(serial, data))
        assert unordered(decode_replies(replies)) == unordered(expected)
    assert serial.instance.replica.digest() == database.replica.digest()
