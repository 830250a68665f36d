"""A region gets many different commands at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from sim.checkers.clients.commands import CommandChecker
from sim.engine.checker import Violation
from sim.engine.rng import SeededRandom
from sim.redis.commands import COMMANDS
from sim.redis.state import RedisModel
from sim.schedule.edges import DECLARED, EdgeClient
from sim.schedule.step import Words
from sim.schedule.writes import Load
from sim.world.command_rounds import draw_round, run_command_rounds
from tests.sim.planted import checker_of, fresh


def drawn(seed: int, rounds: int) -> list[Words]:
    """Return the commands of some rounds."""
    client = EdgeClient(SeededRandom(seed, "rounds"), Load(), "eu", session=1, number=1)
    return [words for _ in range(rounds) for words in draw_round(client)]


def test_rounds_draw_all_commands_on_data() -> None:
    found = {words[0] for words in drawn(1, 800)}
    wanted = {each.name.upper() for declared in DECLARED.values() for each in declared}
    blocking = {name for name in wanted if name.startswith("B") and not name.startswith("BIT")}
    assert wanted - found <= blocking | {"WAIT"}


def test_rounds_draw_rare_options_together() -> None:
    counts = Counter(
        words[0]
        for words in drawn(2, 400)
        if {"RANK", "MAXLEN"} <= {word.upper() for word in words}
        or (words[0] == "BITPOS" and len(words) == 4)
    )
    assert counts["LPOS"] > 5
    assert counts["BITPOS"] > 3


def test_region_answers_like_model() -> None:
    world = fresh(CommandChecker)
    run_command_rounds(world)
    assert checker_of(world).looked > 100
    assert not any(len(site.replica.keyspace.keys()) for site in world.live_regions())


def test_wrong_reply_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(_db: RedisModel, _args: Sequence[str], _found: object) -> int:
        return 99

    for name in COMMANDS:
        monkeypatch.setitem(COMMANDS, name, one_more)
    world = fresh(CommandChecker)
    with pytest.raises(Violation, match=r"commands: \w+ answers DEL .* not 99"):
        run_command_rounds(world)
