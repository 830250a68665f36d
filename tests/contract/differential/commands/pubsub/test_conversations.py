"""Compare publish/subscribe of several connections with a real redis-server, byte for byte."""

from __future__ import annotations

import pytest

from tests.contract.differential.commands.pubsub.talking import Talk
from tests.crdb.redis_peer import Peer, Server

SCRIPTS = {
    "channels, patterns and shard channels": """
        1 SUBSCRIBE a b a
        2 PUBLISH a one; PUBLISH b two; PUBLISH c three
        1 PSUBSCRIBE a* ?
        2 PUBLISH c four
        1 SSUBSCRIBE a s
        2 SPUBLISH a five; SPUBLISH none six
        2 PUBSUB NUMSUB a b c; PUBSUB NUMPAT; PUBSUB SHARDNUMSUB a s; PUBSUB SHARDCHANNELS s*
        2 PUBSUB CHANNELS a; PUBSUB CHANNELS z*; PUBSUB NUMSUB
        1 UNSUBSCRIBE a; PUNSUBSCRIBE ? none; SUNSUBSCRIBE s none
        2 PUBLISH a seven; PUBLISH b eight; SPUBLISH s nine; SPUBLISH a ten
    """,
    "the commands of a subscriber": """
        1 SUBSCRIBE a
        1 GET k; PING; PING hello; PING a b; ECHO x; MULTI; HELLO 3; CLIENT ID; nothing; SUBSCRIBE
        1 PUBLISH a x; UNSUBSCRIBE a; GET k; PING
        1 PSUBSCRIBE a; SET k v; PUNSUBSCRIBE; SSUBSCRIBE a; EXEC; SUNSUBSCRIBE; GET k
        1 SUBSCRIBE a; QUIT
    """,
    "nothing to unsubscribe": """
        1 UNSUBSCRIBE; PUNSUBSCRIBE; SUNSUBSCRIBE; UNSUBSCRIBE a; SUNSUBSCRIBE a b
        R1 UNSUBSCRIBE; PUNSUBSCRIBE b; SUNSUBSCRIBE
    """,
    "RESP3": """
        R1 SUBSCRIBE a; PSUBSCRIBE *; SSUBSCRIBE s; GET k; PING; PING x; MULTI; EXEC
        2 PUBLISH a one; SPUBLISH s two
        3 PSUBSCRIBE *
        2 PUBLISH a one
        R1 UNSUBSCRIBE; SUNSUBSCRIBE; PUNSUBSCRIBE; PING
    """,
    "reset": """
        R1 SUBSCRIBE a; PSUBSCRIBE b; SSUBSCRIBE c; RESET; GET k
        2 PUBLISH a one; PUBLISH b two; SPUBLISH c three; PUBSUB NUMPAT
    """,
    "transactions": """
        1 MULTI; SUBSCRIBE a b; PSUBSCRIBE p; GET k; UNSUBSCRIBE a; EXEC; GET k; PING
        2 MULTI; PUBLISH a one; SET k v; PUBLISH b two; SPUBLISH b three; EXEC
        3 MULTI; SSUBSCRIBE a; SUNSUBSCRIBE; EXEC; PING
        R4 MULTI; SUBSCRIBE b; EXEC; GET k
        2 PUBLISH b four
        5 MULTI; SUBSCRIBE; EXEC
    """,
    "replies that are off": """
        1 CLIENT REPLY OFF; GET k; SUBSCRIBE a b; PING; UNSUBSCRIBE b
        2 PUBLISH a one
        3 CLIENT REPLY SKIP; SUBSCRIBE a
        2 PUBLISH a two
        R4 CLIENT REPLY OFF; SUBSCRIBE a; PUBLISH none x; GET k
        2 PUBLISH a three
    """,
    "names of any bytes": """
        1 SUBSCRIBE "" "\\x00\\xff"; PSUBSCRIBE "" "[a-"
        2 PUBLISH "" empty; PUBLISH "\\x00\\xff" bytes; PUBLISH "a" x; PUBLISH x ""
    """,
    "patterns": """
        1 PSUBSCRIBE h?llo g*o f[ae]llo h\\[llo
        2 PUBLISH hello 1; PUBLISH ggo 2; PUBLISH fillo 3; PUBLISH follo 4; PUBLISH h[lloo 5
        1 PUNSUBSCRIBE h?llo g*o
        2 PUBLISH fallo 6; PUBLISH fello 7; PUBLISH hello 8
    """,
    "blocked subscriber": """
        R1 SUBSCRIBE a; ECHO x; BLPOP l 0
        2 PUBLISH a one
        2 RPUSH l x
        R1 GET k
        2 PUBLISH a two
    """,
    "wrong requests": """
        1 SUBSCRIBE; PSUBSCRIBE; SSUBSCRIBE; PUBLISH; PUBLISH a; PUBLISH a b c; SPUBLISH a
        1 PUBSUB; PUBSUB nothing; PUBSUB NUMPAT x; PUBSUB CHANNELS; PUBSUB NUMSUB a a
        1 PUBSUB SHARDNUMSUB; PUBSUB SHARDCHANNELS; PUBSUB HELP x
    """,
    "killed by type": """
        1 SUBSCRIBE a
        2 SSUBSCRIBE a; SUNSUBSCRIBE
        3 CLIENT KILL TYPE pubsub
        2 PING
        3 PUBLISH a one; CLIENT KILL TYPE pubsub
    """,
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_connections_receive_what_they_do_from_redis(redis_server: Server, script: str) -> None:
    redis_server.run([b"FLUSHALL"])
    Talk(redis_server).play(script)


def test_many_names_are_the_same(redis_server: Server) -> None:
    redis_server.run([b"FLUSHALL"])
    names = " ".join(f"c{number}" for number in range(2500))
    Talk(redis_server).play(f"""
        1 SUBSCRIBE {names}
        2 PUBLISH c2400 x; PUBSUB NUMSUB c1 c2499
        1 UNSUBSCRIBE {names}
    """)


def test_figures_are_the_same(peer: Peer) -> None:
    peer.same("PUBSUB", "CHANNELS")
    for info in (peer.server.run([b"INFO", b"stats"]), peer.ours.run([b"INFO", b"stats"])):
        assert b"pubsub_channels:0\r\npubsub_patterns:0\r\npubsubshard_channels:0\r\n" in info
