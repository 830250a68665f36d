"""Functions that the workers of job queues call by their names."""

from __future__ import annotations

from rq import get_current_job


def add(a: int, b: int) -> int:
    """Return the sum."""
    return a + b


def fail() -> None:
    """Fail."""
    raise ValueError("this job fails")


def work_at_last_try() -> str:
    """Fail while a job of rq has tries left."""
    job = get_current_job()
    assert job is not None
    if job.retries_left:
        raise ValueError("not yet")
    return "done"
