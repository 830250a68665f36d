"""Values follow from the effects that made them by the rules of `crdt.suite.specifications`.

The specification of the keyspace is a function from effects, and who had seen what, to what readers
see under a key: of all types, of several types at once, with times to live, deletes and FLUSHALL,
whatever a transaction consists of. It knows nothing of links, snapshots, gates and garbage, all of
which a value has come through when it is compared here, for one changed key now and then and for
every key in the end (I5 to I8, I20, I30). Lists are compared without their order; in the end also
that is looked at: no two elements have changed places.

Not checked: that a command makes the effects that it should (`meaning` does so for some of them,
the tests of the server for all); keys with a long history, which would take too long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, ClassVar, Final, TypeAlias

from crdt.dots import Dot, Origin, Vector, covers, make_dot, origin_of
from crdt.list import List
from crdt.op import Op
from crdt.suite.builtin import NAMES, text_of
from crdt.suite.history import History, Taken
from crdt.suite.order import ListOrder
from crdt.suite.specifications import Shown, look
from sim.checkers.checker import Checker, Watched
from sim.checkers.deeds import FLUSH, Deeds
from sim.ledger import Entry, Ledger
from sim.mirror import Change

SAMPLE: Final = 32  # one changed key in so many is worked out at once, all of them in the end
EFFECTS_MAX: Final = 60  # on one key; the work grows with the square
KEYS_MAX: Final = 400  # whose effects are remembered; those written to most lately

Effects: TypeAlias = list[Taken]


class Rules(Checker):
    """What follows from what was done."""

    promise: ClassVar[str] = "conflict rules"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.deeds = Deeds()
        self.by_key: OrderedDict[bytes, Effects] = OrderedDict()
        self.forgotten: dict[bytes, None] = {}
        """Keys of which not all effects are remembered."""
        self.changed = 0
        self.order = ListOrder(())

    def made(self, region: Watched, entry: Entry) -> None:
        """Write down what has been done, and what had been seen."""
        db, past = region.replica.keyspace, self.ledger.latest_past(entry.origin)
        for index, effect in enumerate(Op.from_bytes(entry.data).effects):
            dot = make_dot(entry.origin, entry.first + index)
            command = self.deeds.command(effect, entry.origin)
            keys = list(self.by_key) if effect[0] == FLUSH else [effect[1]]
            for key in keys:
                if key in self.forgotten:
                    continue
                effects = self.by_key.setdefault(key, [])
                seen = seen_by(past, effects, entry.origin)
                effects.append(Taken(command, dot, db.now, db.horizon, len(effects), seen))
                self.by_key.move_to_end(key)
                if len(effects) > EFFECTS_MAX:
                    self.forget(key)
        while len(self.by_key) > KEYS_MAX:
            self.forget(next(iter(self.by_key)))

    def forget(self, key: bytes) -> None:
        """Nothing more is said of this key."""
        del self.by_key[key]
        self.forgotten[key] = None

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """Work out one changed key now and then."""
        for change in changes:
            self.changed += 1
            if self.changed % SAMPLE == 0 and change.key in self.by_key:
                self.compare(region, change.key)

    def ended(self, regions: Sequence[Watched]) -> None:
        """Work out all that are remembered."""
        for key in self.by_key:
            for region in regions:
                history = self.compare(region, key)
                if isinstance(region.replica.keyspace.lookup(key), List):
                    self.look_at_order(region, key, history)

    def compare(self, region: Watched, key: bytes) -> History:
        """What a region shows under a key, and what it should."""
        self.looked += 1
        db = region.replica.keyspace
        effects = self.by_key[key]
        history = History(effects, seen_by(db.vector, effects), db.horizon)
        expected, found = look(history, key.decode("latin-1")), read(region, key)
        if expected != found:
            done = "; ".join(f"{taken.command} ({taken.past:b})" for taken in history)
            raise self.broken(
                f"{region.name} shows {found!r} under {key!r}, not {expected!r}, after {done}"
            )
        return history

    def look_at_order(self, region: Watched, key: bytes, history: History) -> None:
        """Whether a list stands as it stood elsewhere."""
        self.order.keys = (key.decode("latin-1"),)
        try:
            self.order.check(region.replica, history)
        except AssertionError as error:
            raise self.broken(f"{region.name}, {key!r}: {error}") from error


def seen_by(vector: Vector, effects: Effects, own: Origin = 0) -> int:
    """Those of some effects that somebody at a vector has seen, as bits; all of its `own`."""
    visible, bit = 0, 1
    for taken in effects:
        dot: Dot = taken.dot
        if origin_of(dot) == own or covers(vector, dot):
            visible |= bit
        bit <<= 1
    return visible


def read(region: Watched, key: bytes) -> Shown | None:
    """What readers see under a key, as the specification spells it."""
    db = region.replica.keyspace
    value = db.lookup(key)
    if value is None:
        return None
    kind, seen = NAMES[value.code()], text_of(value.visible())
    shown: Any = sorted(seen) if kind == "list" else seen
    return kind, shown, db.deadline(key)
