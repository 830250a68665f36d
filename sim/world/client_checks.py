"""Checks at the end of a run with new clients, when all faults are healed and all is quiet.

Each check lets clients of one region do something that is rare during a run, or that a model can
judge only if nothing else happens. Most checks are made in some runs only.
"""

from __future__ import annotations

from typing import Final

from sim.nodes.session import CONNECTIONS, SLOTS
from sim.schedule.step import Words
from sim.world import (
    client_cache,
    client_limits,
    conflicts,
    connection_modes,
    large_values,
    pipelines,
    settings,
    waits,
)
from sim.world.command_rounds import run_command_rounds
from sim.world.world import SimWorld

CLIENT_CHECKS: Final = (
    pipelines.PROMISE,
    connection_modes.MODES,
    settings.PROMISE,
    client_limits.PROMISE,
    conflicts.PROMISE,
    waits.PROMISE,
    client_cache.PROMISE,
    large_values.PROMISE,
)
"""The coverage probes of the checks that are made in some runs only, by the promise of each."""
STAY_CONNECTED: Words = ("CONFIG", "SET", "timeout", "0")


def check_clients(world: SimWorld) -> None:
    """Run all checks. Raises Violation."""
    stop_closing_idle_clients(world)
    pipelines.check_pipelines(world)
    run_command_rounds(world)
    connection_modes.check_connection_modes(world)
    settings.check_settings(world)
    client_limits.check_client_limits(world)
    conflicts.check_conflicts(world)
    waits.check_waits(world)
    client_cache.check_client_cache(world)
    large_values.check_large_values(world)


def stop_closing_idle_clients(world: SimWorld) -> None:
    """Let operators set `timeout` to 0. A region that was paused may have missed that before."""
    for number, session in list(world.sessions.by_number.items()):
        server = session.server
        if number in CONNECTIONS and number % SLOTS == 0 and server is not None:
            world.run_session(server.name, number, STAY_CONNECTED)
