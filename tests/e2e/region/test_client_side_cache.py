"""The client-side cache of redis-py works with a region."""

from __future__ import annotations

from typing import cast

import pytest
import redis
import trio
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

from tests.crdb.listening import serving
from tests.crdb.raw import instance


def read_and_write(port: int) -> list[object]:
    """Read a key with a cache, while another client changes it. Return what was read."""
    cached = redis.Redis(port=port, protocol=3, cache_config=CacheConfig(), decode_responses=True)
    other = redis.Redis(port=port, protocol=3)
    seen: list[object] = []
    with cached, other:
        for value in ("one", "two"):
            other.set("k", value)
            seen += [cached.get("k"), cached.get("k")]
        reads = cast("dict[str, int]", other.info("stats"))["keyspace_hits"]
        other.flushall()
        seen += [reads, cached.get("k")]
    return seen


def test_cache_of_redis_py_is_invalidated(monkeypatch: pytest.MonkeyPatch) -> None:
    """redis-py asks for the version 7.4, although the commands are those of 7.2."""
    monkeypatch.setattr(CacheProxyConnection, "MIN_ALLOWED_VERSION", "7.2.0")

    async def main() -> list[object]:
        async with serving(instance()) as site:
            return await trio.to_thread.run_sync(read_and_write, site.port)

    assert trio.run(main) == ["one", "one", "two", "two", 2, None]
