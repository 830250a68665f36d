"""The readings of a replica, and the expected readings.

A reading holds the answer to each query: `value()` under the name "value", and the other queries
that are passed to `check_type`. A specification may cover all queries or some.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import attrs

from crdt.testing.history import History
from crdt.testing.subject import Count, Disagreement, Mistake
from crdt.testing.user_types.options import CheckOptions, Command, check_callable
from crdt.wire.expect import is_iterable

VALUE: Final = "value"
WIDTH: Final = 200  # characters of a value in a message

Reading = dict[str, Any]


def query_name(query: Command, parts: Sequence[str] = ()) -> str:
    """Return a query as Python code. It begins with the name of a type if the query is for one of
    several types, whose names are in `parts`."""
    name, *arguments = query
    if part_of(query, parts):
        return f"{name}.{query_name(query[1:])}"
    return VALUE if query == (VALUE,) else f"{name}({', '.join(map(repr, arguments))})"


def part_of(query: Command, parts: Sequence[str]) -> str:
    """Return the name of the type that a query is for; empty if it is for all types."""
    return query[0] if query != (VALUE,) and query[0] in parts else ""


def shorten_text(value: Any, width: int = WIDTH) -> str:
    """Return the `repr` of a value, shortened in the middle if it is long."""
    text = repr(value)
    return text if len(text) <= width else f"{text[: width // 2]} ... {text[-width // 2 :]}"


def kept(reading: Reading) -> Reading:
    """Return a deep copy of a reading, which later changes of the replica do not affect. Raises
    ValueError if it cannot be copied."""
    try:
        return copy.deepcopy(reading)
    except (TypeError, ValueError, RecursionError) as error:
        raise Mistake(f"`value()` cannot be copied: {error}. Return plain data.") from error


def difference(left: Reading, right: Reading) -> str | None:
    """Return the first query that both readings answer differently; None if there is none."""
    for name, answer in right.items():
        if name in left and not same(left[name], answer):
            return name
    return None


def same(left: Any, right: Any) -> bool:
    """Return whether two results are equal. Raises ValueError if `==` does not return a bool."""
    try:
        return bool(left == right)
    except (TypeError, ValueError) as error:
        what = type(left).__name__
        raise Mistake(
            f"`value()` cannot be compared ({what}: {error}). Return plain data."
        ) from error


def encoded(value: Any) -> Any:
    """Return a value with all nested text as bytes."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {encoded(name): encoded(each) for name, each in pairs}
    if type(value) in (list, tuple, set, frozenset):
        make = cast("Callable[..., Any]", type(value))
        return make(encoded(each) for each in cast("Iterable[Any]", value))
    return value


def worded(name: str, answer: Any) -> str:
    """Return the answer to a query as text for a message."""
    return shorten_text(answer) if name == VALUE else f"{name} = {shorten_text(answer)}"


@attrs.frozen
class Expectations:
    """The promises of a type in addition to convergence."""

    specs: Mapping[str, tuple[Callable[..., Any], tuple[Any, ...]]]  # by query, with arguments
    invariants: tuple[Callable[[Any], Any], ...] = ()
    results: Callable[..., Any] | None = None

    def expected(self, history: History) -> Reading:
        """Return the reading that the specification gives for this history."""
        return {name: spec(history, *given) for name, (spec, given) in self.specs.items()}

    def check_spec(self, where: str, reading: Reading, expected: Reading, count: Count) -> None:
        """Raise Disagreement if a reading differs from the one that the specification gives."""
        if expected:
            count("value equals specification")
        name = difference(reading, expected)
        if name is not None:
            shown, meant = worded(name, reading[name]), worded(name, expected[name])
            if same(encoded(reading[name]), encoded(expected[name])):
                raise Mistake(
                    f"`{name}` returns {shown}, the specification {meant}: one is bytes, the other "
                    f"text. Pass bytes in the commands, or decode in `{name}`."
                )
            message = f"{where} shows {shown}, the specification says {meant}"
            raise Disagreement("value equals specification", message)

    def check_invariants(self, where: str, reading: Reading, count: Count) -> None:
        """Raise Disagreement if an invariant does not hold."""
        for invariant in self.invariants:
            count("invariants")
            try:
                holds, reason = invariant(reading[VALUE]), ""
            except AssertionError as error:
                holds, reason = False, f": {error}"
            if holds is not None and not holds:
                name = getattr(invariant, "__name__", "<lambda>")
                called = "the invariant" if name == "<lambda>" else f"`{name}`"
                shown = worded(VALUE, reading[VALUE])
                message = f"{where} shows {shown}, and {called} does not hold{reason}"
                raise Disagreement("invariants", message)

    def check_equal(self, where: str, reading: Reading, other: str, before: Reading) -> None:
        """Raise Disagreement if two regions with the same history show different values."""
        if (name := difference(before, reading)) is not None:
            shown, shown_before = (
                worded(name, reading[name]),
                worded(name, before[name]),
            )
            message = (
                f"{where} shows {shown}, {other} showed {shown_before} after the same operations"
            )
            raise Disagreement("equal operations, equal values", message)

    def check_result(
        self, where: str, history: History, command: Command, result: Any, count: Count
    ) -> None:
        """Raise Disagreement if a command did not return the specified result."""
        if self.results is not None:
            count("results equal specification")
            meant = self.results(history, command)
            if not same(result, meant):
                message = f"{where}: {command} returned {result!r}, `results` says {meant!r}"
                raise Disagreement("results equal specification", message)


def specs_by_query(spec: Any) -> Mapping[str, Any]:
    """Return the specifications by the name of the query's method."""
    if spec is None:
        return {}
    return cast("Mapping[str, Any]", spec) if isinstance(spec, Mapping) else {VALUE: spec}


def expectations(
    spec: Any, queries: Sequence[Command], options: CheckOptions, parts: Sequence[str] = ()
) -> Expectations:
    """Return the expectations in the arguments of `check_type`. `parts` are the names of several
    types, if several are checked together. Raises ValueError if an argument is not valid."""
    specs = dict(specs_by_query(spec))
    names: set[str] = set()
    found: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {}
    if any(part in specs for part in parts):
        found[VALUE] = (joined({part: specs.pop(part, None) for part in parts}), ())
    for query in queries:
        part = part_of(query, parts)
        name = f"{part}.{query[1]}" if part else query[0]
        names.add(name)
        if name in specs:
            function, given = specs[name], query[1 + bool(part) :]
            words = ", ".join(["history", *(f"argument{i + 1}" for i in range(len(given)))])
            check_callable(function, "`spec`", f"def spec({words})", (None, *given))
            found[query_name(query, parts)] = (of_part(function, part), given)
    for name in specs:
        if name not in names:
            raise ValueError(f"`spec` is for `{name}`, which is not among the queries.")
    invariant: Any = options.get("invariant", ())
    invariants = tuple(invariant) if is_iterable(invariant) else (invariant,)
    for each in invariants:
        check_callable(each, "`invariant`", "lambda value: value >= 0", (None,))
    if "results" in options:
        example = "def results(history, command)"
        check_callable(options["results"], "`results`", example, (None, None))
    return Expectations(found, invariants, options.get("results"))


def joined(specs: Mapping[str, Any]) -> Callable[[History], Any]:
    """Return one specification of several types, made of one for each type. Raises ValueError if
    one is missing or cannot be called."""
    for name, spec in specs.items():
        if spec is None:
            raise ValueError(f"`spec` has nothing for {name!r}. Write one for each type, or none.")
        check_callable(spec, f"`spec` for {name!r}", "def spec(history)", (None,))
    return lambda history: {name: spec(history.part(name)) for name, spec in specs.items()}


def of_part(spec: Callable[..., Any], part: str) -> Callable[..., Any]:
    """Return `spec`, restricted to the commands of the type `part` unless `part` is empty."""

    def asked(history: History, *given: Any) -> Any:
        return spec(history.part(part), *given)

    return asked if part else spec
