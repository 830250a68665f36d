"""huey: results, retries, scheduled tasks, pipelines of tasks and locks."""

from __future__ import annotations

from typing import Any, cast

import pytest
from huey import RedisHuey
from huey.exceptions import TaskException

from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import WAIT_SECONDS, eventually

pytestmark = pytest.mark.usefixtures("signal_handlers")


def result_of(handle: Any) -> Any:
    """Wait for the result of a task."""
    return handle.get(blocking=True, timeout=WAIT_SECONDS, max_delay=0.05)


def result_of_retry(handle: Any) -> Any:
    """Return the result of a task, or nothing if its last try has failed."""
    try:
        return handle.get()
    except TaskException:
        handle.reset()
        return None


def test_consumer_does_tasks(us: ClientRegion, protocol: int) -> None:
    huey = cast("Any", RedisHuey("tasks", url=us.url(protocol)))
    tries: list[int] = []

    @huey.task()
    def add(a: int, b: int) -> int:
        return a + b

    @huey.task(retries=1)
    def work_second_time() -> str:
        tries.append(len(tries))
        if tries == [0]:
            raise ValueError("not yet")
        return "done"

    @huey.task()
    @huey.lock_task("guard")
    def work_alone() -> str:
        return "alone"

    @huey.task()
    def fail() -> None:
        raise ValueError("this task fails")

    consumer = huey.create_consumer(workers=2, periodic=False)
    consumer.start()
    try:
        assert result_of(add(1, 2)) == 3
        assert result_of(huey.enqueue(add.s(1, 2).then(add, 4))) == [3, 7]
        later = add.schedule((5, 6), delay=0.001)
        retried = work_second_time()
        eventually(lambda: result_of_retry(retried) == "done")
        assert result_of(work_alone()) == "alone"
        with pytest.raises(TaskException, match="this task fails"):
            result_of(fail())
        assert result_of(later) == 11
        assert str(protocol) in us.protocols()
    finally:
        consumer.stop(graceful=True)
    assert huey.pending_count() == huey.scheduled_count() == 0
