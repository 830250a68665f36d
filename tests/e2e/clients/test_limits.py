"""limits: windows that are fixed, moving and sliding, in one region and seen from another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)

from tests.e2e.clients.regions import ClientRegion

ALLOWED = 10
LIMIT = parse(f"{ALLOWED}/day")
STRATEGIES = [FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter]


def limiter_in(region: ClientRegion, protocol: int, strategy: Any) -> Any:
    """Return a limiter whose storage is the region."""
    return strategy(storage_from_string(region.url(protocol)))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_threads_get_what_is_allowed(us: ClientRegion, protocol: int, strategy: Any) -> None:
    """Of simultaneous hits, exactly as many pass as the limit allows."""
    limiter = limiter_in(us, protocol, strategy)
    with ThreadPoolExecutor(4) as pool:
        hits = [pool.submit(limiter.hit, LIMIT, "user") for _ in range(3 * ALLOWED)]
    passed = [hit.result() for hit in hits]
    assert passed.count(True) == ALLOWED
    assert not limiter.test(LIMIT, "user")
    assert limiter.get_window_stats(LIMIT, "user").remaining == 0
    assert limiter.hit(LIMIT, "other user", cost=ALLOWED)
    limiter.clear(LIMIT, "user")
    assert limiter.hit(LIMIT, "user")
    assert str(protocol) in us.protocols()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_other_region_counts_too(us: ClientRegion, eu: ClientRegion, strategy: Any) -> None:
    """A region refuses by the hits of both regions that it has received."""
    here, there = (limiter_in(region, 3, strategy) for region in (us, eu))
    hits = [limiter.hit(LIMIT, "user") for limiter in (here, there) for _ in range(ALLOWED // 2)]
    assert hits == [True] * ALLOWED
    us.settle()
    assert cast("int", there.get_window_stats(LIMIT, "user").remaining) == 0
    assert not here.hit(LIMIT, "user")
    assert not there.hit(LIMIT, "user")
