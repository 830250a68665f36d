"""Libraries' promises that do not hold between two regions that are cut off from each other.

`docs/clients.md` names these limits. Each test also looks at what remains after the cut.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis import Redis
from rq import Queue, SimpleWorker

from tests.e2e.clients.jobs import add
from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import WAIT_SECONDS

ALLOWED = 3


@contextmanager
def cut_off(region: ClientRegion) -> Generator[None]:
    """Cut the link between the regions. After the block, wait until they are equal again."""
    with region.client() as client:
        client.execute_command("CRDB.LINK", "CUT", "ALL")
        try:
            yield
        finally:
            client.execute_command("CRDB.LINK", "HEAL", "ALL")
    region.settle()


def test_both_regions_acquire_lock(us: ClientRegion, eu: ClientRegion) -> None:
    with us.client() as here, eu.client() as there:
        locks = [each.lock("guard", timeout=WAIT_SECONDS) for each in (here, there)]
        with cut_off(us):
            assert all(lock.acquire(blocking=False) for lock in locks)
            assert all(lock.owned() for lock in locks)
        assert [lock.owned() for lock in locks].count(True) == 1


def test_each_region_lets_limit_pass(us: ClientRegion, eu: ClientRegion) -> None:
    limit = parse(f"{ALLOWED}/day")
    limiters = [FixedWindowRateLimiter(storage_from_string(each.url(3))) for each in (us, eu)]
    with cut_off(us):
        for limiter in limiters:
            hits = [limiter.hit(limit, "user") for _ in range(ALLOWED + 1)]
            assert hits == [True] * ALLOWED + [False]
    assert [limiter.test(limit, "user") for limiter in limiters] == [False, False]


@pytest.mark.rule("LST-4")
@pytest.mark.usefixtures("signal_handlers")
def test_workers_of_both_regions_do_same_job(us: ClientRegion, eu: ClientRegion) -> None:
    with Redis.from_url(us.url(3)) as here, Redis.from_url(eu.url(3)) as there:
        queues = [Queue("jobs", connection=each) for each in (here, there)]
        job = queues[0].enqueue(add, 1, 2)
        us.settle()
        workers = [SimpleWorker([queue], connection=queue.connection) for queue in queues]
        with cut_off(us):
            worked = [worker.work(burst=True, logging_level="ERROR") for worker in workers]
        assert worked == [True, True]
        assert job.return_value(refresh=True) == 3
        assert [queue.is_empty() for queue in queues] == [True, True]
