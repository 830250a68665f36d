"""How long a message takes one way: a distribution, drawn from in integer arithmetic.

A `Latency` is a table of quantiles: 1025 integers, the delay in nanoseconds that 0/1024,
1/1024, … 1024/1024 of all messages do not exceed. Drawing picks a cell and a point in it with 32
random bits and interpolates: no logarithm, no float, so the same bits give the same delay on every
machine. netem keeps its delay distributions as tables for the same reason. Tables are
built (`lognormal` needs an exponential) with `decimal`, which rounds correctly everywhere, and with
elementary float arithmetic, which IEEE 754 fixes.

    constant, uniform           exact
    lognormal                   floor plus a log-normal excess, as queueing on a long path gives it
    from_summary                what `ping` prints: minimum, mean, maximum, deviation
    from_samples                anything measured, or any other distribution
    PRESETS                     lan, metro, continent, ocean, antipodes

Everything is in nanoseconds, and nothing can be negative. Draws are independent of each other:
order inside one connection is the business of the link, not of its delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from functools import cache
from itertools import pairwise
from math import sqrt
from random import Random
from typing import Final, Self

import attrs

from geo.errors import BadData

NS_PER_MS: Final = 1_000_000

# A power of two, so that one draw of bits splits into a cell and a place in it. The last cell is
# then the one delay in a thousand that a tail is made of.
CELLS: Final = 1024
_DRAW_BITS: Final = 32
_PART_BITS: Final = _DRAW_BITS - (CELLS.bit_length() - 1)
_PART_MASK: Final = (1 << _PART_BITS) - 1

# The log-normal has no largest value: its table ends at this share of the last cell.
_LAST_POINT: Final = 1 - 1 / (8 * CELLS)
_SQRT_TWO_PI: Final = 2.5066282746310002
_P95: Final = 1.6448536269514722
_EXACT: Final = Context(prec=20)


def ms(milliseconds: float) -> int:
    """Milliseconds as integer nanoseconds.

    >>> ms(0.25)
    250000
    """
    return round(milliseconds * NS_PER_MS)


def _quantiles(latency: Latency, _attribute: object, table: tuple[int, ...]) -> None:
    """Validator: a full table that starts at or above nothing and never falls."""
    if len(table) != CELLS + 1:
        raise BadData(f"a latency has {CELLS + 1} quantiles, not {len(table)}")
    if table[0] < 0 or any(low > high for low, high in pairwise(table)):
        raise BadData("the quantiles of a latency start at 0 or above and never fall")


def _range_text(table: tuple[int, ...]) -> str:
    """Return the part of its table that a printed latency shows."""
    return f"{table[0]}..{table[-1]}"


@attrs.frozen
class Latency:
    """A distribution of one-way delays: `quantiles[i]` nanoseconds is not exceeded by i/1024 of all
    messages.

    >>> road = Latency.uniform(ms(10), ms(20))
    >>> road.draw(Random(7)), road.mean_ns, road.percentile(99)
    (13238326, 14999999, 19899997)
    """

    quantiles: tuple[int, ...] = attrs.field(
        converter=tuple[int, ...], validator=_quantiles, repr=_range_text
    )

    @classmethod
    def constant(cls, delay_ns: int) -> Self:
        """Always `delay_ns`."""
        return cls((delay_ns,) * (CELLS + 1))

    @classmethod
    def uniform(cls, low_ns: int, high_ns: int) -> Self:
        """Any delay from `low_ns` to `high_ns`, all equally likely."""
        width = high_ns - low_ns
        return cls(tuple(low_ns + width * i // CELLS for i in range(CELLS + 1)))

    @classmethod
    def lognormal(cls, floor_ns: int, median_ns: int, *, sigma: float) -> Self:
        """`floor_ns` plus an excess whose logarithm is normal: median `median_ns`, deviation
        `sigma`.

        The excess has the mean `median_ns * exp(sigma² / 2)`; the table keeps it to 1 % up to sigma
        1.
        """
        if sigma < 0 or median_ns < 0:
            raise BadData(f"a log-normal of median {median_ns} and sigma {sigma} does not exist")
        excess = (round(median_ns * _exact_exp(sigma * z)) for z in _standard_normal())
        return cls((floor_ns, *(floor_ns + extra for extra in excess)))

    @classmethod
    def between(cls, low_ns: int, high_ns: int, *, sigma: float) -> Self:
        """A log-normal above the floor `low_ns` that leaves 5 % of all messages above `high_ns`."""
        return cls.lognormal(
            low_ns, round((high_ns - low_ns) / _exact_exp(sigma * _P95)), sigma=sigma
        )

    @classmethod
    def from_summary(
        cls, minimum_ns: int, mean_ns: int, *, maximum_ns: int, deviation_ns: int
    ) -> Self:
        """From what `ping` prints: minimum, mean, maximum and standard deviation (its `mdev`).

        The excess over the minimum is taken as log-normal with the given mean and deviation and cut
        at the maximum. A deviation that no sample with these bounds could have is brought down to
        the greatest possible, `sqrt((maximum - mean) * (mean - minimum))` (Bhatia and Davis, 2000).
        The mean is kept to 2 %.
        """
        if not 0 <= minimum_ns <= mean_ns <= maximum_ns or deviation_ns < 0:
            raise BadData(
                f"min {minimum_ns}, mean {mean_ns}, max {maximum_ns}, mdev {deviation_ns}:"
                " out of order"
            )
        excess = mean_ns - minimum_ns
        if excess == 0:
            return cls((minimum_ns,) * CELLS + (maximum_ns,))
        spread = min(float(deviation_ns), sqrt((maximum_ns - mean_ns) * excess))
        variance = _exact_ln(1 + (spread / excess) ** 2)
        shape = cls.lognormal(
            minimum_ns, round(excess / _exact_exp(variance / 2)), sigma=sqrt(variance)
        )
        body = [min(delay, maximum_ns) for delay in shape.quantiles[:-1]]
        return cls((*body, maximum_ns))

    @classmethod
    def from_samples(cls, samples_ns: Iterable[int]) -> Self:
        """From measured one-way delays, one at least; between two of them it is linear. O(n log n).

        >>> Latency.from_samples([ms(3), ms(1), ms(2)]).percentile(50)
        2000000
        """
        ranked = sorted(samples_ns)
        if not ranked:
            raise BadData("a latency needs at least one sample")
        return cls(tuple(_interpolated(ranked, i * (len(ranked) - 1)) for i in range(CELLS + 1)))

    def draw(self, rng: Random) -> int:
        """Draw one delay in nanoseconds; takes 32 bits from `rng` and nothing else. O(1)."""
        bits = rng.getrandbits(_DRAW_BITS)
        cell = bits >> _PART_BITS
        low = self.quantiles[cell]
        return low + ((self.quantiles[cell + 1] - low) * (bits & _PART_MASK) >> _PART_BITS)

    @property
    def floor_ns(self) -> int:
        """The least delay: propagation."""
        return self.quantiles[0]

    @property
    def ceiling_ns(self) -> int:
        """The greatest delay that can be drawn."""
        return self.quantiles[-1]

    @property
    def mean_ns(self) -> int:
        """The mean of what `draw` gives, rounded down."""
        return sum(low + high for low, high in pairwise(self.quantiles)) // (2 * CELLS)

    def percentile(self, percent: float) -> int:
        """The delay that `percent` of all messages do not exceed; 0 to 100."""
        if not 0 <= percent <= 100:
            raise BadData(f"percentile {percent} is not 0..100")
        return _interpolated(self.quantiles, round(percent * CELLS * CELLS / 100))

    def plus(self, extra_ns: int) -> Latency:
        """The same distribution, `extra_ns` later (or, if negative, earlier)."""
        return Latency(tuple(delay + extra_ns for delay in self.quantiles))

    def scaled(self, numerator: int, denominator: int = 1) -> Latency:
        """Every delay times `numerator / denominator`, rounded down: a slow link is
        `scaled(10)`."""
        return Latency(tuple(delay * numerator // denominator for delay in self.quantiles))

    def with_tail(self, ceiling_ns: int) -> Latency:
        """The same, but the slowest message in 1024 may take up to `ceiling_ns`."""
        return Latency((*self.quantiles[:-1], ceiling_ns))


def _interpolated(ranked: Sequence[int], position: int) -> int:
    """The value at `position / CELLS` in `ranked`, linear between neighbours."""
    index, part = divmod(position, CELLS)
    low = ranked[index]
    return low + (ranked[index + 1] - low) * part // CELLS if part else low


def _exact_exp(x: float) -> float:
    """e to the power `x`, rounded the same on every platform, which `math.exp` does not promise."""
    return float(Decimal(x).exp(_EXACT))


def _exact_ln(x: float) -> float:
    """The natural logarithm, rounded the same on every platform."""
    return float(Decimal(x).ln(_EXACT))


@cache
def _standard_normal() -> tuple[float, ...]:
    """The standard normal quantiles at 1/CELLS, 2/CELLS, … and, for the last, at `_LAST_POINT`."""
    upper: list[float] = []
    z = 0.0
    for i in range(CELLS // 2, CELLS):
        z = _normal_quantile(i / CELLS, z)
        upper.append(z)
    lower = [-z for z in reversed(upper[1:])]
    return (*lower, *upper, _normal_quantile(_LAST_POINT, z))


def _normal_quantile(share: float, below: float) -> float:
    """The z whose lower tail is `share`, by Newton's method from `below`, which is known not to
    exceed it.

    Phi(z) = 1/2 + phi(z) * (z + z³/3 + z⁵/15 + …). Above zero Phi is concave, so the steps approach
    z from below without passing it, and the loop ends when they no longer move.
    """
    z = below
    while True:
        density = _exact_exp(-z * z / 2) / _SQRT_TWO_PI
        term = total = z
        odd = 1
        while term > total * 1e-17:
            odd += 2
            term *= z * z / odd
            total += term
        step = (share - 0.5 - density * total) / density
        if step < 1e-12:
            return z
        z += step


# Floor, the delay that 95 % stay below, sigma: the more networks a path crosses, the narrower the
# tail is next to it.
_PRESETS: Final = {
    "lan": (0.1, 0.8, 0.8),
    "metro": (1.0, 2.0, 0.6),
    "continent": (15.0, 40.0, 0.5),
    "ocean": (40.0, 90.0, 0.4),
    "antipodes": (90.0, 160.0, 0.3),
}
PRESETS: Final = tuple(_PRESETS)
_LAN_WORST_MS: Final = 100


@cache
def preset(name: str) -> Latency:
    """A ready-made one-way delay: `lan`, `metro`, `continent`, `ocean` or `antipodes`.

    The first number is the floor, 95 % are below the second: lan 0.1 to 0.8 ms (and one message in
    a thousand up to 100 ms), metro 1 to 2, continent 15 to 40, ocean 40 to 90, antipodes 90 to 160.
    Raises `BadData` for another name.

    >>> preset("ocean").floor_ns
    40000000
    """
    if name not in _PRESETS:
        raise BadData(f"unknown preset {name!r}: it is one of {', '.join(PRESETS)}")
    low, high, sigma = _PRESETS[name]
    latency = Latency.between(ms(low), ms(high), sigma=sigma)
    return latency.with_tail(ms(_LAN_WORST_MS)) if name == "lan" else latency
