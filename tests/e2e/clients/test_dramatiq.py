"""dramatiq: results, retries, delayed messages and groups."""

from __future__ import annotations

from typing import Any, cast

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import WAIT_SECONDS

WAIT_MS = int(WAIT_SECONDS * 1000)


def result_of(message: Any) -> Any:
    """Wait for the result of a message."""
    return message.get_result(block=True, timeout=WAIT_MS)


def test_worker_does_messages(us: ClientRegion, protocol: int) -> None:
    client = us.client(protocol, decode_responses=False)
    broker: Any = RedisBroker(client=client)
    broker.add_middleware(Results(backend=RedisBackend(client=client)))
    dramatiq.set_broker(broker)
    tries: list[int] = []

    @dramatiq.actor(store_results=True)
    def add(a: int, b: int) -> int:
        return a + b

    @dramatiq.actor(store_results=True, min_backoff=1, max_backoff=2)
    def work_second_time() -> str:
        tries.append(len(tries))
        if tries == [0]:
            raise ValueError("not yet")
        return "done"

    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=10)
    worker.start()
    try:
        assert result_of(cast("Any", add).send(1, 2)) == 3
        assert result_of(cast("Any", add).send_with_options(args=(3, 4), delay=10)) == 7
        group = cast("Any", dramatiq.group)([cast("Any", add).message(n, n) for n in range(4)])
        results = group.run().get_results(block=True, timeout=WAIT_MS)
        assert list(results) == [0, 2, 4, 6]
        assert result_of(cast("Any", work_second_time).send()) == "done"
        broker.join("default", timeout=WAIT_MS)
        assert str(protocol) in us.protocols()
    finally:
        worker.stop(timeout=WAIT_MS)
    assert client.hlen("dramatiq:default.msgs") == 0
