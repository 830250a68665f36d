"""The history of effects by key, as commands of the specification with their causal order.

A world has one `EffectBook`. From it, checkers compute the value that a key must have in any region
at any time. They do not use the region's own state for this.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final, TypeAlias, cast

import attrs

from crdt.causality.dots import Dot, Origin, Vector, covers, make_dot, origin_of
from crdt.causality.effect import FLUSH, MESSAGE, Effect, is_key_effect
from crdt.causality.op import Op
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.specifications import Shown
from crdt.testing.builtin_types.subjects import NAMES
from crdt.testing.history import History, HistoryEvent
from sim.nodes.effect_decoder import EffectDecoder

EFFECTS_MAX: Final = 60  # effects on one key; the work grows with the square
NAMES_MAX: Final = 16  # arguments of one effect; longer commands would take too long to check
KEYS_MAX: Final = 400  # keys whose effects are remembered: the most recently written ones

Effects: TypeAlias = list[HistoryEvent]


class EffectBook:
    """The effects of a run by key. Keys in `forgotten` have an incomplete history."""

    def __init__(self) -> None:
        self.decoder = EffectDecoder()
        self.latest: dict[Origin, tuple[int, Effect]] = {}
        """The number of the latest effect of each origin, and the effect."""
        self.by_key: OrderedDict[bytes, Effects] = OrderedDict()
        self.forgotten: dict[bytes, None] = {}
        self.ties = 0
        """The number of effects with a concurrent effect on the same key at the same wall time."""

    def record_op(self, db: Keyspace, op: Op, past: Vector) -> tuple[Effect, ...]:
        """Record the effects of an operation of the region of `db`, except those that were recorded
        when the operation was shorter. Return the new effects. They were made at `db.now`, which
        is later than the time base of an operation that waited to be sealed.

        A write of a string may replace the latest effect of an operation that is not sealed: then
        the replaced effect is new. `past` is the vector that the operation observed.
        """
        recorded, latest = self.latest.get(op.origin, (0, ()))
        begin = max(0, recorded + 1 - op.first)
        if 0 < begin <= len(op.effects) and op.effects[begin - 1] != latest:
            begin -= 1
            self.replace_effect(db, op.effects[begin], make_dot(op.origin, recorded))
        elif begin >= len(op.effects):
            return ()
        self.record_effects(db, op, past, recorded)
        self.latest[op.origin] = op.last, op.effects[-1]
        return op.effects[begin:]

    def replace_effect(self, db: Keyspace, effect: Effect, dot: Dot) -> None:
        """Replace the effect that `dot` names, which no other region has applied."""
        effects = self.by_key.get(effect[2], [])
        command = self.decoder.decode_effect(effect, origin_of(dot), is_replaced=True)
        for index in range(len(effects) - 1, -1, -1):
            if effects[index].dot == dot:
                effects[index] = attrs.evolve(
                    effects[index],
                    command=command,
                    clock=db.now,
                    expiry_clock=db.expiry_clock,
                    notes={},
                )
                return

    def record_effects(self, db: Keyspace, op: Op, past: Vector, recorded: int) -> None:
        """Record the effects of an operation whose number is greater than `recorded`."""
        begin = max(0, recorded + 1 - op.first)
        for seq, effect in enumerate(op.effects[begin:], op.first + begin):
            if is_key_effect(effect, MESSAGE):
                continue
            dot = make_dot(op.origin, seq)
            command = self.decoder.decode_effect(effect, op.origin)
            keys = list(self.by_key) if is_key_effect(effect, FLUSH) else [effect[2]]
            for key in keys:
                if key in self.forgotten:
                    continue
                effects = self.by_key.setdefault(key, [])
                seen = observed_bits(past, effects, op.origin)
                self.ties += any(
                    other.clock == db.now and not seen >> other.index & 1 for other in effects[-4:]
                )
                effects.append(
                    HistoryEvent(command, dot, db.now, db.expiry_clock, len(effects), seen)
                )
                self.by_key.move_to_end(key)
                if len(effects) > EFFECTS_MAX or len(command.args) > NAMES_MAX:
                    self.forget_key(key)
        while len(self.by_key) > KEYS_MAX:
            self.forget_key(next(iter(self.by_key)))

    def forget_key(self, key: bytes) -> None:
        """Drop the history of a key. It is not recorded again."""
        del self.by_key[key]
        self.forgotten[key] = None

    def history_of_key(self, key: bytes, db: Keyspace) -> History | None:
        """Return the effects on a key that the region of `db` has applied.

        Return None if the history of the key is incomplete.
        """
        return self.history_within(key, db.vector, db.expiry_clock)

    def history_within(self, key: bytes, vector: Vector, expiry_clock: int) -> History | None:
        """Return the effects on a key that `vector` covers, or None if its history is incomplete.

        `expiry_clock` (ms) is the expiry clock of the replica at `vector`.
        """
        if key in self.forgotten:
            return None
        effects = self.by_key.get(key, [])
        return History(effects, observed_bits(vector, effects), expiry_clock)


def observed_bits(vector: Vector, effects: Effects, own: Origin = 0) -> int:
    """Return a bit set of the effects that `vector` covers, or that the origin `own` made."""
    visible, bit = 0, 1
    for event in effects:
        dot: Dot = event.dot
        if origin_of(dot) == own or covers(vector, dot):
            visible |= bit
        bit <<= 1
    return visible


def read_sorted(db: Keyspace, key: bytes) -> Shown | None:
    """Return the type, value and deadline of a key. The elements of a list are sorted."""
    found = read_in_order(db, key)
    if found is None or found[0] != "list":
        return found
    kind, elements, deadline = found
    in_order: Any = elements
    return kind, sorted(in_order), deadline


def read_in_order(db: Keyspace, key: bytes) -> Shown | None:
    """Return the type, value and deadline of a key. The elements of a list keep their order."""
    value = db.lookup(key)
    if value is None:
        return None
    return NAMES[value.code()], latin_text(value.visible()), db.deadline(key)


def latin_text(value: Any) -> Any:
    """Return a value with all nested bytes as text, one character for each byte."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list):
        return [latin_text(item) for item in cast("list[Any]", value)]
    if isinstance(value, tuple):
        return tuple([latin_text(item) for item in cast("tuple[Any, ...]", value)])
    return value
