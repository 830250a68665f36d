"""The sessions that use the state of their connections do all that they are for."""

from __future__ import annotations

from itertools import pairwise

from sim.checkers.clients.connections import ConnectionChecker
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.session import CONNECTIONS
from sim.schedule.connections import LONG, LONGEST, ConnectionClients
from sim.schedule.step import ScheduleStep
from sim.schedule.writes import Load
from tests.sim.planted import checker_of, fresh

END = 300 * SECOND


def drawn(seed: int, end: int = END) -> list[ScheduleStep]:
    client = ConnectionClients(SeededRandom(seed, "connections"), Load(), "eu", 1)
    return list(client.draw_steps(end))


def test_every_command_about_connections_is_sent() -> None:
    steps = [step for seed in range(4) for step in drawn(seed)]
    commands = {words[:2] for step in steps for words in step.commands if words[0] == "CLIENT"}
    subcommands = ("REPLY", "SETNAME", "GETNAME", "ID", "PAUSE", "UNPAUSE", "UNBLOCK", "KILL")
    assert commands == {("CLIENT", name) for name in subcommands}
    names = {words[0] for step in steps for words in step.commands}
    assert {"RESET", "QUIT", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "BLPOP"} <= names
    assert {"CONFIG", "INFO", "BZPOPMIN", "NOSUCH", "GET", "SELECT", "SETRANGE"} <= names
    assert {step.value for step in steps} == set(CONNECTIONS[10:14])
    assert drawn(1) == drawn(1)


def test_steps_are_in_order_of_time() -> None:
    steps = drawn(1)
    assert all(step.at <= later.at for step, later in pairwise(steps))
    assert steps[-1].at < END


def test_some_pipelines_are_long() -> None:
    lengths = {len(step.commands) for seed in range(8) for step in drawn(seed)}
    assert {LONG + 1, LONGEST + 1} <= lengths


def test_server_keeps_its_promises() -> None:
    world = fresh(ConnectionChecker)
    for step in drawn(2, 100 * SECOND):
        world.sleep_until(max(world.now, step.at))
        world.run_session("eu", step.value, *step.commands)
    world.sleep(SECOND)
    world.check_end()
    assert checker_of(world).looked > 500
