"""Celery, with a region as its broker and as its store of results."""

from __future__ import annotations

from typing import Any, cast

import pytest
from celery import Celery, chain, chord, group
from celery.contrib.testing import worker as testing_worker

from tests.e2e.clients.regions import HOST, ClientRegion
from tests.e2e.processes import WAIT_SECONDS

# Celery calls a method that redis-py has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")

start_worker: Any = cast("Any", testing_worker).start_worker


def application(region: ClientRegion, protocol: int) -> Any:
    """Return an application with some tasks. The protocol is that of the store of results.

    The broker's URL has no parameters. It uses the protocol that redis-py prefers.
    """
    broker = f"redis://{HOST}:{region.port}/0"
    app: Any = Celery("tests", broker=broker, backend=region.url(protocol), set_as_current=False)
    app.conf.worker_hijack_root_logger = False

    @app.task(shared=False)
    def add(a: int, b: int) -> int:
        return a + b

    @app.task(shared=False)
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @app.task(shared=False, bind=True, max_retries=2)
    def work_at_last_try(self: Any) -> str:
        if self.request.retries < 2:
            raise self.retry(countdown=0)
        return "done"

    @app.task(shared=False)
    def fail() -> None:
        raise ValueError("this task fails")

    for task in (add, total, work_at_last_try, fail):
        setattr(app, task.__name__, task)
    return app


def result_of(handle: Any) -> Any:
    """Wait for the result of a task."""
    return handle.get(timeout=WAIT_SECONDS)


def test_worker_does_tasks(us: ClientRegion, protocol: int) -> None:
    app = application(us, protocol)
    with start_worker(app, perform_ping_check=False):
        assert result_of(app.add.delay(1, 2)) == 3
        assert result_of(app.work_at_last_try.delay()) == "done"
        with pytest.raises(ValueError, match="this task fails"):
            result_of(app.fail.delay())
        numbers = [app.add.s(number, number) for number in range(4)]
        assert result_of(group(numbers)()) == [0, 2, 4, 6]
        assert result_of(chord(numbers)(app.total.s())) == 12
        assert result_of(chain(app.add.s(1, 2), app.add.s(4))()) == 7
        assert result_of(app.add.apply_async((5, 6), countdown=0.01)) == 11
        assert us.protocols() == {str(protocol), "3"}
