"""The options of a seed: stable over time, and independent of fixed options."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.op import OP_BYTES
from geo.latency import preset
from geo.topology import SHAPES
from replication.protocol.limits import Limits
from sim.campaign.options import (
    BLOCK_SIZES,
    DISKS,
    HISTORIES,
    IDLE_NS,
    NEVER_OFF,
    OP_SIZES,
    RESTS,
    SLICE_SIZES,
    WAITING,
    RunOptions,
    describe_value,
    fitting_faults,
)
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.faults.kinds import FAULTS
from sim.schedule.plan import Copy, Tuning
from sim.schedule.step import FOREVER, ScheduleStep

SEEDS = range(160)
DRAWN = [RunOptions.draw_from_seed(seed) for seed in SEEDS]


def test_seed_gives_same_options_again() -> None:
    assert RunOptions.draw_from_seed(7) == DRAWN[7]
    assert len({attrs.evolve(options, seed=0).length for options in DRAWN}) == 1
    assert len({str(options) for options in DRAWN}) == len(DRAWN)


@pytest.mark.parametrize(
    "fixed",
    [{"topology": "ring"}, {"length": SECOND}, {"faults": ("cut",)}, {"chops": 99}],
)
def test_fixing_one_leaves_others_as_they_were(fixed: dict[str, object]) -> None:
    assert RunOptions.draw_from_seed(7, **fixed) == attrs.evolve(DRAWN[7], **fixed)


def test_faults_are_such_as_can_happen() -> None:
    for options in DRAWN:
        assert all(FAULTS[name].can_happen(options.fault_targets()) for name in options.faults)
    alone = RunOptions.draw_from_seed(7, regions=2, followers=0)
    assert alone.followers == ()
    assert fitting_faults(
        SeededRandom(1, "x"), ("ring", "cut", "promote"), alone.fault_targets()
    ) == ("cut",)
    (other,) = fitting_faults(SeededRandom(1, "x"), ("ring", "promote"), alone.fault_targets())
    assert FAULTS[other].can_happen(alone.fault_targets())
    assert RunOptions.draw_from_seed(7, regions=2, faults=("ring",)).faults == ("ring",)


def test_number_of_followers_is_drawn_or_fixed() -> None:
    assert {len(options.copies) for options in DRAWN} == {0, 1, 2}
    copies = [copy for options in DRAWN for copy in options.copies]
    assert {(copy.number, len(copy.sources)) for copy in copies} == {
        (number, count) for number in (1, 255) for count in (1, 2)
    }
    options = RunOptions.draw_from_seed(7, followers=4)
    assert options.followers == tuple(f"follower-{i}" for i in range(1, 5))
    assert options.make_plan().copies == options.copies
    assert attrs.evolve(options, copies=DRAWN[7].copies, faults=()) == attrs.evolve(
        DRAWN[7], faults=()
    )


def test_missing_options_are_drawn() -> None:
    assert RunOptions.draw_from_seed(7, topology=None, faults=None, regions=None) == DRAWN[7]


def test_rate_and_regions_may_be_fixed() -> None:
    options = RunOptions.draw_from_seed(7, writes_per_second=42, regions=6)
    assert options.load == attrs.evolve(DRAWN[7].load, writes_per_second=42)
    assert len(set(options.names)) == 6
    assert RunOptions.draw_from_seed(7, names=("a", "b")).names == ("a", "b")


def test_in_many_runs_everything_is_on_and_off() -> None:
    assert {fault for options in DRAWN for fault in options.faults} == set(FAULTS)
    assert any(len(options.faults) == 1 for options in DRAWN)
    assert {options.topology for options in DRAWN} == set(SHAPES)
    assert {len(options.names) for options in DRAWN} == {2, 3, 4, 5}
    assert {bool(options.core) for options in DRAWN} == {True, False}
    assert all(set(NEVER_OFF) <= set(options.load.families) for options in DRAWN)
    tunings = [tuning for options in DRAWN for tuning in options.tunings.values()]
    assert {tuning.history_bytes for tuning in tunings} == set(HISTORIES)
    assert {tuning.waiting_bytes for tuning in tunings} == set(WAITING)
    assert {tuning.limits.idle_ns_max for tuning in tunings} == {*IDLE_NS, Limits().idle_ns_max}
    lone = sum(tuning.limits.snapshots_max == 1 for tuning in tunings)
    assert len(tunings) // 3 < lone < len(tunings) * 2 // 3


def test_core_is_majority() -> None:
    for options in DRAWN:
        assert options.core in {0, len(options.names) // 2 + 1}


def test_no_link_is_thought_dead_between_two_heartbeats() -> None:
    for options in DRAWN:
        limits = {tuning.limits for tuning in options.tunings.values()}
        assert len(limits) == 1
        (shared,) = limits
        assert shared.silence_ns_max >= 3 * shared.heartbeat_ns + SECOND


def test_plan_has_delays_that_were_drawn() -> None:
    options = RunOptions.draw_from_seed(7, names=("us-east-1", "eu-west-1"), topology="mesh")
    ocean = attrs.evolve(options, latency="ocean", tunings={}).make_plan()
    assert ocean.latency_between("us-east-1", "eu-west-1") == preset("ocean")
    measured = attrs.evolve(options, latency="measured").make_plan()
    assert 10 * MS < measured.latency_between("us-east-1", "eu-west-1").mean_ns < 100 * MS
    assert measured.tuning_of("eu-west-1") == options.tunings["eu-west-1"]


def test_every_option_is_shown() -> None:
    options = attrs.evolve(
        RunOptions.draw_from_seed(7, names=("a", "b"), topology="mesh", faults=()),
        core=2,
        offsets={"a": 0, "b": -50},
        copies=(Copy("f", 9, ("a", "b")),),
        tunings={"a": Tuning()},
    )
    lines = dict(
        line.split(maxsplit=1) for line in options.describe_lines() if not line.startswith(" ")
    )
    assert lines["seed"] == "7"
    assert lines["regions"] == "a, b"
    assert lines["clocks"] == "b -50 ms"
    assert lines["faults"].endswith("none")
    assert lines["core"].startswith("2 regions")
    assert lines["follower"] == "f, as region 9, of a and b"
    assert lines["tuning"] == f"a: {describe_value(Tuning())}"
    right = attrs.evolve(options, core=0, offsets={"a": 0})
    assert "clocks        right" in list(right.describe_lines())
    assert not any(line.startswith("core") for line in right.describe_lines())


def test_batch_is_smaller_than_window_that_is_small() -> None:
    tunings = [tuning for options in DRAWN for tuning in options.tunings.values()]
    small = [each.limits for each in tunings if each.limits.window_bytes_max <= 4_000]
    assert small
    assert max(limits.batch_bytes_max for limits in small) <= 3_000


def test_each_drawn_value_becomes_its_own_parameter() -> None:
    tunings = [tuning for options in DRAWN for tuning in options.tunings.values()]
    assert {each.snapshot_rest_ns for each in tunings} == set(RESTS)
    assert {each.op_bytes for each in tunings} == set(OP_SIZES)
    assert {each.block_max for each in tunings} == set(BLOCK_SIZES)
    assert {each.slice_items for each in tunings} == set(SLICE_SIZES)
    assert {each.disk_ns for each in tunings} == set(DISKS)
    assert {type(each.refuses_stale) for each in tunings} == {bool}


def test_tuning_shows_unusual_values() -> None:
    tuning = Tuning()
    assert describe_value(tuning) == f"backlog {1 << 20}, waiting {64 << 20}"
    small = attrs.evolve(tuning, limits=attrs.evolve(tuning.limits, scan_ops_max=3))
    assert describe_value(small) == f"backlog {1 << 20}, waiting {64 << 20}, scan_ops_max 3"


def test_links_of_long_run_beat_slowly() -> None:
    (limits,) = {
        t.limits for t in RunOptions.draw_from_seed(7, length=3600 * SECOND).tunings.values()
    }
    (usual,) = {t.limits for t in DRAWN[7].tunings.values()}
    assert (limits.heartbeat_ns, limits.ack_ns) == (SECOND, 200 * MS)
    assert usual.heartbeat_ns < limits.heartbeat_ns


def test_lasting_faults_are_shown_if_on() -> None:
    lasting = (
        ScheduleStep(SECOND, "cut", ("a", "b"), FOREVER),
        ScheduleStep(SECOND, "slow", ("a", "b"), FOREVER),
    )
    options = attrs.evolve(
        RunOptions.draw_from_seed(7, names=("a", "b"), topology="mesh"),
        faults=("cut",),
        lasting=lasting,
    )
    reported = [line for line in options.describe_lines() if line.startswith("to the end")]
    assert reported == [f"to the end    {lasting[0]}"]


def test_snapshot_rests_are_shown() -> None:
    tuning = Tuning(snapshot_rest_ns=40 * MS)
    assert describe_value(tuning) == f"{describe_value(Tuning())}, snapshots rest 40 ms"


def test_runs_with_divided_operations_write_no_pairs() -> None:
    divided = 0
    for options in DRAWN:
        (size,) = {tuning.op_bytes for tuning in options.tunings.values()}
        if size < OP_BYTES:
            divided += 1
            assert "pair" not in options.load.families
            assert min(tuning.history_bytes for tuning in options.tunings.values()) >= 100_000
            (tuning, *_) = options.tunings.values()
            assert f"operations divided at {size}" in describe_value(tuning)
    assert 0 < divided < len(DRAWN)


def test_slow_disks_are_shown() -> None:
    tuning = Tuning(disk_ns=20 * MS)
    assert describe_value(tuning) == f"{describe_value(Tuning())}, writes to disk take 20 ms"


def test_followers_are_promoted_in_most_runs_that_have_some() -> None:
    with_followers = [options for options in DRAWN if options.copies]
    promoting = [options for options in with_followers if "promote" in options.faults]
    assert len(with_followers) // 2 < len(promoting) < len(with_followers)
    assert all(len(set(options.faults)) == len(options.faults) for options in DRAWN)
