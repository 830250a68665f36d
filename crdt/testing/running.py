"""Run schedules, search for one that fails, and print it.

A schedule is drawn from a seed, or it is parsed from a readable script:

    subject keyspace
    write 1 SADD k a
    deliver 2 0
    write 2 DEL k

A failing schedule is run again before it is shrunk. If it does not fail in the same way, the type
under test is not deterministic, and this is reported as the failure.
"""

from __future__ import annotations

import ast
import random
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import attrs

from crdt.testing.readings import shorten_text
from crdt.testing.shrinking import Shrinker
from crdt.testing.subject import Disagreement, Subject
from crdt.testing.worlds.message_world import MessageSubject, MessageWorld
from crdt.testing.worlds.steps import KINDS, Step, draw, format_number, number_of
from crdt.testing.worlds.world import World
from crdt.wire.expect import expect

STREAM: Final = "crdt.suite"  # part of the random seed; a change gives other schedules
LENGTH: Final = 60  # steps of a drawn schedule
SAME_RESULTS: Final = "the same steps give the same results"
NONE_COMMAND: Final = "command"  # precedes the number of a command that has no literal

AnySubject = Subject | MessageSubject
AnyWorld = World | MessageWorld


@attrs.frozen
class Failure:
    """A failing schedule, shrunk, and the error that it raises."""

    subject: AnySubject
    steps: list[Step]
    error: Exception
    seed: int | None = None

    def __str__(self) -> str:
        return "\n".join([f"{self.found}:", "", self.script, "", self.reason])

    @property
    def script(self) -> str:
        """The schedule as text."""
        return script(self.subject, self.steps)

    @property
    def found(self) -> str:
        """The seed that gave the schedule, if any, and the number of its steps."""
        found = "" if self.seed is None else f"found with seed {self.seed}, "
        return f"{found}{len(self.steps)} step{'s'[: len(self.steps) != 1]}"

    @property
    def reason(self) -> str:
        """The description of the failure, and for an exception the place where it was raised."""
        if isinstance(self.error, Disagreement):
            return f"{self.error}"
        place = traceback.extract_tb(self.error.__traceback__)[-1:]
        where = "".join(f" ({at.filename}, line {at.lineno}, in {at.name})" for at in place)
        return f"{type(self.error).__name__}: {self.error}{where}"


def world_of(subject: AnySubject) -> AnyWorld:
    """Return a new world for a subject."""
    return MessageWorld(subject) if isinstance(subject, MessageSubject) else World(subject)


def attempt(subject: AnySubject, steps: list[Step], counts: dict[str, int]) -> Exception | None:
    """Run a schedule. Return its error, or None. Add the checks of each law to `counts`."""
    return attempt_traced(subject, steps, counts)[0]


def attempt_traced(
    subject: AnySubject, steps: list[Step], counts: dict[str, int]
) -> tuple[Exception | None, AnyWorld]:
    """Run a schedule as `attempt` does. Return its error, or None, and the final world."""
    world = world_of(subject)
    try:
        world.run(steps)
    except Exception as error:  # noqa: BLE001 - whatever the code under test may raise
        return error, world
    finally:
        for law, count in (*world.counts.items(), ("steps", world.steps)):
            counts[law] = counts.get(law, 0) + count
    return None, world


def signature(error: Exception) -> tuple[str, ...]:
    """Return the kind of a failure: the violated law, or the exception and its place."""
    if isinstance(error, Disagreement):
        return (error.law,)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, frame.filename, frame.name


def shrink(subject: AnySubject, steps: list[Step], error: Exception) -> Failure:
    """Return the smallest schedule found that fails in the same way."""
    errors = {signature(error): error}

    def fails(candidate: list[Step]) -> bool:
        found = attempt(subject, candidate, {})
        if found is None or signature(found) != signature(error):
            return False
        errors[signature(found)] = found
        return True

    steps = Shrinker(steps, fails).shrink()
    return Failure(subject, steps, errors[signature(error)])


def diagnose(subject: AnySubject, steps: list[Step], error: Exception) -> Failure:
    """Shrink a failing schedule. If it does not fail again in the same way, report that instead."""
    if doubt := find_unsteady(subject, steps, error):
        return Failure(subject, steps, doubt)
    failure = shrink(subject, steps, error)
    if doubt := find_unsteady(subject, failure.steps, failure.error):
        return Failure(subject, failure.steps, doubt)
    return failure


def find_unsteady(subject: AnySubject, steps: list[Step], error: Exception) -> Disagreement | None:
    """Run a failing schedule twice more. Return how the runs differ, None if both fail the same."""
    if signature(error) == (SAME_RESULTS,):
        return Disagreement(*error.args)
    runs = [attempt_traced(subject, steps, {}) for _ in range(2)]
    if all(found is not None and signature(found) == signature(error) for found, _ in runs):
        return None
    lines = [f"run 1: {error}"]
    lines += [f"run {index + 2}: {found or 'no failure'}" for index, (found, _) in enumerate(runs)]
    traces = [world.trace for _, world in runs]
    for one, other in zip(*traces, strict=False):
        if one[:2] != other[:2] or one[2] != other[2]:
            lines += [f"in two runs {shown(one)}", f"and then    {shown(other)}"]
            break
    return Disagreement(SAME_RESULTS, "\n".join(["they do not", *lines]))


def shown(entry: tuple[int, str, Any]) -> str:
    """Return one entry of a world's trace as text."""
    step, where, reading = entry
    return f"{where} showed {shorten_text(reading)} after step {step}"


def without_deletes(subject: AnySubject) -> AnySubject:
    """Return the subject without the command that deletes the whole value."""
    if isinstance(subject, Subject) and subject.deletes:
        return attrs.evolve(subject, commands=subject.commands[:-1], deletes=False)
    return subject


def search(
    subject: AnySubject,
    seeds: Iterable[int],
    length: int = LENGTH,
    counts: dict[str, int] | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Failure | None:
    """Run the schedule of each seed. Return the first failure, shrunk, or None.

    If the subject has a delete command, even seeds do not use it, and they run first. So a fault
    that needs no delete is reported without one. `on_progress` is called after each schedule with
    the number of schedules done and the number of all.
    """
    counts = {} if counts is None else counts
    order = sorted(seeds, key=lambda seed: seed % 2) if deletes(subject) else list(seeds)
    for done, seed in enumerate(order):
        tried = subject if seed % 2 else without_deletes(subject)
        steps = draw_schedule(subject, seed, length)
        error = attempt(tried, steps, counts)
        if error is not None:
            return attrs.evolve(diagnose(tried, steps, error), seed=seed)
        if on_progress is not None:
            on_progress(done + 1, len(order))
    return None


def draw_schedule(subject: AnySubject, seed: int, length: int) -> list[Step]:
    """Return the schedule of a seed."""
    rng = random.Random(f"{STREAM} {subject.name} {seed}")
    kinds = subject.kinds if isinstance(subject, MessageSubject) else tuple(KINDS)
    return draw(rng, length, kinds)


def deletes(subject: AnySubject) -> bool:
    """Return whether the subject has a command that deletes the whole value."""
    return isinstance(subject, Subject) and subject.deletes


def script(subject: AnySubject, steps: Sequence[Step]) -> str:
    """Return a schedule as text, which `parse` can read. Commands are written as literals."""
    return "\n".join([f"subject {subject.name}", *(line(subject, step) for step in steps)])


def line(subject: AnySubject, step: Step) -> str:
    """Return a step as text."""
    if step.kind != "write":
        return str(step)
    index = step.second % len(subject.commands)
    return f"write {format_number('region', step.first)} {spell(subject.commands[index], index)}"


def spell(command: Any, index: int) -> str:
    """Return a command as text: its literal if it has one, else its number."""
    is_tuple = isinstance(command, tuple)
    return str(command) if not is_tuple or is_literal(command) else f"{NONE_COMMAND} {index}"  # pyright: ignore[reportUnknownArgumentType]


def is_literal(command: object) -> bool:
    """Return whether the `repr` of a command is a literal that evaluates to an equal command."""
    try:
        return bool(ast.literal_eval(repr(command)) == command)
    except (ValueError, SyntaxError, TypeError):
        return False


def parse(subject: AnySubject, text: str) -> list[Step]:
    """Return the schedule in a script. Raises ValueError for an unknown step or command."""
    expect(text, str, "use the lines that check_type printed", "text")
    spelled = {spell(command, index): index for index, command in enumerate(subject.commands)}
    steps: list[Step] = []
    for each in text.splitlines():
        kind, _, rest = each.strip().partition(" ")
        if kind not in ("", "subject") and not kind.startswith("#"):
            steps.append(parse_step(kind, rest, spelled))
    return steps


def parse_step(kind: str, rest: str, spelled: dict[str, int]) -> Step:
    """Return the step in a line of text. `spelled` maps commands to numbers. Raises ValueError."""
    if kind not in KINDS:
        raise ValueError(f"unknown step {kind!r}; there are: {', '.join(KINDS)}")
    if kind == "write":
        region, _, command = rest.partition(" ")
        for candidate in without_comments(command):
            if candidate in spelled:
                return Step("write", number_of("region", region), spelled[candidate])
        raise ValueError(f"the subject has no command {command!r}")
    fields, words = KINDS[kind][0], rest.partition("#")[0].split()
    if len(fields) != len(words):
        raise ValueError(
            f"step {kind!r} takes {len(fields)} numbers, and has {len(words)}: {rest!r}"
        )
    return Step(kind, *(number_of(field, word) for field, word in zip(fields, words, strict=True)))


def without_comments(command: str) -> tuple[str, str, str]:
    """Return the possible texts of a command. A `#` may be part of it or begin a comment."""
    return command, command.rpartition("  # ")[0].strip(), command.partition("#")[0].strip()


def run_script(subject: AnySubject, text: str) -> None:
    """Run the schedule in a script. Raises the error of the first step that fails."""
    world_of(subject).run(parse(subject, text))
