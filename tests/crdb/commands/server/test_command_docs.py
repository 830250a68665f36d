"""Entries of COMMAND DOCS. The differential tests compare every field."""

from __future__ import annotations

from typing import Any

from crdb.engine.client import Client
from crdb.resp.decoder import Status
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode


def flat_map(parts: list[Any]) -> dict[bytes, Any]:
    """Return a map that was sent as an array."""
    return dict(zip(parts[::2], parts[1::2], strict=True))


def documented(name: str) -> dict[bytes, Any]:
    """Return the documentation of one command."""
    [docs] = lines(Client(instance()), f"COMMAND DOCS {name}")
    return flat_map(decode(docs)[1])


def test_plain_command() -> None:
    assert documented("echo") == {
        b"summary": b"Returns the given string.",
        b"since": b"1.0.0",
        b"group": b"connection",
        b"complexity": b"O(1)",
        b"arguments": [
            [b"name", b"message", b"type", b"string", b"display_text", b"message"],
        ],
    }


def test_deprecated_command_names_its_replacement() -> None:
    getset = documented("getset")
    assert getset[b"doc_flags"] == [Status(b"deprecated")]
    assert getset[b"deprecated_since"] == b"6.2.0"
    assert getset[b"replaced_by"] == b"`SET` with the `!GET` argument"


def test_history_gives_versions_to_arguments() -> None:
    documentation = documented("set")
    assert documentation[b"history"][1] == [b"6.0.0", b"Added: option `KEEPTTL`."]
    _, _, condition, *_ = map(flat_map, documentation[b"arguments"])
    assert condition[b"since"] == b"2.6.12"
    assert [flat_map(part)[b"token"] for part in condition[b"arguments"]] == [b"NX", b"XX"]


def test_deprecated_argument_names_version() -> None:
    """The version is that in the sources of Redis 7.2. Older servers do not report it."""
    [choice] = map(flat_map, documented("client|kill")[b"arguments"])
    old, new = map(flat_map, choice[b"arguments"])
    assert (old[b"name"], old[b"deprecated_since"]) == (b"old-format", b"2.8.12")
    assert b"deprecated_since" not in new


def test_argument_in_capitals_is_not_token() -> None:
    [argument] = map(flat_map, documented("latency|histogram")[b"arguments"])
    assert argument[b"name"] == argument[b"display_text"] == b"COMMAND"
    assert b"token" not in argument


def test_flags_of_arguments() -> None:
    by_name = {
        flat_map(each)[b"name"]: flat_map(each).get(b"flags", [])
        for each in documented("sort")[b"arguments"]
    }
    assert by_name[b"key"] == []
    assert by_name[b"by-pattern"] == [Status(b"optional")]
    assert by_name[b"get-pattern"] == [
        Status(b"optional"),
        Status(b"multiple"),
        Status(b"multiple_token"),
    ]


def test_keys_refer_to_their_specification() -> None:
    arguments = [flat_map(each) for each in documented("sort")[b"arguments"]]
    places = {each[b"name"]: each.get(b"key_spec_index") for each in arguments}
    assert places[b"key"] == 0
    assert (places[b"by-pattern"], places[b"get-pattern"], places[b"destination"]) == (1, 1, 2)


def test_container_documents_its_subcommands() -> None:
    documentation = documented("config")
    assert b"arguments" not in documentation
    children = documentation[b"subcommands"]
    assert children[::2] == [
        b"config|get",
        b"config|help",
        b"config|resetstat",
        b"config|rewrite",
        b"config|set",
    ]
