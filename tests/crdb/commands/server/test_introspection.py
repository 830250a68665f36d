"""COMMAND: beside a real server."""

from __future__ import annotations

from typing import Any, cast

import pytest

from crdb.commands.declare.syntaxes import SYNTAXES
from crdb.commands.table import COMMANDS
from crdb.engine.client import Client
from crdb.engine.command import Command
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import Peer, Reply, decode

REQUESTS = [
    "COMMAND NOTHING",
    "COMMAND COUNT x",
    "COMMAND INFO nothing",
    "COMMAND INFO nothing|more",
    "COMMAND INFO get|more",
    "COMMAND INFO config|get|more",
    "COMMAND DOCS get|more",
    "COMMAND INFO ''",
    "COMMAND DOCS nothing",
    "COMMAND LIST FILTERBY",
    "COMMAND LIST FILTERBY PATTERN",
    "COMMAND LIST FILTERBY NOTHING x",
    "COMMAND LIST SOMETHING PATTERN x",
    "COMMAND LIST FILTERBY MODULE none",
    "COMMAND LIST FILTERBY ACLCAT nothing",
    "COMMAND LIST FILTERBY PATTERN zran?ebys*",
    "COMMAND GETKEYS GET k x",
    "COMMAND GETKEYS NOTHING k",
    "COMMAND GETKEYS PING x",
    "COMMAND GETKEYS GET k",
    "COMMAND GETKEYS MSET a 1 b 2",
    "COMMAND GETKEYS CONFIG GET x",
    "COMMAND GETKEYS ZUNION 2 a b",
    "COMMAND GETKEYS ZUNION 7 a b",
    "COMMAND GETKEYS DEL a b c",
    "COMMAND GETKEYSANDFLAGS PING x",
]


def words(request: str) -> list[bytes]:
    """Words; two single quotes are an empty one."""
    return [b"" if word == "''" else word.encode() for word in request.split()]


def unordered(reply: Reply) -> Reply:
    """A list without its order."""
    return sorted(cast("list[bytes]", reply)) if isinstance(reply, list) else reply


@pytest.mark.parametrize("request_", REQUESTS)
def test_requests_are_answered_as_by_redis(peer: Peer, request_: str) -> None:
    theirs, mine = peer.server.run(words(request_)), peer.ours.run(words(request_))
    assert unordered(decode(mine)) == unordered(decode(theirs))


@pytest.mark.parametrize("protocol", [2, 3])
def test_what_is_no_command_has_no_details(peer: Peer, protocol: int) -> None:
    peer.protocol(protocol)
    request = [b"COMMAND", b"INFO", b"nothing", b"get|more", b"config|nothing"]
    assert peer.ours.run(request) == peer.server.run(request)


@pytest.mark.parametrize("protocol", [2, 3])
def test_details_have_the_form_of_redis(peer: Peer, protocol: int) -> None:
    peer.protocol(protocol)
    for name in (b"get", b"del", b"config|get"):
        [theirs] = decode(peer.server.run([b"COMMAND", b"INFO", name]))
        [mine] = decode(peer.ours.run([b"COMMAND", b"INFO", name]))
        assert mine[0:6] == theirs[0:6], name
        assert [type(part) for part in mine] == [type(part) for part in theirs]
        assert len(mine[8]) == len(theirs[8])
    peer.protocol(2)


def test_where_the_keys_are_is_told_as_by_redis(peer: Peer) -> None:
    for name in (b"get", b"mset", b"lmpop", b"sunionstore"):
        [theirs] = decode(peer.server.run([b"COMMAND", b"INFO", name]))
        [mine] = decode(peer.ours.run([b"COMMAND", b"INFO", name]))
        assert mine[8] == theirs[8]


def test_documentation_has_the_form_of_redis(peer: Peer) -> None:
    for name in (b"get", b"config|get", b"client"):
        theirs = decode(peer.server.run([b"COMMAND", b"DOCS", name]))
        mine = decode(peer.ours.run([b"COMMAND", b"DOCS", name]))
        assert mine[0] == theirs[0] == name
        assert set(mine[1][::2]) <= set(theirs[1][::2])


TOLD_OTHERWISE = (
    *("bitop", "client|kill", "client|list", "command|getkeys", "command|getkeysandflags"),
    *("config|get", "zinter", "zinterstore", "zrank", "zrevrank", "zunion", "zunionstore"),
)
"""More closely than by Redis 7.0, or with options that are younger."""


def tree(arguments: Any) -> list[Any]:
    """Arguments without the names that somebody gave them."""
    found: list[Any] = []
    for each in arguments:
        facts = dict(zip(each[::2], each[1::2], strict=True))
        flags = sorted(flag.text for flag in facts.get(b"flags", []))
        token = facts.get(b"token", b"")
        spec = facts.get(b"key_spec_index") if facts[b"type"] == b"key" else None
        found.append((facts[b"type"], token, flags, spec, tree(facts.get(b"arguments", []))))
    return found


def test_arguments_are_told_as_by_redis(peer: Peer) -> None:
    compared = 0
    for name in SYNTAXES.keys() - set(TOLD_OTHERWISE):
        told = [
            dict(zip(reply[1][::2], reply[1][1::2], strict=True))
            for side in (peer.server, peer.ours)
            if (reply := decode(side.run([b"COMMAND", b"DOCS", name.encode()])))
        ]
        if len(told) == 2:
            compared += 1
            theirs, mine = (tree(each[b"arguments"]) for each in told)
            assert mine == theirs, name
    assert compared > 140


def test_an_argument_is_a_map() -> None:
    client = Client(instance())
    client.protocol = 3
    [reply] = lines(client, "COMMAND DOCS crdb.link")
    (_, facts), *_ = decode(reply)[1]
    subcommands = dict(facts[1])[b"subcommands"][1]
    (kind, choice), *_ = dict(dict(subcommands)[b"crdb.link|cut"][1])[b"arguments"]
    assert kind == "map"
    assert dict(choice)[b"type"] == b"oneof"
    everyone, pair = dict(choice)[b"arguments"]
    assert dict(everyone[1])[b"token"] == b"ALL"
    assert [dict(part[1])[b"display_text"] for part in dict(pair[1])[b"arguments"]] == [
        b"source",
        b"sink",
    ]


def test_all_of_them() -> None:
    client = Client(instance())
    everything, count, docs, info, names = (
        decode(reply)
        for reply in lines(
            client, "COMMAND", "COMMAND COUNT", "COMMAND DOCS", "COMMAND INFO", "COMMAND LIST"
        )
    )
    assert len(everything) == count == len(docs) // 2 == len(info) == len(COMMANDS)
    assert len(names) == count + sum(len(command.subcommands) for command in COMMANDS)


def test_filters() -> None:
    client = Client(instance())
    reply = decode(lines(client, "COMMAND LIST FILTERBY ACLCAT TRANSACTION")[0])
    assert sorted(reply) == [b"discard", b"exec", b"multi", b"unwatch", b"watch"]


def test_arguments_without_a_key() -> None:
    database = instance()
    strange = Command("strange", not_called, -1, getkeys=lambda args: [])
    database.commands.by_name[b"strange"] = strange
    [reply] = lines(Client(database), "COMMAND GETKEYS strange x")
    assert reply == b"-ERR Invalid arguments specified for command\r\n"


def not_called(_client: Client, _args: list[bytes]) -> None:
    """A handler that is not called."""


def test_keys_with_flags() -> None:
    client = Client(instance())
    [reply] = lines(client, "COMMAND GETKEYSANDFLAGS GET k")
    assert reply == b"*1\r\n*2\r\n$1\r\nk\r\n*2\r\n+RO\r\n+access\r\n"
    [reply] = lines(client, "COMMAND GETKEYSANDFLAGS SET k v")
    assert b"+OW" in reply
