"""Compare commands on consumer groups with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import GROUPS, STREAMS, history
from tests.crdb.redis_peer import Peer, Word

FILLED: list[tuple[Word, ...]] = [
    ("SET", "string", "x"),
    *[("XADD", "s", f"{ms}-0", "f", f"{ms}") for ms in (1, 2, 3, 4, 5, 6)],
    ("XGROUP", "CREATE", "s", "g", "1-0"),
    ("XGROUP", "CREATE", "s", "new", "$"),
    ("XREADGROUP", "GROUP", "g", "ann", "COUNT", "2", "STREAMS", "s", ">"),
    ("XREADGROUP", "GROUP", "g", "bob", "COUNT", "1", "STREAMS", "s", ">"),
    ("XGROUP", "CREATE", "s2", "g", "0", "MKSTREAM"),
    ("XADD", "s2", "1-1", "a", "b"),
    ("XDEL", "s", "3-0"),
]

COMMANDS = [
    *("XGROUP CREATE s h 0", "XGROUP CREATE s h $", "XGROUP CREATE s h 3-0", "XGROUP CREATE s g 0"),
    *("XGROUP CREATE missing h 0", "XGROUP CREATE missing h 0 MKSTREAM", "XGROUP CREATE s h x"),
    *("XGROUP CREATE missing h $ MKSTREAM", "XGROUP CREATE string h 0", "XGROUP CREATE s h -"),
    *("XGROUP CREATE s h 0 ENTRIESREAD 3", "XGROUP CREATE s h 0 ENTRIESREAD -2", "XGROUP CREATE s"),
    *(
        "XGROUP CREATE s h 0 ENTRIESREAD x",
        "XGROUP CREATE s h 0 ENTRIESREAD",
        "XGROUP CREATE s h 0 x",
    ),
    *("XGROUP CREATE missing h x MKSTREAM", "XGROUP CREATE string h 0 MKSTREAM", "XGROUP"),
    *("XGROUP CREATE s h 0 MKSTREAM ENTRIESREAD 1", "XGROUP CREATE s g 0 MKSTREAM", "XGROUP x s g"),
    *("XGROUP SETID s g 0", "XGROUP SETID s g $", "XGROUP SETID s g 3-0 ENTRIESREAD 2"),
    *("XGROUP SETID s nobody 0", "XGROUP SETID missing g 0", "XGROUP SETID string g 0"),
    *(
        "XGROUP SETID s g x",
        "XGROUP SETID s g 0 ENTRIESREAD -2",
        "XGROUP SETID s g",
        "XGROUP SETID s g -",
    ),
    *("XGROUP DESTROY s g", "XGROUP DESTROY s nobody", "XGROUP DESTROY missing g"),
    *("XGROUP DESTROY string g", "XGROUP DESTROY s", "XGROUP DESTROY s g x"),
    *(
        "XGROUP CREATECONSUMER s g cid",
        "XGROUP CREATECONSUMER s g ann",
        "XGROUP DELCONSUMER s g ann",
    ),
    *("XGROUP CREATECONSUMER s nobody cid", "XGROUP CREATECONSUMER missing g cid"),
    *(
        "XGROUP DELCONSUMER s g cid",
        "XGROUP DELCONSUMER s nobody ann",
        "XGROUP DELCONSUMER string g a",
    ),
    *("XREADGROUP GROUP g ann STREAMS s >", "XREADGROUP GROUP g cid COUNT 1 STREAMS s >"),
    *("XREADGROUP GROUP g ann STREAMS s 0", "XREADGROUP GROUP g ann STREAMS s 2-0"),
    *("XREADGROUP GROUP g ann COUNT 1 STREAMS s 0", "XREADGROUP GROUP g cid STREAMS s 0"),
    *("XREADGROUP GROUP new ann STREAMS s >", "XREADGROUP GROUP new ann STREAMS s 0"),
    *(
        "XREADGROUP GROUP g ann NOACK STREAMS s >",
        "XREADGROUP GROUP g cid NOACK COUNT 1 STREAMS s >",
    ),
    *("XREADGROUP GROUP g ann STREAMS s s2 > >", "XREADGROUP GROUP g ann STREAMS s s2 0 >"),
    *("XREADGROUP GROUP nobody ann STREAMS s >", "XREADGROUP GROUP g ann STREAMS missing >"),
    *("XREADGROUP GROUP g ann STREAMS string >", "XREADGROUP GROUP g ann STREAMS s $"),
    *("XREADGROUP STREAMS s >", "XREADGROUP GROUP g ann s >", "XREADGROUP GROUP g ann STREAMS s x"),
    *("XREADGROUP GROUP g ann STREAMS s s2 >", "XREADGROUP GROUP g ann COUNT x STREAMS s >"),
    *("XREADGROUP GROUP g ann BLOCK x STREAMS s >", "XREADGROUP GROUP g ann BLOCK 1 STREAMS s >"),
    *("XREADGROUP GROUP g ann COUNT 0 STREAMS s >", "XREADGROUP GROUP g ann COUNT -1 STREAMS s >"),
    *("XACK s g 2-0", "XACK s g 2-0 2-0 4-0", "XACK s g 1-0", "XACK s nobody 2-0", "XACK s g 3-0"),
    *("XACK missing g 2-0", "XACK string g 2-0", "XACK s g x", "XACK s g 2-0 x", "XACK s g"),
    *("XACK s nobody x", "XACK s g 2"),
    *(
        "XPENDING s g",
        "XPENDING s new",
        "XPENDING s nobody",
        "XPENDING missing g",
        "XPENDING string g",
    ),
    *("XPENDING s g - + 10", "XPENDING s g - + 1", "XPENDING s g - + 0", "XPENDING s g - + -1"),
    *("XPENDING s g - + 10 ann", "XPENDING s g - + 10 cid", "XPENDING s g (2-0 + 10", "XPENDING s"),
    *("XPENDING s g 3 3 10", "XPENDING s g + - 10", "XPENDING s g IDLE 0 - + 10 bob"),
    *("XPENDING s g IDLE 99999 - + 10", "XPENDING s g IDLE x - + 10", "XPENDING s g IDLE 0 - +"),
    *("XPENDING s g -", "XPENDING s g - +", "XPENDING s g - + x", "XPENDING s g x + 1"),
    *("XPENDING s g - x 1", "XPENDING s nobody - + x", "XPENDING s g - + 10 ann x y z"),
    *("XCLAIM s g cid 0 2-0", "XCLAIM s g cid 0 2-0 3-0 4-0", "XCLAIM s g cid 99999 2-0"),
    *("XCLAIM s g ann 0 2-0 JUSTID", "XCLAIM s g cid 0 5-0", "XCLAIM s g cid 0 5-0 FORCE"),
    *(
        "XCLAIM s g cid 0 9-0 FORCE",
        "XCLAIM s g cid 0 2-0 RETRYCOUNT 7",
        "XCLAIM s g cid 0 2-0 IDLE 0",
    ),
    *("XCLAIM s g cid 0 2-0 TIME 1", "XCLAIM s g cid 0 2-0 LASTID 5-0", "XCLAIM s g cid x 2-0"),
    *(
        "XCLAIM s g cid 0 2-0 IDLE x",
        "XCLAIM s g cid 0 2-0 TIME x",
        "XCLAIM s g cid 0 2-0 RETRYCOUNT x",
    ),
    *("XCLAIM s g cid 0 2-0 LASTID x", "XCLAIM s g cid 0 2-0 what", "XCLAIM s g cid 0 x"),
    *("XCLAIM s nobody cid 0 2-0", "XCLAIM missing g cid 0 2-0", "XCLAIM string g cid 0 2-0"),
    *("XCLAIM s g cid 0", "XCLAIM s g cid -1 2-0", "XCLAIM s g cid 0 2-0 justid force 4-0"),
    *("XCLAIM s g cid 0 FORCE", "XCLAIM s g cid 0 2-0 IDLE", "XCLAIM s g cid 0 1-0 2-0 4-0 JUSTID"),
    *("XAUTOCLAIM s g cid 0 0", "XAUTOCLAIM s g cid 0 - COUNT 1", "XAUTOCLAIM s g cid 0 - COUNT 2"),
    *("XAUTOCLAIM s g cid 0 (2-0", "XAUTOCLAIM s g cid 0 0 JUSTID", "XAUTOCLAIM s g cid 99999 0"),
    *("XAUTOCLAIM s g cid x 0", "XAUTOCLAIM s g cid 0 x", "XAUTOCLAIM s g cid 0 0 COUNT 0"),
    *(
        "XAUTOCLAIM s g cid 0 0 COUNT x",
        "XAUTOCLAIM s g cid 0 0 what",
        "XAUTOCLAIM s g cid 0 0 COUNT",
    ),
    *("XAUTOCLAIM s nobody cid 0 0", "XAUTOCLAIM missing g cid 0 0", "XAUTOCLAIM string g cid 0 0"),
    *("XAUTOCLAIM s g cid 0 4-0 COUNT 1", "XAUTOCLAIM s g cid", "XAUTOCLAIM s new cid 0 0"),
    *("XINFO GROUPS s", "XINFO GROUPS s2", "XINFO CONSUMERS s nobody", "XINFO CONSUMERS missing g"),
    *("XINFO CONSUMERS s new", "XINFO CONSUMERS string g", "XINFO STREAM s", "XINFO STREAM s2"),
    *("XINFO CONSUMERS s", "XDEL s 5-0", "XTRIM s MAXLEN 1", "XDEL s 6-0", "XTRIM s MAXLEN 0"),
    *("XADD s 7-0 a b", "XSETID s 9-9 ENTRIESADDED 20 MAXDELETEDID 7-7", "DEL s", "XDEL s 1-0 2-0"),
]

AFTER: list[tuple[Word, ...]] = [
    ("XPENDING", "s", "g"),
    ("XPENDING", "s", "g", "-", "+", "10"),
    ("XINFO", "GROUPS", "s"),
    ("XREADGROUP", "GROUP", "g", "dan", "COUNT", "2", "STREAMS", "s", ">"),
    ("XINFO", "GROUPS", "s"),
    ("XINFO", "GROUPS", "s2"),
    ("DEL", "s", "s2", "string", "missing"),
]
"""The commands that follow each of them."""


@pytest.mark.parametrize("protocol", [2, 3])
def test_each_command_equals_redis(peer: Peer, protocol: int) -> None:
    commands: list[tuple[Word, ...]] = []
    for command in COMMANDS:
        commands += [*FILLED, tuple(command.split()), *AFTER]
    peer.play(commands, protocol)


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [STREAMS, GROUPS], 400), 2 + seed % 2)
