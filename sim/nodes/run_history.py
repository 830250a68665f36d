"""All ops of a run, as the reference for the checkers.

The simulator records more than a region can: the op of each dot, the time at which it was made, and
the vector that its region had observed by then (its *past*).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final

from crdt.causality.dots import Origin, Vector, dominates, name_origin
from crdt.causality.effect import Effect
from crdt.causality.op import Op
from crdt.store.keyspace import Keyspace
from sim.nodes.effects import EffectBook

EMPTY: Final[Mapping[Origin, int]] = {}
FIRST: Final = attrgetter("first")
LAST: Final = attrgetter("last")
STRIDE: Final = 64  # one full observed vector is kept for so many ops of an origin


class Entry:
    """An op of the history. `number` is its index among all ops of the run, in order of creation.

    `deps` are the dots of other origins that its region had observed since its previous op.
    """

    __slots__ = ("at", "data", "deps", "first", "last", "number", "origin", "region")

    def __init__(self, op: Op, at: int, number: int, region: str = "") -> None:
        self.origin = op.origin
        self.first = op.first
        self.last = op.last
        self.data = op.to_bytes()
        self.deps = op.deps
        self.at = at
        self.number = number
        self.region = region

    def __repr__(self) -> str:
        return f"{name_origin(self.origin)}:{self.first}..{self.last}"


class RunHistory:
    """The history of all ops of one world."""

    def __init__(self) -> None:
        self.by_first: dict[tuple[Origin, int], Entry] = {}
        self.by_last: dict[tuple[Origin, int], Entry] = {}
        self.in_order: list[Entry] = []
        self.by_origin: dict[Origin, list[Entry]] = {}
        self.pasts: dict[Origin, list[Vector]] = {}
        """The vectors that each origin had observed, one per STRIDE ops; the last is current."""
        self.book = EffectBook()
        self.noted: dict[Origin, list[tuple[int, int]]] = {}
        """Of the effects that are not sealed: the number of the last effect of each turn, and the
        time (ns) of the turn."""

    def record_effects(self, db: Keyspace, op: Op, at: int) -> tuple[Effect, ...]:
        """Record effects that the region of `db` has made at `at` (ns), and that may still be in
        its outbox. Return those that were not recorded before."""
        past = {**self.pasts.get(op.origin, (EMPTY,))[-1], **op.deps}
        new = self.book.record_op(db, op, past)
        if new:
            self.noted.setdefault(op.origin, []).append((op.last, at))
        return new

    def latest_effect(self, origin: Origin) -> int:
        """Return the number of the latest effect that an origin has made; 0 if there is none."""
        return self.book.latest.get(origin, (0, ()))[0]

    def oldest_beyond(self, origin: Origin, seq: int, held: int) -> int | None:
        """Return when (ns) an origin made the first of its effects beyond `seq`. None if its region
        holds none, as the last effect that it holds is `held`. It may have made others under this
        origin that it lost in a crash."""
        if held <= seq:
            return None
        made = self.by_origin.get(origin, [])
        index = bisect_right(made, seq, key=LAST)
        if index < len(made):
            return made[index].at
        return next((at for last, at in self.noted.get(origin, ()) if last > seq), None)

    def record_op(self, op: Op, at: int, region: str = "") -> Entry:
        """Record an op that `region` has sealed at `at` (ns). Its time is that of its first
        effect."""
        noted = self.noted.get(op.origin, [])
        made_at = next((time for last, time in noted if last >= op.first), at)
        self.noted[op.origin] = [each for each in noted if each[0] > op.last]
        entry = Entry(op, made_at, len(self.in_order), region or name_origin(op.origin))
        self.in_order.append(entry)
        self.by_first[op.origin, op.first] = entry
        self.by_last[op.origin, op.last] = entry
        made = self.by_origin.setdefault(op.origin, [])
        pasts = self.pasts.setdefault(op.origin, [{}])
        if len(made) % STRIDE == 0:
            pasts.append(dict(pasts[-1]))
        made.append(entry)
        pasts[-1].update(op.deps)
        return entry

    def observed_before(self, entry: Entry) -> Vector:
        """Return the vector observed at this op. O(STRIDE + size of the result)."""
        made = self.by_origin.get(entry.origin, [])
        at = bisect_left(made, entry.first, key=FIRST)
        if at == len(made) or made[at] is not entry:
            return entry.deps  # the op is not in the history
        begin = at - at % STRIDE
        past = dict(self.pasts[entry.origin][at // STRIDE])
        for each in made[begin : at + 1]:
            past.update(each.deps)
        return past

    def find_by_first(self, origin: Origin, first: int) -> Entry | None:
        """Return the op that begins with this dot."""
        return self.by_first.get((origin, first))

    def find_covering(self, origin: Origin, seq: int) -> Entry | None:
        """Return the op that contains this effect, or None. O(log ops)."""
        made = self.by_origin.get(origin, [])
        at = bisect_right(made, seq, key=FIRST)
        return made[at - 1] if at and made[at - 1].last >= seq else None

    def ops_within(self, vector: Vector) -> Iterable[Entry]:
        """Return the ops that `vector` covers, in the order in which they were made."""
        return (entry for entry in self.in_order if entry.last <= vector.get(entry.origin, 0))

    def explain_unclosed(self, vector: Vector, known: Mapping[Origin, int] = EMPTY) -> str:
        """Return why a replica cannot have applied exactly `vector`; empty if it can.

        `vector` must end at the end of an op of each origin. With each op it must cover the vector
        that the op's region had observed. `known` is an earlier vector of the same replica, which
        is already known to be closed.
        """
        for origin, seq in vector.items():
            if seq == known.get(origin, 0):
                continue
            entry = self.by_last.get((origin, seq))
            if entry is None:
                return f"{name_origin(origin)}:{seq} ends no operation"
            if not self.is_causally_closed(vector, entry, known.get(origin, 0)):
                return f"{entry} had seen {self.observed_before(entry)}"
        return ""

    def is_causally_closed(self, vector: Vector, entry: Entry, sure: int) -> bool:
        """Return whether `vector` covers the vector observed at this op.

        For the ops of this origin up to the effect number `sure`, this is already known. O(number
        of ops since then). If these are more than STRIDE: O(STRIDE + size of the vector).
        """
        made = self.by_origin.get(entry.origin, [])
        stop = bisect_left(made, entry.first, key=FIRST)
        start = bisect_left(made, sure + 1, key=FIRST)
        if not sure or stop - start > STRIDE or stop == len(made) or made[stop] is not entry:
            return dominates(vector, self.observed_before(entry))
        return all(dominates(vector, each.deps) for each in made[start : stop + 1])
