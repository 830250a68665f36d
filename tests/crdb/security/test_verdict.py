"""Test which commands, keys and channels of a request count."""

from __future__ import annotations

import pytest

from crdb.engine.command import Command
from crdb.engine.declare.declaration import Declaration, Facts
from crdb.security.verdict import (
    EITHER,
    READ,
    WRITE,
    Denial,
    Reason,
    Request,
    denial_text,
    describe_denial,
)
from tests.crdb.security.rules import request_of, user_of, verdict

BOTH = READ | WRITE


def keys(words: str) -> list[tuple[int, int]]:
    return request_of(words).keys


@pytest.mark.rule("ACL-14", "ACL-15")
@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ("GET k", [(1, READ)]),
        ("SET k v", [(1, WRITE)]),
        ("SET k v GET", [(1, BOTH)]),
        ("EXISTS a b", [(1, EITHER), (2, EITHER)]),
        ("MSET a 1 b 2", [(1, WRITE), (3, WRITE)]),
        ("COPY a b", [(1, READ), (2, WRITE)]),
        ("SDIFFSTORE d a b", [(1, WRITE), (2, READ), (3, READ)]),
        ("LPUSH k v", [(1, WRITE)]),
        ("LPOP k", [(1, BOTH)]),
        ("BITFIELD k GET u8 0", [(1, READ)]),
        ("BITFIELD k SET u8 0 1", [(1, BOTH)]),
        ("SORT k BY w_* STORE d", [(1, READ), (5, WRITE)]),
        ("SORT k STORE d STORE e", [(1, READ), (5, WRITE)]),
        ("ZUNION 2 a b", [(2, READ), (3, READ)]),
        ("ZUNIONSTORE d 1 a", [(1, WRITE), (3, READ)]),
        ("ZUNIONSTORE d 9 a", []),
        ("PFMERGE d", [(1, BOTH)]),
        ("PFMERGE d a b", [(1, BOTH), (2, READ), (3, READ)]),
        ("GEORADIUS k 1 2 3 m STORE d", [(1, READ), (7, WRITE)]),
        ("GEOSEARCHSTORE d k FROMMEMBER m BYRADIUS 1 m", [(1, WRITE), (2, READ)]),
        ("KEYS *", []),
        ("FLUSHALL", []),
    ],
)
def test_needs_of_keys(words: str, needs: list[tuple[int, int]]) -> None:
    assert sorted(keys(words)) == needs


@pytest.mark.rule("ACL-12")
@pytest.mark.parametrize(
    ("rules", "words", "found"),
    [
        ("+get ~a", "GET a", "ok"),
        ("+get ~a", "SET a 1", "command 0"),
        ("+mget ~a", "MGET a b c", "key 2"),
        ("+mget ~a (+mget ~a ~b)", "MGET a b c", "key 3"),
        ("+mget ~a ~b (+mget ~a)", "MGET a b c", "key 3"),
        ("-@all (+mget ~a)", "MGET a b", "key 2"),
        ("+mget (~*)", "MGET a", "key 1"),
        ("+get +set %R~a %W~a*", "SET a 1 GET", "key 1"),
        ("+@all", "SORT a BY x GET y STORE b", "key 1"),
        ("+@all %R~*", "SORT a BY x GET y STORE b", "key 7"),
        ("", "AUTH x", "ok"),
    ],
)
def test_furthest_denial_counts(rules: str, words: str, found: str) -> None:
    assert verdict(rules, words) == found


def made_command(syntax: str, kind: str) -> Command:
    facts: Facts = {"summary": "Does.", "channels": kind}
    return Command(Declaration("speak", syntax, "", facts), lambda _client, _args: None)


@pytest.mark.rule("ACL-18")
@pytest.mark.parametrize(
    ("syntax", "kind", "words", "rules", "found"),
    [
        ("channel message", "names", "SPEAK c m", "&c", None),
        ("channel message", "names", "SPEAK d c", "&c", 1),
        ("channel...", "names", "SPEAK c d e", "&[cd]", 3),
        ("channel...", "names", "SPEAK c d", "&*", None),
        ("pattern...", "patterns", "SPEAK c* d", "&c* &d", None),
        ("pattern...", "patterns", "SPEAK c d", "&c*", 1),
    ],
)
def test_channels_of_request(
    syntax: str, kind: str, words: str, rules: str, found: int | None
) -> None:
    user = user_of(f"{rules} +ping ~*")
    user.selectors[0].commands.allowed.add(b"speak")
    request = Request(made_command(syntax, kind), words.encode().split())
    denial = None if found is None else Denial(Reason.CHANNEL, found)
    assert user.deny(request) == denial


def test_channel_counts_more_than_key() -> None:
    assert Reason.CHANNEL > Reason.KEY > Reason.COMMAND > Reason.AUTH


def test_texts_name_user_and_object() -> None:
    request = request_of("CONFIG GET x")
    text = b"User alice has no permissions to run the 'config|get' command"
    assert describe_denial(Denial(Reason.COMMAND), b"alice", request) == text
    assert denial_text(Denial(Reason.COMMAND), b"alice", request.command) == text
    request = request_of("MGET a b")
    for reason, kind in ((Reason.KEY, b"key"), (Reason.CHANNEL, b"channel")):
        denial = Denial(reason, 2)
        verbose = b"User alice has no permissions to access the 'b' %b" % kind
        assert describe_denial(denial, b"alice", request) == verbose
        short = b"No permissions to access a %b" % kind
        assert denial_text(denial, b"alice", request.command) == short
