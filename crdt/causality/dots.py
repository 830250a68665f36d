"""Names for effects: origins, dots and version vectors.

An *origin* is one incarnation of one region, a *dot* names one effect of an origin, and a
*vector* says how far a replica has come with each origin. The effects of an origin are numbered
1, 2, 3 ... without a gap and arrive in order, so a vector is the exact set of effects that a
replica has applied, in a few integers (rule ORD-1; Preguiça et al., "Dotted Version Vectors",
2010).

All three are plain integers or a plain dictionary of them, because every write makes one. The
layout, from the low bits: 40 bits of sequence, 14 bits of incarnation, 8 bits of region. So dots
fit a machine word, and comparing origins compares regions first: the lower region wins ties
(D-01).
"""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

from crdt.errors import DecodeError, UnsupportedOrigin
from crdt.wire.expect import Given, expect_integer

T = TypeVar("T")
Origin: TypeAlias = int
Dot: TypeAlias = int
Vector: TypeAlias = dict[int, int]

SEQ_BITS: Final = 40
SEQ_MAX: Final = (1 << SEQ_BITS) - 1
INCARNATION_BITS: Final = 14
INCARNATION_MAX: Final = (1 << INCARNATION_BITS) - 1
REGION_MAX: Final = 255
ORIGIN_MAX: Final = REGION_MAX << INCARNATION_BITS | INCARNATION_MAX
DOT_MAX: Final = ORIGIN_MAX << SEQ_BITS | SEQ_MAX
WIRE_ORIGIN_MAX: Final = (1 << 64) - 1
"""The highest origin that the formats have room for. This program supports those up to
`ORIGIN_MAX`."""
GROUP_MAX: Final = 16383
"""The highest number of a slot group: a group has at least one of the 16384 hash slots."""
ORIGINS_MAX: Final = 1 << 16
"""The origins in one vector: 256 incarnations of each region. It bounds what a peer can make us
keep for ever."""


def make_origin(region: Given[int], incarnation: Given[int] = 0) -> Origin:
    """Return the origin of a region's incarnation.

    >>> make_origin(1) < make_origin(1, 3) < make_origin(2)
    True

    Raises TypeError when one of them is not an integer, and ValueError when the region is not in
    1..255 or the incarnation not in 0..16383.
    """
    number = expect_integer(region, "region", 1, REGION_MAX)
    of_region = expect_integer(incarnation, "incarnation", 0, INCARNATION_MAX)
    return number << INCARNATION_BITS | of_region


def read_origin(item: object, what: str) -> Origin:
    """Return `item`, which was received, if it is an origin. Raises DecodeError, and
    UnsupportedOrigin if it is an origin of another program."""
    if type(item) is not int or not 1 <= item <= ORIGIN_MAX:
        check_supported(item, what)
        raise DecodeError(f"{what}: expected an integer from 1 to {ORIGIN_MAX}")
    return item


def read_dot(item: object, what: str) -> Dot:
    """Return `item`, which was received, if it is a dot. Raises what `read_origin` raises."""
    if type(item) is not int or not 1 <= item <= DOT_MAX:
        check_supported(item >> SEQ_BITS if type(item) is int else item, what)
        raise DecodeError(f"{what}: expected an integer from 1 to {DOT_MAX}")
    return item


def check_supported(item: object, what: str) -> None:
    """Raise UnsupportedOrigin if `item` is an origin of the formats, but not of this program."""
    if type(item) is int and ORIGIN_MAX < item <= WIRE_ORIGIN_MAX:
        raise UnsupportedOrigin(
            f"{what}: the origin is {item}, and this program supports origins up to {ORIGIN_MAX}"
        )


def region_of(origin: Origin) -> int:
    """Return the region of which `origin` is an incarnation."""
    return origin >> INCARNATION_BITS


def incarnation_of(origin: Origin) -> int:
    """Return the number of the incarnation: how many origins its region had before."""
    return origin & INCARNATION_MAX


def name_origin(origin: Origin) -> str:
    """Return an origin as text: `2`, or `2.1` for the second incarnation of region 2."""
    incarnation = incarnation_of(origin)
    return f"{region_of(origin)}.{incarnation}" if incarnation else f"{region_of(origin)}"


def make_dot(origin: Origin, seq: int) -> Dot:
    """Return the dot of effect `seq` of `origin`."""
    return origin << SEQ_BITS | seq


def origin_of(dot: Dot) -> Origin:
    """Return the origin of a dot."""
    return dot >> SEQ_BITS


def seq_of(dot: Dot) -> int:
    """Return the sequence number of a dot, counted from 1."""
    return dot & SEQ_MAX


def covers(vector: Vector, dot: Dot) -> bool:
    """Return whether `vector` covers `dot`."""
    return vector.get(dot >> SEQ_BITS, 0) >= dot & SEQ_MAX


def dominates(vector: Vector, other: Vector) -> bool:
    """Return whether `vector` covers everything that `other` covers."""
    for origin, seq in other.items():
        if vector.get(origin, 0) < seq:
            return False
    return True


def join(vector: Vector, other: Vector) -> Vector:
    """Return the component-wise maximum: the smallest vector that covers both."""
    joined = dict(vector)
    for origin, seq in other.items():
        if joined.get(origin, 0) < seq:
            joined[origin] = seq
    return joined


def meet(vector: Vector, other: Vector) -> Vector:
    """Return the component-wise minimum: the largest vector that both cover."""
    common: Vector = {}
    for origin, seq in vector.items():
        shared = min(seq, other.get(origin, 0))
        if shared:
            common[origin] = shared
    return common


def join_dots(
    ours: dict[Dot, T], others: dict[Dot, T], mine: Vector, theirs: Vector
) -> dict[Dot, T]:
    """Return the join of two dot stores, each with its vector: what both hold, and what one holds
    and the other has not seen. What one has seen and does not hold was removed."""
    left = {dot: held for dot, held in ours.items() if dot in others or not covers(theirs, dot)}
    left |= {dot: held for dot, held in others.items() if not covers(mine, dot)}
    return left


def lacking(have: Vector, others: Vector) -> int:
    """Return the number of effects that `others` covers and `have` does not."""
    return sum([max(0, seq - have.get(origin, 0)) for origin, seq in others.items()])
