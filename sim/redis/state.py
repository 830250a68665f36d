"""The state of the model: keys with plain Python values, and the errors and replies of commands.

The content of a string is a str, of a set a set, of a hash and of a sorted set a dict, and of a
list a list. A bulk reply is a str, like a status. An error reply is `CommandFailure`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

import attrs

Words: TypeAlias = Sequence[str]
Act: TypeAlias = Callable[["RedisModel", Words, Any], Any]
"""A function of the state, of the arguments of a command, and of the server's reply. Returns the
expected reply. It uses the server's reply only where the server may choose."""

STRING: Final = "string"
SET: Final = "set"
HASH: Final = "hash"
SORTED_SET: Final = "sorted set"
LIST: Final = "list"
TYPE_NAMES: Final = {STRING: "string", SET: "set", HASH: "hash", SORTED_SET: "zset", LIST: "list"}
"""The reply of TYPE by type."""
INTEGER_MAX: Final = (1 << 63) - 1
COUNTER_MAX: Final = (1 << 59) - 1
DEADLINE_MAX: Final = 1 << 49
"""The latest deadline, in ms (rule EXP-8). Redis allows more."""


class CommandFailure(Exception):
    """An error reply. `code` is its first word."""

    def __init__(self, code: str = "ERR") -> None:
        super().__init__(code)
        self.code = code


class UndefinedReply(Exception):
    """Redis does not define the reply to a command nor its effect, or it reads keys that the model
    lacks."""


@attrs.frozen
class AnyOrder:
    """An expected array whose order is not defined. Each element has `width` items."""

    items: tuple[Any, ...]
    width: int = 1

    def equals(self, found: Any) -> bool:
        """Return whether `found` has the same elements."""
        return self.sort(items_in(found)) == self.sort(self.items) and found is not None

    def sort(self, items: Sequence[Any]) -> list[Any]:
        """Return the elements, sorted."""
        return sorted(tuple(items[i : i + self.width]) for i in range(0, len(items), self.width))


@attrs.define
class ModelItem:
    """The value of a key. `deadline` is in ms of the expiry clock, or None."""

    kind: str
    content: Any
    deadline: int | None = None


class RedisModel:
    """The keys that a request may use. `clock` is the expiry clock in ms."""

    def __init__(self, items: Mapping[str, ModelItem], clock: int) -> None:
        self.items = {
            key: ModelItem(item.kind, copy(item.content), item.deadline)
            for key, item in items.items()
        }
        self.clock = clock
        self.sent = 0
        """The number of changes that other regions must be told about."""

    def deadline_at(self, time: int, unit: int, is_relative: bool) -> int:
        """Return the deadline, in ms, that a time in units of `unit` ms stands for.

        Raises CommandFailure if it is too late.
        """
        deadline = time * unit + (self.clock if is_relative else 0)
        if deadline > DEADLINE_MAX:
            raise CommandFailure
        return deadline

    def read(self, key: str, kind: str) -> Any:
        """Return the content of a key, or None if the key does not exist.

        Raises CommandFailure if the key holds another type.
        """
        item = self.items.get(key)
        if item is None:
            return None
        if item.kind != kind:
            raise CommandFailure("WRONGTYPE")
        return item.content

    def update(self, key: str, kind: str, content: Any) -> None:
        """Store a changed content. The deadline stays. An empty collection removes the key."""
        self.sent += 1
        if not content and kind != STRING:
            self.items.pop(key, None)
        elif key in self.items:
            self.items[key].content = content
        else:
            self.items[key] = ModelItem(kind, content)

    def replace(self, key: str, kind: str, content: Any, deadline: int | None = None) -> None:
        """Replace the value of a key and its deadline. An empty collection removes the key."""
        if content or kind == STRING:
            self.sent += 1
            self.items[key] = ModelItem(kind, content, deadline)
        else:
            self.remove(key)

    def remove(self, key: str) -> bool:
        """Remove a key. Return whether it existed."""
        is_there = self.items.pop(key, None) is not None
        self.sent += is_there
        return is_there

    def set_deadline(self, key: str, deadline: int | None) -> None:
        """Set the deadline of a key that exists. A deadline that has come removes the key."""
        self.sent += 1
        if deadline is not None and deadline <= self.clock:
            del self.items[key]
        else:
            self.items[key].deadline = deadline


def integer(word: str) -> int:
    """Return an argument as an integer. Raises CommandFailure."""
    digits = word[1:] if word.startswith("-") else word
    if not digits.isdecimal() or str(int(digits)) != digits or word == "-0":
        raise CommandFailure
    if not -INTEGER_MAX - 1 <= int(word) <= INTEGER_MAX:
        raise CommandFailure
    return int(word)


def number(word: str) -> float:
    """Return an argument as a score. Raises CommandFailure."""
    try:
        return float(word)
    except ValueError:
        raise CommandFailure from None


def add_integers(before: int, amount: int) -> int:
    """Return a sum. Raises CommandFailure on overflow.

    This is the only difference from Redis: counters have 59 bits (rule D-05). A larger number, as
    SET can store it, may be changed to one that is closer to 0.
    """
    after = before + amount
    if abs(after) > COUNTER_MAX and abs(after) >= abs(before):
        raise CommandFailure
    return after


def add_decimals(before: str, amount: str) -> str:
    """Return the sum of two decimal fractions, without an exponent or trailing zeros."""
    try:
        text = f"{Decimal(before) + Decimal(amount):f}"
    except ArithmeticError:
        raise CommandFailure from None
    return text.rstrip("0").rstrip(".") if "." in text else text


def score_text(score: float) -> str:
    """Return a score as the server writes it: a fraction with the fewest digits that mean it."""
    return f"{score:.17g}" if score.is_integer() else repr(score)


def bounds(length: int, start: int, stop: int) -> tuple[int, int]:
    """Return the slice that the indexes `start` to `stop` stand for, both included."""
    low = max(0, start + length if start < 0 else start)
    high = stop + length if stop < 0 else stop
    return low, max(low, high + 1)


def choose_random(held: Collection[str], args: Words, found: Any) -> Any:
    """Return the expected reply to a command that chooses members at random.

    This is the reply of the server, if the server may have chosen it. `args` is empty or a count.
    """
    if not args:
        return found if found in held else (min(held) if held else None)
    count = integer(args[0])
    chosen = items_in(found)
    wanted = min(count, len(held)) if count >= 0 else -count if held else 0
    is_allowed = (
        len(chosen) == wanted
        and set(chosen) <= set(held)
        and (count < 0 or len(set(chosen)) == wanted)
    )
    return chosen if is_allowed else sorted(held)[:wanted]


def items_in(found: Any) -> list[Any]:
    """Return the items of a reply that should be an array; an empty list if it is not one."""
    return cast("list[Any]", found) if isinstance(found, list) else []


def flatten(pairs: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return the items of all pairs in one list."""
    return [item for pair in pairs for item in pair]
