"""Effects in the words of the specification: what an operation says, as a command would.

An increment carries its origin's sum after it, not what it adds: the sum before must be known.
Positions of lists name the push that brought an element, and which of its elements it was.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.dots import Origin, make_dot
from crdt.causality.effect import Effect
from crdt.causality.schema import FOREVER
from crdt.numbers.number import decimal_of, subtract
from crdt.testing.commands import Command, Identity

DELETE: Final = 0x00
EXPIRE: Final = 0x01
FLUSH: Final = 0x02
FORGET: Final = 0x03

# Writes: their names, and the item at which pairs of name and value begin; 0 for a bare value.
WRITES: Final = {
    0x10: ("SET", 0),
    0x11: ("KEEP", 0),
    0x30: ("HSET", 3),
    0x31: ("HSET", 3),
    0x40: ("ZADD", 3),
    0x41: ("ZADD", 3),
}
INCREMENTS: Final = {0x12: "INCRBY", 0x32: "HINCRBY", 0x42: "ZINCRBY"}
NAMES: Final = {0x20: "SADD", 0x21: "SREM", 0x33: "HDEL", 0x43: "ZREM"}
ONE_NAME: Final = {0x34: "HDEL", 0x44: "ZREM"}
WITH_RESETS: Final = (0x31, 0x41)
PUSH: Final = 0x50
ASSIGN: Final = 0x51


class EffectDecoder:
    """Translates effects, in the order in which they were made."""

    def __init__(self) -> None:
        self.sums: dict[tuple[bytes, bytes, Origin], tuple[int, Any]] = {}
        """Of the increments of an origin to a key and field: since when they have been added up,
        and to what."""

    def decode_effect(self, effect: Effect, origin: Origin) -> Command:
        """Return the command that an effect of `origin` stands for."""
        kind, key = effect[0], decode_text(effect[1])
        if kind == FLUSH:
            return Command("FLUSHALL")
        if kind == DELETE:
            return Command("DEL", key)
        if kind == EXPIRE:
            ends = effect[2]
            return Command("PERSIST", key) if ends >= FOREVER else Command("EXPIREAT", key, (ends,))
        if kind == FORGET:
            return Command("FORGET", key)
        if kind in WRITES:
            return Command(WRITES[kind][0], key, written_pairs(effect))
        if kind in INCREMENTS:
            return Command(INCREMENTS[kind], key, self.decode_increment(effect, origin))
        if kind in NAMES:
            return Command(NAMES[kind], key, tuple(map(decode_text, effect[2:])))
        if kind in ONE_NAME:
            return Command(ONE_NAME[kind], key, (decode_text(effect[2]),))
        if kind == PUSH:
            return Command("PUSH", key, tuple(map(decode_text, effect[5:])))
        if kind == ASSIGN:
            return Command("LSET", key, (element_identity(effect[3]), decode_text(effect[4])))
        assert kind == ASSIGN + 1, f"no server makes effects of kind {kind}"
        return Command("LREM", key, tuple(map(element_identity, effect[2:])))

    def decode_increment(self, effect: Effect, origin: Origin) -> tuple[Any, ...]:
        """The field, if there is one, and what is added to it."""
        *named, birth, total = effect[2:]
        place = effect[1], named[0] if named else b"", origin
        since, before = self.sums.get(place, (0, 0))
        self.sums[place] = birth, total
        added = subtract_total(total, before) if since == birth else total
        return (*map(decode_text, named), decimal_of(added) if isinstance(added, bytes) else added)


def subtract_total(total: Any, before: Any) -> Any:
    """Return what was added: exact for fractions of strings, in binary for scores."""
    if isinstance(total, bytes) or isinstance(before, bytes):
        return subtract(total, before)
    return total - before


def decode_text(item: bytes) -> str:
    """Bytes as the specification has them."""
    return item.decode("latin-1")


def written_pairs(effect: Effect) -> tuple[Any, ...]:
    """The value, or names and values in turn."""
    _, begin = WRITES[effect[0]]
    if not begin:
        return (decode_text(effect[3]),)
    items = effect[begin : begin + 2] if effect[0] in WITH_RESETS else effect[begin:]
    return tuple(decode_text(item) if isinstance(item, bytes) else item for item in items)


def element_identity(position: tuple[int, ...]) -> Identity:
    """Return the dot of the push that brought an element, and the element's index in it."""
    return make_dot(position[-3], abs(position[-2])), abs(position[-1])
