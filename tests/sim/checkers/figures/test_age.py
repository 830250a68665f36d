"""The checker of age finds an understated age of a peer's report."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from replication.protocol.limits import MS, SECOND
from sim.checkers.figures.age import SAMPLE, AgeChecker
from sim.engine.checker import Violation
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    made = fresh(AgeChecker)
    inspect(made)
    return made


def inspect(world: SimWorld) -> None:
    """Let the checker look at the links of a region."""
    world.sites["us"].instance.advance(world.now // MS)
    for _ in range(SAMPLE):
        checker_of(world).on_turn_end(world.sites["us"], ())


def lose_a_write(world: SimWorld) -> None:
    """Hold back the writes of eu from us, on all paths."""
    for name in ("eu", "ap"):
        world.close_way(name, "us")
    world.run("eu", "INCR", "k")
    world.sleep(4 * SECOND)


def report_lag(lag_ns: int) -> Callable[[int], int]:
    """Return a method that always returns this lag."""

    def reported(_now: int) -> int:
        return lag_ns

    return reported


def test_missing_effects_raise_age(world: SimWorld) -> None:
    lose_a_write(world)
    looked = checker_of(world).looked
    inspect(world)
    assert checker_of(world).looked > looked
    for name in ("eu", "ap"):
        world.open_way(name, "us")
    finish(world)
    inspect(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_understated_age_is_found(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.sites["us"].links.sinks["eu"], "lag_ns", report_lag(20 * MS))
    lose_a_write(world)
    with pytest.raises(Violation, match=r"us says that what it shows of eu is 20 ms old, and it"):
        inspect(world)


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_paused_and_restarted_regions_have_no_age(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.sites["us"].links.sinks["eu"], "lag_ns", report_lag(20 * MS))
    lose_a_write(world)
    checker = checker_of(world)
    assert isinstance(checker, AgeChecker)
    checker.heard.clear()  # otherwise the silence of the link would add to the age
    world.sites["eu"].pause_until(world.now + SECOND)
    inspect(world)
    world.sites["eu"].paused_until = 0
    inspect(world)
    world.sites["eu"].replica.keyspace.seq = 0  # as if an earlier incarnation had made the writes
    world.sleep(3 * SECOND)
    checker.heard.clear()
    assert checker.expected_age_ms(world.sites["us"], world.sites["eu"]) == 0
    world.sites["eu"].replica.keyspace.seq = 1
    world.crash_process("eu")
    looked = checker.looked
    inspect(world)
    assert checker.looked == looked


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_connection_with_earlier_life_is_not_judged(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = world.sites["us"].links.sinks["eu"]
    monkeypatch.setattr(sink, "lag_ns", report_lag(0))
    lose_a_write(world)
    assert sink.hello is not None
    sink.hello = attrs.evolve(sink.hello, origin=sink.hello.origin + 1)
    del world.sites["us"].links.sinks["ap"]
    looked = checker_of(world).looked
    inspect(world)
    assert checker_of(world).looked == looked


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_age_less_than_way_takes_is_noticed(
    world: SimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = world.sites["us"].links.sinks["eu"]
    assert sink.rtt_best >= 40 * MS
    monkeypatch.setattr(sink, "lag_ns", report_lag(sink.rtt_best // 2))
    inspect(world)
    monkeypatch.setattr(sink, "lag_ns", report_lag(sink.rtt_best // 2 - MS))
    with pytest.raises(Violation, match=r"us says that what it shows of eu is .* and what comes"):
        inspect(world)


def fall_silent(world: SimWorld) -> None:
    """Let us receive nothing from eu for a while."""
    world.close_way("eu", "us")
    world.sleep(2 * SECOND)


def test_age_grows_while_peer_is_silent(world: SimWorld) -> None:
    fall_silent(world)
    looked = checker_of(world).looked
    inspect(world)
    assert checker_of(world).looked > looked + 2


def test_age_that_stands_still_is_found(world: SimWorld) -> None:
    fall_silent(world)
    age = world.sites["us"].links.sinks["eu"].age
    age.current_at += SECOND
    with pytest.raises(Violation, match=r"of eu is \d+ ms old, and it has heard nothing from"):
        inspect(world)
