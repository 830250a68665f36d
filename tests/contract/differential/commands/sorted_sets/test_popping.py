"""Compare the replies of pops from sorted sets with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import POPS, SORTED_SETS, history
from tests.crdb.redis_peer import Peer

FAILING = [
    "ZPOPMIN z -1",
    "ZPOPMIN z x",
    "ZPOPMIN z 1 2",
    "ZPOPMAX string 0",
    "ZPOPMAX string x",
    "ZMPOP 0 z MIN",
    "ZMPOP x z MIN",
    "ZMPOP 1 z",
    "ZMPOP 1 z MID",
    "ZMPOP 2 z MIN",
    "ZMPOP 1 z MIN COUNT",
    "ZMPOP 1 z MIN COUNT 0",
    "ZMPOP 1 z MIN COUNT 1 COUNT 1",
    "ZMPOP 1 z MIN LIMIT 1",
    "ZMPOP 9223372036854775807 z MIN",
    "ZMPOP 2 missing string MIN",
    "BZPOPMIN z",
    "BZPOPMIN z x",
    "BZPOPMIN z -1",
    "BZPOPMAX missing string 1",
    "BZMPOP x 1 z MIN",
    "BZMPOP 0 0 z MIN",
    "BZMPOP 0 1 z UP",
    "BZMPOP -1 1 z MIN",
    "BZMPOP 0 1 string MIN",
]
SERVED = [
    "ZPOPMIN z",
    "ZPOPMAX z 2",
    "ZPOPMAX z 9",
    "ZMPOP 2 missing z MIN COUNT 2",
    "ZMPOP 1 z max",
    "ZMPOP 1 missing MIN",
    "BZPOPMIN missing z 0",
    "BZPOPMAX z string 0.5",
    "BZMPOP 0 2 missing z MAX COUNT 9",
]


FILLED = [("SET", "string", "x"), ("ZADD", "z", "1", "a", "2.5", "b", "2.5", "c")]


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_are_as_in_redis(peer: Peer, protocol: int) -> None:
    for command in (*FAILING, *SERVED):
        peer.play([*FILLED, command.split()], protocol)


@pytest.mark.parametrize("seed", range(5))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [SORTED_SETS, POPS], 400))


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    "command", ["BZPOPMIN none 0", "BZPOPMAX none 0", "BZMPOP 0 1 none MIN", "ZMPOP 1 none MAX"]
)
def test_inside_transaction_nothing_waits(peer: Peer, protocol: int, command: str) -> None:
    peer.protocol(protocol)
    peer.same("MULTI")
    peer.same(*command.split())
    peer.same("EXEC")
