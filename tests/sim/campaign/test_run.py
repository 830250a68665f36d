"""A run from beginning to end: its result, and its failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest

from replication.machines.connections.frame_speed import FrameSpeed
from replication.machines.endpoint import End
from replication.machines.sending.source import Source
from replication.mesh.memory import RecoveryState
from replication.protocol.codec import LENGTH_BYTES
from replication.protocol.limits import Limits
from sim.campaign.options import RunOptions
from sim.campaign.run import (
    TAIL,
    Run,
    Verdict,
    converge_limit_ns,
    draw_schedule,
    is_connected,
    locate_run,
    regions_agree,
)
from sim.engine.checker import Checker, Violation
from sim.engine.events import SECOND
from sim.faults.kinds import Injector
from sim.network.ways import LOSSES_WHOLE
from sim.network.wire import Wire
from sim.nodes.session import CONNECTIONS
from sim.schedule.plan import Copy, Plan, Tuning
from sim.schedule.step import FOREVER, ScheduleStep
from sim.schedule.writes import Load
from sim.world.world import SimWorld


def options(**fixed: Any) -> RunOptions:
    """A short run of three regions in which one pair is separated now and then."""
    usual: dict[str, Any] = {
        "names": ("eu", "us", "ap"),
        "topology": "mesh",
        "latency": "lan",
        "length": 15 * SECOND,
        "faults": ("cut",),
        "mean": 3 * SECOND,
        "bursts": 0,
        "core": 0,
        "load": Load(requests=0),
    }
    return RunOptions.draw_from_seed(7, **(usual | fixed))


STEPS = (
    ScheduleStep(SECOND, "write", ("eu",), commands=(("SADD", "all:1", "a"),)),
    ScheduleStep(2 * SECOND, "cut", ("eu", "us"), 2 * SECOND),
    ScheduleStep(3 * SECOND, "write", ("us",), commands=(("INCRBY", "count:0.1", "3"),)),
)


def test_valid_run_repeats_exactly() -> None:
    one, two = (Run(options()).play_steps() for _ in range(2))
    assert one == two
    assert one.verdict is Verdict.VALID
    assert one.writes > 0
    assert set(one.fired) == {"cut"}
    assert one.converged_in >= 0
    assert one.tail == ()


def test_schedule_is_in_order_and_complete() -> None:
    steps = list(draw_schedule(options(bursts=30)))
    times = [step.at for step in steps]
    assert times == sorted(times)
    assert {step.kind for step in steps} == {"write", "cut"}
    without = list(draw_schedule(options()))
    assert [step for step in steps if step in without] == without
    assert len(steps) == len(without) + 3 * 30


def test_impossible_faults_are_not_scheduled() -> None:
    assert list(draw_schedule(options(faults=("ring", "cut", "promote")))) == list(
        draw_schedule(options())
    )


def test_another_fault_leaves_writes_as_they_were() -> None:
    one, two = (
        list(draw_schedule(options(faults=faults))) for faults in (("cut",), ("cut", "crash"))
    )
    assert one == [step for step in two if step.kind != "crash"]


@pytest.mark.parametrize("steps", [(), STEPS[:1], STEPS[1:2]], ids=["nothing", "writes", "faults"])
def test_run_without_writes_or_faults_proves_nothing(steps: Sequence[ScheduleStep]) -> None:
    result = Run(options()).play_steps(steps)
    assert (result.verdict, result.promise) == (Verdict.UNKNOWN, "")
    assert result.reason in {"nothing was written", "nothing went wrong: no cut could happen"}


def test_without_faults_nothing_is_proved() -> None:
    result = Run(options(faults=())).play_steps(STEPS[:1])
    assert (result.verdict, result.reason) == (Verdict.UNKNOWN, "no faults")


class Blind(Checker):
    """Looks at nothing."""

    promise = "convergence"


def test_unchecked_promise_is_not_proved() -> None:
    run = Run(options())
    run.world.checkers = (Blind(run.world.run_history),)
    result = run.play_steps(STEPS)
    assert (result.verdict, result.reason) == (
        Verdict.UNKNOWN,
        "not put to the test: convergence",
    )


def lie(_run: Run) -> None:
    raise Violation("convergence", "they differ")


def stumble(_run: Run) -> None:
    raise ValueError("odd")


@pytest.mark.parametrize(
    ("act", "promise", "reason"),
    [(lie, "convergence", "they differ"), (stumble, "no crash", "ValueError: odd (stumble in ")],
)
def test_broken_promise_and_exception_are_invalid(
    act: Callable[[Run], None], promise: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "finish_run", act)
    result = Run(options()).play_steps(STEPS)
    assert (result.verdict, result.promise) == (Verdict.INVALID, promise)
    assert result.reason.startswith(reason)
    assert 0 < len(result.tail) <= TAIL


def test_regions_that_never_agree_break_promise_of_liveness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end_nothing(_injector: Injector) -> None:
        """Leave all faults as they are."""

    monkeypatch.setattr(Injector, "end_passing_faults", end_nothing)
    monkeypatch.setattr(Injector, "end_all_faults", end_nothing)
    result = Run(options()).play_steps(
        [
            *STEPS[:1],
            ScheduleStep(2 * SECOND, "cut", ("eu", "us"), 9000 * SECOND),
            ScheduleStep(2 * SECOND, "cut", ("ap", "us"), 9000 * SECOND),
            STEPS[2],
        ]
    )
    assert result.promise == "liveness"
    assert "no agreement after" in result.reason
    assert "us has 1=1 2=1" in result.reason
    assert "links that are not through: us > eu is down" in result.reason


def test_writes_to_absent_region_are_refused() -> None:
    run = Run(options())
    away = [
        ScheduleStep(SECOND, "crash", ("us",), 5 * SECOND),
        ScheduleStep(2 * SECOND, "write", ("us",), commands=(("SET", "word:0.1", "a"),)),
        ScheduleStep(2 * SECOND, "pause", ("eu",), SECOND),
        ScheduleStep(2 * SECOND, "write", ("eu",), commands=(("SET", "word:0.1", "b"),)),
        ScheduleStep(3 * SECOND, "write", ("xx",), commands=(("SET", "word:0.1", "c"),)),
        ScheduleStep(3 * SECOND, "write", ("ap",), commands=(("GET", "word:0.1"),)),
    ]
    result = run.play_steps(away)
    assert (run.writes, run.refused) == (0, 4)
    assert result.fired == {"crash": 1, "pause": 1}


def test_core_converges_while_others_stay_away(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], bool]] = []
    converge = Run.wait_for_convergence

    def spy(self: Run, names: list[str]) -> int:
        asked.append((names, self.world.network.way("eu", "ap").is_open))
        return converge(self, names)

    monkeypatch.setattr(Run, "wait_for_convergence", spy)
    assert Run(options(core=2)).play_steps(STEPS).verdict is Verdict.VALID
    assert asked == [(["eu", "us"], False), *[(["eu", "us", "ap"], True)] * 4]


def test_core_that_is_not_linked_is_not_asked() -> None:
    star = SimWorld(Plan.of(["a", "b", "c", "d"], topology="star"))
    assert is_connected(star, ["a", "b", "c"])
    assert not is_connected(star, ["b", "c"])
    assert is_connected(star, ["a", "b", "c", "d"])


def test_too_few_regions_make_no_core() -> None:
    run = Run(options(core=2))
    for site in run.world.sites.values():
        site.recovery.begin("it waits", {})
    run.heal_core()
    assert run.world.now == 0


def test_region_down_at_end_is_started() -> None:
    run = Run(options())
    run.world.crash_process("us")
    result = run.play_steps(STEPS[:1])
    assert result.promise == ""
    assert run.world.sites["us"].starts == 2
    assert regions_agree(run.world, ["eu", "us", "ap"])


def test_progress_is_reported_in_virtual_time() -> None:
    seen: list[int] = []
    late = ScheduleStep(25 * SECOND, "write", ("eu",), commands=(("SADD", "all:1", "a"),))
    Run(options(), on_pulse=lambda world: seen.append(world.now)).play_steps([*STEPS, late])
    assert seen == [10 * SECOND, 20 * SECOND]


def test_clocks_and_pieces_are_set_for_whole_run() -> None:
    run = Run(options(offsets={"eu": -500}, chops=9))
    run.prepare_world()
    assert run.world.sites["eu"].clock.offset_ms == -500
    assert {way.chops for way in run.world.network} == {9}


def test_slow_links_and_long_silence_extend_limit() -> None:
    quick = SimWorld(Plan.of(["a", "b"], delay_ms=1))
    slow = SimWorld(Plan.of(["a", "b"], delay_ms=500))
    tuning = slow.plan.tuning
    tight = attrs.evolve(tuning, limits=attrs.evolve(tuning.limits, silence_ns_max=900 * SECOND))
    patient = SimWorld(attrs.evolve(slow.plan, tuning=tight))
    assert (
        converge_limit_ns(quick)
        < converge_limit_ns(slow)
        < converge_limit_ns(patient) - 800 * SECOND
    )


def test_place_is_where_exception_was_raised() -> None:
    with pytest.raises(ValueError, match="odd") as raised:
        stumble(Run(options()))
    assert locate_run(raised.value).startswith("stumble in test_run.py:")
    assert locate_run(ValueError()) == "nowhere"


def test_unlinked_core_is_not_asked() -> None:
    run = Run(options(core=2, topology="star"))
    late = ScheduleStep(14 * SECOND, "crash", ("eu",), 9 * SECOND)
    result = run.play_steps([*STEPS, late])
    assert result.verdict is Verdict.VALID
    assert run.world.now < 25 * SECOND


def test_followers_are_written_to_and_refuse_it() -> None:
    run = Run(options(followers=1, faults=("cut",)))
    steps = list(draw_schedule(run.options))
    written = [step for step in steps if step.regions == run.options.followers]
    assert {step.kind for step in written} == {"write"}
    result = run.play_steps(written)
    assert (run.writes, run.refused) == (0, len(written))
    assert result.promise == ""


def test_followers_must_have_it_all_too() -> None:
    result = Run(options(followers=1, faults=("follower-cut",))).play_steps()
    assert result.verdict is Verdict.VALID
    assert result.looked["following"] > 0


def test_stuck_follower_violates_liveness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing(_world: SimWorld, _copy: object) -> bool:
        return False

    def ten_seconds(_world: SimWorld) -> int:
        return 10 * SECOND

    monkeypatch.setattr(SimWorld, "is_copied", nothing)
    monkeypatch.setattr("sim.campaign.run.converge_limit_ns", ten_seconds)
    result = Run(options(followers=1)).play_steps(STEPS)
    assert result.promise == "liveness"
    assert "follower-1 has " in result.reason
    assert " in-sync]" in result.reason
    assert "all links are through" in result.reason


def test_follower_down_at_end_is_started() -> None:
    run = Run(options(followers=1))
    run.world.crash_process("follower-1")
    assert run.play_steps(STEPS).verdict is Verdict.VALID
    assert run.world.copies["follower-1"].starts == 2


def test_end_waits_for_data_delayed_by_faults() -> None:
    patient = Tuning(limits=Limits(silence_ns_max=20 * SECOND))
    run = Run(options(tunings=dict.fromkeys(("eu", "us", "ap"), patient)))
    lost_at = run.options.length - SECOND // 2
    lost = ScheduleStep(lost_at, "loss", ("eu", "us"), SECOND, LOSSES_WHOLE)
    result = run.play_steps((*STEPS, lost))
    assert (result.verdict, result.reason) == (Verdict.VALID, "")
    assert result.virtual > lost_at + 12 * SECOND


def test_convergence_time_starts_after_delayed_data() -> None:
    world = Run(options()).world
    world.sleep(SECOND)
    before = converge_limit_ns(world)
    world.network.way("eu", "us").losses = LOSSES_WHOLE
    world.run("eu", "SADD", "all:1", "a")
    world.network.way("eu", "us").losses = 0
    assert converge_limit_ns(world) > before + 12 * SECOND


def tear_frame(world: SimWorld) -> Wire:
    """Let a sink send its source the length of a frame that never comes. Return the source's
    end."""
    wire = next(each for each in world.sites["eu"].wires if isinstance(each.machine, Source))
    assert wire.far is not None
    assert wire.far.out is not None
    wire.far.out.send((1 << 16).to_bytes(LENGTH_BYTES, "big"))
    world.sleep(SECOND)
    assert wire.has_torn_frame
    return wire


def count_noise(wire: Wire) -> None:
    """Count one changed byte on the way to `wire`."""
    assert wire.far is not None
    assert wire.far.out is not None
    wire.far.out.way.tally.flipped += 1


def test_end_waits_until_link_with_damaged_length_is_made_again() -> None:
    run = Run(options())
    run.prepare_world()
    run.inject_fault(STEPS)
    torn = tear_frame(run.world)
    count_noise(torn)
    run.finish_run()
    assert " more bytes of one frame would take " in torn.machine.tally.last_error
    assert torn.over


def ignore_speed(_speed: FrameSpeed, _size: int, _missing: int, _now: int) -> None:
    """Record nothing, so that the time that a frame would take ends no link."""


def test_unfinished_frame_without_noise_is_not_excuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FrameSpeed, "record_part", ignore_speed)
    run = Run(options())
    run.prepare_world()
    run.inject_fault(STEPS)
    tear_frame(run.world)
    with pytest.raises(Violation, match="bytes from eu to "):
        run.finish_run()


@pytest.mark.interpreted("gives a link another method")
def test_link_that_waits_for_damaged_frame_breaks_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def note_every_byte(end: End, now: int) -> None:
        end.last_received_at = now

    monkeypatch.setattr(End, "note_bytes", note_every_byte)
    monkeypatch.setattr(FrameSpeed, "record_part", ignore_speed)
    hasty = Tuning(limits=Limits(idle_ns_max=10 * SECOND))
    run = Run(options(tunings=dict.fromkeys(("eu", "us", "ap"), hasty)))
    run.prepare_world()
    run.inject_fault(STEPS)
    count_noise(tear_frame(run.world))
    with pytest.raises(Violation, match="a damaged frame holds up a link after 20 s"):
        run.finish_run()


def test_metadata_that_stays_for_ever_is_broken_promise() -> None:
    run = Run(options())
    run.world.sites["eu"].replica.keyspace.garbage[b"dust"] = None
    run.world.sites["eu"].links.collects = False
    result = run.play_steps(STEPS)
    assert (result.verdict, result.promise) == (Verdict.INVALID, "forgetting")
    assert "eu keeps [b'dust']" in result.reason


def test_requests_of_sessions_are_counted() -> None:
    asked = ScheduleStep(SECOND, "client", ("eu",), value=1, commands=(("GET", "all:1"),))
    run = Run(options())
    assert run.play_steps((*STEPS, asked)).verdict is Verdict.VALID
    assert run.requests == 1


def test_sessions_wait_for_end_of_client_pause() -> None:
    pause = ("CLIENT", "PAUSE", "100")
    steps = [
        ScheduleStep(SECOND, "client", ("eu",), value=CONNECTIONS.start, commands=(pause,)),
        ScheduleStep(SECOND + 1, "client", ("eu",), value=1, commands=(("GET", "all:1"),)),
        ScheduleStep(2 * SECOND, "client", ("eu",), value=1, commands=(("GET", "all:1"),)),
    ]
    run = Run(options())
    assert run.play_steps((STEPS[0], *steps)).verdict is not Verdict.INVALID
    assert run.requests == 2


def test_narrow_links_take_time_for_all_that_was_written() -> None:
    world = SimWorld(Plan.of(["a", "b"], delay_ms=1))
    world.run("a", "SET", "k", "x" * 10_000)
    before = converge_limit_ns(world)
    world.network.way("a", "b").bandwidth = 1_000
    assert converge_limit_ns(world) > before + 10 * SECOND


def test_faults_that_last_to_end_must_be_endured() -> None:
    run = Run(options())
    lasting = ScheduleStep(2 * SECOND, "cut", ("eu", "us"), FOREVER)
    result = run.play_steps((STEPS[0], lasting, STEPS[2]))
    assert (result.verdict, result.reason) == (Verdict.VALID, "")
    assert run.world.probes["converged under a fault that lasts"] == 1
    assert not run.injector.lasting


def lose_everything(lasting: int) -> Run:
    """Return a run that separates eu and us for `lasting` ns, and in which all regions have lost
    their memory meanwhile."""
    run = Run(options())
    run.prepare_world()
    run.inject_fault([STEPS[0], ScheduleStep(3 * SECOND, "cut", ("eu", "us"), lasting)])
    for act in (run.world.crash_process, run.world.restart_process):
        for name in run.world.sites:
            act(name)
    return run


def test_region_that_must_wait_for_separated_one_is_endured() -> None:
    run = lose_everything(FOREVER)
    run.world.sleep(60 * SECOND)
    caught_up = [site.name for site in run.world.sites.values() if site.has_caught_up]
    assert caught_up == ["ap"]
    run.finish_run()
    assert run.world.probes["converged under a fault that lasts"] == 1


@pytest.mark.interpreted("gives the recovery of a region another method")
def test_region_that_never_recovers_breaks_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_for_ever(_memory: RecoveryState) -> bool:
        return True

    monkeypatch.setattr(RecoveryState, "awaits_all", wait_for_ever)
    run = lose_everything(SECOND)
    with pytest.raises(Violation, match="no agreement after"):
        run.finish_run()


def test_follower_forgets_too() -> None:
    run = Run(attrs.evolve(options(), copies=(Copy("copy", 255, ("eu",)),)))
    copy = run.world.copies["copy"]
    copy.replica.keyspace.garbage[b"dust"] = None
    copy.follower.collects = False
    result = run.play_steps(STEPS)
    assert (result.verdict, result.promise) == (Verdict.INVALID, "forgetting")
    assert "copy keeps [b'dust']" in result.reason


def test_deadlines_of_several_sources_may_stay() -> None:
    run = Run(attrs.evolve(options(), copies=(Copy("copy", 1, ("eu", "us")),)))
    run.world.copies["copy"].replica.keyspace.garbage[b"dust"] = None
    run.world.copies["copy"].follower.collects = False
    assert run.play_steps(STEPS).verdict is Verdict.VALID


def test_promoted_follower_forgets_too() -> None:
    run = Run(options(followers=1))
    copy = run.world.copies["follower-1"]
    run.world.sleep(SECOND)
    copy.stop_following()
    assert copy.replica.keyspace.remembered_keys() == ([], [])
    copy.replica.keyspace.garbage[b"dust"] = None
    copy.links.collects = copy.follower.collects = False
    result = run.play_steps(STEPS)
    assert (result.verdict, result.promise) == (Verdict.INVALID, "forgetting")
    assert "follower-1 keeps [b'dust']" in result.reason
