"""Commands of all types on the same keys."""

from __future__ import annotations

from sim.engine.rng import SeededRandom
from sim.schedule.any_commands import change_any


def test_all_types_occur() -> None:
    rng = SeededRandom(1, "free")
    drawn = [change_any(rng, "free:0", "free:1", f"v{number}") for number in range(400)]
    names = {words[0] for words in drawn}
    assert {"SET", "HSET", "SADD", "ZADD", "RPUSH", "PFADD", "EVAL", "HPEXPIRE"} <= names
    assert all("free:0" in words for words in drawn)
