"""The checker of atomicity finds partly visible transactions."""

from __future__ import annotations

import pytest

from sim.checkers.clients.atomicity import AtomicityChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.schedule.plan import Copy
from tests.sim.planted import checker_of, drop_key, fresh

BOTH = (("MULTI",), ("INCR", "pair:0"), ("INCR", "twin:0"), ("EXEC",))
READ = (("GET", "pair:0"), ("GET", "twin:0"))


def test_both_or_none_is_right() -> None:
    world = fresh(AtomicityChecker, copies=(Copy("f", 255, ("eu",)),))
    world.run_all("eu", *BOTH)
    world.run_session("us", 1, *READ)
    assert world.converge(SECOND)
    world.run_session("us", 1, *READ)
    assert checker_of(world).looked == 4


@pytest.mark.parametrize("place", ["us", "f"])
def test_one_without_other_is_caught(place: str) -> None:
    world = fresh(AtomicityChecker, copies=(Copy("f", 255, ("eu",)),))
    world.run_all("eu", *BOTH)
    assert world.converge(SECOND)
    drop_key(world.places[place], b"twin:0")
    with pytest.raises(Violation, match=f"{place} shows .* under pair:0 and None under twin:0"):
        world.places[place].show_changes()


@pytest.mark.parametrize("passed_ms", [0, 90_000])
def test_pair_that_has_expired_in_all_regions_goes_by_parts(passed_ms: int) -> None:
    world = fresh(AtomicityChecker, copies=(Copy("f", 255, ("eu",)),))
    expire = (("PEXPIRE", "pair:0", "60000"), ("PEXPIRE", "twin:0", "60000"))
    world.run_all("eu", *BOTH[:-1], *expire, BOTH[-1])
    assert world.converge(SECOND)
    for name, site in world.sites.items():
        site.clock.step_by(passed_ms)
        world.run(name, "EXISTS", "pair:0")
    drop_key(world.places["f"], b"twin:0")
    if passed_ms:
        world.places["f"].show_changes()
        return
    with pytest.raises(Violation, match=r"f shows .* under pair:0 and None under twin:0"):
        world.places["f"].show_changes()


def test_latest_clock_of_each_region_counts() -> None:
    world = fresh(AtomicityChecker)
    atomicity, us = checker_of(world), world.sites["us"]
    assert isinstance(atomicity, AtomicityChecker)
    first = atomicity.expiry_clock(us)
    us.clock.step_by(90_000)
    world.run("us", "EXISTS", "pair:0")
    assert atomicity.expiry_clock(us) - first > 89_000
    us.clock.step_by(-90_000)
    world.run("us", "EXISTS", "pair:0")
    assert atomicity.expiry_clock(us) - first > 89_000
    world.crash_process("us")
    world.restart_process("us")
    assert atomicity.expiry_clock(world.sites["us"]) - first > 89_000


def test_replies_that_differ_are_caught() -> None:
    world = fresh(AtomicityChecker)
    with pytest.raises(Violation, match="us answers GET twin:0 with b'2'"):
        checker_of(world).on_replies(world.sites["us"], 1, READ, (b"1", b"2"))
