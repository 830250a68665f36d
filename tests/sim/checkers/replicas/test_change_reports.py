"""The checker of change reports finds changes without a notification."""

from __future__ import annotations

import pytest

from sim.checkers.replicas.change_reports import ChangeReportChecker, held_text
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.schedule.plan import Copy
from sim.world.world import SimWorld
from tests.sim.planted import caught, checker_of, finish, fresh


def eu_changes_in_silence(world: SimWorld) -> None:
    """Every region has the same change, and none has reported it."""
    world.run("eu", "SADD", "cart", "milk")
    world.run("eu", "SET", "word", "v", "PX", "100000")
    assert world.converge(10 * SECOND)
    for site in world.live_regions():
        site.replica.keyspace.readers.clear()
    world.run("eu", "SADD", "cart", "eggs")
    finish(world)


def test_unreported_change_is_found() -> None:
    assert "told changes" in caught(eu_changes_in_silence)
    with pytest.raises(Violation, match="told changes: eu was last seen with "):
        eu_changes_in_silence(fresh())


def test_text_names_key_and_both_values() -> None:
    why = (
        r"eu was last seen with \{milk\} under 'cart', holds \{eggs milk\}, and has told nobody of"
        " the change"
    )
    with pytest.raises(Violation, match=why):
        eu_changes_in_silence(fresh(ChangeReportChecker))


def test_wrong_report_is_caught_early_in_followers_too() -> None:
    world = fresh(ChangeReportChecker, copies=(Copy("copy", 255, ("eu",)),))
    world.run("eu", "SET", "word", "v")
    assert world.converge(10 * SECOND)
    world.copies["copy"].replica.keyspace.readers.clear()
    world.run("eu", "SET", "word", "w")
    with pytest.raises(Violation, match="copy was last seen with v under 'word', holds w"):
        world.sleep(100 * SECOND)


def test_every_key_is_compared() -> None:
    world = fresh(ChangeReportChecker)
    world.run("eu", "SET", "word", "v")
    finish(world)
    checker = checker_of(world)
    before = checker.looked
    assert before % 3 == 0
    world.check_end()
    assert checker.looked == before + 3
    world.sleep(100 * SECOND)
    assert checker.looked > before + 3


def test_deadline_is_named() -> None:
    world = fresh(ChangeReportChecker)
    world.run("eu", "SET", "word", "v", "PXAT", "1800000000000")
    state_hash = world.sites["eu"].state_hash
    assert held_text(state_hash.hash_key(b"word")) == "v until 1800000000000 ms"
    assert held_text(state_hash.hash_key(b"none")) == "nothing"
