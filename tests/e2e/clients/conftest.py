"""Two regions that the tests of client libraries share, and the protocol that a library speaks.

Starting regions takes longer than most of the tests. So all tests of one worker use the same two
regions, which are emptied before each test.

Some libraries leave sockets to Python's collector, which warns of them. That is ignored here.
"""

from __future__ import annotations

import gc
import signal
import warnings
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import ready_event, started
from tests.ports import free_base

HERE = Path(__file__).parent
LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of libraries ignore sockets that were left open."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(LEFT_OPEN)


@pytest.fixture(autouse=True)
def collected_sockets() -> Generator[None]:
    """Collect what a library leaves, so that the warning does not come in a later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def linked_regions() -> Generator[tuple[ClientRegion, ClientRegion]]:
    """Start two regions with a link between them."""
    base = free_base(2)
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        ready_event(process)
        yield ClientRegion(base + 1), ClientRegion(base + 2)


@pytest.fixture
def us(linked_regions: tuple[ClientRegion, ClientRegion]) -> ClientRegion:
    """Return the region that most tests work in, emptied."""
    region = linked_regions[0]
    region.empty()
    return region


@pytest.fixture
def eu(linked_regions: tuple[ClientRegion, ClientRegion]) -> ClientRegion:
    """Return the region at the other end of the link of `us`."""
    return linked_regions[1]


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return the version of the Redis protocol that the library speaks."""
    version: int = request.param
    return version


@pytest.fixture
def signal_handlers() -> Generator[None]:
    """Restore the signal handlers that workers replace."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(name, signal.getsignal(name)) for name in names]
    yield
    for name, handler in before:
        signal.signal(name, handler)
