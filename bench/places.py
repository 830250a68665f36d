"""A server to measure, with the peer that receives its writes, and the data that cases need.

The data are made when a case asks for them, and kept for the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import attrs

from driver import Driver, request
from machine import BenchError, Server, redis_server
from regions import database

NAMES = ("us-east-1", "eu-west-1")
WORDS_PER_REQUEST = 500
VALUE = "x" * 16
SETTLE_MS = "120000"


@attrs.frozen
class Sizes:
    """The amount of data that the cases use."""

    keys: int
    elements: int
    batch: int
    """Keys that one command of many changes."""
    value_bytes: int


QUICK = Sizes(keys=3_000, elements=3_000, batch=1_000, value_bytes=1 << 20)

WORDS: dict[str, Callable[[int], list[str]]] = {
    "set": lambda n: [f"m{n:08d}"],
    "hash": lambda n: [f"f{n:08d}", VALUE],
    "zset": lambda n: [str(n * 7_919 % 1_000_003), f"m{n:08d}"],
    "list": lambda n: [f"e{n:08d}"],
}
ADDING = {"set": "SADD", "hash": "HSET", "zset": "ZADD", "list": "RPUSH"}
COUNTING = {"set": "SCARD", "hash": "HLEN", "zset": "ZCARD", "list": "LLEN"}


def additions(kind: str, key: str, start: int, stop: int) -> Iterator[bytes]:
    """Yield the requests that add the elements of these numbers to a collection."""
    for first in range(start, stop, WORDS_PER_REQUEST):
        numbers = range(first, min(first + WORDS_PER_REQUEST, stop))
        yield request(ADDING[kind], key, *(word for n in numbers for word in WORDS[kind](n)))


def sets(prefix: str, count: int) -> Iterator[bytes]:
    """Yield a SET of each key of this prefix. Keys have 8 digits, and values 16 bytes."""
    width = len(prefix) + 8
    before = f"*3\r\n$3\r\nSET\r\n${width}\r\n{prefix}"
    for number in range(count):
        yield f"{before}{number:08d}\r\n$16\r\n{number:016d}\r\n".encode()


@attrs.frozen
class Place:
    """A server, and for crdb a peer of it."""

    here: Server
    there: Server | None
    driver: Driver
    sizes: Sizes

    @property
    def servers(self) -> list[Server]:
        """All servers, first the one that executes the commands."""
        return [self.here] if self.there is None else [self.here, self.there]

    @property
    def peer(self) -> Server:
        """The peer of a region."""
        if self.there is None:
            raise BenchError(f"{self.here.name} has no peer")
        return self.there

    def settle(self) -> float:
        """Wait until the peer has everything. Return the seconds."""
        start = time.monotonic()
        if self.there is not None and self.driver.integer("CRDB.SETTLE", SETTLE_MS) != 1:
            raise BenchError(f"{self.here.name}: the regions did not converge")
        return time.monotonic() - start

    def fill(self) -> None:
        """Write all keys, unless they are there."""
        if self.driver.integer("EXISTS", f"k{self.sizes.keys - 1:08d}") == 0:
            self.driver.load(sets("k", self.sizes.keys))

    def keys(self, prefix: str) -> list[str]:
        """Write a batch of keys, and return them."""
        self.driver.load(sets(prefix, self.sizes.batch))
        return [f"{prefix}{number:08d}" for number in range(self.sizes.batch)]

    def collection(self, kind: str) -> str:
        """Return the key of a large collection, which is made unless it is there."""
        key = f"large:{kind}"
        has = self.driver.integer(COUNTING[kind], key)
        if has < self.sizes.elements * 0.9:
            self.driver.load(additions(kind, key, 0, self.sizes.elements), 20)
        return key


@contextmanager
def region_and_peer(sizes: Sizes) -> Generator[Place]:
    """Run a region on the measured core, and a peer of it on the other core."""
    with database(NAMES) as (here, there), Driver(here) as driver:
        yield Place(here, there, driver, sizes)


@contextmanager
def redis_alone(sizes: Sizes) -> Generator[Place]:
    """Run a redis-server on the measured core."""
    with redis_server() as here, Driver(here) as driver:
        yield Place(here, None, driver, sizes)
