"""Schedules: the events in a world as plain data.

A step is a name and up to two small numbers. It is valid in every world. Regions are taken modulo
the number of regions, and choices modulo the number of alternatives. A step that is not possible
has no effect. Therefore any steps can be left out or changed, which shrinking needs. A schedule can
also be printed, read and run again.
"""

from __future__ import annotations

import random
from typing import Final

import attrs

REGIONS: Final = 3  # in every world; known faults with more regions also occur with 3
AHEAD: Final = (30, 1, 200, 5, 0, -20, 3_000, -3_000)  # ms
WORK_EVERY: Final = 8  # one in so many steps is a step of work, where there are any
NUMBER_MAX: Final = 128  # the numbers of a step are below this

# The meaning of each step's numbers, and the weight with which it is drawn.
KINDS: Final[dict[str, tuple[tuple[str, ...], int]]] = {
    "write": (("region", "command"), 60),
    "deliver": (("region", "choice"), 30),  #    which of the operations in transit
    "duplicate": (("region", "choice"), 5),  #   as deliver, but it stays in transit
    "pull": (("region", "region"), 6),  #        from, to; all missing operations of any origin
    "cut": (("region", "region"), 2),  #         from, to
    "heal": ((), 2),
    "open": (("region",), 3),  #                 begin a snapshot
    "read": (("choice", "choice"), 6),  #        which snapshot, how many pieces
    "merge": (("choice", "region"), 4),  #       which snapshot, where
    "report": (("region", "region"), 8),  #      from, to
    "gossip": ((), 8),  #                        all regions report to all
    "repeat": (("choice", "region"), 2),  #      which of the earlier reports, to which region
    "collect": (("region",), 16),
    "advance": (("regions", "ahead"), 30),  #    the clock of one or all regions, by how many ms
    "save": (("region",), 1),  #                 save the state for a restart
    "restart": (("region", "choice"), 1),  #     from which of the saved states
    "settle": ((), 15),
    "work": (("region",), 0),  #                 one slice of the work that is left there
}
NAMES: Final = tuple(KINDS)


@attrs.frozen
class Step:
    """An event. Region numbers begin at 0 here, and at 1 in texts."""

    kind: str
    first: int = 0
    second: int = 0

    def __str__(self) -> str:
        fields = KINDS[self.kind][0]
        numbers = zip(fields, (self.first, self.second), strict=False)
        return " ".join([self.kind, *(format_number(field, number) for field, number in numbers)])


def format_number(field: str, number: int) -> str:
    """Return a number of a step as text."""
    if field == "region":
        return str(number % REGIONS + 1)
    if field == "regions":
        return str(number % REGIONS + 1) if number % (2 * REGIONS) < REGIONS else "all"
    return str(AHEAD[number % len(AHEAD)] if field == "ahead" else number)


def number_of(field: str, word: str) -> int:
    """Return the number in a text. This is the inverse of `format_number`. Raises ValueError."""
    if field == "regions" and word == "all":
        return REGIONS
    try:
        number = int(word)
    except ValueError:
        raise ValueError(f"{word!r} is not the number of a {field}") from None
    if field == "ahead" and number not in AHEAD:
        raise ValueError(f"clocks move by {AHEAD} ms, not by {number}")
    if field == "ahead":
        return AHEAD.index(number)
    return number - 1 if field in ("region", "regions") else number


def draw(rng: random.Random, length: int, names: tuple[str, ...] = NAMES) -> list[Step]:
    """Return a random schedule of `length` steps of these kinds.

    Each schedule omits some kinds of steps and draws others more often. Otherwise each fault would
    soon be undone by the opposite step (Groce et al., "Swarm Testing", 2012). A third of the
    schedules has steps of work; in the others, no work is left.
    """
    drawn = [name for name in names if name != "work"]
    chosen = {name: KINDS[name][1] * rng.choice((0, 1, 1, 1, 3)) for name in drawn}
    chosen["write"] = KINDS["write"][1]
    if not any(chosen.get(kind) for kind in ("deliver", "pull", "merge")):
        chosen["deliver"] = KINDS["deliver"][1]
    kinds = rng.choices(drawn, list(chosen.values()), k=length)
    steps = [Step(kind, rng.randrange(NUMBER_MAX), rng.randrange(NUMBER_MAX)) for kind in kinds]
    if "work" in names and rng.randrange(3) == 0:
        for place in sorted(rng.sample(range(length), length // WORK_EVERY), reverse=True):
            steps[place:place] = [Step("work", rng.randrange(NUMBER_MAX))]
    return steps
