"""Compare the replies of commands on positions with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.contract.convergence.random_commands import POSITIONS, SEARCHES, SORTED_SETS, history
from tests.crdb.redis_peer import Peer

SCORES = [
    "-1",
    "4503599627370495",
    "9007199254740992",
    "0.5",
    "inf",
    "-inf",
    "18446744073709551615",
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(
    "command",
    [
        "GEOADD g 1 1",
        "GEOADD g 1 1 a 2",
        "GEOADD g NX XX 1 1 a",
        "GEOADD g NX CH nx",
        "GEOADD g CH 2 2 a 3 3 b 4 4 b",
        "GEOADD g XX CH 2 2 a 3 3 c",
        "GEOADD g nx 2 2 a 3 3 c",
        "GEOADD g GT 2 2 a",
        "GEOADD g 181 1 a",
        "GEOADD g 1 -85.06 a",
        "GEOADD g x 1 a",
        "GEOADD g 1 nan a",
        "GEOADD g inf 1 a",
        "GEOADD g 180 85.05112878 a -180 -85.05112878 b",
        "GEOADD string 1 1 a",
        "GEOADD string 1 99 a",
        "GEOPOS g",
        "GEOPOS g a missing a",
        "GEOPOS missing a",
        "GEOPOS string a",
        "GEOHASH g",
        "GEOHASH g a missing",
        "GEOHASH missing a",
        "GEOHASH string a",
        "GEODIST g a b",
        "GEODIST g a b kM",
        "GEODIST g a b parsec",
        "GEODIST missing a b parsec",
        "GEODIST g a b m x",
        "GEODIST g a missing",
        "GEODIST missing a b",
        "GEODIST string a b",
        "GEODIST g a a",
    ],
)
def test_odd_commands_are_answered_as_by_redis(peer: Peer, command: str, protocol: int) -> None:
    filled = [("SET", "string", "x"), ("GEOADD", "g", "13.361389", "38.115556", "a")]
    filled.append(("GEOADD", "g", "15.087269", "37.502669", "b"))
    peer.play([*filled, tuple(command.split())], protocol)


def test_any_score_is_a_position(peer: Peer) -> None:
    peer.same("ZADD", "g", *[word for score in SCORES for word in (score, score)])
    peer.same("GEOPOS", "g", *SCORES)
    peer.same("GEOHASH", "g", *SCORES)
    peer.same("GEOSEARCH", "g", "FROMLONLAT", 0, 0, "BYRADIUS", 99999, "km", "ASC", "WITHHASH")


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_as_in_redis(peer: Peer, seed: int, protocol: int) -> None:
    peer.play(history(seed, [POSITIONS, POSITIONS, SEARCHES, SORTED_SETS[4:7]], 400), protocol)
