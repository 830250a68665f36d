"""Decoding of effects into commands of the specification.

The effect of an increment contains its origin's new sum instead of the amount. The decoder
therefore remembers the previous sums. In the same way, the effect of an edit contains the change of
a string instead of the whole string. The position of a list's element contains the dot of the push
that added it, and its index in that push.
"""

from __future__ import annotations

from typing import Any

from crdt.causality.dots import Origin
from crdt.causality.effect import ANY_TYPE, DELETE, FLUSH, FORGET, LARGE_BYTES, Effect
from crdt.causality.schema import FOREVER
from crdt.numbers.number import decimal_of, subtract
from crdt.structures.large_text import overwritten
from crdt.testing.builtin_types.commands import Identity, TypeCommand, element_identity
from crdt.types.definition import SpellingForm
from crdt.types.registry import BUILT_IN

EDIT_ITEMS = 6
"""The items of an edit. If there is one more, that is the text that is edited."""


class EffectDecoder:
    """Decodes effects. Each origin's effects must be passed in the order of their dots."""

    def __init__(self) -> None:
        self.sums: dict[tuple[bytes, bytes, Origin], tuple[int, Any]] = {}
        """The (birth, sum) of an origin's increments, by key, field and origin."""
        self.texts: dict[tuple[bytes, Origin], tuple[bytes, bytes]] = {}
        """The latest text that an origin wrote and may edit, by key and origin. And before it, the
        text that the latest edit was applied to."""

    def decode_effect(
        self, effect: Effect, origin: Origin, is_replaced: bool = False
    ) -> TypeCommand:
        """Return the command that an effect of `origin` stands for. If `is_replaced`, it takes the
        place of the origin's latest effect."""
        kind, key = effect[:2], decode_text(effect[2])
        if kind[0] == ANY_TYPE:
            return self.decode_key_effect(effect, key)
        operation = BUILT_IN.operations.get(kind)
        assert operation is not None, f"no type {kind[0]} with an operation {kind[1]} is built in"
        spelling = operation.spelling
        assert spelling is not None, (
            f"the operation {operation.name!r} of type {kind[0]} stands for no command: set "
            "`spelling` in the definition of the type"
        )
        if spelling.form is SpellingForm.SUM:
            return TypeCommand(spelling.command, key, self.decode_increment(effect, origin))
        if spelling.form is SpellingForm.EDIT:
            return TypeCommand(spelling.command, key, self.decode_edit(effect, origin, is_replaced))
        if spelling.form is SpellingForm.VALUE and len(effect[4]) > LARGE_BYTES:
            self.texts[effect[2], origin] = b"", effect[4]
        return TypeCommand(spelling.command, key, decode_arguments(effect, spelling.form))

    def decode_key_effect(self, effect: Effect, key: str) -> TypeCommand:
        """Return the command that an effect on a key of any type stands for."""
        if effect[1] == FLUSH:
            return TypeCommand("FLUSHALL")
        if effect[1] == DELETE:
            return TypeCommand("DEL", key)
        if effect[1] == FORGET:
            return TypeCommand("FORGET", key)
        ends = effect[3]
        return (
            TypeCommand("PERSIST", key)
            if ends >= FOREVER
            else TypeCommand("EXPIREAT", key, (ends,))
        )

    def decode_increment(self, effect: Effect, origin: Origin) -> tuple[Any, ...]:
        """Return the field, if there is one, and the amount of an increment."""
        *named, birth, total = effect[3:]
        place = effect[2], named[0] if named else b"", origin
        since, before = self.sums.get(place, (0, 0))
        self.sums[place] = birth, total
        added = subtract_total(total, before) if since == birth else total
        return (*map(decode_text, named), decimal_of(added) if isinstance(added, bytes) else added)

    def decode_edit(self, effect: Effect, origin: Origin, is_replaced: bool) -> tuple[Any, ...]:
        """Return the whole text that an edit leads to."""
        text: bytes
        if len(effect) > EDIT_ITEMS:
            text = effect[EDIT_ITEMS]
        else:
            text = self.texts[effect[2], origin][0 if is_replaced else 1]
        after = overwritten(text, effect[4], effect[5])
        self.texts[effect[2], origin] = text, after
        return (decode_text(after),)


def subtract_total(total: Any, before: Any) -> Any:
    """Return `total - before`. Decimal fractions (bytes) are exact; scores are binary floats."""
    if isinstance(total, bytes) or isinstance(before, bytes):
        return subtract(total, before)
    return total - before


def decode_text(item: bytes) -> str:
    """Return bytes as the text that the specification uses."""
    return item.decode("latin-1")


def decode_item(item: Any) -> Any:
    """Return a value in the form that the specification uses. A score stays a number."""
    return decode_text(item) if isinstance(item, bytes) else item


def decode_arguments(effect: Effect, form: SpellingForm) -> tuple[Any, ...]:
    """Return the arguments of the command that an effect of this form stands for."""
    match form:
        case SpellingForm.VALUE:
            return (decode_text(effect[4]),)
        case SpellingForm.PAIRS:
            return tuple(map(decode_item, effect[4:]))
        case SpellingForm.PAIR:
            return tuple(map(decode_item, effect[4:6]))
        case SpellingForm.NAMES:
            return tuple(map(decode_item, effect[3:]))
        case SpellingForm.NAME:
            return (decode_text(effect[3]),)
        case SpellingForm.ELEMENTS:
            return tuple(map(decode_text, effect[6:]))
        case SpellingForm.POSITION:
            _, dot, key = effect[4]
            return element_identity(dot, key), decode_text(effect[5])
        case _:
            assert form is SpellingForm.SPANS, f"{form} has no arguments of its own"
            return tuple([name for span in effect[3:] for name in element_identities(span)])


def element_identities(span: tuple[int, ...]) -> list[Identity]:
    """Return the dots of the pushes that added the elements of a span, and the elements' indexes
    in them."""
    _, dot, key, *rest = span
    step, count = rest or (0, 1)
    return [element_identity(dot, key + step * number) for number in range(count)]
