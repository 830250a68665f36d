"""The options of `check_type`, and the checks of their values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, cast

from crdt.testing.history import HistoryEvent

Sends = Literal["effect", "update", "delta", "state"]
Delivery = Literal["causal", "fifo", "any"]
Spec = Callable[..., Any]
Invariant = Callable[[Any], Any]
Command = tuple[Any, ...]

SCHEDULES: Final = 200


class Refused(Exception):
    """Raise it in a mutator or in `prepare` to refuse a command. Nothing travels then."""


class CheckOptions(TypedDict, total=False):
    """Keyword arguments of `check_type` and `replay`. All are optional."""

    schedules: int
    """The number of schedules to run: 200 unless it is given."""
    seed: int
    """The seed of the first schedule: 0 unless it is given."""
    delete: bool
    """For a `crdt.types.custom` type: True if to delete the whole value now and then. Without it:
    if the class has `remove`."""
    invariant: Invariant | Sequence[Invariant]
    """A predicate of the value, or several. Each must hold at every region after every step."""
    results: Callable[[Sequence[HistoryEvent], Command], Any]
    """Returns what a command must return where a history is visible: `results(history, command)`"""
    queries: Sequence[Command]
    """More to read than `value()`: tuples of a method's name and its arguments. For a dict of types
    they begin with the name of a type, as commands do."""
    value: Callable[[Any], Any]
    """Reads a replica, for a class without a method `value`."""
    merge: Callable[[Any, Any], Any]
    """Merges two states, for a class without a method `merge`."""
    mutators: Mapping[str, Callable[..., Any]]
    """Functions of a replica and a command's arguments, for a class without such methods."""
    sends: Sends | Mapping[str, Sends]
    """The kind of messages between replicas, as listed in `crdt.testing.user_types.families`. For a
    dict of types a dict by name."""
    delivery: Delivery
    """The order in which messages arrive. Without it, the weakest that the type needs is found."""
    duplicates: bool
    """True if a message may arrive more than once."""
    refuses: tuple[type[Exception], ...]
    """Exceptions by which a mutator refuses a command, next to `Refused`."""
    keep_refused: bool
    """True if refused commands are in the history of the specification, at their origin."""
    on_progress: Callable[[int, int], Any]
    """Called after each schedule with how many are done and how many there are."""


KNOWN: Final = frozenset(CheckOptions.__annotations__)


def check_options(options: Mapping[str, Any]) -> None:
    """Raise TypeError at an option that there is not, ValueError at a value that has no meaning."""
    for name in options:
        if name not in KNOWN:
            raise TypeError(f"unknown option `{name}`. There are {', '.join(sorted(KNOWN))}.")
    sends: Any = options.get("sends", "effect")
    is_by_name = isinstance(sends, Mapping)
    for each in list(cast("Mapping[str, Any]", sends).values()) if is_by_name else [sends]:
        check_choice("sends", each, ("effect", "update", "delta", "state"))
    check_choice("delivery", options.get("delivery", "any"), ("causal", "fifo", "any"))


def check_choice(name: str, given: Any, allowed: Sequence[str]) -> None:
    """Raise ValueError at a value that is not among the allowed."""
    if given not in allowed:
        raise ValueError(f"`{name}` is {given!r}. Use one of {', '.join(map(repr, allowed))}.")


def check_callable(function: Any, what: str, example: str, arguments: Sequence[Any]) -> None:
    """Raise ValueError, with the line to write, if `function` cannot be called with these."""
    problem = reason_to_refuse(function, arguments)
    if problem:
        raise ValueError(f"{what} {problem}. Write `{example}`.")


def reason_to_refuse(function: Any, arguments: Sequence[Any]) -> str:
    """Return why `function` cannot be called with these arguments; empty if it can."""
    if not callable(function):
        return f"is {function!r}, which cannot be called"
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        return (
            f"cannot be called with {len(arguments)} argument{'s'[: len(arguments) != 1]}: {error}"
        )
    except ValueError:  # a builtin without a signature
        pass
    return ""


def required_count(function: Any, leaving_out: str = "") -> int:
    """Return how many positional arguments `function` requires, without `leaving_out`; 0 for
    a builtin that does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.default is inspect.Parameter.empty]
    return sum(p.kind in positional and p.name != leaving_out for p in required)


def has_parameter(function: Any, name: str) -> bool:
    """Return whether `function` takes a parameter of this name."""
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def commands_of(commands: Sequence[Any]) -> tuple[Command, ...]:
    """The commands as tuples; a name alone is a command without arguments. Raises ValueError."""
    if isinstance(commands, str | bytes | Mapping):
        raise ValueError(f"`commands` is {commands!r}. Write a list: [('add', 1), ('remove', 1)].")
    found: list[Command] = []
    for command in commands:
        if isinstance(command, str):
            found.append((command,))
        elif isinstance(command, list | tuple) and command:
            found.append(tuple(command))  # pyright: ignore[reportUnknownArgumentType]
        else:
            raise ValueError(f"{command!r} is not a command. Write a tuple such as ('add', 1).")
    return tuple(found)
