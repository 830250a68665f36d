"""coredis under trio: locks, messages, pipelines, stream consumers and its client-side cache.

coredis speaks RESP3 only.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import coredis
import trio
from coredis.patterns.cache import LRUCache

from tests.e2e.clients.regions import HOST, ClientRegion
from tests.e2e.processes import WAIT_SECONDS

TASKS = 4
ROUNDS = 5


@asynccontextmanager
async def connected(region: ClientRegion, **options: Any) -> AsyncGenerator[Any]:
    """Connect to the region, and fail if the block takes too long."""
    client: Any = coredis.Redis(HOST, region.port, decode_responses=True, **options)
    with trio.fail_after(WAIT_SECONDS):
        async with client:
            yield client


async def test_lock_excludes_other_tasks(us: ClientRegion) -> None:
    async with connected(us) as client:

        async def add() -> None:
            for _ in range(ROUNDS):
                async with client.lock("guard", timeout=WAIT_SECONDS, sleep=0.001):
                    await client.set("sum", int(await client.get("sum") or 0) + 1)

        async with trio.open_nursery() as nursery:
            for _ in range(TASKS):
                nursery.start_soon(add)
        assert await client.get("sum") == str(TASKS * ROUNDS)


async def test_subscriber_hears_other_region(us: ClientRegion, eu: ClientRegion) -> None:
    async with connected(us) as here, connected(eu) as there:
        async with there.pubsub(patterns=["news.*"]) as subscription:
            found: list[str] = []
            async for message in subscription:
                if message["type"] == "psubscribe":
                    await here.publish("news.weather", "rain")
                    await here.publish("news.weather", "sun")
                else:
                    found.append(message["data"])
                if len(found) == 2:
                    break
        assert found == ["rain", "sun"]


async def test_pipeline_runs_as_one_transaction(us: ClientRegion) -> None:
    async with connected(us) as client:
        async with client.pipeline(transaction=True) as pipe:
            replies = [
                pipe.zadd("ranks", {"a": 1.5, "b": 2}),
                pipe.zrange("ranks", 0, -1, withscores=True),
                pipe.hset("record", {"name": "tea"}),
                pipe.hgetall("record"),
            ]
        added, ranks, set_, record = [await reply for reply in replies]
        assert (added, set_, record) == (2, 1, {"name": "tea"})
        assert [(each.member, each.score) for each in ranks] == [("a", 1.5), ("b", 2.0)]
        script = client.register_script("return redis.call('ZINCRBY', KEYS[1], ARGV[1], 'a')")
        assert await script(["ranks"], ["2"]) == "3.5"


async def test_group_consumers_share_stream(us: ClientRegion) -> None:
    async with connected(us) as client:
        done: list[tuple[str, str]] = []

        async def consume(name: str) -> None:
            consumer = client.xconsumer(
                ["jobs"], group="workers", consumer=name, auto_acknowledge=True, timeout=10
            )
            async with consumer:
                while len(done) < TASKS:
                    stream, entry = await consumer.get_entry()
                    if entry is not None:
                        done.append((stream, entry.field_values["number"]))

        await client.xgroup_create("jobs", "workers", "$", mkstream=True)
        async with trio.open_nursery() as nursery:
            for name in ("one", "two"):
                nursery.start_soon(consume, name)
            for number in range(TASKS):
                await client.xadd("jobs", {"number": number})
        assert sorted(done) == [("jobs", str(number)) for number in range(TASKS)]
        assert (await client.xpending("jobs", "workers")).pending == 0


async def test_cache_drops_what_other_region_writes(us: ClientRegion, eu: ClientRegion) -> None:
    cache = LRUCache()
    async with connected(us, cache=cache) as cached, connected(eu) as abroad:
        await abroad.set("k", "one")
        while await cached.get("k") != "one":
            await trio.lowlevel.checkpoint()
        assert await cached.get("k") == "one"
        assert cast("Any", cache).stats.hits
        await abroad.set("k", "two")
        while await cached.get("k") != "two":
            await trio.lowlevel.checkpoint()
