"""Running schedules, searching for one that fails, and telling it in words.

A schedule comes from a seed, or is written down as a script that people can read:

    subject keyspace
    write 1 SADD k a
    deliver 2 0
    write 2 DEL k
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from crdt.suite.shrinking import Shrinker
from crdt.suite.steps import KINDS, Step, draw, number_of, word_of
from crdt.suite.subject import Disagreement, Subject
from crdt.suite.world import World

LENGTH: Final = 60  # steps of a drawn schedule


@attrs.frozen
class Failure:
    """A schedule that fails, as small as it could be made, and how it does."""

    subject: Subject
    steps: list[Step]
    error: Exception
    seed: int | None = None

    def __str__(self) -> str:
        found = "" if self.seed is None else f"found with seed {self.seed}, "
        lines = [f"{found}{len(self.steps)} steps:", "", script(self.subject, self.steps), ""]
        kind = "" if isinstance(self.error, Disagreement) else f"{type(self.error).__name__}: "
        return "\n".join([*lines, f"{kind}{self.error}"])


def attempt(subject: Subject, steps: list[Step], counts: dict[str, int]) -> Exception | None:
    """Run a schedule; what went wrong, None if nothing. Adds up how often each law was tried."""
    world = World(subject)
    try:
        world.run(steps)
    except Exception as error:  # noqa: BLE001 - whatever the code under test may raise
        return error
    finally:
        for law, count in world.counts.items():
            counts[law] = counts.get(law, 0) + count
    return None


def signature(error: Exception) -> tuple[str, ...]:
    """In which way a schedule failed: the law, or the place in the program."""
    if isinstance(error, Disagreement):
        return (error.law,)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, frame.filename, frame.name


def shrink(subject: Subject, steps: list[Step], error: Exception) -> Failure:
    """The smallest schedule found that fails in the same way."""
    errors = {signature(error): error}

    def fails(candidate: list[Step]) -> bool:
        found = attempt(subject, candidate, {})
        if found is None or signature(found) != signature(error):
            return False
        errors[signature(found)] = found
        return True

    steps = Shrinker(steps, fails).shrink()
    return Failure(subject, steps, errors[signature(error)])


def search(
    subject: Subject,
    seeds: Iterable[int],
    length: int = LENGTH,
    counts: dict[str, int] | None = None,
) -> Failure | None:
    """Run the schedule of each seed; the first failure, shrunk, or None."""
    counts = {} if counts is None else counts
    for seed in seeds:
        steps = draw(random.Random(f"crdt.suite {subject.name} {seed}"), length)
        error = attempt(subject, steps, counts)
        if error is not None:
            return attrs.evolve(shrink(subject, steps, error), seed=seed)
    return None


def script(subject: Subject, steps: Sequence[Step]) -> str:
    """A schedule in words, which `parse` reads. Commands are spelled out."""
    return "\n".join([f"subject {subject.name}", *(line(subject, step) for step in steps)])


def line(subject: Subject, step: Step) -> str:
    """One step in words."""
    if step.kind != "write":
        return str(step)
    command = subject.commands[step.second % len(subject.commands)]
    return f"write {word_of('region', step.first)} {command}"


def parse(subject: Subject, text: str) -> list[Step]:
    """The schedule that a script spells. Raises ValueError at a word that it does not know."""
    spelled = {str(command): index for index, command in enumerate(subject.commands)}
    steps: list[Step] = []
    for each in text.splitlines():
        kind, _, rest = each.partition("#")[0].strip().partition(" ")
        if kind not in ("", "subject"):
            steps.append(parse_step(kind, rest, spelled))
    return steps


def parse_step(kind: str, rest: str, spelled: dict[str, int]) -> Step:
    """One step; `spelled` says which number a command has. Raises ValueError."""
    if kind not in KINDS:
        raise ValueError(f"there is no step {kind!r}")
    if kind == "write":
        region, _, command = rest.partition(" ")
        if command not in spelled:
            raise ValueError(f"the subject has no command {command!r}")
        return Step("write", number_of("region", region), spelled[command])
    numbers = zip(KINDS[kind][0], rest.split(), strict=True)
    return Step(kind, *(number_of(field, word) for field, word in numbers))


def replay(subject: Subject, text: str) -> None:
    """Run the schedule that a script spells. Raises what goes wrong."""
    World(subject).run(parse(subject, text))
