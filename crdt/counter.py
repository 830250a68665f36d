"""Sums that many regions add to at once, and that a delete can take back exactly.

Each origin owns one *share*: the sum of its increments since the share's *birth*, and the part of
that sum which has been reset. A reset (DEL, SET over it, ZREM ...) carries, for each origin, the
birth, sequence and sum it had observed; the greater sequence wins, so two concurrent deletes never
subtract twice, and an increment that no reset has seen survives alone (rules CTR-1, CTR-4, ZST-5).

An origin whose own share is wholly reset starts a new one, with a new birth, at its next
increment. A wholly reset share is remembered until everybody has observed the reset: an increment
that is still under way would otherwise bring back the whole sum. That is the only tombstone here.
"""

from __future__ import annotations

from typing import Any

from crdt.decoding import integer_of, tuple_of
from crdt.dots import DOT_MAX, SEQ_BITS, SEQ_MAX, Dot, Origin, Vector, covers
from crdt.errors import DecodeError
from crdt.number import Number, add


class Share:
    """One origin's part of a counter."""

    __slots__ = ("birth", "reset_dot", "reset_seq", "reset_sum", "seq", "sum")

    def __init__(self, birth: int, seq: int, total: Number) -> None:
        self.birth = birth
        self.seq = seq
        self.sum: Number = total
        self.reset_seq = 0
        self.reset_sum: Number = 0
        self.reset_dot: Dot = 0

    def live(self) -> bool:
        """Whether some increment has not been reset."""
        return self.seq > self.reset_seq

    def part(self) -> Number:
        """What the share adds to the counter."""
        if self.reset_seq == 0:
            return self.sum
        return add(self.sum, -self.reset_sum)


class Counter:
    """The shares of all origins, in order of origin."""

    __slots__ = ("shares",)

    def __init__(self) -> None:
        self.shares: dict[Origin, Share] = {}

    def live(self) -> bool:
        """Whether some increment has not been reset."""
        for share in self.shares.values():
            if share.seq > share.reset_seq:
                return True
        return False

    def total(self) -> Number:
        """The sum of all live shares, in order of origin (CTR-3)."""
        total: Number = 0
        shares = self.shares
        for origin in shares if len(shares) == 1 else sorted(shares):
            share = shares[origin]
            if share.seq > share.reset_seq:
                total = add(total, share.part())
        return total

    def total_binary(self, base: float) -> float:
        """`base` plus the live shares in binary floating point, in order of origin (CTR-3)."""
        total = base
        shares = self.shares
        for origin in shares if len(shares) == 1 else sorted(shares):
            share = shares[origin]
            if share.seq > share.reset_seq:
                total += float(share.sum if share.reset_seq == 0 else share.part())
        return total

    def next(self, origin: Origin, seq: int, delta: Number) -> tuple[int, Number]:
        """The birth and the sum that an increment by `delta`, effect `seq` of `origin`, carries."""
        share = self.shares.get(origin)
        if share is None or share.seq <= share.reset_seq:
            return seq, delta
        return share.birth, add(share.sum, delta)

    def add(self, dot: Dot, birth: int, total: Number) -> bool:
        """Take in an increment: its origin's sum after it. True if its origin has a live share
        now, as it does unless the peer that sent it is out of order."""
        origin = dot >> SEQ_BITS
        share = self.shares.get(origin)
        if share is None or birth > share.birth:
            self.shares[origin] = Share(birth, dot & SEQ_MAX, total)
            return True
        if birth == share.birth:
            share.seq = dot & SEQ_MAX
            share.sum = total
        return share.seq > share.reset_seq

    def resets(self) -> tuple[Any, ...] | None:
        """What a reset made here must carry: origin, birth, seq, sum of each live share."""
        flat: list[Any] = []
        for origin in sorted(self.shares):
            share = self.shares[origin]
            if share.seq > share.reset_seq:
                flat += (origin, share.birth, share.seq, share.sum)
        return tuple(flat) if flat else None

    def reset(self, flat: Any, dot: Dot) -> None:
        """Take in a reset that the effect named `dot` carried."""
        for index in range(0, len(flat), 4):
            share = self.shares.get(flat[index])
            if share is None or share.birth != flat[index + 1]:
                continue
            if (share.reset_seq, share.reset_dot) < (flat[index + 2], dot):
                share.reset_seq = flat[index + 2]
                share.reset_sum = flat[index + 3]
                share.reset_dot = dot

    def lowest(self) -> Dot:
        """The smallest dot of a live share, 0 if there is none."""
        for origin in sorted(self.shares):
            share = self.shares[origin]
            if share.seq > share.reset_seq:
                return origin << SEQ_BITS | share.seq
        return 0

    def merge(self, other: Counter, mine: Vector, theirs: Vector) -> None:
        """Take in another copy. A share that one side lacks although it saw its birth is over."""
        for origin in list(self.shares):
            if origin not in other.shares and theirs.get(origin, 0) >= self.shares[origin].birth:
                del self.shares[origin]
        for origin, share in other.shares.items():
            held = self.shares.get(origin)
            if held is None:
                if mine.get(origin, 0) < share.birth:
                    self.shares[origin] = share
            elif held.birth < share.birth:
                self.shares[origin] = share
            elif held.birth == share.birth:
                merge_share(held, share)

    def litter(self) -> bool:
        """Whether a wholly reset share is remembered."""
        for share in self.shares.values():
            if share.seq <= share.reset_seq:
                return True
        return False

    def sweep(self, stable: Vector) -> bool:
        """Forget wholly reset shares whose reset everybody has seen; True if some are left."""
        left = False
        for origin in list(self.shares):
            share = self.shares[origin]
            if share.seq <= share.reset_seq:
                if covers(stable, share.reset_dot):
                    del self.shares[origin]
                else:
                    left = True
        return left

    def state(self) -> tuple[Any, ...]:
        """Seven items for each share, by origin."""
        flat: list[Any] = []
        for origin in sorted(self.shares):
            share = self.shares[origin]
            flat += (origin, share.birth, share.seq, share.sum)
            flat += (share.reset_seq, share.reset_sum, share.reset_dot)
        return tuple(flat)

    def load(self, state: Any) -> None:
        """Become what `state()` gave."""
        flat = tuple_of(state, "a counter", 7)
        for index in range(0, len(flat), 7):
            origin, birth, seq, total, reset_seq, reset_sum, reset_dot = flat[index : index + 7]
            for item in (origin, birth, seq, reset_seq, reset_dot):
                integer_of(item, "a counter's share", 0, DOT_MAX)
            if not is_sum(total) or not is_sum(reset_sum):
                raise DecodeError("a counter's share: expected numbers as sums")
            share = Share(birth, seq, total)
            share.reset_seq, share.reset_sum, share.reset_dot = reset_seq, reset_sum, reset_dot
            self.shares[origin] = share


def is_sum(item: object) -> bool:
    """An integer that bytes can hold, or a float that is a number."""
    if type(item) is int:
        return -(1 << 63) <= item < 1 << 64
    return type(item) is float and item == item


def merge_share(held: Share, other: Share) -> None:
    """Bring two copies of one share together: the later of each half."""
    if other.seq > held.seq:
        held.seq, held.sum = other.seq, other.sum
    if (other.reset_seq, other.reset_dot) > (held.reset_seq, held.reset_dot):
        held.reset_seq, held.reset_sum = other.reset_seq, other.reset_sum
        held.reset_dot = other.reset_dot
