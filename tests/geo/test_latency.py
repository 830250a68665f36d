"""Delays: drawn integers follow the distribution, equally on every platform."""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256
from math import exp
from random import Random
from statistics import NormalDist, fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadData
from geo.latency import CELLS, PRESETS, Latency, ms, preset

DELAYS = st.integers(0, 10**12)
SAMPLES = st.lists(DELAYS, min_size=1, max_size=50)


def drawn(latency: Latency, count: int = 20_000) -> list[int]:
    rng = Random(1)
    return [latency.draw(rng) for _ in range(count)]


class Bits(Random):
    """A source of randomness that returns a fixed number, and records the requests."""

    def __init__(self, answer: int) -> None:
        super().__init__(0)
        self.answer = answer
        self.asked: list[int] = []

    def getrandbits(self, k: int, /) -> int:
        self.asked.append(k)
        return self.answer


def test_milliseconds_are_integer_nanoseconds() -> None:
    assert ms(1.5) == 1_500_000
    assert isinstance(ms(0.1), int)


def test_constant_delay_is_constant() -> None:
    assert set(drawn(Latency.constant(ms(7)), 100)) == {ms(7)}


@given(DELAYS, st.integers(0, 10**9))
def test_uniform_delay_stays_in_its_bounds(low: int, width: int) -> None:
    latency = Latency.uniform(low, low + width)
    assert (latency.floor_ns, latency.ceiling_ns) == (low, low + width)
    assert all(low <= delay <= low + width for delay in drawn(latency, 50))
    assert latency.mean_ns == pytest.approx(low + width / 2, abs=1)


@given(SAMPLES, st.integers(0, 2**32 - 1))
def test_draw_takes_32_bits_and_is_monotone_in_them(samples: list[int], bits: int) -> None:
    latency = Latency.from_samples(samples)
    source = Bits(bits)
    delay = latency.draw(source)
    assert source.asked == [32]
    assert min(samples) <= delay <= max(samples)
    assert latency.draw(Bits(0)) <= delay <= latency.draw(Bits(2**32 - 1))


def test_draw_interpolates_inside_its_cell() -> None:
    ramp = Latency(tuple(1_000 * i for i in range(CELLS + 1)))
    assert ramp.draw(Bits(0)) == 0
    assert ramp.draw(Bits(1 << 22)) == 1_000
    assert ramp.draw(Bits((1 << 22) + (1 << 21))) == 1_500
    assert ramp.draw(Bits(2**32 - 1)) == 1_000 * CELLS - 1


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.5, 1.0])
def test_lognormal_has_moments_of_closed_form(sigma: float) -> None:
    latency = Latency.lognormal(ms(40), ms(10), sigma=sigma)
    assert latency.floor_ns == ms(40)
    assert latency.percentile(50) == ms(50)
    assert latency.mean_ns - ms(40) == pytest.approx(ms(10) * exp(sigma**2 / 2), rel=0.01)
    assert fmean(drawn(latency)) == pytest.approx(latency.mean_ns, rel=0.01)


@pytest.mark.parametrize("percent", [0.1, 1, 5, 25, 75, 95, 99, 99.5])
def test_lognormal_has_quantiles_of_normal_distribution(percent: float) -> None:
    latency = Latency.lognormal(0, 10**12, sigma=0.5)
    expected = 10**12 * exp(0.5 * NormalDist().inv_cdf(percent / 100))
    assert latency.percentile(percent) == pytest.approx(expected, rel=0.002)


def test_between_leaves_five_percent_above() -> None:
    latency = Latency.between(ms(40), ms(90), sigma=0.4)
    assert latency.floor_ns == ms(40)
    assert latency.percentile(95) == pytest.approx(ms(90), rel=0.001)


def test_tables_are_same_on_every_platform() -> None:
    table = Latency.lognormal(ms(40), ms(10), sigma=0.7).quantiles
    digest = sha256(repr(table).encode()).hexdigest()
    assert digest[:16] == "08086c2bb7e2d1ed"


@given(SAMPLES)
def test_samples_come_back_as_their_own_quantiles(samples: list[int]) -> None:
    latency = Latency.from_samples(samples)
    assert (latency.floor_ns, latency.ceiling_ns) == (min(samples), max(samples))
    ranked = sorted(samples)
    for cell in range(0, CELLS + 1, 32):
        whole = cell * (len(ranked) - 1) // CELLS
        above = min(whole + 1, len(ranked) - 1)
        assert ranked[whole] <= latency.quantiles[cell] <= ranked[above]


@given(SAMPLES, st.floats(0, 100))
def test_percentile_is_share_of_draws_below_it(samples: list[int], percent: float) -> None:
    latency = Latency.from_samples(samples)
    delay = latency.percentile(percent)
    not_above = bisect_right(latency.quantiles, delay)
    assert not_above >= int(percent * CELLS / 100)


def test_draws_have_given_summary() -> None:
    latency = Latency.from_summary(ms(70), ms(76), maximum_ns=ms(110), deviation_ns=ms(3))
    delays = drawn(latency)
    assert latency.floor_ns == ms(70)
    assert latency.ceiling_ns == ms(110)
    assert fmean(delays) == pytest.approx(ms(76), rel=0.01)
    assert pstdev(delays) == pytest.approx(ms(3), rel=0.1)


def test_summary_without_excess_is_nearly_constant() -> None:
    latency = Latency.from_summary(ms(5), ms(5), maximum_ns=ms(9), deviation_ns=0)
    assert latency.percentile(99) == ms(5)
    assert latency.ceiling_ns == ms(9)


def test_excessive_deviation_is_reduced_to_bounds() -> None:
    latency = Latency.from_summary(ms(10), ms(11), maximum_ns=ms(12), deviation_ns=ms(500))
    assert latency.mean_ns == pytest.approx(ms(11), rel=0.02)
    assert latency.ceiling_ns == ms(12)


def test_plus_and_scaled_move_every_quantile() -> None:
    road = Latency.uniform(ms(10), ms(20))
    assert road.plus(ms(5)) == Latency.uniform(ms(15), ms(25))
    assert road.scaled(1, 2).quantiles == tuple(delay // 2 for delay in road.quantiles)
    assert road.scaled(2).ceiling_ns == ms(40)


def test_latency_prints_its_ends_only() -> None:
    assert repr(Latency.uniform(1, 9)) == "Latency(quantiles=1..9)"


def test_tail_changes_slowest_message_in_thousand_only() -> None:
    road = Latency.constant(ms(10)).with_tail(ms(900))
    delays = drawn(road)
    assert road.percentile(99.9) == ms(10)
    assert 0 < sum(delay > ms(10) for delay in delays) < len(delays) / 500


@pytest.mark.parametrize(
    ("name", "floor", "usual", "worst"),
    [
        ("lan", 0.1, 0.8, 100),
        ("metro", 1, 2, 8),
        ("continent", 15, 40, 120),
        ("ocean", 40, 90, 250),
        ("antipodes", 90, 160, 320),
    ],
)
def test_presets_have_stated_delays(name: str, floor: float, usual: float, worst: float) -> None:
    latency = preset(name)
    assert latency.floor_ns == ms(floor)
    assert latency.percentile(95) == pytest.approx(ms(usual), rel=0.01)
    assert ms(usual) < latency.ceiling_ns <= ms(worst)


def test_every_preset_is_listed() -> None:
    assert PRESETS == ("lan", "metro", "continent", "ocean", "antipodes")
    with pytest.raises(BadData, match="'moon': it is one of lan, metro"):
        preset("moon")


@pytest.mark.parametrize(
    "table",
    [(), (1,) * CELLS, (-1, *(0,) * CELLS), (*range(CELLS), 5)],
    ids=["empty", "short", "negative", "falling"],
)
def test_table_that_is_not_distribution_is_refused(table: tuple[int, ...]) -> None:
    with pytest.raises(BadData, match="quantiles"):
        Latency(table)


def test_parameters_out_of_bounds_are_refused() -> None:
    with pytest.raises(BadData, match="does not exist"):
        Latency.lognormal(0, ms(1), sigma=-0.1)
    with pytest.raises(BadData, match="does not exist"):
        Latency.lognormal(0, -1, sigma=0.1)
    with pytest.raises(BadData, match="out of order"):
        Latency.from_summary(3, 2, maximum_ns=4, deviation_ns=0)
    with pytest.raises(BadData, match="out of order"):
        Latency.from_summary(1, 2, maximum_ns=4, deviation_ns=-1)
    with pytest.raises(BadData, match="one sample"):
        Latency.from_samples([])
    with pytest.raises(BadData, match="percentile 101"):
        Latency.constant(1).percentile(101)
    with pytest.raises(BadData, match="quantiles"):
        Latency.uniform(5, 4)
