"""Settings of all tests: Hypothesis profiles, the hangup signal, and lines that coverage ignores.

Profiles are chosen by the environment variable `HYPOTHESIS_PROFILE`: `quick` (the default) for work
at the desk and for measuring coverage, `ci` for compiled modules, `nightly` for long runs. None of
them has a deadline: a test never measures time.

Under nohup the signal SIGHUP is ignored, also in the processes that tests start. Its usual effect
is restored, since tests send it.

Python's garbage collector rests while tests are collected, and ignores afterwards what exists then:
visiting thousands of tests again and again takes a third of the time of collecting them.

Tests marked `no_cover` run as fast as without coverage: they play through everything at length.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

for name, examples, steps in (("quick", 25, 25), ("ci", 60, 30), ("nightly", 5_000, 100)):
    settings.register_profile(
        name,
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault of the test
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
gc.disable()


def pytest_sessionstart() -> None:
    """Restore the usual effect of SIGHUP."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """Let the garbage collector run again, for what is made from now on."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Trace nothing in a test marked `no_cover`.

    pytest-cov does that only in a single process. In a worker it has started coverage twice, and
    pausing one of them resumes the other.
    """
    if not item.get_closest_marker("no_cover"):
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
