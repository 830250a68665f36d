"""Several regions in one process."""

from __future__ import annotations

import pytest
import trio

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.engine.client import Client
from crdb.engine.events.operator_events import ClientsLimitedEvent
from crdb.engine.execution.executor import receive
from crdb.net.ports import CannotListen
from crdb.region.runtime import Runtime
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
