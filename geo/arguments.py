"""Checks of the arguments that a program passes to the public functions of this package.

An argument of a wrong type raises TypeError, which says what was expected and what was given. Names
that are not known, and numbers that are out of range, raise the exceptions of `geo.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from math import isfinite
from typing import Any, cast

from geo.errors import BadData


def mismatch(expected: str, given: object, hint: str = "") -> TypeError:
    """Return the error for an argument of a wrong type. `hint` says what to use instead."""
    more = f": {hint}" if hint else ""
    return TypeError(f"expected {expected}, not {type(given).__name__}{more}")


def check_name(name: object) -> str:
    """Return `name` if it is text. Raises TypeError otherwise."""
    if not isinstance(name, str):
        hint = "pass several names as separate arguments" if isinstance(name, list) else ""
        raise mismatch("the name of a region", cast("object", name), hint)
    return name


def check_names(names: object) -> tuple[str, ...]:
    """Return the names of regions in an iterable. Raises TypeError. Text stands for regions with
    names of one letter, and is refused if it has other characters, as in "us-east-1,eu-west-1"."""
    is_text = isinstance(names, str) and not names.isalpha()
    if is_text or isinstance(names, bytes) or not isinstance(names, Iterable):
        raise mismatch("a list of region names such as ['us', 'eu']", cast("object", names))
    return tuple(check_name(name) for name in cast("Iterable[Any]", names))


def check_items(items: object, what: str) -> tuple[Any, ...]:
    """Return the items of an iterable. Raises TypeError if it is not one. `what` names it."""
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise mismatch(what, cast("object", items))
    return tuple(cast("Iterable[Any]", items))


def check_links(links: object) -> tuple[tuple[str, str], ...]:
    """Return the links in an iterable, each a pair of names. Raises TypeError."""
    found = check_items(links, "a list of links such as [('us', 'eu')]")
    return tuple(check_pair(link) for link in found)


def check_pair(pair: object) -> tuple[str, str]:
    """Return a pair of region names. Raises TypeError for anything else."""
    if not isinstance(pair, list | tuple) or len(cast("tuple[Any, ...]", pair)) != 2:
        raise TypeError(f"expected a pair of regions such as ('us', 'eu'), not {pair!r}")
    source, sink = cast("tuple[Any, Any]", pair)
    return check_name(source), check_name(sink)


def check_cut(cut: object) -> None:
    """Raise TypeError unless `cut` is a collection of links."""
    if isinstance(cut, str | bytes) or not isinstance(cut, Collection):
        hint = "use topology.cut(...) or topology.isolate(...)"
        raise TypeError(f"cut: expected a set of links, not {type(cut).__name__}: {hint}")


def check_weight(weight: object) -> Callable[..., Any]:
    """Return `weight` if it can be called. Raises TypeError otherwise."""
    if not callable(weight):
        hint = "use catalog.one_way_ns or another function of source and sink"
        raise TypeError(f"weight: expected a function, not {type(weight).__name__}: {hint}")
    return weight


def check_round_trips(rtts: object) -> Mapping[Any, Any]:
    """Return a mapping from pairs of regions to round trips. Raises TypeError."""
    if not isinstance(rtts, Mapping):
        raise mismatch("a mapping of round trips", rtts, "use {('us', 'eu'): 80.0}")
    for pair in cast("Mapping[Any, Any]", rtts):
        check_pair(pair)
    return cast("Mapping[Any, Any]", rtts)


def check_number(number: object, what: str) -> float:
    """Return a number. Raises TypeError if it is not one, and BadData if it is not finite. `what`
    names it in the error."""
    if not isinstance(number, int | float):
        raise TypeError(f"{what}: expected a number, not {type(number).__name__}")
    if not isfinite(number):
        raise BadData(f"{what} is {number}: expected a finite number")
    return number
