"""The invariant `eviction`: regions that evict keys converge, and bring no key back.

In some runs all regions get the same small `maxmemory` and a policy that evicts, while their
clients write more keys than fit (rules EVI-3, EVI-4, EVI-7). All other keys are flushed first, as
the other checkers expect them to stay. The memory in use is the number of keys there. When all is
quiet, all regions have the same keys, no more than fit, and not much fewer: regions that all
evicted for themselves would leave nearly nothing. The invariant `no resurrection` watches the
members of the sets meanwhile.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.metrics.memory import PLENTY, no_probe
from crdb.engine.metrics.memory_usage import key_bytes
from crdt.store.keyspace import Keyspace
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.region import SimRegion
from sim.world.freshness import arrival_limit_ns
from sim.world.world import SimWorld

PROMISE: Final = "eviction"
RUNS: Final = 6  # in one of so many runs keys are evicted
KEY_BYTES: Final = 1_000_000
ROOM: Final = 40
"""The keys that fit, in addition to those that were there."""
BURSTS: Final = 12
BURST: Final = 6
POLICIES: Final = ("allkeys-lru", "allkeys-lfu", "allkeys-random")


def check_eviction(world: SimWorld) -> None:
    """Let all regions evict keys, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "eviction")
    if not rng.happens_in(1, RUNS):
        return
    world.run(rng.choose_one(list(world.sites)), "FLUSHALL")
    if world.converge(2 * arrival_limit_ns(world)):
        world.count_probe(PROMISE)
        EvictionProbe(world, rng).run()


class EvictionProbe:
    """Regions that have too little memory for what clients write."""

    def __init__(self, world: SimWorld, rng: SeededRandom) -> None:
        self.world = world
        self.rng = rng
        self.sites: list[SimRegion] = list(world.sites.values())
        self.room = max(map(size_of, self.sites)) + ROOM

    def run(self) -> None:
        """Write more than fits, and check what is left. Raises Violation."""
        policy = self.rng.choose_one(POLICIES)
        for site in self.sites:
            limit_memory(site, self.room * KEY_BYTES, policy)
        written = 0
        for _ in range(BURSTS):
            site = self.rng.choose_one(self.sites)
            for _ in range(BURST):
                name = f"evict:{self.world.seed}:{written}"
                self.world.run(site.name, "SADD", name, f"u{name}")
                written += 1
            self.world.sleep(self.rng.integer_between(1, 300) * MS)
        self.wait_until_quiet()
        self.check()
        for site in self.sites:
            release_memory(site)

    def wait_until_quiet(self) -> None:
        """Let time pass until nothing is evicted any more and all regions agree."""
        limit = 2 * arrival_limit_ns(self.world) + 10 * SECOND
        self.world.wait_for(lambda: all(map(has_room, self.sites)), limit)
        if not self.world.converge(limit):
            raise Violation(PROMISE, f"after {limit / SECOND:g} s the regions have not converged")

    def check(self) -> None:
        """Check the keys that are left. Raises Violation."""
        first = self.sites[0]
        keys = set(first.replica.keyspace.held_keys())
        for site in self.sites:
            held = set(site.replica.keyspace.held_keys())
            if held != keys:
                raise Violation(PROMISE, f"{first.name} and {site.name} differ in {held ^ keys}")
        evicted = sum(site.instance.eviction.evicted for site in self.sites)
        if len(keys) > self.room:
            raise Violation(PROMISE, f"{len(keys)} keys are left where {self.room} fit")
        if evicted and len(keys) < self.room // 5:
            raise Violation(PROMISE, f"{len(keys)} keys are left where {self.room} fit: too few")


def size_of(site: SimRegion) -> int:
    """Return the number of keys of a region, which stands for its memory."""
    return site.replica.keyspace.estimate_size()


def has_room(site: SimRegion) -> bool:
    """Return whether a region evicts nothing now and needs not."""
    memory = site.instance.memory
    return size_of(site) * KEY_BYTES <= memory.limit_bytes and not site.instance.may_evict()


def measure_key(_db: Keyspace, _key: bytes, _samples: int) -> int:
    """Return the size that each key has here."""
    return KEY_BYTES


def limit_memory(site: SimRegion, limit_bytes: int, policy: str) -> None:
    """Let a region evict keys beyond a limit."""
    site.instance.memory.probe = lambda: (size_of(site) * KEY_BYTES, PLENTY)
    site.instance.eviction.measure = measure_key
    set_parameters(site, "maxmemory-policy", policy, "maxmemory", str(limit_bytes))


def release_memory(site: SimRegion) -> None:
    """Let memory be plentiful again."""
    set_parameters(site, "maxmemory", "0", "maxmemory-policy", "noeviction")
    site.instance.memory.probe = no_probe
    site.instance.eviction.measure = key_bytes


def set_parameters(site: SimRegion, *pairs: str) -> None:
    """Set parameters of a region."""
    (reply,) = site.run_commands(("CONFIG", "SET", *pairs))
    assert reply == "OK", reply
