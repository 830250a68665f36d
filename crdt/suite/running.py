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

from crdt.errors import CRDTError
from crdt.suite.shrinking import Shrinker
from crdt.suite.steps import KINDS, Step, draw
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
    except (
        AssertionError,
        CRDTError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        return error
    except AttributeError as error:
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
    return f"write {step.first} {subject.commands[step.second % len(subject.commands)]}"


def parse(subject: Subject, text: str) -> list[Step]:
    """The schedule that a script spells. Raises ValueError at a word that it does not know."""
    steps: list[Step] = []
    spelled = {str(command): index for index, command in enumerate(subject.commands)}
    for each in text.splitlines():
        words = each.partition("#")[0].split()
        if not words or words[0] == "subject":
            continue
        if words[0] not in KINDS:
            raise ValueError(f"unknown step in {each!r}")
        if words[0] == "write":
            steps.append(Step("write", int(words[1]), spelled_index(spelled, " ".join(words[2:]))))
        else:
            steps.append(Step(words[0], *(int(word) for word in words[1:])))
    return steps


def spelled_index(spelled: dict[str, int], text: str) -> int:
    """Which command a script means."""
    if text not in spelled:
        raise ValueError(f"the subject has no command {text!r}")
    return spelled[text]


def replay(subject: Subject, text: str) -> None:
    """Run the schedule that a script spells. Raises what goes wrong."""
    World(subject).run(parse(subject, text))
