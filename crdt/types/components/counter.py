"""Sums that many regions add to at once, and that a delete can take back exactly.

Each origin owns one *share*: the sum of its increments since the share's *birth*, and the part of
that sum which has been reset. A reset (DEL, SET over it, ZREM ...) carries, for each origin, the
birth, sequence and sum it had observed; the greater sequence wins, so two concurrent deletes never
subtract twice, and an increment that no reset has seen survives alone (rules CTR-1, CTR-4, ZST-5).

An origin whose own share is wholly reset starts a new one, with a new birth, at its next
increment. A wholly reset share is remembered until everybody has observed the reset: an increment
that is still under way would otherwise bring back the whole sum. That is the only tombstone here.

A counter is a tuple of shares, one for each origin, in order of origin: nearly always one or two.
Its functions change shares in place and return the tuple that holds them from then on.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from mypy_extensions import mypyc_attr

from crdt.causality.dots import (
    DOT_MAX,
    SEQ_BITS,
    SEQ_MAX,
    Dot,
    Origin,
    Vector,
    check_supported,
    covers,
)
from crdt.errors import DecodeError
from crdt.numbers.number import Number, add, is_fraction, subtract
from crdt.wire.decoding import integer_of, tuple_of


@mypyc_attr(acyclic=True)
class Share:
    """The part of a counter that one origin has added."""

    __slots__ = ("birth", "origin", "reset_dot", "reset_seq", "reset_sum", "seq", "sum")

    def __init__(self, origin: Origin, birth: int, seq: int, amount: Number) -> None:
        self.origin: Origin = origin
        self.birth: int = birth
        self.seq: int = seq
        self.sum: Number = amount
        self.reset_seq: int = 0
        self.reset_sum: Number = 0
        self.reset_dot: Dot = 0

    def live(self) -> bool:
        """Return whether some increment has not been reset."""
        return self.seq > self.reset_seq

    def part(self) -> Number:
        """Return what the share adds to the counter."""
        if self.reset_seq == 0:
            return self.sum
        return subtract(self.sum, self.reset_sum)

    def add_increment(self, birth: int, seq: int, amount: Number) -> None:
        """Take in the origin's increment `seq`: the sum after it, since `birth`."""
        if birth > self.birth:
            self.birth, self.reset_seq, self.reset_sum, self.reset_dot = birth, 0, 0, 0
        if birth == self.birth:
            self.seq, self.sum = seq, amount

    def merge(self, other: Share) -> None:
        """Take in another copy of the same birth: the later of each half."""
        if other.seq > self.seq:
            self.seq, self.sum = other.seq, other.sum
        if (other.reset_seq, other.reset_dot) > (self.reset_seq, self.reset_dot):
            self.reset_seq, self.reset_sum = other.reset_seq, other.reset_sum
            self.reset_dot = other.reset_dot


Shares: TypeAlias = tuple[Share, ...]


def share_of(shares: Shares, origin: Origin) -> Share | None:
    """Return the share of an origin."""
    for share in shares:
        if share.origin == origin:
            return share
    return None


def live(shares: Shares) -> bool:
    """Return whether some increment has not been reset."""
    for share in shares:
        if share.seq > share.reset_seq:
            return True
    return False


def total(shares: Shares) -> Number:
    """Return the sum of all live shares, added in order of origin (CTR-3)."""
    result: Number = 0
    is_first = True
    for share in shares:
        if share.seq > share.reset_seq:
            result = share.part() if is_first or result == 0 else add(result, share.part())
            is_first = False
    return result


def total_binary(shares: Shares, base: float) -> float:
    """`base` plus the live shares in binary floating point, in order of origin (CTR-3)."""
    result = base
    for share in shares:
        if share.seq > share.reset_seq:
            result += float(share.part())
    return result


def next_sum(shares: Shares, origin: Origin, seq: int, delta: Number) -> tuple[int, Number]:
    """Return the birth and sum for an increment by `delta`, which is effect `seq` of `origin`."""
    share = share_of(shares, origin)
    if share is None or share.seq <= share.reset_seq:
        return seq, delta
    return share.birth, add(share.sum, delta)


def incremented(shares: Shares, dot: Dot, birth: int, amount: Number) -> Shares:
    """Apply an increment. `amount` is the sum of its origin after it."""
    origin = dot >> SEQ_BITS
    share = share_of(shares, origin)
    if share is not None:
        share.add_increment(birth, dot & SEQ_MAX, amount)
        return shares
    share = Share(origin, birth, dot & SEQ_MAX, amount)
    return in_order([*shares, share]) if shares else (share,)


def in_order(shares: list[Share]) -> Shares:
    """Return the counter that consists of these shares."""
    shares.sort(key=origin_of)
    return tuple(shares)


def origin_of(share: Share) -> Origin:
    """Sorts shares."""
    return share.origin


def resets(shares: Shares) -> tuple[Any, ...] | None:
    """Return what a reset made here must carry: origin, birth, seq, sum of each live share."""
    flat: list[Any] = []
    for share in shares:
        if share.seq > share.reset_seq:
            flat += (share.origin, share.birth, share.seq, share.sum)
    return tuple(flat) if flat else None


def reset(shares: Shares, flat: Any, dot: Dot) -> None:
    """Take in a reset that the effect named `dot` carried."""
    for index in range(0, len(flat), 4):
        share = share_of(shares, flat[index])
        if share is None or share.birth != flat[index + 1]:
            continue
        if (share.reset_seq, share.reset_dot) < (flat[index + 2], dot):
            share.reset_seq = flat[index + 2]
            share.reset_sum = flat[index + 3]
            share.reset_dot = dot


def min_dot(shares: Shares) -> Dot:
    """Return the smallest dot of a live share; 0 without one."""
    for share in shares:
        if share.seq > share.reset_seq:
            return share.origin << SEQ_BITS | share.seq
    return 0


def merged(ours: Shares, others: Shares, mine: Vector, theirs: Vector) -> Shares:
    """Merge two copies. A share that one side lacks although it saw its birth is dropped."""
    kept: list[Share] = []
    for share in ours:
        twin = share_of(others, share.origin)
        if twin is not None and twin.birth > share.birth:
            kept.append(twin)
        elif twin is not None or theirs.get(share.origin, 0) < share.birth:
            if twin is not None and twin.birth == share.birth:
                share.merge(twin)
            kept.append(share)
    unknown = [share for share in others if mine.get(share.origin, 0) < share.birth]
    return in_order(kept + [share for share in unknown if share_of(ours, share.origin) is None])


def covered(shares: Shares, vector: Vector) -> bool:
    """Return whether `vector` covers the increments and the resets."""
    for share in shares:
        if vector.get(share.origin, 0) < share.seq or not covers(vector, share.reset_dot):
            return False
    return True


def has_garbage(shares: Shares) -> bool:
    """Return whether a tombstone of a share is kept: one that was reset completely."""
    for share in shares:
        if share.seq <= share.reset_seq:
            return True
    return False


def collect_shares(shares: Shares, stable: Vector) -> Shares:
    """Drop the completely reset shares whose reset every member has observed."""
    kept = [share for share in shares if share.live() or not covers(stable, share.reset_dot)]
    return shares if len(kept) == len(shares) else tuple(kept)


def state(shares: Shares) -> tuple[Any, ...]:
    """Return seven items for each share, by origin."""
    flat: list[Any] = []
    for share in shares:
        flat += (share.origin, share.birth, share.seq, share.sum)
        flat += (share.reset_seq, share.reset_sum, share.reset_dot)
    return tuple(flat)


def load(state: Any) -> Shares:
    """Restore what `state` returned. Raises DecodeError."""
    flat = tuple_of(state, "a counter", 7)
    shares: list[Share] = []
    for index in range(0, len(flat), 7):
        origin, birth, seq, amount, reset_seq, reset_sum, reset_dot = flat[index : index + 7]
        check_supported(origin, "a counter's share")
        if type(reset_dot) is int:
            check_supported(reset_dot >> SEQ_BITS, "a counter's share")
        for item in (origin, birth, seq, reset_seq, reset_dot):
            integer_of(item, "a counter's share", 0, DOT_MAX)
        if not is_sum(amount) or not is_sum(reset_sum):
            raise DecodeError("a counter's share: expected numbers as sums")
        if shares and origin <= shares[-1].origin:
            raise DecodeError("a counter's share: expected shares in order of origin")
        share = Share(origin, birth, seq, amount)
        share.reset_seq, share.reset_sum, share.reset_dot = reset_seq, reset_sum, reset_dot
        shares.append(share)
    return tuple(shares)


def is_sum(item: object) -> bool:
    """Return whether `item` is a number in a form that travels."""
    if type(item) is int:
        return -(1 << 63) <= item < 1 << 64
    return (type(item) is float and item == item) or is_fraction(item)
