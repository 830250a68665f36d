"""Random sequences have the same replies as in Redis, and leave the same: by family and mixed.

They have transactions, watched keys, scripts and messages. `make soak` plays thousands of them.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from tests.contract.differential.sequences import (
    FAMILIES,
    SUBSCRIBER,
    Request,
    SequencePeer,
    draw_requests,
)
from tests.crdb.redis_peer import Server

FAMILY = st.sampled_from(sorted(FAMILIES)).map(lambda name: [name])
SEVERAL = st.lists(st.sampled_from(sorted(FAMILIES)), min_size=2, max_size=4, unique=True)
SEEDS = st.lists(st.integers(0, (1 << 32) - 1), min_size=20, max_size=80)


@given(families=FAMILY | SEVERAL, seeds=SEEDS, protocol=st.sampled_from((2, 3)))
def test_sequence_is_as_in_redis(
    redis_server: Server, families: list[str], seeds: list[int], protocol: int
) -> None:
    peer = SequencePeer(redis_server)
    try:
        peer.play(draw_requests(families, seeds), protocol)
    finally:
        peer.close()


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        ([Request(0, ("GET", "x"))], "GET"),
        ([Request(1, ("MULTI",)), Request(1, ("GET", "x")), Request(1, ("EXEC",))], "GET"),
        ([Request(0, ("EVAL", "return redis.call(unpack(ARGV))", "0", "GET", "x"))], "GET"),
        ([Request(SUBSCRIBER, ("SUBSCRIBE", "news"))], "SUBSCRIBE news"),
    ],
)
def test_difference_is_noticed(redis_server: Server, requests: list[Request], text: str) -> None:
    peer = SequencePeer(redis_server)
    instance = peer.peer.ours.instance
    receive(Client(instance), b"SET x ours\r\n")
    receive(peer.clients[SUBSCRIBER], b"SUBSCRIBE other\r\n")
    try:
        with pytest.raises(AssertionError, match=text):
            peer.play(requests, 2)
    finally:
        peer.close()


def test_all_families_and_what_is_around_them_are_drawn() -> None:
    drawn = list(draw_requests(sorted(FAMILIES), range(3000)))
    names = {each.words[0].upper() for each in drawn}
    assert len(names) > 120
    assert {"MULTI", "EXEC", "WATCH", "EVAL", "PUBLISH", "SSUBSCRIBE", "XACK", "PFMERGE"} <= names
    assert {each.client for each in drawn} == {0, 1, SUBSCRIBER}
