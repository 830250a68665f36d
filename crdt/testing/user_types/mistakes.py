"""Checks of the arguments of `check_type`, before any schedule is run.

A mistake raises a ValueError. Its text has one sentence about the mistake and one about the line to
write instead. A mistake is never reported as a violated law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from crdt.testing.readings import VALUE, Reading, difference, query_name, same, worded
from crdt.testing.user_types.families import (
    ClassFamily,
    ComposedFamily,
    Family,
    ForeignFamily,
    make_replica,
)
from crdt.testing.user_types.foreign import Foreign
from crdt.testing.user_types.options import CheckOptions, Command, Refused, reason_to_refuse

TYPE_METHODS: Final = {
    "apply": ("effect", "dot", "observed"),
    "merge": ("other", "mine", "theirs"),
    "state": (),
    "load": ("state",),
}
DELETABLE: Final = {"remove": ("observed",), "is_live": ()}


def new_replica(make: Any) -> Any:
    """Return a new replica of a class. Raises ValueError if it cannot be created."""
    if not callable(make):
        raise ValueError(f"{make!r} is not a class. Pass the class itself, or a function.")
    try:
        return make_replica(make, 1, lambda: 0)
    except TypeError as error:
        name = getattr(make, "__name__", "the type")
        advice = "Write `def __init__(self)` or `def __init__(self, replica)`"
        raise ValueError(f"{name} cannot be made: {error}. {advice}.") from error


def is_replica_type(made: Any) -> bool:
    """Return whether an instance is of a `crdt.types.custom` type: it has a `code`, or its `apply`
    takes an effect, a dot and the observed context."""
    apply = getattr(made, "apply", None)
    is_typed = apply is not None and not reason_to_refuse(apply, ((), 0, None))
    return hasattr(made, "code") or is_typed


def named(make: Any) -> Mapping[str, Any]:
    """Return the classes that are checked together, by name. A single class has an empty name."""
    return cast("Mapping[str, Any]", make) if isinstance(make, Mapping) else {"": make}


def is_for_replicas(make: Any) -> bool:
    """Return whether a class, or each of several, is a `crdt.types.custom.Type`. Raises ValueError
    if some are and others are not."""
    makes = list(named(make).values())
    found = [
        each
        for each in makes
        if not isinstance(each, Foreign) and is_replica_type(new_replica(each))
    ]
    if found and len(found) < len(makes):
        names = ", ".join(getattr(each, "__name__", "one") for each in found)
        raise ValueError(
            f"of these types only {names} is for `crdt.types.custom`, so they cannot share "
            f"one replica. Check types of both kinds apart."
        )
    return bool(found)


def check_parts(
    makes: Mapping[str, Any], commands: Sequence[Command], queries: Sequence[Command]
) -> tuple[str, ...]:
    """Return the names of the types in a dict. Raises ValueError if a command or a query does not
    begin with one of them."""
    if not makes:
        raise ValueError("types is empty. Write a dict such as {'cart': Cart}.")
    names = ", ".join(map(repr, makes))
    asked = [query for query in queries if query != (VALUE,)]
    for what, given in (*(("command", c) for c in commands), *(("query", q) for q in asked)):
        if given[0] not in makes:
            raise ValueError(f"{given!r} does not begin with the name of a type: {names}.")
        if len(given) == 1:
            raise ValueError(f"{given!r} lacks the {what} behind the name of its type.")
    return tuple(makes)


def check_ignored(make: Any, options: CheckOptions) -> None:
    """Raise ValueError if an option would have no effect."""
    if options.get("delete"):
        raise ValueError(
            "`delete` is for `crdt.types.custom` types. Write a method that deletes, and a "
            "command for it."
        )
    sends: Any = options.get("sends")
    if isinstance(sends, Mapping):
        names = cast("Mapping[str, Any]", sends)
        if unknown := [name for name in names if name not in named(make)]:
            raise ValueError(f"`sends` is for {unknown[0]!r}, but the subject has no such type.")
    if isinstance(make, Foreign):
        for option in ("sends", "merge", "mutators", "value", "queries"):
            if option in options:
                raise ValueError(
                    f"`{option}` has no effect on a `Foreign` document, whose own functions say "
                    f"how it is changed, exchanged and read. Leave it out."
                )


def check_replica_type(make: Any, commands: Sequence[Command], options: CheckOptions) -> None:
    """Raise ValueError if a class does not satisfy the protocol `crdt.types.custom.Type`."""
    made, name = make(), getattr(make, "__name__", "the type")
    wants_delete = options.get("delete", hasattr(made, "remove"))
    methods: dict[str, tuple[str, ...]] = {**TYPE_METHODS, **(DELETABLE if wants_delete else {})}
    if not any(key in options for key in ("value", "queries")):
        methods["value"] = ()
    missing = [method for method in methods if not hasattr(made, method)]
    if missing:
        lines = ", ".join(f"`def {m}({', '.join(('self', *methods[m]))})`" for m in missing)
        raise ValueError(f"{name} lacks {lines}. `crdt.types.custom.Type` says what each does.")
    if not hasattr(made, "code"):
        raise ValueError(f"{name} has no `code`. Write `code = 128`, or another number up to 255.")
    for method, parameters in methods.items():
        if problem := reason_to_refuse(getattr(made, method), (None,) * len(parameters)):
            line = f"def {method}({', '.join(('self', *parameters))})"
            raise ValueError(f"{name}.{method} {problem}. Write `{line}`.")
    for option in ("sends", "delivery", "duplicates", "merge", "mutators", "keep_refused"):
        if option in options:
            reason = "Replicas deliver causally and once, and merge by `merge(other, mine, theirs)`"
            raise ValueError(
                f"`{option}` is not for a `crdt.types.custom` type such as {name}. {reason}."
            )
    for command in commands:
        if type(command[0]) is not int and not hasattr(made, "prepare"):
            raise ValueError(
                f"{command!r} does not begin with a number. Write (0, ...) to (15, ...)."
            )


def family_of(make: Any, queries: Sequence[Command], options: CheckOptions) -> Family:
    """Return the family of a class, of a document or of several of them. Raises ValueError."""
    if isinstance(make, Foreign):
        return ForeignFamily(make, options)
    if isinstance(make, Mapping):
        return compose_types(make, queries, options)  # pyright: ignore[reportUnknownArgumentType]
    made = new_replica(make)
    family = ClassFamily(make, sends_by_key(make, made, options), queries, options)
    for query in queries:
        if query == (VALUE,) and "value" in options:
            continue
        if not hasattr(made, query[0]):
            advice = f"Write `def {query[0]}(self)`" + (", or pass `value`" * (query[0] == VALUE))
            raise ValueError(f"{family.name} has no `{query[0]}`. {advice}.")
        attribute = getattr(made, query[0])
        if callable(attribute) and (problem := reason_to_refuse(attribute, query[1:])):
            raise ValueError(f"the query {query_name(query)} {problem}.")
    return family


def compose_types(
    makes: Mapping[Any, Any], queries: Sequence[Command], options: CheckOptions
) -> ComposedFamily:
    """Return the family of several types that are checked together. Raises ValueError."""
    parts: dict[str, Family] = {}
    for name, make in makes.items():
        own = [query[1:] for query in queries if query[0] == name]
        part_options = options.copy()
        if isinstance(sends := options.get("sends"), Mapping):
            part_options.pop("sends")
            if name in sends:
                part_options["sends"] = sends[name]
        parts[name] = family_of(make, [(VALUE,), *own], part_options)
    return ComposedFamily(parts)


def sends_by_key(make: Any, made: Any, options: CheckOptions) -> str:
    """Return the kind of messages between replicas of a class. Raises ValueError if there are no
    methods for any kind."""
    name = getattr(make, "__name__", "the type")
    has_merge = "merge" in options or hasattr(made, "merge")
    sends: Any = options.get("sends", "effect" if hasattr(made, "apply") else "state")
    needs_apply = sends in ("effect", "update")
    if needs_apply and not hasattr(made, "apply"):
        raise ValueError(f"{name} has no `apply`. Write `def apply(self, effect)`.")
    if not needs_apply and not has_merge:
        raise ValueError(
            f"{name} has neither `apply` nor `merge`, so nothing can travel. Write "
            f"`def apply(self, effect)`, or `def merge(self, other)`."
        )
    if needs_apply and (problem := reason_to_refuse(made.apply, (None,))):
        raise ValueError(f"{name}.apply {problem}. Write `def apply(self, effect)`.")
    if has_merge and "merge" not in options and (problem := reason_to_refuse(made.merge, (None,))):
        raise ValueError(f"{name}.merge {problem}. Write `def merge(self, other)`.")
    return sends


def check_commands(family: Family, commands: Sequence[Command]) -> None:
    """Raise ValueError if a command has no method, or if the method does not take its arguments."""
    if isinstance(family, ComposedFamily):
        for command in commands:
            check_commands(family.parts[command[0]], [command[1:]])
        return
    if not isinstance(family, ClassFamily):
        return
    made = family.new(1, lambda: 0)
    for command in commands:
        if hasattr(made, "prepare") and family.sends == "effect":
            if problem := reason_to_refuse(made.prepare, command):
                raise ValueError(f"{family.name}.prepare {problem}, as for {command!r}.")
        elif (mutator := family.mutator(made, command[0])) is not None:
            if problem := reason_to_refuse(mutator, command[1:]):
                raise ValueError(f"`{command[0]}` {problem}, as for {command!r}.")
        elif family.sends != "effect":
            raise ValueError(
                f"{family.name} has no method `{command[0]}` for the command {command!r}. Write "
                f"it, or pass `mutators`."
            )


def check_sharing(family: Family, commands: Sequence[Command]) -> None:
    """Raise ValueError if a command at one replica changes another replica without a message.

    Also raise ValueError if the values of a replica cannot be compared.
    """
    used, other = family.new(1, lambda: 0), family.new(2, lambda: 0)
    before = family.read(other)
    check_comparable(family.name, before, family.read(other))
    for command in commands:
        try:
            used = family.perform(used, command).replica
            first, second = family.read(used), family.read(used)
        except (AssertionError, Refused, LookupError, TypeError, ArithmeticError, AttributeError):
            return  # a schedule will report this error with the steps that lead to it
        check_comparable(family.name, first, second)
        if (name := difference(before, family.read(other))) is not None:
            raise ValueError(
                f"{command!r} at one {family.name} has changed another, to which nothing was sent: "
                f"{worded(name, family.read(other)[name])}. Make what a replica holds in "
                f"`__init__`, not in the body of the class or in a default argument."
            )


def check_comparable(type_name: str, first: Reading, second: Reading) -> None:
    """Raise ValueError if two readings of an unchanged replica are not equal."""
    for name, answer in first.items():
        if same(answer, second[name]):
            continue
        if repr(answer) == repr(second[name]) and answer != answer:
            raise ValueError(
                f"{type_name}: {worded(name, answer)} does not equal itself. Return another value."
            )
        kind = cast("type[object]", type(answer))
        if kind.__eq__ is object.__eq__:
            advice = "Return plain data such as a list, or define `__eq__`."
            raise ValueError(
                f"{type_name}: `{name}` returns a {kind.__name__}, and no two of these are equal. "
                f"{advice}"
            )
