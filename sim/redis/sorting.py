"""The model of SORT and SORT_RO, with the keys that their patterns name."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from sim.redis.state import (
    HASH,
    LIST,
    SET,
    SORTED_SET,
    STRING,
    Act,
    CommandFailure,
    ModelItem,
    RedisModel,
    UndefinedReply,
    Words,
    integer,
)

ELEMENT: Final = "#"
FIELD: Final = "->"
NAMING: Final = ("0", "1")
"""The elements for which the model has the keys that a pattern names."""


def values_after(options: Words, token: str) -> list[str]:
    """Return the words that follow each occurrence of a token."""
    return [word for before, word in pairwise(options) if before == token]


def keys_by_pattern(pattern: str) -> list[str]:
    """Return the keys that a pattern names for the elements of NAMING."""
    key = pattern.partition(FIELD)[0]
    return [key.replace("*", element) for element in NAMING] if "*" in key else []


def keys_of_sort(args: Words) -> list[str]:
    """Return the keys that SORT can read or write, as far as its arguments tell."""
    key, *options = args
    patterns = values_after(options, "BY") + values_after(options, "GET")
    named = [name for pattern in patterns for name in keys_by_pattern(pattern)]
    return [key, *named, *values_after(options, "STORE")]


def value_by_pattern(db: RedisModel, pattern: str, element: str) -> str | None:
    """Return the value that a pattern names for an element, or None.

    Raises UndefinedReply if the model may lack the key.
    """
    if pattern == ELEMENT:
        return element
    if "*" not in pattern:
        return None
    key, _, field = pattern.partition(FIELD)
    item = db.items.get(key.replace("*", element))
    if item is None and element not in NAMING:
        raise UndefinedReply
    if item is None:
        return None
    if field:
        return item.content.get(field) if item.kind == HASH else None
    return item.content if item.kind == STRING else None


def number_to_sort_by(text: str | None) -> float:
    """Return the number that an element is sorted by. Raises CommandFailure."""
    try:
        return float(text or 0)
    except ValueError:
        raise CommandFailure from None


def elements_in_order(db: RedisModel, item: ModelItem | None, options: Words) -> list[str]:
    """Return all elements in the order that SORT gives them.

    Raises UndefinedReply where the order of a set, which is not defined, decides.
    """
    if item is None:
        return []
    elements: list[str] = list(item.content)
    if item.kind == SORTED_SET:
        elements.sort(key=lambda member: (item.content[member], member))
    is_set = item.kind == SET
    descends = "DESC" in options
    given = values_after(options, "BY")
    pattern = given[0] if given else ELEMENT
    if given and "*" not in pattern:
        if is_set and "STORE" not in options:
            raise UndefinedReply
        if is_set:
            elements.sort(reverse=descends)
        elif descends:
            elements.reverse()
        return elements
    weights = {element: value_by_pattern(db, pattern, element) for element in elements}
    if "ALPHA" in options:
        if is_set and len(set(weights.values())) < len(weights):
            raise UndefinedReply
        elements.sort(key=lambda element: weights[element] or "", reverse=descends)
    else:
        elements.sort(
            key=lambda element: (number_to_sort_by(weights[element]), element), reverse=descends
        )
    return elements


def sort_elements(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute SORT with all its options."""
    key, *options = args
    item = db.items.get(key)
    if item is not None and item.kind not in {LIST, SET, SORTED_SET}:
        raise CommandFailure("WRONGTYPE")
    elements = elements_in_order(db, item, options)
    if "LIMIT" in options:
        at = options.index("LIMIT")
        offset, count = max(0, integer(options[at + 1])), integer(options[at + 2])
        elements = elements[offset:] if count < 0 else elements[offset : offset + count]
    shown: list[str | None] = list(elements)
    gets = values_after(options, "GET")
    if gets:
        shown = [value_by_pattern(db, pattern, each) for each in elements for pattern in gets]
    if "STORE" not in options:
        return shown
    db.replace(options[options.index("STORE") + 1], LIST, [text or "" for text in shown])
    return len(shown)


SORTING_COMMANDS: Final[dict[str, Act]] = {"SORT": sort_elements, "SORT_RO": sort_elements}
