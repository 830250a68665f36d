"""Regions converge for any writes, any order of arrival and any form of delivery.

Three regions write at random under the same few keys, with all families of commands. Meanwhile
operations and whole snapshots travel, time passes and metadata is forgotten. The values of each
family are tested elsewhere. These tests only require that they are equal in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from crdb.resp.decoder import ErrorReply
from crdt import Replica
from crdt.errors import HistoryTruncated
from tests.crdb.regions import Regions

pytestmark = [pytest.mark.no_cover, pytest.mark.long]  # its parts have tests of their own

STEPS = 150
KEYS = "abc"
MEMBERS = "xyz"
FIELDS = "fgh"
TEMPLATES = """
    SADD k m; SADD k m m m; SREM k m; SPOP k; SPOP k 2; SMOVE k k m
    SUNIONSTORE k k k; SINTERSTORE k k k; SDIFFSTORE k k k
    HSET k f n; HSET k f n f text f n; HSETNX k f n; HDEL k f; HDEL k f g h
    HINCRBY k f n; HINCRBY k f -3; HINCRBYFLOAT k f 0.25
    ZADD k n m; ZINCRBY k n m; ZREM k m; ZPOPMIN k; ZUNIONSTORE k 2 k k
    RPUSH k m m; LPUSH k m; LPOP k; LSET k 0 text; LREM k 1 m; LTRIM k 0 1; LMOVE k k LEFT RIGHT
    XADD k * f n; XADD k MAXLEN 2 * f n; XADD k n f n; XTRIM k MAXLEN 1; XDEL k 1-1 2-1; XSETID k 7
    XGROUP CREATE k g 0 MKSTREAM; XGROUP DESTROY k g; XREADGROUP GROUP g c NOACK STREAMS k >
    SET k n; SET k text; SET k n PX 20; APPEND k n; INCRBY k n; INCRBYFLOAT k 1.5; GETDEL k
    JSON.SET k $ {"a":1,"l":[1]}; JSON.SET k $.a n; JSON.NUMINCRBY k $.a n; JSON.NUMINCRBY k $.a 0.5
    JSON.ARRAPPEND k $.l n; JSON.ARRINSERT k $.l 0 n n; JSON.ARRPOP k $.l; JSON.DEL k $.a
    JSON.CLEAR k $.l; JSON.MERGE k $ {"o":{"b":2}}; JSON.SET k $.l[0] [7]; JSON.DEL k
    DEL k; DEL k k; PEXPIRE k 5; PEXPIRE k 30; PERSIST k; RENAME k k; COPY k k REPLACE; FLUSHALL
"""
COMMANDS: list[Sequence[str]] = [
    text.split() for text in TEMPLATES.replace("\n", ";").split(";") if text.strip()
]


def fill_in(template: Sequence[str], rng: Random) -> list[str]:
    """Return a command with keys, members, fields and numbers in place of k, m, f and n."""
    name, *words = template
    choices = {"k": KEYS, "m": MEMBERS, "f": FIELDS, "n": "1257"}
    return [name, *(rng.choice(choices[word]) if word in choices else word for word in words)]


def step(regions: Regions, rng: Random) -> None:
    """Make one random step in one region."""
    source, sink = rng.sample(sorted(regions.replicas), 2)
    match rng.choices(["write", "send", "merge", "collect", "wait"], [70, 20, 4, 3, 10])[0]:
        case "write":
            regions.run(source, *fill_in(rng.choice(COMMANDS), rng))
        case "send":
            try:
                regions.send(source, sink)
            except HistoryTruncated:
                regions.merge(source, sink)
        case "merge":
            regions.merge(source, sink)
        case "collect":
            regions.collect()
        case _:
            regions.now += rng.randint(1, 10)


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.rule("ORD-9")
def test_regions_converge(seed: int) -> None:
    rng = Random(seed)
    regions = Regions(3)
    for _ in range(STEPS):
        step(regions, rng)
    for sink in regions.replicas:  # a merged snapshot may leave a history without its beginning
        for source in regions.replicas:
            if source != sink:
                regions.merge(source, sink)
    regions.sync()
    regions.collect()
    regions.now += 1000
    regions.sync()
    regions.collect()
    regions.sync()


UNREPEATABLE = {"SPOP", "FLUSHALL"}
"""What they choose, or the order in which they go, depends on the order in which keys came."""


def bring(regions: Regions, source: int, sink: int, *, by_snapshot: bool) -> None:
    """Deliver to one region what another has."""
    if by_snapshot:
        regions.merge(source, sink)
    else:
        regions.send(source, sink)


def contents(replica: Replica) -> bytes:
    """Return all that a replica holds under its keys, in canonical form."""
    _head, *pieces = replica.snapshot(sort=True)
    return b"".join(pieces)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.rule("ORD-4")
def test_operations_and_snapshots_lead_to_same(seed: int) -> None:
    """Run the same schedule twice: once with operations, once with whole snapshots."""
    rng = Random(f"ord-4 {seed}")
    commands = [words for words in COMMANDS if words[0] not in UNREPEATABLE]
    worlds = {by_snapshot: Regions(3) for by_snapshot in (False, True)}
    for _ in range(STEPS):
        source, sink = rng.sample(sorted(worlds[False].replicas), 2)
        words = fill_in(rng.choice(commands), rng)
        choice, wait = rng.random(), rng.randint(1, 10)
        for by_snapshot, regions in worlds.items():
            if choice < 0.65:
                regions.run(source, *words)
            elif choice < 0.95:
                bring(regions, source, sink, by_snapshot=by_snapshot)
            else:
                regions.now += wait
        one, other = (regions.replicas[sink] for regions in worlds.values())
        assert one.vector == other.vector
        assert contents(one) == contents(other)
        assert one.digest() == other.digest()
    for regions in worlds.values():
        replica, state = regions.replicas[1], regions.replicas[1].to_bytes()
        replica.merge_bytes(state)
        assert replica.to_bytes() == state
        copy = Replica(200)
        copy.merge_bytes(state)
        assert copy.to_bytes() == state


def test_every_command_is_accepted_by_some_key() -> None:
    rng = Random(0)
    regions = Regions(1)
    accepted: set[str] = set()
    for _ in range(3000):
        words = fill_in(rng.choice(COMMANDS), rng)
        if not isinstance(regions.run(1, *words), ErrorReply):
            accepted.add(words[0])
    assert accepted == {words[0] for words in COMMANDS}
