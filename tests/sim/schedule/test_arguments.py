"""All commands on data are drawn from the command table, with all of their options."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.declare.declaration import Declaration
from sim.engine.rng import SeededRandom
from sim.redis.commands import COMMANDS
from sim.redis.tokens import TOKENS, in_upper_case
from sim.schedule.arguments import (
    ARGUMENTS,
    GROUPS_LEFT_OUT,
    KIND_OF_GROUP,
    LEFT_OUT,
    CommandDrawer,
    declared_commands,
)
from sim.schedule.step import Words

DRAWS = 150
KEY = "edge:0.1t0"
BY_NAME = {each.name: each for kind in "shzlt" for each in declared_commands(kind)}


def drawn(declaration: Declaration, count: int = DRAWS) -> list[Words]:
    rng = SeededRandom(1, declaration.name)
    return [CommandDrawer(rng, declaration, lambda: KEY).draw_words() for _ in range(count)]


def test_every_command_is_drawn_or_left_out_with_reason() -> None:
    assert not KIND_OF_GROUP.keys() & GROUPS_LEFT_OUT.keys()
    for command in build_table().top_level():
        name, group = command.declaration.name, command.declaration.group
        reasons = (name in BY_NAME, name.upper() in LEFT_OUT, group in GROUPS_LEFT_OUT)
        assert sum(reasons) == 1, name


def test_model_has_every_command_that_is_drawn() -> None:
    assert {name.upper() for name in BY_NAME} == COMMANDS.keys() - {"ECHO"}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_option_is_drawn(name: str) -> None:
    requests = drawn(BY_NAME[name])
    words = {word for request in requests for word in in_upper_case(request)}
    assert set(TOKENS[name.upper()]) <= words, name


def test_options_are_drawn_and_left_out_alone() -> None:
    requests = [request[3:] for request in drawn(BY_NAME["lpos"])]
    lengths = {len(request) for request in requests}
    assert lengths == {0, 2, 4, 6}
    named = {request[0] for request in requests if len(request) == 2}
    assert {word.upper() for word in named} == {"RANK", "COUNT", "MAXLEN"}


def test_number_of_keys_is_that_of_keys_that_follow() -> None:
    for request in drawn(BY_NAME["zinterstore"]):
        count = int(request[2])
        assert request[3 : 3 + count] == (KEY,) * count
        assert request.count(KEY) == count + 1
        words = in_upper_case(request)
        if "WEIGHTS" in words:
            rest = words[words.index("WEIGHTS") + 1 :]
            weights = rest[: rest.index("AGGREGATE")] if "AGGREGATE" in rest else rest
            assert len(weights) == count


def test_ends_of_range_mostly_fit_its_kind() -> None:
    requests = [request for request in drawn(BY_NAME["zrange"]) if "BYLEX" in request]
    ends = [request[2] in ARGUMENTS["l"] and request[3] in ARGUMENTS["l"] for request in requests]
    assert sum(ends) > len(ends) * 3 // 4


def test_patterns_name_keys_of_same_region() -> None:
    words = {word for request in drawn(BY_NAME["sort"]) for word in request}
    assert {"edge:0.1t*", "edge:0.1h*->a", "#", "nosort"} <= words


def test_values_of_bits_and_fractions_are_their_own() -> None:
    assert {request[2] for request in drawn(BY_NAME["bitpos"])} == {"0", "1"}
    assert {request[3] for request in drawn(BY_NAME["setbit"])} == {"0", "1"}
    assert {request[2] for request in drawn(BY_NAME["incrbyfloat"])} == set(ARGUMENTS["d"])
    assert {request[2] for request in drawn(BY_NAME["zincrby"])} == set(ARGUMENTS["p"])
