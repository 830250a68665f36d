"""Compare the replies of ranges of sorted sets with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import RANGES, SORTED_SETS, history
from tests.crdb.redis_peer import Peer


@pytest.mark.parametrize(
    "command",
    [
        "ZRANGE z 0",
        "ZRANGE z 0 -1 WITHSCORES WITHSCORES",
        "ZRANGE z -1 -5",
        "ZRANGE z -100 100 REV",
        "ZRANGE z 1 1 REV WITHSCORES",
        "ZRANGE z 5 9",
        "ZRANGE z 9223372036854775807 -9223372036854775808",
        "ZRANGE z 0 x",
        "ZRANGE z 0 -1 LIMIT 0 1",
        "ZRANGE z 0 -1 LIMIT 0 -1",
        "ZRANGE z 0 -1 LIMIT 1 -1",
        "ZRANGE z 0 -1 LIMIT 0",
        "ZRANGE z 0 -1 BYSCORE LIMIT x 1",
        "ZRANGE z 0 -1 REV REV",
        "ZRANGE z 0 9 BYSCORE BYLEX",
        "ZRANGE z 9 0 BYSCORE REV",
        "ZRANGE z 0 9 BYSCORE REV",
        "ZRANGE z (1 (3 BYSCORE WITHSCORES",
        "ZRANGE z - + BYLEX WITHSCORES",
        "ZRANGE z + - BYLEX REV LIMIT 1 1",
        "ZRANGE z a b BYLEX",
        "ZRANGE z x 1 BYSCORE",
        "ZRANGE z 0 1 NONSENSE",
        "ZRANGE string x y",
        "ZRANGE string 0 1",
        "ZREVRANGE z 0 1 WITHSCORES",
        "ZREVRANGE z 0 1 REV",
        "ZREVRANGE z 0 1 BYSCORE",
        "ZREVRANGE z 0 1 LIMIT 0 1",
        "ZRANGEBYSCORE z -inf +inf LIMIT -1 2",
        "ZRANGEBYSCORE z -inf +inf LIMIT 1 -2",
        "ZRANGEBYSCORE z -inf +inf LIMIT 9 1",
        "ZRANGEBYSCORE z -inf +inf REV",
        "ZREVRANGEBYSCORE z +inf -inf WITHSCORES LIMIT 1 1",
        "ZREVRANGEBYSCORE z 2 2",
        "ZRANGEBYSCORE z 3 1",
        "ZRANGEBYLEX z [a (c",
        "ZREVRANGEBYLEX z (c [a",
        "ZRANGEBYLEX z - + LIMIT 1 1 LIMIT 0 1",
        "ZRANGEBYLEX z - + WITHSCORES",
        "ZRANGEBYLEX z + -",
        "ZRANGESTORE into z 0 -1 WITHSCORES",
        "ZRANGESTORE into z 0 1 REV",
        "ZRANGESTORE string z 0 1",
        "ZRANGESTORE z z (1 3 BYSCORE LIMIT 0 1",
        "ZRANGESTORE z missing 0 1",
        "ZRANGESTORE into string 0 1",
        "ZCOUNT z (1 3",
        "ZCOUNT z x 3",
        "ZCOUNT string x 3",
        "ZLEXCOUNT z [b [b",
        "ZLEXCOUNT z b c",
        "ZREMRANGEBYRANK z 0 x",
        "ZREMRANGEBYRANK z -2 -1",
        "ZREMRANGEBYRANK z 0 -1",
        "ZREMRANGEBYRANK string 0 1",
        "ZREMRANGEBYSCORE z -inf (3",
        "ZREMRANGEBYSCORE z (",
        "ZREMRANGEBYLEX z [b +",
        "ZREMRANGEBYLEX missing x y",
    ],
)
def test_odd_commands_are_answered_as_by_redis(peer: Peer, command: str) -> None:
    peer.same("SET", "string", "x")
    peer.same("ZADD", "z", "1", "a", "2", "b", "3", "c")
    peer.same(*command.split())
    peer.same_content()


@pytest.mark.parametrize("seed", range(10))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int) -> None:
    peer.play(history(seed, [SORTED_SETS, RANGES], 400))


def test_store_replaces_key_and_ends_its_time_to_live(peer: Peer) -> None:
    peer.same("ZADD", "z", "1", "a", "2", "b")
    peer.same("SET", "into", "x", "EX", "100")
    peer.same("ZRANGESTORE", "into", "z", "0", "0")
    peer.same_content()
    peer.same("EXPIRE", "into", "100")
    peer.same("ZRANGESTORE", "into", "z", "5", "6")
    peer.same_content()
