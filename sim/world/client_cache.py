"""The invariant `client cache`: what a client has cached is right, once all is quiet.

In some runs a client of each region tracks the keys that it reads, in a mode that is drawn, and
caches the values. It drops a value when it is told that the key has changed. Other clients write,
delete and flush in all regions meanwhile, and some keys run out of time. When all regions have
converged, each cached value must be the one that another client reads. A client that must learn of
nothing, because nobody wrote, is not told anything either.

A client learns that a key has run out of time when the leading region deletes it. So keys have a
time to live only if the clocks of all regions agree.
"""

from __future__ import annotations

from typing import Any, Final, cast

from sim.engine.checker import Violation
from sim.engine.events import MS
from sim.engine.rng import SeededRandom
from sim.nodes.client import SimClient
from sim.nodes.region import SimRegion
from sim.schedule.step import Words
from sim.world.freshness import arrival_limit_ns
from sim.world.world import SimWorld

PROMISE: Final = "client cache"
RUNS: Final = 6  # in one of so many runs clients cache what they read
KEYS: Final = 6
ROUNDS: Final = 4
STEPS: Final = 12
MODES: Final[tuple[Words, ...]] = ((), ("NOLOOP",), ("OPTOUT",), ("BCAST",), ("BCAST", "NOLOOP"))
TIME_MS: Final = 150
"""The time to live of some keys."""
LATE_MS: Final = 1000
"""Keys that have run out of time are looked for at least as often, or once in `collect_ns`."""


def check_client_cache(world: SimWorld) -> None:
    """Let clients cache what they read, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "client cache")
    if rng.happens_in(1, RUNS) and world.converge(2 * arrival_limit_ns(world)):
        world.count_probe(PROMISE)
        CacheProbe(world, rng).run()


class CachingClient:
    """A client that caches the strings that it reads."""

    def __init__(self, site: SimRegion, mode: Words) -> None:
        self.site = site
        self.mode = mode
        self.sim_client = SimClient(site.instance)
        self.cache: dict[bytes, Any] = {}
        self.ask("HELLO", "3")
        self.ask("CLIENT", "TRACKING", "ON", *mode)

    def ask(self, *words: str) -> Any:
        """Send a command, and take in what has come before the reply and behind it."""
        replies = self.sim_client.send_commands(words)
        pushes = [each for each in replies if is_push(each)]
        found = [each for each in replies if not is_push(each)]
        self.drop(pushes)
        return found[0] if found else None

    def read(self, key: str) -> None:
        """Cache the value of a key."""
        replies = self.sim_client.send_commands(("GET", key))
        for each in replies:
            if is_push(each):
                self.drop([each])
            else:
                self.cache[key.encode()] = each

    def drop(self, pushes: list[Any]) -> None:
        """Drop the values that invalidations name."""
        for _, keys in pushes:
            if keys is None:
                self.cache.clear()
            for key in cast("list[bytes]", keys or []):
                self.cache.pop(key, None)

    def take_in(self) -> None:
        """Take in what has come without a request."""
        self.drop(self.sim_client.send_commands())


def is_push(reply: Any) -> bool:
    """Return whether a decoded reply is an invalidation."""
    return isinstance(reply, list) and reply[:1] == [b"invalidate"]


class CacheProbe:
    """Clients that cache, and others that write."""

    def __init__(self, world: SimWorld, rng: SeededRandom) -> None:
        self.world = world
        self.rng = rng
        self.sites: list[SimRegion] = list(world.sites.values())
        self.keys = [f"cached:{number}" for number in range(KEYS)]
        self.times = {site.clock.read_ms(world.now) for site in self.sites}
        """The times that the clocks show: one if they agree."""
        limits = [site.tuning.limits for site in self.sites]
        self.late_ms = max(LATE_MS, *(each.collect_ns // MS for each in limits))
        self.readers = [CachingClient(site, rng.choose_one(MODES)) for site in self.sites]

    def run(self) -> None:
        """Read and write, and check what is cached. Raises Violation."""
        for _ in range(ROUNDS):
            for _ in range(STEPS):
                self.step()
                self.world.sleep(self.rng.integer_between(1, 60) * MS)
            self.world.sleep((TIME_MS + self.late_ms + self.sites[0].clock.tick_ms) * MS)
            if not self.world.converge(2 * arrival_limit_ns(self.world)):
                return  # `liveness` reports that
            self.check()
        for reader in self.readers:
            reader.site.instance.forget(reader.sim_client.client)

    def step(self) -> None:
        """Let one client read or write a key."""
        key = self.rng.choose_one(self.keys)
        if self.rng.happens_in(1, 2):
            self.rng.choose_one(self.readers).read(key)
            return
        value = str(self.rng.integer_between(0, 999))
        writes: tuple[Words, ...] = (
            ("SET", key, value),
            ("SET", key, value, "PX", str(TIME_MS)) if len(self.times) == 1 else ("DEL", key),
            ("APPEND", key, value),
            ("DEL", key),
            ("EXPIRE", key, "0"),
            ("MSET", self.keys[0], value, key, value),
        )
        self.world.run(self.rng.choose_one(self.sites).name, *self.rng.choose_one(writes))

    def check(self) -> None:
        """Compare what is cached with what is there. Raises Violation."""
        for reader in self.readers:
            reader.take_in()
            for key, value in reader.cache.items():
                (held,) = reader.site.run_commands(("GET", key.decode()))
                if held != value:
                    mode = " ".join(("tracking", *reader.mode))
                    raise Violation(
                        PROMISE,
                        f"a client of {reader.site.name} ({mode}) has cached {value!r} under"
                        f" {key!r}, which holds {held!r}",
                    )
