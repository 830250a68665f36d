"""Compare the replies of searches with those of a real redis-server."""

from __future__ import annotations

from random import Random

import pytest

from tests.crdb.redis_peer import Peer

CIRCLE = "FROMLONLAT 15 37 BYRADIUS 200 km"


@pytest.mark.parametrize(
    "command",
    [
        "GEOSEARCH g FROMMEMBER a",
        f"GEOSEARCH g {CIRCLE}",
        f"GEOSEARCH g {CIRCLE} COUNT 0",
        f"GEOSEARCH g {CIRCLE} COUNT x",
        f"GEOSEARCH g {CIRCLE} COUNT",
        f"GEOSEARCH g {CIRCLE} ANY",
        f"GEOSEARCH g {CIRCLE} ANY COUNT 1",
        f"GEOSEARCH g {CIRCLE} ASC DESC",
        f"GEOSEARCH g {CIRCLE} WITHDIST WITHCOORD WITHHASH WITHDIST",
        f"GEOSEARCH g {CIRCLE} STOREDIST",
        f"GEOSEARCH g {CIRCLE} STORE d",
        f"GEOSEARCH g {CIRCLE} FROMMEMBER a",
        f"GEOSEARCH g {CIRCLE} BYBOX 1 1 m",
        f"GEOSEARCH g {CIRCLE} BYRADIUS 1 m",
        f"GEOSEARCH missing {CIRCLE} COUNT 0",
        f"GEOSEARCH missing {CIRCLE}",
        f"GEOSEARCH string {CIRCLE} COUNT 0",
        "GEOSEARCH missing FROMMEMBER a BYBOX 1 1 km",
        "GEOSEARCH missing FROMMEMBER a FROMLONLAT 1 1 BYBOX 1 1 km",
        "geosearch g FROMMEMBER a ASC ASC ASC",
        "GEOSEARCH g BYRADIUS 1 km ASC ASC ASC",
        "GEOSEARCH g FROMMEMBER missing BYRADIUS 1 km",
        "GEOSEARCH g FROMLONLAT 1 99 BYRADIUS 1 km",
        "GEOSEARCH g FROMLONLAT 1 1 BYRADIUS -1 km",
        "GEOSEARCH g FROMLONLAT 1 1 BYRADIUS x km",
        "GEOSEARCH g FROMLONLAT 1 1 BYRADIUS nan km",
        "GEOSEARCH g FROMLONLAT 1 1 BYRADIUS inf km ASC",
        "GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1e300 km ASC",
        "GEOSEARCH g FROMLONLAT 1 1 BYRADIUS 1 parsec",
        "GEOSEARCH g FROMLONLAT 1 1 BYBOX -1 1 km",
        "GEOSEARCH g FROMLONLAT 1 1 BYBOX 1 y km",
        "GEOSEARCH g FROMLONLAT 1 1 BYBOX x y km",
        "GEOSEARCH g FROMLONLAT 1 1 BYBOX 1 1 parsec",
        "GEOSEARCH g FROMLONLAT 1 1 BYBOX inf inf km ASC",
        "GEOSEARCH g FROMMEMBER a BYRADIUS 0 m WITHDIST",
        f"GEOSEARCHSTORE d g {CIRCLE}",
        f"GEOSEARCHSTORE d g {CIRCLE} STOREDIST COUNT 1",
        f"GEOSEARCHSTORE d g {CIRCLE} WITHDIST",
        f"GEOSEARCHSTORE d g {CIRCLE} WITHDIST ANY",
        f"GEOSEARCHSTORE string missing {CIRCLE}",
        f"GEOSEARCHSTORE g g {CIRCLE} COUNT 1",
        "GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 m STOREDIST x",
        "GeoSearchStore d g FROMMEMBER a ASC ASC ASC ASC",
        "GEORADIUS g 15 37 200 km",
        "GEORADIUS g 15 37 200 km WITHDIST DESC",
        "GEORADIUS g 15 37 200 km STORE",
        "GEORADIUS g 15 37 200 km STORE d STOREDIST e",
        "GEORADIUS g 15 37 200 km STOREDIST d STORE d",
        "GEORADIUS g 15 37 200 km STORE d WITHDIST",
        "GEORADIUS g 15 37 200 km FROMMEMBER a",
        "GEORADIUS missing 15 37 200 km STORE string",
        "GEORADIUS missing 15 99 200 km",
        "GEORADIUS g 15 37 x km",
        "GEORADIUS g 15 37 1 x",
        "GEORADIUS_RO g 15 37 200 km STORE d",
        "GEORADIUS_RO g 15 37 200 km ASC COUNT 1",
        "GEORADIUSBYMEMBER g a 200 km",
        "GEORADIUSBYMEMBER g a 200 km STORE d COUNT 1 ANY",
        "GEORADIUSBYMEMBER g missing 200 km",
        "GEORADIUSBYMEMBER missing a x y",
        "GEORADIUSBYMEMBER missing a x y z",
        "GEORADIUSBYMEMBER missing a x y ANY",
        "GEORADIUSBYMEMBER missing a x y STORE string",
        "GEORADIUSBYMEMBER string a x y",
        "GEORADIUSBYMEMBER_RO g a 200 km STORE d",
        "GEORADIUSBYMEMBER_RO g a 200 km WITHCOORD",
    ],
)
def test_odd_commands_are_answered_as_by_redis(peer: Peer, command: str) -> None:
    peer.same("SET", "string", "x")
    peer.same("GEOADD", "g", 13.361389, 38.115556, "a", 15.087269, 37.502669, "b")
    peer.same(*command.split())
    peer.same_content()


class Searcher:
    """Draws positions around a place, or anywhere, and searches among them."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        width = self.rng.choice([0.0, 0.01, 0.5, 5.0])
        self.width = width
        self.place = self.rng.uniform(-160, 160), self.rng.uniform(-70, 70)
        self.count = 200

    def position(self) -> list[str]:
        """Draw a position. Those of members differ, so no distances are equal."""
        rng = self.rng
        if self.width == 0.0:
            return [repr(rng.uniform(-180, 180)), repr(rng.uniform(-85, 85))]
        longitude, latitude = self.place
        return [
            repr(longitude + rng.uniform(-1, 1) * self.width),
            repr(latitude + rng.uniform(-1, 1) * self.width),
        ]

    def length(self) -> str:
        """Draw a length from 10 m to about the size of the Earth."""
        return repr(round(10 ** self.rng.uniform(1, 7.5), 3))

    def command(self) -> list[str]:
        """Draw a search."""
        rng = self.rng
        member = ["FROMMEMBER", f"m{rng.randrange(self.count)}"]
        centre = rng.choice([member, ["FROMLONLAT", *self.position()]])
        unit = rng.choice(["m", "km", "FT", "mi"])
        shape = rng.choice(
            [["BYRADIUS", self.length(), unit], ["BYBOX", self.length(), self.length(), unit]]
        )
        order = rng.choice([[], [], ["ASC"], ["DESC"]])
        count = rng.choice([[], [], ["COUNT", "7"], ["COUNT", "5", "ANY"]])
        details = [word for word in ("WITHDIST", "WITHHASH", "WITHCOORD") if rng.random() < 0.3]
        if rng.random() < 0.1:
            stored = rng.choice([[], ["STOREDIST"]])
            return ["GEOSEARCHSTORE", "d", "g", *centre, *shape, *order, *count, *stored]
        return ["GEOSEARCH", "g", *centre, *shape, *order, *count, *details]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_random_searches_find_the_same_in_the_same_order(
    peer: Peer, seed: int, protocol: int
) -> None:
    searcher = Searcher(seed)
    members = [w for n in range(searcher.count) for w in (*searcher.position(), f"m{n}")]
    commands = [searcher.command() for _ in range(150)]
    reads = [["ZRANGE", "d", "0", "-1"], ["GEOPOS", "g", *members[2::30]]]
    peer.play([["GEOADD", "g", *members], *commands, *reads], protocol)
