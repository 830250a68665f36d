"""Clients that have just been idle are not closed while the checks at a run's end run."""

from __future__ import annotations

from sim.nodes.session import CONNECTIONS
from sim.schedule.plan import Plan
from sim.world.client_checks import CLIENT_CHECKS, check_clients, stop_closing_idle_clients
from sim.world.coverage_probes import NAMES, coverage_counts
from sim.world.world import SimWorld


def test_operators_stop_closing_idle_clients() -> None:
    world = SimWorld(Plan.of(["eu", "us"]))
    world.run_session("eu", CONNECTIONS[10], ("CONFIG", "SET", "timeout", "1"))
    world.run_session("us", CONNECTIONS[21], ("CONFIG", "SET", "timeout", "1"))
    stop_closing_idle_clients(world)
    timeouts = [site.instance.config.idle_seconds_max for site in world.sites.values()]
    assert timeouts == [0, 1]


def test_checks_leave_no_keys_and_no_clients() -> None:
    for seed in (2, 4):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        assert world.converge(10**10)
        world.sleep(2 * 10**9)
        check_clients(world)
        world.sleep(10**9)
        assert not any(site.replica.keyspace.keys() for site in world.sites.values())
        assert {len(site.instance.clients) for site in world.sites.values()} <= {1, 2}


def test_each_check_that_is_made_is_counted() -> None:
    made: dict[str, int] = {}
    for seed in range(12):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        assert world.converge(10**10)
        check_clients(world)
        assert set(world.probes) <= set(CLIENT_CHECKS)
        assert set(world.probes.values()) <= {1}
        made |= world.probes
        assert {*coverage_counts(world)} == {*NAMES}
    assert {*made} == {*CLIENT_CHECKS}
