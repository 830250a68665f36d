"""Expected replies of scenarios, and their comparison with actual replies.

An expectation is JSON, in the form of a RESP2 reply: `"b"`, `7`, `null`, `["x"]`. A status such as
OK is also written as text. One of these words can precede the JSON:

    unordered [A, B]        these items, in any order
    approx 1.5              equal numbers except for rounding, also as text and inside lists
    any [A, B]              one of these; until the next `sync` all regions reply the same one
    range [1, 9]            an integer from 1 to 9
    match "^v"              text in which the regular expression is found
    error "^WRONGTYPE"      an error reply in which the regular expression is found
    subsequences [[A], [B]] all items of these lists; the items of each list keep their order
    json [{"a": 1}]         text that is JSON with this value

One of these words can come first, and selects a part of the reply:

    ids ["1-1"]             the ids of entries of streams
    names ["g"]             the names in a list of descriptions

A JSON object stands for the fields and values of a hash, in any order.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, cast

import attrs

from sim.nodes.client import Refusal, Reply
from sim.scenarios.language import ScenarioMistake

Json: TypeAlias = Any
TOLERANCE: Final = 1e-9
NUMBER: Final = re.compile(r"-?[\d.]+(e[+-]?\d+)?")


@attrs.frozen
class Expectation:
    """A reply that a scenario expects. `kind` names the comparison."""

    kind: str
    value: Json
    selected: str = ""
    """The part of the reply that is compared; empty for all of it."""

    def __str__(self) -> str:
        kind = "" if self.kind == "exact" else self.kind
        return " ".join(filter(None, (self.selected, kind, json.dumps(self.value))))


def parse_expectation(text: str) -> Expectation:
    """Parse the text after the arrow of a step. Raises ScenarioMistake."""
    word, _, rest = text.partition(" ")
    if word in SELECTIONS:
        return attrs.evolve(parse_expectation(rest), selected=word)
    kind, value = (word, rest) if word in COMPARISONS else ("exact", text)
    try:
        return Expectation(kind, json.loads(value))
    except ValueError:
        raise ScenarioMistake(f'{value!r} is not JSON: write a text as "text"') from None


def plain_reply(reply: Reply) -> Reply:
    """Return a reply with text in place of bytes. A refusal stays as it is."""
    if isinstance(reply, bytes):
        return reply.decode(errors="replace")
    if isinstance(reply, list):
        return [plain_reply(item) for item in cast("list[Reply]", reply)]
    return reply


def is_as_expected(reply: Reply, wanted: Expectation) -> bool:
    """Return whether a plain reply matches. An error inside a list makes the reply an error."""
    refusal = find_refusal(reply)
    if refusal is not None:
        return wanted.kind == "error" and re.search(wanted.value, refusal.text) is not None
    part = SELECTIONS[wanted.selected](reply) if wanted.selected else reply
    return COMPARISONS[wanted.kind](part, wanted.value)


def find_refusal(reply: Reply) -> Refusal | None:
    """Return an error reply, or the first one in a list of replies."""
    if isinstance(reply, Refusal):
        return reply
    items = cast("list[Reply]", reply) if isinstance(reply, list) else []
    return next((item for item in items if isinstance(item, Refusal)), None)


def is_exact(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply equals the JSON. An object equals a list of fields and values."""
    if isinstance(wanted, dict):
        items = cast("list[Reply]", reply) if isinstance(reply, list) else [None]
        pairs = zip(items[::2], items[1::2], strict=False)
        return len(items) % 2 == 0 and dict(pairs) == wanted
    return bool(reply == wanted)


def has_same_items(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply is a list of these items in any order."""
    return isinstance(reply, list) and count_items(cast("list[Reply]", reply)) == count_items(
        wanted
    )


def count_items(items: Sequence[Reply]) -> Counter[str]:
    """Return how often each item occurs."""
    return Counter(map(repr, items))


def is_near(reply: Reply, wanted: Json) -> bool:
    """Return whether numbers are equal except for rounding. Other text must be equal."""
    if isinstance(wanted, list):
        items = cast("list[Json]", wanted)
        if not isinstance(reply, list) or len(cast("list[Reply]", reply)) != len(items):
            return False
        return all(map(is_near, cast("list[Reply]", reply), items))
    if all(isinstance(one, int | float | str) for one in (reply, wanted)):
        if NUMBER.fullmatch(str(reply)) and NUMBER.fullmatch(str(wanted)):
            return abs(float(reply) - float(wanted)) <= TOLERANCE
    return bool(reply == wanted)


def is_any(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply equals one of several values."""
    return any(is_exact(reply, each) for each in wanted)


def is_in_range(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply is an integer in a range."""
    least, most = wanted
    return isinstance(reply, int) and least <= reply <= most


def is_match(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply is text in which the regular expression is found."""
    return isinstance(reply, str) and re.search(wanted, reply) is not None


def is_interleaving(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply is an interleaving of some lists."""
    rows = cast("list[list[Json]]", wanted)
    if not has_same_items(reply, [item for row in rows for item in row]):
        return False
    return all([item for item in reply if item in row] == row for row in rows)


def is_json(reply: Reply, wanted: Json) -> bool:
    """Return whether a reply is text that is JSON with a value."""
    return isinstance(reply, str) and json.loads(reply) == wanted


def select_ids(reply: Reply) -> list[Reply]:
    """Return the ids of entries in a reply of XRANGE, XREAD, XREADGROUP or XPENDING."""
    ids: list[Reply] = []
    for item in cast("list[list[Reply]]", reply or []):
        name, second = item[:2]
        is_nested = isinstance(second, list) and isinstance(cast("list[Reply]", second)[0], list)
        ids += select_ids(second) if is_nested else [name]
    return ids


def select_names(reply: Reply) -> list[Reply]:
    """Return the names in a reply of XINFO GROUPS or XINFO CONSUMERS."""
    return [row[row.index("name") + 1] for row in cast("list[list[Reply]]", reply)]


def is_error(_reply: Reply, _wanted: Json) -> bool:
    """Return False: a reply that is not a refusal is not an error."""
    return False


COMPARISONS: Final[dict[str, Callable[[Reply, Json], bool]]] = {
    "exact": is_exact,
    "unordered": has_same_items,
    "approx": is_near,
    "any": is_any,
    "range": is_in_range,
    "match": is_match,
    "error": is_error,
    "subsequences": is_interleaving,
    "json": is_json,
}
SELECTIONS: Final[dict[str, Callable[[Reply], list[Reply]]]] = {
    "ids": select_ids,
    "names": select_names,
}
