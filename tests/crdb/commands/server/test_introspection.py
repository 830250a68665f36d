"""COMMAND and its subcommands."""

from __future__ import annotations

from crdb.commands.table import COMMANDS
from crdb.engine.client import Client
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode


def test_argument_is_map() -> None:
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


def test_keys_with_flags() -> None:
    client = Client(instance())
    [reply] = lines(client, "COMMAND GETKEYSANDFLAGS GET k")
    assert reply == b"*1\r\n*2\r\n$1\r\nk\r\n*2\r\n+RO\r\n+access\r\n"
    [reply] = lines(client, "COMMAND GETKEYSANDFLAGS SET k v")
    assert b"+OW" in reply
