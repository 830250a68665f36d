"""Coverage probes: each fires when its situation occurs, and only then."""

from __future__ import annotations

import attrs

from replication.protocol import events
from sim.engine.events import SECOND
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world.coverage_probes import EVENTS, NAMES, coverage_counts
from sim.world.world import SimWorld


def world(tuning: Tuning | None = None) -> SimWorld:
    """Return two regions that know each other."""
    made = SimWorld(Plan.of(["eu", "us"], delay_ms=20, tuning=tuning))
    made.sleep(2 * SECOND)
    return made


def seen(of: SimWorld) -> set[str]:
    return {name for name, count in coverage_counts(of).items() if count}


def test_quiet_world_has_seen_little() -> None:
    quiet = world()
    assert list(coverage_counts(quiet)) == list(NAMES)
    assert seen(quiet) == {"resynced", "partial resync"}


def test_backlog_that_has_run_out_is_seen() -> None:
    small = world(Tuning(history_bytes=300))
    small.cut("eu", "us")
    for i in range(30):
        small.run("eu", "SET", f"k{i}", "v")
    small.heal("eu", "us")
    assert small.converge(20 * SECOND)
    wanted = {"backlog did not reach", "snapshot merged", "full resync", "link lost"}
    assert wanted <= seen(small)


def test_second_incarnation_and_failed_dial_are_counted() -> None:
    fresh = world()
    fresh.crash_process("us")
    fresh.sleep(5 * SECOND)
    fresh.restart_process("us")
    fresh.sleep(5 * SECOND)
    assert {"region lived again", "no answer when dialling", "link lost"} <= seen(fresh)
    assert coverage_counts(fresh)["region lived again"] == 1


def test_probes_see_followers() -> None:
    plan = Plan.of(["eu", "us"], delay_ms=20)
    followed = SimWorld(attrs.evolve(plan, copies=(Copy("f", 255, ("eu",)),)))
    followed.run("eu", "SET", "k", "v")
    followed.sleep(2 * SECOND)
    assert coverage_counts(followed)["follower went on from a backlog"] == 1
    followed.cut("eu", "us")
    followed.run("eu", "SET", "lost", "1")
    followed.sleep(SECOND)
    followed.crash_process("eu")
    followed.heal("eu", "us")
    followed.restart_process("eu")
    followed.sleep(5 * SECOND)
    followed.copies["f"].stop_following()
    found = coverage_counts(followed)
    assert (found["follower began anew"], found["follower promoted"]) == (1, 1)
    assert found["follower got a snapshot"] + found["follower went on from a backlog"] >= 2


def test_damaged_bytes_are_seen() -> None:
    noisy = world()
    noisy.network.way("eu", "us").flips = 1_000_000
    noisy.run("eu", "SET", "k", "v")
    noisy.sleep(SECOND)
    assert coverage_counts(noisy)["damaged bytes noticed"] >= 1


def test_key_with_several_types_is_seen_in_both_regions() -> None:
    torn = world()
    torn.run("eu", "SADD", "k", "a")
    torn.run("us", "RPUSH", "k", "b")
    assert torn.converge(SECOND)
    assert coverage_counts(torn)["key with several types"] == 2


def test_every_event_that_is_counted_exists() -> None:
    assert all(hasattr(events, name) for name in EVENTS)
