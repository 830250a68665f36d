"""Compare the replies of CLIENT with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.raw import exchange, ours
from tests.crdb.redis_peer import Peer, decode

CONVERSATIONS = [
    "CLIENT",
    "CLIENT NOTHING",
    "CLIENT ID x",
    "CLIENT GETNAME\r\nCLIENT SETNAME bob\r\nCLIENT GETNAME\r\nCLIENT SETNAME ''\r\nCLIENT GETNAME",
    "CLIENT SETNAME 'a b'",
    "CLIENT SETNAME \xff",
    "CLIENT REPLY",
    "CLIENT REPLY ON",
    "CLIENT NO-EVICT ON\r\nCLIENT NO-EVICT off\r\nCLIENT NO-EVICT maybe",
    "CLIENT LIST TYPE nothing",
    "CLIENT LIST TYPE pubsub",
    "CLIENT LIST TYPE master\r\nCLIENT LIST TYPE replica",
    "CLIENT LIST ID 99999999",
    "CLIENT LIST ID x",
    "CLIENT LIST ID",
    "CLIENT LIST TYPE",
    "CLIENT LIST SOMETHING normal",
    "CLIENT KILL",
    "CLIENT KILL 1.2.3.4:5",
    "CLIENT KILL ID",
    "CLIENT KILL ID 0",
    "CLIENT KILL ID x",
    "CLIENT KILL ID 99999999",
    "CLIENT KILL ADDR 1.2.3.4:5 LADDR 1.2.3.4:6",
    "CLIENT KILL TYPE nothing",
    "CLIENT KILL TYPE pubsub SKIPME no",
    "CLIENT KILL USER nobody",
    "CLIENT KILL USER default ID 99999999",
    "CLIENT KILL SKIPME maybe",
    "CLIENT KILL ID 99999999 SKIPME",
    "CLIENT KILL NOTHING x",
    "CLIENT PAUSE x",
    "CLIENT PAUSE -1",
    "CLIENT PAUSE 0",
    "CLIENT PAUSE 0 write",
    "CLIENT PAUSE 1 wrong",
    "CLIENT PAUSE 1 WRITE x",
    "CLIENT UNPAUSE",
    "CLIENT TRACKING OFF",
    "CLIENT CACHING YES",
    "CLIENT GETREDIR",
    "CLIENT TRACKINGINFO",
    "CLIENT UNBLOCK x",
    "CLIENT UNBLOCK 99999999",
    "CLIENT UNBLOCK 99999999 ERROR",
    "CLIENT UNBLOCK 99999999 timeout",
    "CLIENT UNBLOCK 99999999 maybe",
    "CLIENT Unblock 99999999 ERROR x",
]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_conversations_run_as_with_redis(peer: Peer, conversation: str) -> None:
    data = conversation.encode("latin-1") + b"\r\n"
    assert ours(data) == exchange(peer.server, data)


def described(line: bytes) -> dict[str, str]:
    """Return the fields of one line of CLIENT LIST."""
    return dict(field.split("=", 1) for field in line.decode().rstrip("\n").split(" "))


def test_line_has_fields_of_redis_in_their_order(peer: Peer) -> None:
    theirs = list(described(decode(peer.server.run([b"CLIENT", b"INFO"]))))
    mine = list(described(decode(peer.ours.run([b"CLIENT", b"INFO"]))))
    assert mine == [*theirs, *(name for name in ("lib-name", "lib-ver") if name not in theirs)]


def test_line_is_about_request_that_asks_for_it(peer: Peer) -> None:
    fields = ("qbuf", "argv-mem", "cmd", "multi-mem", "omem", "events", "resp", "user", "redir")
    theirs = described(decode(peer.server.run([b"CLIENT", b"LIST"])))
    mine = described(decode(peer.ours.run([b"CLIENT", b"LIST"])))
    assert {name: mine[name] for name in fields} == {name: theirs[name] for name in fields}
    assert (mine["cmd"], mine["qbuf"]) == ("client|list", "26")
