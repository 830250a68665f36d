"""What every test can use: Hypothesis profiles and free loopback ports.

Profiles are chosen by the environment variable `HYPOTHESIS_PROFILE`: `quick` (the default) for work
at the desk and for measuring coverage, `ci` for compiled modules, `nightly` for long runs. None of
them has a deadline: a test never measures time.

Tests marked `no_cover` run as fast as without coverage: they play through everything at length.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

# Below Linux's ephemeral range, so that no outgoing connection takes a port between the moment it
# is found free and the moment a server binds it.
PORT_FIRST, PORT_LAST = 12_000, 32_000

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


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Trace nothing in a test marked `no_cover`.

    pytest-cov sees to that only where there is one process: in a worker it has started coverage
    twice, and pausing the one resumes the other.
    """
    if not item.get_closest_marker("no_cover"):
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def bindable(ports: range) -> bool:
    """True when all of these loopback ports are free at this moment."""
    with ExitStack() as stack:
        for port in ports:
            server = stack.enter_context(socket.socket())
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def port_blocks() -> Iterator[int]:
    """First ports of blocks to try, starting at a place that differs between test processes."""
    span = PORT_LAST - PORT_FIRST
    start = os.getpid() * 97 % span
    for step in count(start=start):
        yield PORT_FIRST + step % span


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], range]:
    """`free_ports(n)`: n consecutive free loopback ports, none of them twice in a session."""
    firsts = port_blocks()

    def find(n: int) -> range:
        first = next(port for port in firsts if bindable(range(port, port + n)))
        for _ in range(n - 1):
            next(firsts)
        return range(first, first + n)

    return find


@pytest.fixture
def free_port(free_ports: Callable[[int], range]) -> int:
    """One free loopback port."""
    return free_ports(1)[0]
