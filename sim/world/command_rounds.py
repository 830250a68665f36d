"""The situation: a quiet region gets many different commands, each with drawn options.

During a run clients draw commands on data at random, so one rare option of one command occurs in
few runs. Here one region gets requests that give two keys of a type a content, and then draw
commands of the command table (`sim.schedule.arguments`). Commands with many optional arguments are
drawn more often. The promise `commands` judges replies and values
(`sim.checkers.clients.commands`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crdb.engine.declare.declaration import Declaration
from crdb.engine.declare.syntax import Argument
from sim.engine.rng import SeededRandom
from sim.schedule.arguments import CommandDrawer
from sim.schedule.edges import BITMAPS, FILLING, KINDS, ONES, PROMPT, EdgeClient, all_keys
from sim.schedule.step import Words
from sim.schedule.writes import PERIOD_NS, Load
from sim.world.world import SimWorld

SESSION: Final = 9000
"""The number of the session; no other one has it."""
ROUNDS: Final = 20
COMMANDS: Final = 3
"""The number of drawn commands in a request."""
WEIGHT_MAX: Final = 4


def count_options(arguments: Sequence[Argument]) -> int:
    """Return the number of optional arguments, also inside others."""
    return sum(each.is_optional + count_options(each.parts) for each in arguments)


def weigh(declared: Sequence[Declaration]) -> tuple[Declaration, ...]:
    """Repeat commands with optional arguments."""
    return tuple(
        each for each in declared for _ in range(1 + min(WEIGHT_MAX, count_options(each.arguments)))
    )


WEIGHTED: Final = {kind: weigh(declared) for kind, declared in PROMPT.items()}
"""The commands by type. One with many optional arguments occurs several times."""
WEIGHTED_BITMAPS: Final = weigh(BITMAPS)


def run_command_rounds(world: SimWorld) -> None:
    """Let a session send commands to a region. Raises Violation for a wrong reply."""
    rng = SeededRandom(world.seed, "rounds")
    site = world.sites[rng.choose_one(tuple(world.sites))]
    client = EdgeClient(rng, Load(), site.name, session=SESSION, number=site.number)
    client.at = world.now
    for _ in range(ROUNDS):
        world.run_session(site.name, SESSION, *draw_round(client))
    keys = all_keys(site.number, world.now // PERIOD_NS)
    world.run_session(site.name, SESSION, ("DEL", *keys))


def draw_round(client: EdgeClient) -> Iterator[Words]:
    """Yield the commands of a request."""
    rng = client.rng
    kind = client.kind = rng.choose_one(KINDS)
    key, other = client.draw_key(kind), client.draw_key(kind)
    on_bits = kind == "t" and rng.happens_in(1, 2)
    fill = ONES if on_bits else FILLING[kind]
    if kind == "l":
        fill += " b b a"
    declared = WEIGHTED_BITMAPS if on_bits else WEIGHTED[kind]
    yield ("TIME",)
    yield ("DEL", key, other)
    yield client.draw_words(fill, other)
    for _ in range(COMMANDS):
        yield tuple(key if word == "k" else word for word in fill.split())
        yield CommandDrawer(
            rng,
            rng.choose_one(declared),
            lambda: key if rng.happens_in(1, 2) else client.draw_any_key(key),
            option=(1, 2),
        ).draw_words()
