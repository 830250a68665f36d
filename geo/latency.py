"""One-way latency as a distribution, which is sampled in integer arithmetic.

A `Latency` is a table of 1025 quantiles. Each is the delay in nanoseconds that 0/1024, 1/1024, …
1024/1024 of all messages do not exceed. A draw takes 32 random bits, chooses a cell and a point in
it, and interpolates. It uses no logarithm and no float, so the same bits give the same delay on
every machine. netem also stores its delay distributions as tables, for the same reason.

Tables are computed with `decimal` (`lognormal` needs an exponential), which rounds correctly on
every machine, and with elementary float arithmetic, which IEEE 754 defines exactly.

    constant, uniform           exact
    lognormal                   a floor plus a log-normal excess, like queueing on a long path
    from_summary                the output of `ping`: minimum, mean, maximum, deviation
    from_samples                measured delays, or any other distribution
    PRESETS                     lan, metro, continent, ocean, antipodes

All delays are in nanoseconds and are not negative. Draws are independent of each other. The link
must preserve the order of messages in a connection.
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

from geo.arguments import check_number
from geo.errors import BadData

NS_PER_MS: Final = 1_000_000

# A power of two, so that one draw of bits can be split into a cell and a point in the cell. The
# last cell is the tail: about one delay in a thousand.
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
    """Return milliseconds as integer nanoseconds.

    >>> ms(0.25)
    250000
    """
    return round(check_number(milliseconds, "a time in ms") * NS_PER_MS)


def _quantiles(latency: Latency, _attribute: object, table: tuple[int, ...]) -> None:
    """Validate a table: complete, not negative, and never decreasing. Raises BadData."""
    if len(table) != CELLS + 1:
        raise BadData(f"a latency has {CELLS + 1} quantiles, not {len(table)}")
    if table[0] < 0 or any(low > high for low, high in pairwise(table)):
        raise BadData("the quantiles of a latency start at 0 or above and never fall")


def _range_text(table: tuple[int, ...]) -> str:
    """Return the smallest and the largest delay, for the repr of a latency."""
    return f"{table[0]}..{table[-1]}"


@attrs.frozen
class Latency:
    """A distribution of one-way delays.

    i/1024 of all messages take at most `quantiles[i]` nanoseconds.

    >>> road = Latency.uniform(ms(10), ms(20))
    >>> road.draw(Random(7)), road.mean_ns, road.percentile(99)
    (13238326, 14999999, 19899997)
    """

    quantiles: tuple[int, ...] = attrs.field(
        converter=tuple[int, ...], validator=_quantiles, repr=_range_text
    )

    @classmethod
    def constant(cls, delay_ns: int) -> Self:
        """Return a latency that is always `delay_ns`."""
        return cls((delay_ns,) * (CELLS + 1))

    @classmethod
    def uniform(cls, low_ns: int, high_ns: int) -> Self:
        """Return a uniform distribution from `low_ns` to `high_ns`."""
        width = high_ns - low_ns
        return cls(tuple(low_ns + width * i // CELLS for i in range(CELLS + 1)))

    @classmethod
    def lognormal(cls, floor_ns: int, median_ns: int, *, sigma: float) -> Self:
        """Return `floor_ns` plus a log-normal excess with the median `median_ns`.

        `sigma` is the standard deviation of the excess's logarithm. The mean of the excess is
        `median_ns * exp(sigma² / 2)`. The table preserves it within 1 % for `sigma` up to 1.
        """
        if sigma < 0 or median_ns < 0:
            raise BadData(f"a log-normal of median {median_ns} and sigma {sigma} does not exist")
        excess = (round(median_ns * _exact_exp(sigma * z)) for z in _standard_normal())
        return cls((floor_ns, *(floor_ns + extra for extra in excess)))

    @classmethod
    def between(cls, low_ns: int, high_ns: int, *, sigma: float) -> Self:
        """Return a log-normal with the floor `low_ns` and the 95th percentile `high_ns`."""
        return cls.lognormal(
            low_ns, round((high_ns - low_ns) / _exact_exp(sigma * _P95)), sigma=sigma
        )

    @classmethod
    def from_summary(
        cls, minimum_ns: int, mean_ns: int, *, maximum_ns: int, deviation_ns: int
    ) -> Self:
        """Return a latency from the output of `ping`: minimum, mean, maximum and `mdev`.

        The excess over the minimum is log-normal with the given mean and standard deviation, and
        limited by the maximum. If the deviation is impossible for these bounds, the largest
        possible one is used: `sqrt((maximum - mean) * (mean - minimum))` (Bhatia and Davis, 2000).
        The mean is preserved within 2 %.
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
        """Return a latency from at least one measured one-way delay. O(n log n).

        The quantiles are interpolated linearly between measured delays.

        >>> Latency.from_samples([ms(3), ms(1), ms(2)]).percentile(50)
        2000000
        """
        ranked = sorted(samples_ns)
        if not ranked:
            raise BadData("a latency needs at least one sample")
        return cls(tuple(_interpolated(ranked, i * (len(ranked) - 1)) for i in range(CELLS + 1)))

    def draw(self, rng: Random) -> int:
        """Draw one delay in nanoseconds. It takes exactly 32 bits from `rng`. O(1)."""
        bits = rng.getrandbits(_DRAW_BITS)
        cell = bits >> _PART_BITS
        low = self.quantiles[cell]
        return low + ((self.quantiles[cell + 1] - low) * (bits & _PART_MASK) >> _PART_BITS)

    @property
    def floor_ns(self) -> int:
        """The smallest delay, which is the propagation time."""
        return self.quantiles[0]

    @property
    def ceiling_ns(self) -> int:
        """The largest delay that can be drawn."""
        return self.quantiles[-1]

    @property
    def mean_ns(self) -> int:
        """The mean of the delays that `draw` returns, rounded down."""
        return sum(low + high for low, high in pairwise(self.quantiles)) // (2 * CELLS)

    def percentile(self, percent: float) -> int:
        """Return the delay that `percent` (0 to 100) of all messages do not exceed."""
        if not 0 <= percent <= 100:
            raise BadData(f"percentile {percent} is not 0..100")
        return _interpolated(self.quantiles, round(percent * CELLS * CELLS / 100))

    def plus(self, extra_ns: int) -> Latency:
        """Return the same distribution with `extra_ns`, which can be negative, added."""
        return Latency(tuple(delay + extra_ns for delay in self.quantiles))

    def scaled(self, numerator: int, denominator: int = 1) -> Latency:
        """Return every delay times `numerator / denominator`, rounded down.

        For example, `scaled(10)` is a slow link.
        """
        return Latency(tuple(delay * numerator // denominator for delay in self.quantiles))

    def with_tail(self, ceiling_ns: int) -> Latency:
        """Return the same distribution, with the slowest 1/1024 taking up to `ceiling_ns`."""
        return Latency((*self.quantiles[:-1], ceiling_ns))


def _interpolated(ranked: Sequence[int], position: int) -> int:
    """Return the value at `position / CELLS` in `ranked`, interpolated linearly."""
    index, part = divmod(position, CELLS)
    low = ranked[index]
    return low + (ranked[index + 1] - low) * part // CELLS if part else low


def _exact_exp(x: float) -> float:
    """Return e to the power `x`, rounded equally on every platform, unlike `math.exp`."""
    return float(Decimal(x).exp(_EXACT))


def _exact_ln(x: float) -> float:
    """Return the natural logarithm, rounded equally on every platform."""
    return float(Decimal(x).ln(_EXACT))


@cache
def _standard_normal() -> tuple[float, ...]:
    """Return the standard normal quantiles at 1/CELLS, 2/CELLS, … and last at `_LAST_POINT`."""
    upper: list[float] = []
    z = 0.0
    for i in range(CELLS // 2, CELLS):
        z = _normal_quantile(i / CELLS, z)
        upper.append(z)
    lower = [-z for z in reversed(upper[1:])]
    return (*lower, *upper, _normal_quantile(_LAST_POINT, z))


def _normal_quantile(share: float, below: float) -> float:
    """Return the z whose lower tail is `share`, by Newton's method. `below` must not exceed z.

    Phi(z) = 1/2 + phi(z) * (z + z³/3 + z⁵/15 + …). Phi is concave above zero, so the steps approach
    z from below and do not exceed it. The loop ends when a step is negligible.
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


# Floor, 95th percentile (both in ms), sigma. The longer a path, the narrower is its tail in
# relation to its delay.
_PRESETS: Final = {
    "lan": (0.1, 0.8, 0.8),
    "metro": (1.0, 2.0, 0.6),
    "continent": (15.0, 40.0, 0.5),
    "ocean": (40.0, 90.0, 0.4),
    "antipodes": (90.0, 160.0, 0.3),
}
PRESETS: Final = tuple(_PRESETS)
_LAN_WORST_MS: Final = 100


def preset(name: str) -> Latency:
    """Return a predefined one-way delay: `lan`, `metro`, `continent`, `ocean` or `antipodes`.

    Their floors and 95th percentiles in ms are: lan 0.1 and 0.8 (one message in a thousand takes up
    to 100), metro 1 and 2, continent 15 and 40, ocean 40 and 90, antipodes 90 and 160. Raises
    `BadData` for another name.

    >>> preset("ocean").floor_ns
    40000000
    """
    if name not in PRESETS:
        raise BadData(f"unknown preset {name!r}: it is one of {', '.join(PRESETS)}")
    return _make_preset(name)


@cache
def _make_preset(name: str) -> Latency:
    """Return the predefined delay of this name."""
    low, high, sigma = _PRESETS[name]
    latency = Latency.between(ms(low), ms(high), sigma=sigma)
    return latency.with_tail(ms(_LAN_WORST_MS)) if name == "lan" else latency
