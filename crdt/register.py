"""A last-writer-wins register that keeps its losers, with a counter on top.

Concurrent writes are all kept, each with its dot and its stamp; readers see the greatest stamp,
the lower origin on a tie (rules STR-2, ORD-8). A write removes the writes it observed and adds its
own, stamped later than all of them, so stamps never contradict causality (rules ORD-6, ORD-7). The
losers stay until something that saw them replaces or deletes them: were they dropped at once, a
delete that had observed only the winner would leave nothing here and a loser elsewhere.

Increments are kept apart from the writes, in a `Counter`; the value is the shown write plus the
counter (rules CTR-6, CTR-9, D-04). One write and no counter is the common case, and costs no more
than its three fields.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.counter import Counter, Share
from crdt.decoding import integer_of, tuple_of
from crdt.dots import DOT_MAX, SEQ_BITS, Dot, Vector, covers
from crdt.errors import DecodeError
from crdt.number import Number
from crdt.observed import Observed
from crdt.value import Value

LATEST: Final = 1 << 56  # ms; beyond any stamp that operations can have led to


class Write:
    """One of several concurrent writes that is not shown."""

    __slots__ = ("dot", "stamp", "value")

    def __init__(self, dot: Dot, stamp: int, value: Any) -> None:
        self.dot = dot
        self.stamp = stamp
        self.value: Any = value


class Extra:
    """What a register holds besides one write: the losers and the counter."""

    __slots__ = ("counter", "rivals")

    def __init__(self) -> None:
        self.rivals: tuple[Write, ...] = ()
        self.counter: Counter | None = None


class Register(Value):
    """Concurrent writes and increments of one thing. `dot` is 0 while nothing was written."""

    __slots__ = ("dot", "endless", "extra", "stamp", "value")

    def __init__(self) -> None:
        self.dot: Dot = 0
        self.stamp = 0
        self.value: Any = None
        self.endless = False
        self.extra: Extra | None = None

    def write(self, dot: Dot, stamp: int, value: Any, observed: Observed) -> None:
        """Take in a write: it replaces those it observed and stands beside the others."""
        extra = self.extra
        if self.dot == 0 or ((extra is None or not extra.rivals) and observed.covers(self.dot)):
            self.dot = dot
            self.stamp = stamp
            self.value = value
            return
        writes = [write for write in self.writes() if not observed.covers(write.dot)]
        writes.append(Write(dot, stamp, value))
        self.show(writes)

    def writes(self) -> list[Write]:
        """All concurrent writes, the shown one first."""
        if self.dot == 0:
            return []
        writes = [Write(self.dot, self.stamp, self.value)]
        if self.extra is not None:
            writes += self.extra.rivals
        return writes

    def show(self, writes: list[Write]) -> None:
        """Hold exactly these writes; the greatest stamp, or lower origin, is shown."""
        writes.sort(key=precedence)
        if writes:
            first = writes[0]
            self.dot, self.stamp, self.value = first.dot, first.stamp, first.value
        else:
            self.dot, self.stamp, self.value = 0, 0, None
            self.endless = False
        if len(writes) > 1:
            if self.extra is None:
                self.extra = Extra()
            self.extra.rivals = tuple(writes[1:])
        elif self.extra is not None:
            self.extra.rivals = ()
            self.trim()

    def trim(self) -> None:
        """Give up the room for losers and counter when there are none."""
        extra = self.extra
        if extra is not None and not extra.rivals:
            if extra.counter is not None and not extra.counter.shares:
                extra.counter = None
            if extra.counter is None:
                self.extra = None

    def counter(self) -> Counter:
        """The increments, to be changed."""
        if self.extra is None:
            self.extra = Extra()
        if self.extra.counter is None:
            self.extra.counter = Counter()
        return self.extra.counter

    def counted(self) -> Counter | None:
        """The increments, if some of them count."""
        if self.extra is not None:
            counter = self.extra.counter
            if counter is not None and counter.live():
                return counter
        return None

    def next_sum(self, origin: int, seq: int, delta: Number) -> tuple[int, Number]:
        """The birth and sum that an increment made here carries."""
        if self.extra is None or self.extra.counter is None:
            return seq, delta
        return self.extra.counter.next(origin, seq, delta)

    def share(self, origin: int) -> Share | None:
        """The live part that `origin` has in the counter."""
        if self.extra is None or self.extra.counter is None:
            return None
        share = self.extra.counter.shares.get(origin)
        return share if share is not None and share.live() else None

    def reset(self, resets: object, dot: Dot) -> None:
        """Take back the increments that the effect named `dot` carries."""
        if self.extra is not None and self.extra.counter is not None:
            self.extra.counter.reset(resets, dot)

    def remove(self, observed: Observed, resets: object) -> None:
        if resets is not None:
            self.reset(resets, observed.dot())
        if self.extra is None or not self.extra.rivals:
            if self.dot and observed.covers(self.dot):
                self.dot, self.stamp, self.value = 0, 0, None
                self.endless = False
        else:
            self.show([write for write in self.writes() if not observed.covers(write.dot)])

    def resets(self) -> object:
        if self.extra is None or self.extra.counter is None:
            return None
        return self.extra.counter.resets()

    def alive(self) -> bool:
        return self.dot != 0 or (self.extra is not None and self.counted() is not None)

    def vacant(self) -> bool:
        if self.dot != 0:
            return False
        extra = self.extra
        return extra is None or extra.counter is None or not extra.counter.shares

    def lowest(self) -> Dot:
        lowest = self.dot
        if self.extra is not None:
            for write in self.extra.rivals:
                lowest = min(lowest, write.dot)
            if self.extra.counter is not None:
                counted = self.extra.counter.lowest()
                if counted and (lowest == 0 or counted < lowest):
                    lowest = counted
        return lowest

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Register)
        if other.dot and other.dot == self.dot and self.extra is None and other.extra is None:
            return
        held = {write.dot: write for write in self.writes()}
        given = {write.dot: write for write in other.writes()}
        kept = [w for dot, w in held.items() if dot in given or not covers(theirs, dot)]
        kept += [w for dot, w in given.items() if dot not in held and not covers(mine, dot)]
        ours = self.extra.counter if self.extra is not None else None
        others = other.extra.counter if other.extra is not None else None
        if ours is not None or others is not None:
            self.counter().merge(others if others is not None else Counter(), mine, theirs)
        self.show(kept)
        self.trim()

    def litter(self) -> bool:
        extra = self.extra
        return extra is not None and extra.counter is not None and extra.counter.litter()

    def sweep(self, stable: Vector) -> bool:
        extra = self.extra
        if extra is None or extra.counter is None:
            return False
        left = extra.counter.sweep(stable)
        self.trim()
        return left

    def state(self) -> Any:
        """`(dot, stamp, value, endless)`, then dot, stamp, value of each loser and the counter."""
        if self.extra is None:
            return (self.dot, self.stamp, self.value, int(self.endless))
        rivals: list[Any] = []
        for write in self.extra.rivals:
            rivals += (write.dot, write.stamp, write.value)
        counter = self.extra.counter
        shares = counter.state() if counter is not None else ()
        return (self.dot, self.stamp, self.value, int(self.endless), tuple(rivals), shares)

    def load(self, state: Any) -> None:
        items = tuple_of(state, "a register")
        if len(items) not in (4, 6):
            raise DecodeError("a register: expected four or six items")
        self.check_write(items[0], items[1], items[2])
        self.dot, self.stamp, self.value = items[0], items[1], items[2]
        self.endless = items[3] == 1 and self.dot != 0
        if len(items) == 6:
            self.load_extra(tuple_of(items[4], "a register's losers", 3), items[5])

    def load_extra(self, rivals: tuple[Any, ...], shares: Any) -> None:
        """Read back the losers and the counter."""
        extra = Extra()
        losers: list[Write] = []
        for index in range(0, len(rivals), 3):
            dot, stamp, value = rivals[index : index + 3]
            self.check_write(dot, stamp, value)
            losers.append(Write(dot, stamp, value))
        extra.rivals = tuple(losers)
        if extra.rivals and self.dot == 0:
            raise DecodeError("a register: losers, but nothing that is shown")
        if shares:
            extra.counter = Counter()
            extra.counter.load(shares)
        self.extra = extra
        self.trim()

    def check_write(self, dot: Any, stamp: Any, value: Any) -> None:
        """Refuse what is no write."""
        integer_of(dot, "a register's dot", 0, DOT_MAX)
        integer_of(stamp, "a register's stamp", -LATEST, LATEST)
        if not (self.admits(value) if dot else value is None):
            raise DecodeError("a register: expected a value of its type")

    def admits(self, value: object) -> bool:
        """Whether `value` may be written here."""
        return type(value) is bytes

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(write.dot, write.value) for write in self.writes()]


def precedence(write: Write) -> tuple[int, int]:
    """Sorts the write that readers see first."""
    return -write.stamp, write.dot >> SEQ_BITS
