"""rq: results, failures, retries, jobs that depend on others, and a worker in the other region."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from rq import Queue, Retry, SimpleWorker
from rq.job import Job, JobStatus

from tests.e2e.clients.jobs import add, fail, work_at_last_try
from tests.e2e.clients.regions import ClientRegion

pytestmark = pytest.mark.usefixtures("signal_handlers")


def work(queue: Queue, connection: Any) -> None:
    """Do all jobs of the queue in this process."""
    SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")


def test_worker_does_jobs(us: ClientRegion, protocol: int) -> None:
    with Redis.from_url(us.url(protocol)) as connection:
        queue = Queue("jobs", connection=connection)
        first = queue.enqueue(add, 1, 2)
        second = queue.enqueue(add, 3, b=4, depends_on=first)
        failing = queue.enqueue(fail)
        retried = queue.enqueue(work_at_last_try, retry=Retry(max=2))
        assert second.get_status() == JobStatus.DEFERRED
        work(queue, connection)
        assert [first.return_value(), second.return_value()] == [3, 7]
        assert retried.return_value() == "done"
        assert failing.get_status() == JobStatus.FAILED
        assert queue.failed_job_registry.get_job_ids() == [failing.id]
        result = failing.latest_result()
        assert result is not None
        assert "this job fails" in str(result.exc_string)
        assert str(protocol) in us.protocols()


def test_worker_in_other_region_does_job(us: ClientRegion, eu: ClientRegion) -> None:
    """A job and its result are data like any other."""
    with Redis.from_url(us.url(3)) as here, Redis.from_url(eu.url(3)) as there:
        job = Queue("jobs", connection=here).enqueue(add, 1, 2)
        us.settle()
        work(Queue("jobs", connection=there), there)
        eu.settle()
        assert Job.fetch(job.id, connection=here).return_value() == 3
        assert Queue("jobs", connection=here).is_empty()
