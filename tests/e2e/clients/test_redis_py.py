"""redis-py: locks, scripts, transactions, streams, JSON, messages and its client-side cache."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection
from redis.exceptions import LockNotOwnedError, NoScriptError

from tests.e2e.clients.regions import HOST, ClientRegion
from tests.e2e.processes import WAIT_SECONDS, eventually

THREADS = 4
ROUNDS = 10


def in_threads(work: Any) -> list[Any]:
    """Run the function in several threads. Return what it returns in each."""
    with ThreadPoolExecutor(THREADS) as pool:
        return [each.result() for each in [pool.submit(work) for _ in range(THREADS)]]


def test_lock_excludes_other_threads(us: ClientRegion, protocol: int) -> None:
    """Only a lock keeps each read together with its write."""
    client = us.client(protocol)

    def add() -> None:
        for _ in range(ROUNDS):
            with client.lock("guard", timeout=WAIT_SECONDS, sleep=0.001):
                client.set("sum", int(client.get("sum") or 0) + 1)

    with client:
        in_threads(add)
        assert client.get("sum") == str(THREADS * ROUNDS)
        assert not client.exists("guard")


def test_lock_passes_on_when_it_expires(us: ClientRegion, protocol: int) -> None:
    with us.client(protocol) as client:
        first = client.lock("guard", timeout=0.05)
        assert first.acquire()
        second = client.lock("guard", timeout=WAIT_SECONDS, sleep=0.005)
        assert second.acquire(blocking_timeout=WAIT_SECONDS)
        assert second.extend(WAIT_SECONDS)
        assert second.reacquire()
        with pytest.raises(LockNotOwnedError):
            first.release()
        assert second.owned()
        assert not client.lock("guard").acquire(blocking=False)
        second.release()


def test_lock_of_one_region_is_seen_later_in_other(us: ClientRegion, eu: ClientRegion) -> None:
    with us.client() as here, eu.client() as there:
        lock = here.lock("guard", timeout=WAIT_SECONDS)
        assert lock.acquire()
        us.settle()
        assert not there.lock("guard").acquire(blocking=False)
        lock.release()
        us.settle()
        assert there.lock("guard", timeout=WAIT_SECONDS).acquire(blocking=False)


def test_registered_script_survives_flush(us: ClientRegion, protocol: int) -> None:
    """redis-py loads a script again that the region has forgotten, also in a pipeline."""
    with us.client(protocol) as client:
        take = client.register_script(
            "local left = tonumber(redis.call('get', KEYS[1]) or ARGV[1]) - 1\n"
            "if left < 0 then return redis.error_reply('NONE left') end\n"
            "redis.call('set', KEYS[1], left)\n"
            "return left"
        )
        assert take(keys=["stock"], args=[3]) == 2
        client.script_flush()
        with pytest.raises(NoScriptError):
            client.evalsha(take.sha, 1, "stock", 3)
        assert take(keys=["stock"], args=[3]) == 1
        client.script_flush()
        with client.pipeline() as pipe:
            take(keys=["stock"], args=[3], client=pipe)
            pipe.get("stock")
            assert pipe.execute() == [0, "0"]
        with pytest.raises(redis.ResponseError, match="NONE left"):
            take(keys=["stock"], args=[3])


def test_transaction_tries_again_after_foreign_write(us: ClientRegion, protocol: int) -> None:
    client = us.client(protocol)

    def move(pipe: Any) -> None:
        left = int(pipe.get("left"))
        pipe.multi()
        pipe.set("left", left - 1)
        pipe.incr("right")

    def work() -> None:
        for _ in range(ROUNDS):
            client.transaction(move, "left")

    with client:
        client.set("left", THREADS * ROUNDS)
        in_threads(work)
        assert client.mget("left", "right") == ["0", str(THREADS * ROUNDS)]


def test_stream_group_shares_work(us: ClientRegion, eu: ClientRegion, protocol: int) -> None:
    """A consumer takes over what a dead one has left. The other region sees what is done."""
    here, there = (each.client(protocol, legacy_responses=False) for each in (us, eu))
    with here, there:
        ids = [here.xadd("jobs", {"number": number}) for number in range(6)]
        here.xgroup_create("jobs", "workers", id="0")
        shares = [
            here.xreadgroup("workers", name, {"jobs": ">"}, count=3)["jobs"]
            for name in ("living", "dead")
        ]
        assert [[id_ for id_, _ in share] for share in shares] == [ids[:3], ids[3:]]
        assert shares[1][0][1] == {"number": "3"}
        assert here.xack("jobs", "workers", *ids[:3]) == 3
        assert here.xpending("jobs", "workers")["consumers"] == [{"name": "dead", "pending": 3}]
        claimed = here.xautoclaim("jobs", "workers", "living", min_idle_time=0)
        assert [id_ for id_, _ in claimed[1]] == ids[3:]
        assert here.xack("jobs", "workers", *ids[3:5]) == 2
        us.settle()
        left = there.xreadgroup("workers", "abroad", {"jobs": ">"})["jobs"]
        assert [id_ for id_, _ in left] == ids[5:]


def test_json_of_both_regions_adds_up(us: ClientRegion, eu: ClientRegion, protocol: int) -> None:
    with us.client(protocol) as here, eu.client(protocol) as there:
        assert here.json().set("cart", "$", {"count": 1, "names": ["tea"]})
        us.settle()
        assert there.json().numincrby("cart", "$.count", 5) == [6]
        assert here.json().numincrby("cart", "$.count", 3)[0] in {4, 9}
        assert here.json().arrappend("cart", "$.names", "jam") == [2]
        us.settle()
        for client in (here, there):
            assert client.json().get("cart") == {"count": 9, "names": ["tea", "jam"]}


def test_asyncio_subscriber_hears_other_region(
    us: ClientRegion, eu: ClientRegion, protocol: int
) -> None:
    async def main() -> list[tuple[str, str]]:
        here = AsyncRedis(host=HOST, port=us.port, protocol=protocol, decode_responses=True)
        there: Any = AsyncRedis(host=HOST, port=eu.port, protocol=protocol, decode_responses=True)
        async with here, there, there.pubsub() as subscription:
            await subscription.psubscribe("news.*")
            found: list[tuple[str, str]] = []
            async for message in subscription.listen():
                if message["type"] == "psubscribe":
                    await here.publish("news.weather", "rain")
                    await here.publish("news.sport", "draw")
                else:
                    found.append((message["channel"], message["data"]))
                if len(found) == 2:
                    return found
        raise AssertionError("the subscription has ended")

    found = asyncio.run(asyncio.wait_for(main(), WAIT_SECONDS))
    assert found == [("news.weather", "rain"), ("news.sport", "draw")]


def test_client_side_cache_drops_what_others_write(
    us: ClientRegion, eu: ClientRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """redis-py asks for the version 7.4, although the commands are those of 7.2."""
    monkeypatch.setattr(CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.2.0")
    with (
        us.client(cache_config=CacheConfig()) as cached,
        us.client() as other,
        eu.client() as abroad,
    ):
        other.config_resetstat()
        for value in ("one", "two"):
            other.set("k", value)
            eventually(lambda value=value: cached.get("k") == value)
            assert cached.get("k") == value
        assert other.info("stats")["keyspace_hits"] == 2
        abroad.set("k", "three")
        eventually(lambda: cached.get("k") == "three")
        abroad.flushall()
        eventually(lambda: cached.get("k") is None)
