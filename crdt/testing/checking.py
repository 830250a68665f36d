"""Complete checks of built-in subjects and of custom types.

    def test_cart() -> None:
        check_type(Cart, [("add", "milk"), ("remove", "milk")], add_wins)

runs 200 schedules over three replicas. A failure raises an AssertionError. Its text describes the
failure and contains a call of `replay` with the shortest failing schedule, which can be pasted into
a test. On success, the report lists which laws were checked and how often, and which delivery
contract the type needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack, cast

import attrs

from crdt.testing.failure_text import explained
from crdt.testing.readings import VALUE, expectations
from crdt.testing.running import LENGTH, AnySubject, Failure, run_script, search
from crdt.testing.subject import Disagreement, Mistake, Subject
from crdt.testing.user_types.families import ClassFamily
from crdt.testing.user_types.foreign import Foreign
from crdt.testing.user_types.mistakes import (
    check_commands,
    check_ignored,
    check_parts,
    check_replica_type,
    check_sharing,
    family_of,
    is_for_replicas,
    named,
)
from crdt.testing.user_types.options import (
    SCHEDULES,
    CheckOptions,
    check_options,
    commands_of,
)
from crdt.testing.user_types.type_subject import type_subject
from crdt.testing.worlds.delivery import contracted, weaker_contracts
from crdt.testing.worlds.message_world import MessageSubject
from crdt.wire.expect import expect_integer, mismatch

Spec = Callable[..., Any]


@attrs.frozen
class Report:
    """The laws that were checked, and how often each was."""

    subject: str
    schedules: int
    laws: dict[str, int]
    contract: tuple[str, ...] = ()
    """The delivery contract that the type needs, one line per finding."""
    steps: int = 0

    def __str__(self) -> str:
        laws = [f"  {count:8}  {law}" for law, count in sorted(self.laws.items())]
        head = f"{self.subject}: {self.schedules} schedules of {self.steps} steps kept these laws"
        return "\n".join([head, *laws, *(f"  {line}" for line in self.contract)])


def check_type(
    make: Callable[..., Any] | Foreign | Mapping[str, Any],
    commands: Sequence[Any],
    spec: Spec | Mapping[str, Spec] | None = None,
    **options: Unpack[CheckOptions],
) -> Report:
    """Check that a replicated type converges and satisfies its specification.

    `make` is a class of one of the families in `crdt.testing.user_types.families`: with effects, or
    with states or deltas that merge. It may also be a `crdt.types.custom.Type`, or a document of
    another library (`Foreign`). A dict of several types, by name, checks them together.

    `commands` are the possible commands of clients. A command is a tuple of a method's name and its
    arguments, such as `("add", "milk")`. For a `crdt.types.custom.Type` it is a tuple of the number
    of an operation and its payload.

    `spec` is a function from a history, the operations that a replica has seen, to the expected
    `value()`. For an operation `event`, `event.command` is its command, `event.result` is the value
    that it returned, and `event.saw(other)` is true if its origin had applied `other` before. A
    dict of functions specifies several queries, or each type in a dict of types. Without a
    specification, only convergence and the options are checked. `CheckOptions` lists the options.

    Raises AssertionError with the shortest failing schedule. Raises ValueError or TypeError, with
    the line to write instead, if the type cannot be checked in the given form.
    """
    __tracebackhide__ = True
    subject = subject_of(make, commands, spec, options)
    schedules, seed = options.get("schedules", SCHEDULES), options.get("seed", 0)
    laws: dict[str, int] = {}
    seeds = range(seed, seed + schedules)
    failure = search(subject, seeds, LENGTH, laws, options.get("on_progress"))
    if failure is not None:
        if isinstance(failure.error, Mistake):
            raise failure.error
        text = explained(failure, subject, (make, commands, spec), options)
        raise AssertionError(text) from find_cause(failure)
    contract: list[str] = []
    if isinstance(subject, MessageSubject):
        contract = [contract_of(subject), *weaker_contracts(subject, options, schedules)]
    steps = laws.pop("steps", 0)
    return Report(subject.name, schedules, laws, tuple(contract), steps)


def replay(
    make: Callable[..., Any] | Foreign | Mapping[str, Any],
    commands: Sequence[Any],
    spec: Spec | Mapping[str, Spec] | None,
    text: str,
    **options: Unpack[CheckOptions],
) -> None:
    """Run one schedule that `check_type` has printed. Use it to keep the schedule as a test.

    The arguments are those of `check_type`, and the schedule as `text`. Raises AssertionError if
    the schedule fails, ValueError if it contains an unknown step.
    """
    __tracebackhide__ = True
    run_script(subject_of(make, commands, spec, options), text)


def check_subject(
    subject: AnySubject, *, schedules: int = SCHEDULES, seed: int = 0, length: int = LENGTH
) -> Report:
    """Run schedules of `length` steps with consecutive seeds from `seed` on.

    Raises AssertionError with the shortest failing schedule.
    """
    __tracebackhide__ = True
    laws: dict[str, int] = {}
    given = cast("object", subject)
    if not isinstance(given, Subject | MessageSubject):
        hint = "use subject_of(Cart, [('add', 'milk')]), or call check_type"
        raise TypeError(mismatch("subject", "Subject", given, hint))
    expect_integer(schedules, "schedules", 1)
    expect_integer(seed, "seed", 0)
    expect_integer(length, "length", 1)
    failure = search(subject, range(seed, seed + schedules), length, laws)
    if failure is not None:
        raise AssertionError(str(failure)) from find_cause(failure)
    steps = laws.pop("steps", 0)
    return Report(subject.name, schedules, laws, steps=steps)


def subject_of(
    make: Any, commands: Sequence[Any], spec: Any = None, options: CheckOptions | None = None
) -> AnySubject:
    """Return the subject for the arguments of `check_type`. Raises ValueError, TypeError."""
    options = CheckOptions() if options is None else options
    check_options(options)
    given = commands_of(commands)
    if not given:
        raise ValueError("commands is empty. Write a list: [('add', 1), ('remove', 1)].")
    queries = [(VALUE,), *commands_of(options.get("queries", ()), "queries")]
    parts: tuple[str, ...] = ()
    if isinstance(make, Mapping):
        parts = check_parts(cast("Mapping[str, Any]", make), given, queries)
    promises = expectations(spec, queries, options, parts)
    if is_for_replicas(make):
        for name, each in named(make).items():
            own = [command[1:] for command in given if command[0] == name] if parts else given
            check_replica_type(each, own, options)
        return type_subject(cast("Any", make), given, queries, promises, options)
    check_ignored(make, options)
    family = family_of(make, queries, options)
    check_commands(family, given)
    check_sharing(family, given)
    sends = family.sends if isinstance(family, ClassFamily) else "update"
    name = family.name
    keeps = options.get("keep_refused", False)
    subject = MessageSubject(name, tuple(given), family, promises, keep_refused=keeps)
    return contracted(subject, sends, options)


def contract_of(subject: MessageSubject) -> str:
    """Return a line that describes the delivery contract under which a type was checked."""
    order = {"causal": "in causal order", "fifo": "in the order of each sender"}
    repeated = "possibly again" if subject.duplicates else "once"
    return f"delivered {order.get(subject.delivery, 'in any order')}, {repeated}"


def find_cause(failure: Failure) -> Exception | None:
    """Return the error if it comes from the type under test, None if it is a Disagreement."""
    return None if isinstance(failure.error, Disagreement) else failure.error
