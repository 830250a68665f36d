"""Compare commands on the entries of streams with those of a real redis-server.

Ours accepts the ids that Redis accepts, in the mode `liberal`.
"""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import STREAMS, history
from tests.crdb.redis_peer import Peer, Word

FILLED: list[tuple[Word, ...]] = [
    ("SET", "string", "x"),
    *[
        ("XADD", "s", f"{ms}-{minor}", "f", f"{ms}", "g", "")
        for ms in (1, 2, 5)
        for minor in (1, 4)
    ],
    ("XADD", "one", "7-0", "field", "value"),
    ("XADD", "empty", "9-9", "a", "b"),
    ("XDEL", "empty", "9-9"),
]

COMMANDS = [
    *(
        "XADD s 5-5 a b",
        "XADD s 6-* a b c d",
        "XADD s 6 a b",
        "XADD new 1-1 a b",
        "XADD new 0-1 a b",
    ),
    *("XADD s 5-4 a b", "XADD s 5-3 a b", "XADD s 1 a b", "XADD s 5-* a b", "XADD s 4-* a b"),
    *("XADD s 0-0 a b", "XADD new 0-0 a b", "XADD new 0-* a b", "XADD new 0 a b", "XADD s x a b"),
    *("XADD s 6-x a b", "XADD s -1 a b", "XADD s - a b", "XADD s + a b", "XADD s 6- a b"),
    *("XADD s 6-6 a", "XADD s 6-6", "XADD s 6-6 a b c", "XADD s", "XADD s *", "XADD s * a"),
    *("XADD s 01 a b", "XADD s 18446744073709551615-18446744073709551615 a b"),
    *("XADD s 18446744073709551616 a b", "XADD s 6-18446744073709551615 a b"),
    *("XADD string 6-6 a b", "XADD string * a b", "XADD missing NOMKSTREAM 6-6 a b"),
    *("XADD missing NOMKSTREAM * a b", "XADD s nomkstream 6-6 a b", "XADD string NOMKSTREAM * a b"),
    *("XADD s MAXLEN 3 6-6 a b", "XADD s MAXLEN = 3 6-6 a b", "XADD s MAXLEN 0 6-6 a b"),
    *("XADD s MAXLEN -1 6-6 a b", "XADD s MAXLEN x 6-6 a b", "XADD s MINID 5 6-6 a b"),
    *("XADD s MINID 7 6-6 a b", "XADD s MINID = 2-4 6-6 a b", "XADD s MINID x 6-6 a b"),
    *("XADD s MAXLEN ~ 3 6-6 a b", "XADD s MAXLEN ~ 0 6-6 a b", "XADD s MINID ~ 5 6-6 a b"),
    *("XADD s MAXLEN 3 MINID 5 6-6 a b", "XADD s MAXLEN 3 MAXLEN 4 6-6 a b"),
    *("XADD s MAXLEN 3 LIMIT 1 6-6 a b", "XADD s LIMIT 1 6-6 a b", "XADD s LIMIT -1 6-6 a b"),
    *("XADD s MAXLEN ~ 3 LIMIT 1 6-6 a b", "XADD s MAXLEN ~ 3 LIMIT 0 6-6 a b"),
    *("XADD s MAXLEN ~ 0 LIMIT 0 6-6 a b", "XADD s MAXLEN 6-6 a b", "XADD s LIMIT 0 6-6 a b"),
    *("XADD s MAXLEN 2 NOMKSTREAM 6-6 a b", "XADD s NOMKSTREAM MAXLEN 2 6-6 a b"),
    *("XLEN s", "XLEN missing", "XLEN string", "XLEN empty", "XLEN", "XLEN s s"),
    *("XRANGE s - +", "XRANGE s 1 2", "XRANGE s 1-2 5-1", "XRANGE s (1-1 (5-4", "XRANGE s ( +"),
    *("XRANGE s (1 (2", "XRANGE s 5 1", "XRANGE s + -", "XRANGE missing - +", "XRANGE string - +"),
    *("XRANGE s - + COUNT 2", "XRANGE s - + COUNT 0", "XRANGE s - + COUNT -1", "XRANGE s x +"),
    *("XRANGE s - + COUNT", "XRANGE s - + COUNT x", "XRANGE s - + LIMIT 2", "XRANGE s - x"),
    *("XRANGE missing - + COUNT 0", "XRANGE s - + COUNT 1 COUNT 3", "XRANGE empty - +"),
    *("XRANGE s (18446744073709551615-18446744073709551615 +", "XRANGE s - (0-0", "XRANGE s (- +"),
    *("XRANGE s - (0", "XRANGE s 2-4 2-4", "XRANGE s 3 4", "XRANGE s - (+", "XRANGE s"),
    *("XREVRANGE s + -", "XREVRANGE s 5 2", "XREVRANGE s (5-4 (1-1", "XREVRANGE s + - COUNT 1"),
    *(
        "XREVRANGE s - +",
        "XREVRANGE s + - COUNT 0",
        "XREVRANGE missing + -",
        "XREVRANGE string + -",
    ),
    *("XREVRANGE s 2-4 2-4", "XREVRANGE s x -", "XREVRANGE s + x", "XREVRANGE s (0-0 -"),
    *("XDEL s 1-1", "XDEL s 1-1 1-1 2-1", "XDEL s 3-3", "XDEL s 1", "XDEL missing 1-1"),
    *("XDEL string 1-1", "XDEL s x", "XDEL s 1-1 x", "XDEL s -", "XDEL s", "XDEL one 7-0"),
    *("XTRIM s MAXLEN 3", "XTRIM s MAXLEN = 3", "XTRIM s MAXLEN 0", "XTRIM s MAXLEN 99"),
    *("XTRIM s MINID 2", "XTRIM s MINID 5-4", "XTRIM s MINID 9", "XTRIM s MINID = 2-4"),
    *("XTRIM s MAXLEN ~ 3", "XTRIM s MAXLEN ~ 0", "XTRIM s MINID ~ 9", "XTRIM s MINID ~ 3"),
    *("XTRIM s MAXLEN ~ 0 LIMIT 1", "XTRIM s MAXLEN ~ 0 LIMIT 0", "XTRIM s MAXLEN 3 LIMIT 1"),
    *("XTRIM s MAXLEN", "XTRIM s MAXLEN x", "XTRIM s MAXLEN -1", "XTRIM s", "XTRIM s MINID x"),
    *(
        "XTRIM s LIMIT 1",
        "XTRIM s LIMIT 0",
        "XTRIM s NOMKSTREAM",
        "XTRIM s MAXLEN 1 x",
        "XTRIM s x",
    ),
    *("XTRIM missing MAXLEN 1", "XTRIM string MAXLEN 1", "XTRIM s MAXLEN 1 MINID 2"),
    *(
        "XSETID s 9-9",
        "XSETID s 5-4",
        "XSETID s 5-3",
        "XSETID s 1",
        "XSETID missing 9",
        "XSETID s x",
    ),
    *("XSETID string 9", "XSETID s 9 ENTRIESADDED 99", "XSETID s 9 ENTRIESADDED 5", "XSETID s -"),
    *("XSETID s 9 ENTRIESADDED -1", "XSETID s 9 MAXDELETEDID 8", "XSETID s 9 MAXDELETEDID 10"),
    *("XSETID s 9 ENTRIESADDED 99 MAXDELETEDID 1-1", "XSETID s 9 ENTRIESADDED", "XSETID s 9 x 1"),
    *("XSETID empty 9-9", "XSETID empty 9-10", "XSETID s"),
    *("XREAD STREAMS s 0", "XREAD STREAMS s 2-1", "XREAD COUNT 2 STREAMS s one 1 0", "XREAD"),
    *("XREAD STREAMS s 5-4", "XREAD STREAMS s $", "XREAD STREAMS missing 0", "XREAD STREAMS s"),
    *("XREAD STREAMS string 0", "XREAD STREAMS s one 0", "XREAD STREAMS s one 0 0"),
    *("XREAD STREAMS s missing 0 0", "XREAD COUNT 0 STREAMS s 0", "XREAD COUNT -1 STREAMS s 0"),
    *("XREAD COUNT x STREAMS s 0", "XREAD COUNT 1 s 0", "XREAD STREAMS s >", "XREAD STREAMS s x"),
    *("XREAD BLOCK 10 STREAMS s 0", "XREAD BLOCK x STREAMS s 0", "XREAD BLOCK -1 STREAMS s 0"),
    *("XREAD GROUP g c STREAMS s 0", "XREAD NOACK STREAMS s 0", "XREAD STREAMS s s 0 5-1"),
    *("XREAD STREAMS empty 0", "XREAD STREAMS s -", "XREAD STREAMS s 5", "XREAD COUNT STREAMS s 0"),
    *("TYPE s", "TYPE empty", "EXISTS empty", "OBJECT ENCODING s", "XINFO STREAM empty", "XINFO"),
    *("XINFO STREAM missing", "XINFO STREAM string", "XINFO GROUPS s", "XINFO GROUPS missing"),
    *(
        "XINFO CONSUMERS s g",
        "XINFO STREAM s x",
        "XINFO STREAM s FULL x",
        "XINFO STREAM s FULL COUNT",
    ),
    *("XINFO STREAM s FULL COUNT x", "XINFO STREAM", "XINFO nothing s", "XINFO GROUPS s x"),
]

AFTER: list[tuple[Word, ...]] = [
    ("XRANGE", "s", "-", "+"),
    ("XLEN", "empty"),
    ("XINFO", "STREAM", "one"),
    ("DEL", "s", "one", "empty", "new", "string"),
]
"""The commands that follow each of them."""


@pytest.mark.parametrize("protocol", [2, 3])
def test_each_command_equals_redis(peer: Peer, protocol: int) -> None:
    commands: list[tuple[Word, ...]] = []
    for command in COMMANDS:
        commands += [*FILLED, tuple(command.split()), *AFTER]
    peer.play(commands, protocol)


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [STREAMS], 400), 2 + seed % 2)
