"""Times to live that meet: many that end at once, and those that regions change at the same time.

A collection deletes a limited number of expired keys and must go on with the rest. And a deadline
that one region tidies up may be one that another region has not seen, or that belongs to a key
which a third region has just written again. Both need commands that come close together, so they
are drawn as groups:

* One region gives many keys the same deadline in one turn.
* Regions change one key and its deadline at the same time, and once more a moment later. Some set
  the same absolute deadline. Then clients of all regions ask how long the key lives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sim.engine.clock import EPOCH_MS
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.step import ScheduleStep, Words

MEAN_NS: Final = 3 * SECOND  # between two groups
TOGETHER: Final = 16  # keys that end at the same time
TOGETHER_SHARE: Final = 4  # one of so many groups is of such keys
SPREAD_NS: Final = 30 * MS  # between the commands of several regions
LONG_MS: Final = 600_000


def draw_deadline_steps(
    rng: SeededRandom, names: Sequence[str], end: int
) -> Iterator[ScheduleStep]:
    """Yield the groups of commands until `end`, in order of time."""
    at, number = rng.exponential(MEAN_NS), 0
    while at < end:
        number += 1
        if rng.happens_in(1, TOGETHER_SHARE):
            yield end_together(rng, rng.choose_one(names), at, f"ends:{number}")
            at += SPREAD_NS
        else:
            steps = contend_for_deadline(rng, names, at, f"lasts:{number}")
            yield from (step for step in steps if step.at < end)
            at = steps[-1].at
        at += 1 + rng.exponential(MEAN_NS)


def end_together(rng: SeededRandom, name: str, at: int, key: str) -> ScheduleStep:
    """Return a step that gives many keys the same time to live."""
    ms = str(rng.integer_between(100, 1500))
    commands = tuple(("SET", f"{key}.{place}", "v", "PX", ms) for place in range(TOGETHER))
    return ScheduleStep(at, "write", (name,), commands=commands)


def contend_for_deadline(
    rng: SeededRandom, names: Sequence[str], at: int, key: str
) -> list[ScheduleStep]:
    """Return steps in which all regions change a key and its deadline, two times."""
    made: tuple[Words, ...] = (("SADD", key, "a"), ("PEXPIRE", key, str(LONG_MS)))
    steps = [ScheduleStep(at, "write", (rng.choose_one(names),), commands=made)]
    until = str(EPOCH_MS + at // MS + LONG_MS)
    for _ in range(2):
        at += rng.integer_between(200 * MS, 1200 * MS)
        times = sorted(at + rng.integer_below(SPREAD_NS) for _ in names)
        steps += [
            ScheduleStep(time, "write", (name,), commands=draw_change(rng, key, until))
            for time, name in zip(times, rng.shuffled(names), strict=True)
        ]
        at = times[-1]
        asked = at + rng.integer_below(200 * MS)
        steps += [
            ScheduleStep(asked, "write", (name,), commands=ask_for_life(key)) for name in names
        ]
        at = asked
    return steps


def ask_for_life(key: str) -> tuple[Words, ...]:
    """Return the commands that read the deadline of a key."""
    return (("PTTL", key), ("PEXPIRETIME", key))


def draw_change(rng: SeededRandom, key: str, until: str) -> tuple[Words, ...]:
    """Draw what one region does to a key and its deadline; `until` is the same for all regions."""
    changes: tuple[tuple[Words, ...], ...] = (
        (("PERSIST", key),),
        (("PERSIST", key),),
        (("PEXPIREAT", key, until),),
        (("PEXPIRE", key, str(LONG_MS + rng.integer_below(1000))),),
        (("SREM", key, "a"),),
        (("SREM", key, "a"),),
        (("SADD", key, "b"), ("SREM", key, "b")),
        (("SADD", key, "a"),),
    )
    return rng.choose_one(changes)
