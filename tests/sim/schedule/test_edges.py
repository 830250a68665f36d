"""The edge sessions send all commands of the model, and the server replies as the model does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.checkers.clients.commands import CommandChecker
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.redis.commands import COMMANDS
from sim.schedule.edges import KINDS, EdgeClient, all_keys
from sim.schedule.step import ScheduleStep
from sim.schedule.writes import PERIOD_NS, Load
from tests.sim.planted import checker_of, fresh

END = 400 * SECOND


def drawn(seed: int = 1, end: int = END) -> list[ScheduleStep]:
    client = EdgeClient(SeededRandom(seed, "edges"), Load(), "eu", session=18, number=1)
    return list(client.draw_steps(end))


def test_every_command_is_sent() -> None:
    steps = [step for seed in range(3) for step in drawn(seed)]
    names = {words[0] for step in steps for words in step.commands}
    assert names == {*COMMANDS, *("TIME", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH")}
    assert {step.value for step in steps} == {18, 19}
    assert drawn() == drawn()


def test_some_requests_come_when_key_expires() -> None:
    steps = drawn(2)
    gaps = [later.at - step.at for step, later in pairwise(steps)]
    assert gaps.count(MS) > 20
    assert all(gap >= 0 for gap in gaps)


def test_large_text_is_written_now_and_then() -> None:
    steps = [step for seed in range(3) for step in drawn(seed)]
    words = [word for step in steps for command in step.commands for word in command]
    large = [word for word in words if len(word) > 1024]
    assert 50 < len(large) < len(words) // 100


def test_keys_of_earlier_period_are_deleted() -> None:
    deleted = [step for step in drawn() if step.commands[0] == ("DEL", *all_keys(1, 0))]
    assert [step.at // PERIOD_NS for step in deleted] == [1]
    assert len(all_keys(1, 0)) == 2 * len(KINDS) + 3


@pytest.mark.parametrize("seed", range(2))
def test_server_agrees_with_model(seed: int) -> None:
    world = fresh(CommandChecker)
    for step in drawn(seed, 100 * SECOND):
        world.sleep_until(max(world.now, step.at))
        world.run_session("eu", step.value, *step.commands)
    assert checker_of(world).looked > 200


def test_second_session_blocks_and_is_mostly_served() -> None:
    world = fresh(CommandChecker)
    asked = served = 0
    for step in drawn(6, 120 * SECOND):
        world.sleep_until(max(world.now, step.at))
        replies = world.run_session("eu", step.value, *step.commands)
        if replies is not None and step.value == 19:
            asked += 1
        elif 19 in world.sessions.by_number and world.sessions.by_number[19].waiting is None:
            served += 1
            world.sessions.close_session(19)
    assert asked > 3
    assert served > asked // 2
