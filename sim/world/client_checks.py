"""Checks at the end of a run with new clients, when all faults are healed and all is quiet.

Each check lets clients of one region do something that is rare during a run, or that a model can
judge only if nothing else happens. Most checks are made in some runs only.
"""

from __future__ import annotations

from sim.nodes.session import CONNECTIONS, SLOTS
from sim.schedule.step import Words
from sim.world.client_limits import check_client_limits
from sim.world.command_rounds import run_command_rounds
from sim.world.conflicts import check_conflicts
from sim.world.connection_modes import check_connection_modes
from sim.world.large_values import check_large_values
from sim.world.pipelines import check_pipelines
from sim.world.settings import check_settings
from sim.world.waits import check_waits
from sim.world.world import SimWorld

STAY_CONNECTED: Words = ("CONFIG", "SET", "timeout", "0")


def check_clients(world: SimWorld) -> None:
    """Run all checks. Raises Violation."""
    stop_closing_idle_clients(world)
    check_pipelines(world)
    run_command_rounds(world)
    check_connection_modes(world)
    check_settings(world)
    check_client_limits(world)
    check_conflicts(world)
    check_waits(world)
    check_large_values(world)


def stop_closing_idle_clients(world: SimWorld) -> None:
    """Let operators set `timeout` to 0. A region that was paused may have missed that before."""
    for number, session in list(world.sessions.by_number.items()):
        server = session.server
        if number in CONNECTIONS and number % SLOTS == 0 and server is not None:
            world.run_session(server.name, number, STAY_CONNECTED)
