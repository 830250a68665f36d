"""Compare ACL, AUTH and the decisions about requests with those of a real redis-server.

What version 7.2 changed is converted before the comparison: the texts of denials, the flag
`sanitize-payload` of new users, which 7.0 does not show, and the description of rules for commands,
which 7.0 computes from what they allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crdb.resp.decoder import ErrorReply, Reply
from tests.crdb.redis_peer import Ours, Peer, Server, Word, decode, encode

OF_DEFAULT = ["reset", "on", "nopass", "~*", "&*", "+@all"]
TEXTS_OF_7_0 = (
    (rb"NOPERM [Tt]his user has no permissions to access one of the (key|channel)s used.*",
     rb"NOPERM No permissions to access a \1"),
    (rb"(NOPERM )?[Tt]his user has", rb"\1User u has"),
)  # fmt: skip


@pytest.fixture
def users(peer: Peer) -> Iterator[Peer]:
    """Return the peers without users except `default`. The session's server is put back."""
    for name in cast("list[bytes]", decode(peer.server.run([b"ACL", b"USERS"]))):
        if name != b"default":
            peer.server.run([b"ACL", b"DELUSER", name])
    yield peer
    peer.server.run([b"AUTH", b"default", b"x"])
    peer.server.run(encode(["ACL", "SETUSER", "default", *OF_DEFAULT]))
    peer.server.run([b"CONFIG", b"SET", b"acl-pubsub-default", b"resetchannels"])


def as_7_2(reply: Reply) -> Reply:
    """Return a reply of the server in the words of 7.2."""
    text = reply.text if isinstance(reply, ErrorReply) else reply
    if not isinstance(text, bytes):
        return reply
    for pattern, replacement in TEXTS_OF_7_0:
        text = re.sub(pattern, replacement, text)
    return ErrorReply(text) if isinstance(reply, ErrorReply) else text


def ask(peer: Peer, words: list[Word]) -> tuple[Reply, Reply]:
    """Return the replies of the server and of ours to one command."""
    args = encode(words)
    return as_7_2(decode(peer.server.run(args))), decode(peer.ours.run(args))


def compare(peer: Peer, words: list[Word]) -> Reply:
    theirs, ours = ask(peer, words)
    assert ours == theirs, words
    return ours


def described(reply: Reply) -> Any:
    """Return the fields of ACL GETUSER that both versions describe alike."""
    if not isinstance(reply, list):
        return reply
    parts = cast("list[Any]", reply)
    fields = dict(zip(parts[::2], parts[1::2], strict=True))
    fields.pop(b"commands")
    if b"flags" in fields:
        fields[b"flags"] = [flag for flag in fields[b"flags"] if flag != b"sanitize-payload"]
        fields[b"selectors"] = [described(each) for each in fields[b"selectors"]]
    return fields


RULES_IN_WORDS = [
    "",
    "on",
    "ON NoPass oFF",
    ">x >y #%s" % ("0" * 64),
    ">x <x",
    ">x !2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    "<x",
    "!x",
    "#x",
    "nopass resetpass",
    "skip-sanitize-payload",
    "~a ~b ~a",
    "%R~a %W~a %r~b %wR~c",
    "%R %W~",
    "%~a",
    "%",
    "%RR~a",
    "~* ~a",
    "allkeys resetkeys ~a",
    "&a &b &a",
    "&* &a",
    "allchannels resetchannels &c",
    "%RW~*",
    "+@all -@all",
    "+nope",
    "-nope",
    "+@nope",
    "+",
    "+|x",
    "+get|",
    "+config|nope",
    "+config|get|x",
    "+a|b|c",
    "-select|0",
    "bogus",
    "(",
    "()",
    "(+get",
    "(+get ~a)",
    "(+get ~a) (+set %W~b &c)",
    "( +get ~a )",
    "(on)",
    "(~* ~a)",
    "(bogus)",
    "(+get) clearselectors",
    "(+get (~a) )",
    "on nopass ~* &* +@all (+get) reset",
]


@pytest.mark.parametrize("rules", RULES_IN_WORDS)
def test_rules_equal_redis(users: Peer, rules: str) -> None:
    compare(users, ["ACL", "SETUSER", "u", *rules.split()])
    theirs, ours = ask(users, ["ACL", "GETUSER", "u"])
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("rule", ["~a b", "&a\tb", "(+get 'x)", "(\"+get\" '~q')", "x\ny", ""])
def test_rules_with_spaces_equal_redis(users: Peer, rule: str) -> None:
    compare(users, ["ACL", "SETUSER", "u", rule])
    theirs, ours = ask(users, ["ACL", "GETUSER", "u"])
    assert described(ours) == described(theirs)


def test_lines_of_users_equal_redis(users: Peer) -> None:
    """7.0 shows `sanitize-payload` after `reset`, so all users here have had one."""
    for name, rules in (
        ("b", "reset on >x ~a %R~b &c +get"),
        ("a", "reset nopass skip-sanitize-payload ~* allchannels +@all"),
        ("default", "reset on nopass ~* &* +@all (~x +get) (%W~y &z)"),
    ):
        compare(users, ["ACL", "SETUSER", name, *rules.replace(" (", "\0(").split("\0")[0].split()])
        for selector in re.findall(r"\(.*?\)", rules):
            compare(users, ["ACL", "SETUSER", name, selector])
    compare(users, ["ACL", "LIST"])
    compare(users, ["ACL", "USERS"])


def test_channels_of_new_users_equal_redis(users: Peer) -> None:
    compare(users, ["CONFIG", "SET", "acl-pubsub-default", "allchannels"])
    for rules in ([], ["(+get)"], ["resetchannels", "&a"], ["reset"]):
        compare(users, ["ACL", "SETUSER", "u", *rules])
        theirs, ours = ask(users, ["ACL", "GETUSER", "u"])
        assert described(ours) == described(theirs)


@pytest.mark.parametrize(
    "command",
    [
        *("ACL", "ACL NOPE", "ACL CAT", "ACL CAT nope", "ACL CAT a b", "ACL WHOAMI"),
        *("ACL GENPASS 0", "ACL GENPASS 4097", "ACL GENPASS x", "ACL GENPASS 1 2"),
        *("ACL LOG x", "ACL LOG -1", "ACL LOG 1 2", "ACL LOG RESET", "ACL LOAD", "ACL SAVE"),
        *("ACL GETUSER nobody", "ACL DELUSER default", "ACL DELUSER a default", "ACL DELUSER a"),
        *("ACL DRYRUN nobody GET a", "ACL DRYRUN default NOPE a", "ACL DRYRUN default CONFIG"),
        *("ACL DRYRUN default CONFIG NOPE", "ACL DRYRUN default GET", "ACL DRYRUN default GET a"),
        *("ACL DRYRUN default", "ACL SETUSER", "ACL LIST x", "AUTH x", "AUTH a b c"),
        *("AUTH nobody x", "AUTH default x", "HELLO 2 AUTH nobody x", "CLIENT KILL USER nobody"),
    ],
)
def test_replies_equal_redis(users: Peer, command: str) -> None:
    compare(users, cast("list[Word]", command.split()))


def test_names_of_users_equal_redis(users: Peer) -> None:
    for name in ("a b", "a\nb", "\0", ""):
        compare(users, ["ACL", "SETUSER", name])
    compare(users, ["ACL", "USERS"])


REQUESTS = (
    *("GET a", "GET b", "SET a 1", "SET a 1 GET", "SET b 1 EX 10 GET", "COPY a b", "MGET a b ax"),
    *("MSET a 1 b 2 ax 3", "EXISTS a b", "DEL a b", "CONFIG GET x", "CONFIG SET x y", "SELECT 0"),
    *("CLIENT KILL x", "CLIENT LIST", "SELECT 1", "SORT a", "SORT a BY w_* GET # STORE b"),
    *("SORT a GET x STORE b STORE ax", "SORT_RO a BY x", "LMOVE a b LEFT LEFT", "SMOVE a b m"),
    *("ZUNIONSTORE a 2 b ax", "ZUNIONSTORE a 0 b ax", "ZUNIONSTORE a x b", "ZUNION 2 a b WEIGHTS"),
    *("BITFIELD a GET u8 0", "BITFIELD a SET u8 0 1", "GETEX a", "OBJECT ENCODING a", "TYPE a"),
    *("PING", "AUTH x", "MULTI", "EXEC", "KEYS *", "FLUSHALL", "ACL SETUSER x", "ACL WHOAMI"),
    *("BLPOP a b 0", "LMPOP 2 a b LEFT", "RENAME a b", "SINTERCARD 2 a b", "WATCH a b", "TTL a"),
    *("APPEND a x", "STRLEN ax", "GETDEL a", "SDIFFSTORE a b ax", "BITOP AND a b ax", "LCS a b"),
    *("PUBLISH a x", "SPUBLISH b x", "SUBSCRIBE a b", "PSUBSCRIBE a* b", "SSUBSCRIBE a"),
    *("PFADD a x", "PFCOUNT a b", "PFMERGE a b ax", "GEOADD a 1 2 m", "GEORADIUS_RO a 1 2 3 m"),
    *("GEORADIUS a 1 2 3 m STORE b", "GEOSEARCHSTORE a b FROMLONLAT 1 1 BYRADIUS 1 m"),
    *("ZADD a 1 x", "ZRANGESTORE a b 0 1", "SPOP a", "TOUCH a b", "UNLINK a", "NOPE", "GET"),
)
COMMANDS = (
    *("get", "set", "config", "config|get", "client", "client|kill", "select", "select|0", "copy"),
    *("sort", "sort_ro", "getex", "lmove", "exists", "object", "object|encoding", "smove", "mset"),
    *("zunionstore", "bitfield", "acl", "acl|setuser", "nope", "get|", "config|nope"),
)
CATEGORIES = (
    *("all", "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"),
    *("admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting"),
)
PATTERNS = ("a", "b", "a*", "*", "?", "[ab]", "ax", "", "x*")
OF_SELECTORS = st.one_of(
    st.tuples(st.sampled_from("+-"), st.sampled_from(COMMANDS)),
    st.tuples(st.sampled_from(("+@", "-@")), st.sampled_from(CATEGORIES)),
    st.tuples(st.sampled_from(("~", "%R~", "%W~", "%RW~", "%x~")), st.sampled_from(PATTERNS)),
    st.sampled_from(("allkeys", "resetkeys", "allcommands", "nocommands", "&a", "&*", "&a*", "&b")),
).map("".join)
RULES = st.one_of(
    OF_SELECTORS,
    st.lists(OF_SELECTORS, max_size=4).map(lambda rules: f"({' '.join(rules)})"),
    st.sampled_from(("reset", "clearselectors", "on", "off", "nopass", "bogus")),
)


@settings(max_examples=60)
@given(changes=st.lists(st.lists(RULES, max_size=7), min_size=1, max_size=3))
@example([["+@all", "-@write", "~a*"], ["+set", "(%R~b +get)"]])
def test_random_rules_and_requests_equal_redis(redis_peer: Peer, changes: list[list[str]]) -> None:
    peer = redis_peer
    compare(peer, ["ACL", "SETUSER", "u", "reset"])
    for rules in changes:
        compare(peer, ["ACL", "SETUSER", "u", *rules])
        asked = [encode(["ACL", "DRYRUN", "u", *request.split()]) for request in REQUESTS]
        theirs = [as_7_2(decode(raw)) for raw in peer.server.run_all(asked)]
        for words, reply in zip(asked, theirs, strict=True):
            assert decode(peer.ours.run(words)) == reply, words


@pytest.fixture(scope="module")
def redis_peer(redis_server: Server) -> Iterator[Peer]:
    """Return peers for all examples of a property."""
    yield Peer(redis_server, Ours())
    redis_server.run([b"ACL", b"DELUSER", b"u"])


@pytest.mark.parametrize("protocol", [2, 3])
def test_requests_of_user_equal_redis(users: Peer, protocol: int) -> None:
    compare(users, ["RPUSH", "l", 1, 2])
    rules = "on nopass +multi +exec +get +set +sort +acl|whoami +hello ~a ~l +auth +discard"
    compare(users, ["ACL", "SETUSER", "u", *rules.split()])
    compare(users, ["AUTH", "u", "x"])
    users.protocol(protocol)
    for request in (
        *("GET a", "GET b", "MGET a b", "SET a", "SET a 1", "CONFIG GET x", "NOPE", "ACL WHOAMI"),
        *("SORT l BY w_*", "SORT l GET #", "SORT l", "SORT l STORE b", "EXEC", "DISCARD", "RESET"),
    ):
        compare(users, cast("list[Word]", request.split()))
    compare(users, ["AUTH", "u", "x"])
    for request in ("MULTI", "SET a 1", "GET b", "EXEC", "MULTI", "SET a 1", "MGET a", "DISCARD"):
        compare(users, cast("list[Word]", request.split()))
    compare(users, ["AUTH", "default", "x"])


def test_log_equals_redis(users: Peer) -> None:
    compare(users, ["ACL", "LOG", "RESET"])
    compare(users, ["ACL", "SETUSER", "u", "on", "nopass", "+get", "+multi", "+mget", "~a"])
    compare(users, ["auth", "nobody", "x"])
    compare(users, ["AUTH", "u", "x"])
    for request in ("SET a 1", "GET b", "MGET a c", "set b 1", "CONFIG GET x", "MULTI", "GET b"):
        compare(users, cast("list[Word]", request.split()))
    compare(users, ["Auth", "nobody", "x"])
    compare(users, ["RESET"])
    assert logged(users.ours.run([b"ACL", b"LOG"])) == logged(users.server.run([b"ACL", b"LOG"]))


def logged(raw: bytes) -> list[tuple[Any, ...]]:
    """Return the fields of a log that do not depend on times and connections."""
    found: list[tuple[Any, ...]] = []
    for parts in cast("list[list[Any]]", decode(raw)):
        fields = dict(zip(parts[::2], parts[1::2], strict=True))
        names = (b"count", b"reason", b"context", b"object", b"username")
        command = re.search(rb" cmd=(\S+) user=(\S+) ", fields[b"client-info"])
        assert command is not None
        found.append((*(fields[name] for name in names), command.groups()))
    return found


def test_password_of_default_equals_redis(users: Peer) -> None:
    try:
        for change in (
            ["ACL", "SETUSER", "default", ">pw"],
            ["CONFIG", "SET", "requirepass", ""],
            ["CONFIG", "SET", "requirepass", "x"],
            ["ACL", "SETUSER", "default", ">y"],
            ["CONFIG", "SET", "requirepass", "x"],
            ["CONFIG", "SET", "requirepass", ""],
            ["ACL", "SETUSER", "default", "off"],
        ):
            compare(users, cast("list[Word]", change))
            for password in ("x", "pw", "y", ""):
                compare(users, ["AUTH", password])
            compare(users, ["CONFIG", "GET", "requirepass"])
            theirs, ours = ask(users, ["ACL", "GETUSER", "default"])
            assert described(ours) == described(theirs)
    finally:
        users.server.run([b"CONFIG", b"SET", b"requirepass", b""])
        users.server.run(encode(["ACL", "SETUSER", "default", *OF_DEFAULT]))
