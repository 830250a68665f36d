"""The options of `check_type`, and the checks of their values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, cast

from crdt.testing.history import HistoryEvent
from crdt.wire.expect import expect, expect_bool, expect_integer, is_iterable, shortened

Sends = Literal["effect", "update", "delta", "state"]
Delivery = Literal["causal", "fifo", "any"]
Spec = Callable[..., Any]
Invariant = Callable[[Any], Any]
Command = tuple[Any, ...]

SCHEDULES: Final = 200


class Refused(Exception):
    """Raised by a mutator or by `prepare` to refuse a command. No message is sent then."""


class CheckOptions(TypedDict, total=False):
    """Keyword arguments of `check_type` and `replay`. All are optional."""

    schedules: int
    """The number of schedules to run. The default is 200."""
    seed: int
    """The seed of the first schedule. The default is 0."""
    delete: bool
    """For a `crdt.types.custom` type: True if schedules also delete the whole value. The default is
    True if the class has a method `remove`."""
    invariant: Invariant | Sequence[Invariant]
    """A predicate of the value, or several. Each must hold at every region after every step."""
    results: Callable[[Sequence[HistoryEvent], Command], Any]
    """Return the specified result of a command: `results(history, command)`."""
    queries: Sequence[Command]
    """Queries in addition to `value()`: tuples of a method's name and its arguments. For a dict of
    types, a query begins with the name of a type, like a command."""
    value: Callable[[Any], Any]
    """Return the value of a replica, for a class without a method `value`."""
    merge: Callable[[Any, Any], Any]
    """Merge two states, for a class without a method `merge`."""
    mutators: Mapping[str, Callable[..., Any]]
    """Functions by command name, for a class without such methods. Their arguments are the replica
    and the command's arguments."""
    sends: Sends | Mapping[str, Sends]
    """The kind of messages between replicas, as listed in `crdt.testing.user_types.families`. For a
    dict of types, it may be a dict by name."""
    delivery: Delivery
    """The order in which messages arrive. By default, the weakest sufficient order is found."""
    duplicates: bool
    """True if a message may arrive more than once."""
    refuses: tuple[type[Exception], ...]
    """Exceptions with which a mutator refuses a command, in addition to `Refused`."""
    keep_refused: bool
    """True if the histories for the specification contain refused commands, at their origin."""
    on_progress: Callable[[int, int], Any]
    """Called after each schedule with the number of schedules done and the number of all."""


KNOWN: Final = frozenset(CheckOptions.__annotations__)
FUNCTIONS: Final = {
    "value": ("lambda replica: replica.count", 1),
    "merge": ("lambda mine, theirs: mine | theirs", 2),
    "on_progress": ("lambda done, total: print(done, total)", 2),
}
"""Examples of the options that are functions, and the number of their arguments."""


def check_options(options: Mapping[str, Any]) -> None:
    """Raise TypeError if an option is unknown or of a wrong type, ValueError if its value is not
    valid."""
    for name in options:
        if name not in KNOWN:
            raise TypeError(f"unknown option `{name}`. There are {', '.join(sorted(KNOWN))}.")
    for name, least in (("schedules", 1), ("seed", 0)):
        expect_integer(options.get(name, 1), f"`{name}`", least)
    for name in ("delete", "duplicates", "keep_refused"):
        expect_bool(options.get(name, True), f"`{name}`")
    for name, (example, count) in FUNCTIONS.items():
        if options.get(name) is not None:
            check_callable(options[name], f"`{name}`", example, (None,) * count)
    check_mutators(options.get("mutators", {}))
    check_refusals(options.get("refuses", ()))
    sends: Any = options.get("sends", "effect")
    is_by_name = isinstance(sends, Mapping)
    for each in list(cast("Mapping[str, Any]", sends).values()) if is_by_name else [sends]:
        check_choice("sends", each, ("effect", "update", "delta", "state"))
    check_choice("delivery", options.get("delivery", "any"), ("causal", "fifo", "any"))


def check_mutators(mutators: Any) -> None:
    """Raise TypeError or ValueError unless `mutators` maps names to functions."""
    expect(mutators, Mapping, "use {'add': lambda replica, number: ...}", "`mutators`")
    for name, mutator in mutators.items():
        if not callable(mutator):
            raise ValueError(f"the mutator {name!r} is {mutator!r}, which cannot be called.")


def check_refusals(refuses: Any) -> None:
    """Raise TypeError unless `refuses` is a tuple of exception classes."""
    expect(refuses, tuple, "use (ValueError,)", "`refuses`")
    for each in refuses:
        if not (isinstance(each, type) and issubclass(each, Exception)):
            raise TypeError(
                f"`refuses` has {each!r}, which is not an exception. Use (ValueError,)."
            )


def check_choice(name: str, given: Any, allowed: Sequence[str]) -> None:
    """Raise ValueError if `given` is not among the allowed values."""
    if given not in allowed:
        raise ValueError(f"`{name}` is {given!r}. Use one of {', '.join(map(repr, allowed))}.")


def check_callable(function: Any, what: str, example: str, arguments: Sequence[Any]) -> None:
    """Raise ValueError if `function` cannot be called with `arguments`. The error contains
    `example`, the line to write."""
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
    """Return the number of positional arguments that `function` requires, without `leaving_out`.

    Return 0 for a builtin without a signature.
    """
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


def commands_of(commands: Sequence[Any], name: str = "commands") -> tuple[Command, ...]:
    """Return the commands as tuples. A name alone is a command without arguments. Raises
    ValueError if a command is neither a name nor a non-empty sequence. `name` is the name of the
    argument."""
    if isinstance(commands, Mapping) or not is_iterable(commands):
        shown = shortened(commands)
        raise ValueError(f"`{name}` is {shown}. Write a list: [('add', 1), ('remove', 1)].")
    found: list[Command] = []
    for command in commands:
        if isinstance(command, str):
            found.append((command,))
        elif isinstance(command, list | tuple) and command:
            found.append(tuple(command))  # pyright: ignore[reportUnknownArgumentType]
        else:
            raise ValueError(f"{command!r} is not a command. Write a tuple such as ('add', 1).")
    return tuple(found)
