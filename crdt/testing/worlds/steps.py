"""A schedule: what happens in a world, as plain data.

A step is a name and a few small numbers, and means something in every world: regions are counted
modulo how many there are, choices modulo what there is to choose from, and a step that makes no
sense where it stands does nothing. So any steps can be left out or changed, which is what shrinking
a failure needs; and a schedule can be written down, read by people and run again.
"""

from __future__ import annotations

import random
from typing import Final

import attrs

REGIONS: Final = 3  # of every world: enough for everything that went wrong with more
AHEAD: Final = (30, 1, 200, 5, 0, -20, 3_000, -3_000)  # ms
NUMBER_MAX: Final = 64  # of each number of a step

# Each step: what its numbers mean, and how often it is drawn.
KINDS: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "write": (("region", "command"), 60),
    "deliver": (("region", "choice"), 30),  #    which of the operations that wait
    "duplicate": (("region", "choice"), 5),  #   the same, and it stays
    "pull": (("region", "region"), 6),  #        from, to: all that is missing, also of others
    "cut": (("region", "region"), 2),  #         from, to
    "heal": ((), 2),
    "open": (("region",), 3),  #                 begin a snapshot
    "read": (("choice", "choice"), 6),  #        which snapshot, how many pieces
    "merge": (("choice", "region"), 4),  #       which snapshot, where
    "report": (("region", "region"), 8),  #      from, to
    "gossip": ((), 8),  #                        all regions report to all
    "repeat": (("choice", "region"), 2),  #      which of the earlier reports, where
    "collect": (("region",), 16),
    "advance": (("regions", "ahead"), 30),  #    whose clock, by how much
    "save": (("region",), 1),  #                 keep the state for a restart
    "restart": (("region", "choice"), 1),  #     from which saved state
    "settle": ((), 15),
}
NAMES: Final = tuple(KINDS)


@attrs.frozen
class Step:
    """One thing that happens. Regions are counted from 0 here, from 1 where people read."""

    kind: str
    first: int = 0
    second: int = 0

    def __str__(self) -> str:
        fields = KINDS[self.kind][0]
        numbers = zip(fields, (self.first, self.second), strict=False)
        return " ".join([self.kind, *(format_number(field, number) for field, number in numbers)])


def format_number(field: str, number: int) -> str:
    """A number of a step as people read it."""
    if field == "region":
        return str(number % REGIONS + 1)
    if field == "regions":
        return str(number % REGIONS + 1) if number % (2 * REGIONS) < REGIONS else "all"
    return str(AHEAD[number % len(AHEAD)] if field == "ahead" else number)


def number_of(field: str, word: str) -> int:
    """The inverse of `format_number`. Raises ValueError."""
    if field == "regions" and word == "all":
        return REGIONS
    number = int(word)
    if field == "ahead" and number not in AHEAD:
        raise ValueError(f"clocks move by {AHEAD} ms, not by {number}")
    if field == "ahead":
        return AHEAD.index(number)
    return number - 1 if field in ("region", "regions") else number


def draw(rng: random.Random, length: int, names: tuple[str, ...] = NAMES) -> list[Step]:
    """A schedule of `length` steps of these kinds.

    Some kinds of steps are switched off for the whole of it, others come often: else each fault is
    soon undone by its remedy (Groce et al., "Swarm Testing", 2012).
    """
    chosen = {name: KINDS[name][1] * rng.choice((0, 1, 1, 1, 3)) for name in names}
    chosen["write"] = KINDS["write"][1]
    if not any(chosen.get(kind) for kind in ("deliver", "pull", "merge")):
        chosen["deliver"] = KINDS["deliver"][1]
    kinds = rng.choices(names, list(chosen.values()), k=length)
    return [Step(kind, rng.randrange(NUMBER_MAX), rng.randrange(NUMBER_MAX)) for kind in kinds]
