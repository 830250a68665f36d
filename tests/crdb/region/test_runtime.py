"""Several regions in one process."""

from __future__ import annotations

import gc
import weakref

import pytest
import trio

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.engine.client import Client
from crdb.engine.events.operator_events import ClientsLimitedEvent
from crdb.engine.execution.executor import receive
from crdb.net.ports import CannotListen
from crdb.region.runtime import COLLECT_AFTER, Runtime, calm_collector, freeze_survivors
from tests.ports import free_base, is_free


def runtime(config: Config) -> Runtime:
    names = tuple(region.name for region in config.regions)
    return Runtime(config, names, emit=lambda _event: None)


def test_figures_are_rates_since_last_look() -> None:
    world = runtime(Config.from_names(["us", "eu"]))
    world.metrics(10.0)
    instance = world.regions[0].instance
    client = Client(instance, b"there:1", b"here:1")
    for _ in range(6):
        receive(client, b"INCR n\r\n")
    us, eu = world.metrics(12.0)
    assert (us.keys, us.clients, us.effects_per_second) == (1, 1, 3.0)
    assert us.commands_per_second == 3.0
    assert (eu.keys, eu.effects_per_second, eu.role) == (0, 0.0, "active")


def test_all_regions_of_process_share_one_view_of_links() -> None:
    world = runtime(Config.from_names(["us", "eu"]))

    async def look() -> set[tuple[str, str]]:
        return {(link.source, link.sink) for link in world.links()}

    assert trio.run(look) == {("us", "eu"), ("eu", "us")}
    assert all(region.instance.links is world.control for region in world.regions)


def test_if_one_region_cannot_listen_no_port_is_kept() -> None:
    base = free_base()
    first = runtime(Config.from_names(["us"], base + 1))
    first.open()
    try:
        with pytest.raises(CannotListen, match="region eu"):
            runtime(Config.from_names(["us", "eu"], base)).open()
        assert is_free(base + 1)
    finally:
        first.close()


@pytest.mark.parametrize(
    ("possible", "held", "reported"),
    [
        (None, "10000", []),
        (10_000, "10000", []),
        (92, "92", [ClientsLimitedEvent(asked=10_000, maxclients=92)]),
    ],
)
def test_clients_beyond_limit_of_open_files_are_reported_once(
    possible: int | None, held: str, reported: list[object]
) -> None:
    world = runtime(Config.from_names(["us", "eu"]))
    world.early = []
    world.limit_clients(possible)
    assert world.early == reported
    assert {each.instance.config.values["maxclients"] for each in world.regions} == {held}


async def test_copy_shows_whether_it_has_its_source() -> None:
    lonely = '[[region]]\nname = "copy"\nreplica_of = ["127.0.0.1:1"]\n'
    (copy,) = runtime(read_config(lonely)).metrics(0.0)
    assert copy.role == "read-only copy, out-of-sync"


def test_collector_is_calmed() -> None:
    before = gc.get_threshold()
    try:
        calm_collector()
        calm_collector()
        assert gc.get_threshold() == COLLECT_AFTER
        assert gc.callbacks.count(freeze_survivors) == 1
        kept = [[number] for number in range(1000)]
        gc.collect(0)
        frozen = gc.get_freeze_count()
        gc.collect(1)
        assert gc.get_freeze_count() >= frozen + len(kept)
        gc.collect(1)
        assert gc.get_count()[2] == 0
    finally:
        gc.callbacks.remove(freeze_survivors)
        gc.unfreeze()
        gc.set_threshold(*before)


def test_cycle_of_new_objects_is_collected() -> None:
    before = gc.get_threshold()
    try:
        calm_collector()
        cycle = Cycle()
        alive = weakref.ref(cycle)
        del cycle
        gc.collect(1)
        assert alive() is None
    finally:
        gc.callbacks.remove(freeze_survivors)
        gc.unfreeze()
        gc.set_threshold(*before)


class Cycle:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self
