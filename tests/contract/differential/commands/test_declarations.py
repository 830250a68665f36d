"""Compare all that COMMAND reports with a real redis-server.

Our version is 7.2. What an older server reports differently is listed below with the reason; each
entry must be needed. Texts in prose are ours, so only their presence is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from crdb.commands.table import COMMANDS, build_table
from crdb.engine.command import Command
from crdb.engine.declare.syntax import Argument
from crdb.resp.decoder import ErrorReply, Reply, Status
from tests.crdb.redis_peer import Peer, decode


def is_newer(command: Command) -> bool:
    """Return whether a command is newer than Redis 7.2."""
    return tuple(map(int, command.declaration.since.split("."))) >= (7, 4)


EVERYTHING = {
    command.full_name.decode(): command
    for command in build_table().everything()
    if not command.full_name.startswith((b"crdb.", b"json."))
    and command.name != b"migrate"
    and not is_newer(command)
}
"""The commands of Redis 7.2, by name. Without MIGRATE, which is always refused, so nobody asks for
its keys."""
NEW_IN_7_2 = {"client|no-touch", "client|setinfo", "waitaof"}

CHANGED_IN_7_2 = {
    "scripts may call blocking commands, which then do not block": (
        "flags",
        "blmove blpop brpop brpoplpush bzpopmax bzpopmin wait",
    ),
    "allowed while loading": ("flags", "cluster|shards cluster|slots"),
    "new option WITHSCORE": ("arity arguments history", "zrank zrevrank"),
    "a command without arguments may follow": (
        "arity arguments",
        "command|getkeys command|getkeysandflags",
    ),
    "the version of a release, not of a candidate": ("since", "client|pause"),
    "deprecated": ("deprecated_since replaced_by doc_flags", "psetex quit setex setnx"),
    "the complexity is documented": ("complexity", "lolwut monitor"),
    "sent to all nodes": (
        "tips",
        (
            "client|setname config|resetstat config|rewrite latency|reset acl|deluser acl|save"
            " acl|setuser"
        ),
    ),
    "new fields": ("history", "acl|log"),
    "atomic only within one shard": ("tips", "msetnx"),
    "replies of shards need special treatment": ("tips", "randomkey scan"),
    "alternatives and repetitions are told apart": (
        "arguments",
        "bitop client|kill client|list config|get psubscribe",
    ),
    "details of consumers": ("history", "xinfo|consumers xinfo|stream"),
    "a token is an argument": ("arguments", "xinfo|stream"),
    "tokens in lower case": ("arguments", "client|kill client|list"),
    "no members or sources are allowed": ("arguments", "geohash geopos pfmerge"),
    "a group of its own for both ways to store": (
        "arguments",
        "georadius georadiusbymember",
    ),
}
"""By reason: fields and commands in which version 7.2 differs from 7.0."""
RENAMED_IN_7_2 = {
    *("BCAST", "COMMAND", "NOLOOP", "OPTIN", "OPTOUT", "action", "auth", "by-pattern", "category"),
    "data",
    *("end-unit-block", "flush-type", "get-block", "get-pattern", "incrby-block", "limit"),
    *("count-block", "fromlonlat"),
    *("min-match-len", "overflow-block", "range", "save-selector", "set-block", "unblock-type"),
    *("unit", "write-operation", "ID", "auto-id", "consumer", "data", "entries-added", "group"),
    *("entriesread", "entries-read", "group-block", "id-selector", "max-deleted-id", "new-id"),
    *("lastid", "to"),
}
"""Names of arguments; 7.0 put the names of the parts together, with underscores."""


def texts(reply: Reply) -> list[str]:
    """Return statuses or bulk strings as texts."""
    words = cast("list[Any]", reply)
    return [(word.text if isinstance(word, Status) else word).decode() for word in words]


def flat_map(reply: Reply) -> dict[str, Any]:
    """Return a map that was sent as an array."""
    parts = cast("list[Any]", reply)
    return dict(zip(texts(parts[::2]), parts[1::2], strict=True))


def key_specs(reply: Reply) -> list[Any]:
    """Return key specifications. Of a note only the presence counts."""
    found: list[Any] = []
    for spec in map(flat_map, reply):
        search = [(flat_map(spec[half])) for half in ("begin_search", "find_keys")]
        found.append((texts(spec["flags"]), search, "notes" in spec))
    return found


def argument_tree(arguments: Reply) -> list[Any]:
    """Return arguments without their names."""
    found: list[Any] = []
    for each in map(flat_map, arguments):
        facts = {name: each.get(name) for name in ("type", "token", "since", "deprecated_since")}
        flags = sorted(texts(each.get("flags", [])))
        parts = argument_tree(each.get("arguments", []))
        found.append((facts, flags, each.get("key_spec_index"), parts))
    return found


def argument_names(arguments: Reply) -> Iterator[bytes]:
    """Yield the names of arguments and of their parts."""
    for each in map(flat_map, arguments):
        yield each["name"]
        yield from argument_names(each.get("arguments", []))


def reported(info: Reply, docs: Reply) -> dict[str, Any]:
    """Return all that COMMAND INFO and COMMAND DOCS report of one command, by field."""
    documented = flat_map(docs)
    arguments = documented.get("arguments", [])
    history = [version for version, _ in documented.get("history", [])]
    return {
        "arity": info[1],
        "flags": set(texts(info[2])),
        "keys": info[3:6],
        "categories": set(texts(info[6])),
        "tips": texts(info[7]),
        "key_specs": key_specs(info[8]),
        "summary": bool(documented["summary"]),
        "complexity": bool(documented.get("complexity")),
        "history": history,
        "arguments": argument_tree(arguments),
        "names": list(argument_names(arguments)),
        **{name: documented.get(name) for name in ("since", "group")},
        **{name: documented.get(name) for name in ("deprecated_since", "replaced_by")},
        "doc_flags": texts(documented.get("doc_flags", [])),
    }


def ask(peer: Peer, *requests: str) -> list[tuple[Reply, Reply]]:
    """Return the replies of the server and of ours to each request."""
    words = [request.encode().split() for request in requests]
    theirs = [decode(raw) for raw in peer.server.run_all(words)]
    return list(zip(theirs, (decode(peer.ours.run(each)) for each in words), strict=True))


def is_old(peer: Peer) -> bool:
    """Return whether the server is older than our version."""
    (info, _), *_ = ask(peer, "INFO server")
    version = info.decode().partition("redis_version:")[2].split()[0]
    return tuple(map(int, version.split(".")[:2])) < (7, 2)


def listed(table: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the commands and fields of a table of differences."""
    return {
        (name, field)
        for fields, names in table.values()
        for name in names.split()
        for field in fields.split()
    }


def compared(peer: Peer) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield what the server and what ours report of each command that both have."""
    infos = ask(peer, *(f"COMMAND INFO {name}" for name in EVERYTHING))
    docs = ask(peer, *(f"COMMAND DOCS {name}" for name in EVERYTHING))
    for name, ((info,), (our_info,)), (doc, our_doc) in zip(EVERYTHING, infos, docs, strict=True):
        if info is not None:
            yield name, reported(info, doc[1]), reported(our_info, our_doc[1])


def test_every_field_of_every_command_equals_redis(peer: Peer) -> None:
    is_older = is_old(peer)
    different: set[tuple[str, str]] = set()
    renamed: set[str] = set()
    names: set[str] = set()
    for name, theirs, mine in compared(peer):
        names.add(name)
        fields = {field for field in theirs if theirs[field] != mine[field]}
        if is_older and "names" in fields:
            fields.discard("names")
            if "arguments" not in fields:
                pairs = zip(theirs["names"], mine["names"], strict=True)
                renamed |= {new.decode() for old, new in pairs if old != new}
        different |= {(name, field) for field in fields}
    if is_older:
        assert EVERYTHING.keys() - names == NEW_IN_7_2
        assert renamed == RENAMED_IN_7_2
        assert different == listed(CHANGED_IN_7_2)
    else:
        assert names == EVERYTHING.keys()
        assert different == set()


def test_subcommands_are_some_of_those_of_redis(peer: Peer) -> None:
    containers = [command for command in EVERYTHING.values() if command.subcommands]
    requests = [f"COMMAND INFO {command.name.decode()}" for command in containers]
    for (theirs,), (mine,) in ask(peer, *requests):
        new = NEW_IN_7_2 if is_old(peer) else set[str]()
        assert {row[0].decode() for row in mine[9]} - new <= {row[0].decode() for row in theirs[9]}


@pytest.mark.parametrize(
    "category",
    [
        *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"),
        *("admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction"),
        *("scripting", "pubsub", "stream", "nothing"),
    ],
)
def test_commands_of_category_equal_redis(peer: Peer, category: str) -> None:
    [(theirs, mine)] = ask(peer, f"COMMAND LIST FILTERBY ACLCAT {category}")
    known = EVERYTHING.keys() - (NEW_IN_7_2 if is_old(peer) else set())
    assert known & set(texts(mine)) == known & set(texts(theirs))


@pytest.mark.parametrize("pattern", ["z*", "*|help", "?et", "config|[gs]et", "*RANGE*"])
def test_commands_of_pattern_equal_redis(peer: Peer, pattern: str) -> None:
    [(theirs, mine)] = ask(peer, f"COMMAND LIST FILTERBY PATTERN {pattern}")
    assert EVERYTHING.keys() & set(texts(mine)) == EVERYTHING.keys() & set(texts(theirs))


# -- keys of requests ------------------------------------------------------------------------


def examples(command: Command) -> list[str]:
    """Return requests with few and with many arguments, and some whose keys are wrong."""
    name = command.full_name.decode().replace("|", " ")
    arguments = command.declaration.arguments
    short, long, other = (
        " ".join([name, *words_of(arguments, is_long, last)])
        for is_long, last in ((False, 0), (True, 0), (True, -1))
    )
    wrong = [
        long.replace(" 2 ", f" {number} ", 1) for number in ("0", "-1", "x", "9") if " 2 " in long
    ]
    shorter = [short.rpartition(" ")[0]] if short.count(" ") > 1 else []
    return [short, long, other, *shorter, f"{short} x", *wrong]


def words_of(arguments: tuple[Argument, ...], is_long: bool, choice: int) -> Iterator[str]:
    """Yield words for each argument."""
    for argument in arguments:
        if argument.is_optional and not is_long:
            continue
        times = 2 if is_long and argument.is_multiple else 1
        for time in range(times):
            if argument.token and (time == 0 or argument.repeats_token):
                yield argument.token
            if argument.kind == "oneof":
                yield from words_of((argument.parts[choice],), is_long, choice)
            elif argument.kind == "block":
                yield from words_of(argument.parts, is_long, choice)
            elif argument.kind != "pure-token":
                number = "2" if is_long else "1"
                yield number if argument.name == "numkeys" else f"{argument.name}{time}"


WITH_KEYS = [command for command in EVERYTHING.values() if command.declaration.has_keys]


@pytest.mark.parametrize("command", WITH_KEYS, ids=lambda command: command.full_name.decode())
def test_keys_of_requests_equal_redis(peer: Peer, command: Command) -> None:
    requests = [
        f"COMMAND {kind} {example}"
        for kind in ("GETKEYS", "GETKEYSANDFLAGS")
        for example in examples(command)
    ]
    answers = dict(zip(requests, ask(peer, *requests), strict=True))
    name = command.full_name.decode()
    if is_old(peer) and (name, "arity") in listed(CHANGED_IN_7_2):
        refused = ErrorReply(b"ERR Invalid number of arguments specified for command")
        answers = {request: both for request, both in answers.items() if both[0] != refused}
    assert {request: mine for request, (_, mine) in answers.items()} == {
        request: theirs for request, (theirs, _) in answers.items()
    }


def test_commands_without_keys_report_none(peer: Peer) -> None:
    others = [each for each in EVERYTHING.values() if not each.declaration.has_keys]
    requests = [f"COMMAND GETKEYS {examples(each)[1]} x" for each in others]
    for theirs, mine in ask(peer, *requests):
        assert mine == theirs or theirs.text.startswith(b"ERR Invalid command")


def test_declarations_are_complete() -> None:
    silent = [
        command.full_name
        for command in build_table().everything()
        if not command.declaration.summary.endswith(".") or not command.declaration.complexity
    ]
    assert COMMANDS
    assert silent == []
