"""Decoding of effects into commands of the specification.

The effect of an increment contains its origin's new sum instead of the amount. The decoder
therefore remembers the previous sums. A list position contains the dot of the push that added an
element, and the element's index in that push.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Origin, make_dot
from crdt.causality.effect import ANY_TYPE, DELETE, FLUSH, FORGET, Effect
from crdt.causality.schema import FOREVER
from crdt.numbers.number import decimal_of, subtract
from crdt.testing.commands import Identity, TypeCommand
from crdt.types import fields, list, set, string
from crdt.types.hash import HASH
from crdt.types.list import LIST
from crdt.types.set import SET_TYPE
from crdt.types.sorted_set import ZSET
from crdt.types.string import STRING

# Writes: the command, and the index of the first name and value in the effect. 0: only a value.
WRITES: Final = {
    (STRING, string.SET): ("SET", 0),
    (STRING, string.KEEP): ("KEEP", 0),
    (HASH, fields.ASSIGN): ("HSET", 4),
    (HASH, fields.RESET): ("HSET", 4),
    (ZSET, fields.ASSIGN): ("ZADD", 4),
    (ZSET, fields.RESET): ("ZADD", 4),
}
INCREMENTS: Final = {
    (STRING, string.ADD): "INCRBY",
    (HASH, fields.ADD): "HINCRBY",
    (ZSET, fields.ADD): "ZINCRBY",
}
NAMES: Final = {
    (SET_TYPE, set.ADD): "SADD",
    (SET_TYPE, set.REMOVE): "SREM",
    (HASH, fields.REMOVE): "HDEL",
    (ZSET, fields.REMOVE): "ZREM",
}
ONE_NAME: Final = {(HASH, fields.ERASE): "HDEL", (ZSET, fields.ERASE): "ZREM"}
WITH_RESETS: Final = ((HASH, fields.RESET), (ZSET, fields.RESET))


class EffectDecoder:
    """Decodes effects. Each origin's effects must be passed in the order of their dots."""

    def __init__(self) -> None:
        self.sums: dict[tuple[bytes, bytes, Origin], tuple[int, Any]] = {}
        """The (birth, sum) of an origin's increments, by key, field and origin."""

    def decode_effect(self, effect: Effect, origin: Origin) -> TypeCommand:
        """Return the command that an effect of `origin` stands for."""
        kind, key = effect[:2], decode_text(effect[2])
        if kind[0] == ANY_TYPE:
            return self.decode_key_effect(effect, key)
        if kind in WRITES:
            return TypeCommand(WRITES[kind][0], key, written_pairs(effect))
        if kind in INCREMENTS:
            return TypeCommand(INCREMENTS[kind], key, self.decode_increment(effect, origin))
        if kind in NAMES:
            return TypeCommand(NAMES[kind], key, tuple(map(decode_text, effect[3:])))
        if kind in ONE_NAME:
            return TypeCommand(ONE_NAME[kind], key, (decode_text(effect[3]),))
        if kind == (LIST, list.INSERT):
            return TypeCommand("PUSH", key, tuple(map(decode_text, effect[6:])))
        if kind == (LIST, list.ASSIGN):
            return TypeCommand("LSET", key, (element_identity(effect[4]), decode_text(effect[5])))
        assert kind == (LIST, list.REMOVE), f"no server makes effects of type {kind[0]}"
        return TypeCommand("LREM", key, tuple(map(element_identity, effect[3:])))

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


def subtract_total(total: Any, before: Any) -> Any:
    """Return `total - before`. Decimal fractions (bytes) are exact; scores are binary floats."""
    if isinstance(total, bytes) or isinstance(before, bytes):
        return subtract(total, before)
    return total - before


def decode_text(item: bytes) -> str:
    """Return bytes as the text that the specification uses."""
    return item.decode("latin-1")


def written_pairs(effect: Effect) -> tuple[Any, ...]:
    """Return the value of a write, or its names and values in turn."""
    _, begin = WRITES[effect[0], effect[1]]
    if not begin:
        return (decode_text(effect[4]),)
    items = effect[begin : begin + 2] if effect[:2] in WITH_RESETS else effect[begin:]
    return tuple(decode_text(item) if isinstance(item, bytes) else item for item in items)


def element_identity(position: tuple[int, ...]) -> Identity:
    """Return the dot of the push that added an element, and the element's index in it."""
    return make_dot(position[-3], abs(position[-2])), abs(position[-1])
