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

# Each step, how many numbers follow it, and how often it is drawn.
KINDS: Final[dict[str, tuple[int, int]]] = {
    "write": (2, 60),  #      region, command
    "deliver": (2, 30),  #    region, which of the waiting messages
    "duplicate": (2, 5),  #   the same, and the message stays
    "pull": (2, 6),  #        from region, to region: all that is missing, also of others
    "cut": (2, 2),  #         from region, to region
    "heal": (0, 2),
    "open": (1, 3),  #        region: begin a snapshot
    "read": (2, 6),  #        which snapshot, how many pieces
    "merge": (2, 4),  #       which snapshot, into region
    "report": (2, 8),  #      from region, to region
    "gossip": (0, 8),  #      all regions report to all
    "repeat": (2, 2),  #      an earlier report, to region
    "collect": (1, 16),  #     region
    "advance": (2, 30),  #    region or all, how far (see AHEAD)
    "save": (1, 1),  #        region: keep its state for a restart
    "restart": (2, 1),  #     region, from which saved state
    "settle": (0, 15),
}
NAMES: Final = tuple(KINDS)
AHEAD: Final = (30, 1, 200, 5, 0, -20)  # ms
NUMBER_MAX: Final = 64  # of each number of a step
CODE_MAX: Final = len(NAMES) * NUMBER_MAX * NUMBER_MAX - 1


@attrs.frozen
class Step:
    """One thing that happens."""

    kind: str
    first: int = 0
    second: int = 0

    def __str__(self) -> str:
        numbers = (self.first, self.second)[: KINDS[self.kind][0]]
        return " ".join([self.kind, *(str(number) for number in numbers)])

    def code(self) -> int:
        """The step as one integer."""
        return (NAMES.index(self.kind) * NUMBER_MAX + self.first) * NUMBER_MAX + self.second


def step_of(code: int) -> Step:
    """The step that `code` stands for."""
    rest, second = divmod(code, NUMBER_MAX)
    kind, first = divmod(rest, NUMBER_MAX)
    return Step(NAMES[kind % len(NAMES)], first, second)


def draw(rng: random.Random, length: int) -> list[Step]:
    """A schedule of `length` steps.

    Some kinds of steps are switched off for the whole of it, others come often: else each fault is
    soon undone by its remedy (Groce et al., "Swarm Testing", 2012).
    """
    chosen = [weight * rng.choice((0, 1, 1, 1, 3)) for _, weight in KINDS.values()]
    chosen[NAMES.index("write")] = KINDS["write"][1]
    if not any(chosen[NAMES.index(kind)] for kind in ("deliver", "pull", "merge")):
        chosen[NAMES.index("deliver")] = KINDS["deliver"][1]
    kinds = rng.choices(NAMES, chosen, k=length)
    return [Step(kind, rng.randrange(NUMBER_MAX), rng.randrange(NUMBER_MAX)) for kind in kinds]
