"""Compare the replies of COMMAND about the positions of keys with those of a real redis-server."""

from __future__ import annotations

from typing import cast

import pytest

from crdb.commands.table import COMMANDS
from tests.crdb.redis_peer import Peer, Reply, Status, decode, encode

SHARED = [c for c in COMMANDS if not c.name.startswith(b"crdb.")]
ALL = SHARED + [child for command in SHARED for child in command.subcommands.values()]


def told(reply: Reply) -> list[dict[bytes, Reply]]:
    """The key specifications in a row of COMMAND INFO, without the notes of Redis."""
    found: list[dict[bytes, Reply]] = []
    for spec in cast("list[list[Reply]]", reply[8]):
        facts = dict(zip(spec[::2], spec[1::2], strict=True))
        facts.pop(b"notes", None)
        facts[b"flags"] = [word.text for word in cast("list[Status]", facts[b"flags"])]
        found.append(facts)
    return found


def test_specifications_are_those_of_redis(peer: Peer) -> None:
    request = [b"COMMAND", b"INFO", *(command.full_name for command in ALL)]
    theirs, mine = decode(peer.server.run(request)), decode(peer.ours.run(request))
    known = [
        (name, told(one), told(other))
        for name, one, other in zip(request[2:], theirs, mine, strict=True)
        if one is not None
    ]
    assert {name: mine for name, _, mine in known} == {name: theirs for name, theirs, _ in known}


@pytest.mark.parametrize(
    "request_",
    [
        "SET k v",
        "SET k GET",
        "SET k v XX get",
        "BITFIELD k",
        "BITFIELD k GET u8 0",
        "BITFIELD k GET u8 0 incrby u8 0 1",
        "BITFIELD k GET u8 0 e",
        "BITFIELD k GET u8",
        "BITFIELD k OVERFLOW sat GET u8 0",
        "BITFIELD k OVERFLOW",
        "BITFIELD_RO k GET u8 0",
        "MSET a 1 b 2",
        "DEL a b",
        "GET k",
        "LMOVE a b LEFT LEFT",
        "RENAME a b",
        "COPY a b REPLACE",
        "BITOP AND a b c",
        "SINTERSTORE a b c",
        "ZUNIONSTORE a 2 b c WEIGHTS 1 2",
        "ZUNION 2 b c",
        "BLMPOP 0 2 a b LEFT",
        "BLPOP a b 0",
        "SORT a",
        "SORT a BY w_* STORE b",
        "OBJECT ENCODING a",
        "EXISTS a b",
    ],
)
def test_what_happens_to_each_key_is_told_as_by_redis(peer: Peer, request_: str) -> None:
    request = [b"COMMAND", b"GETKEYSANDFLAGS", *encode(request_.split())]
    assert decode(peer.ours.run(request)) == decode(peer.server.run(request))
