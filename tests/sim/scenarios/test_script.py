"""Runs as text: they are read back unchanged, and invalid ones are refused."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.protocol.limits import Limits
from sim.campaign.options import PLACES, RunOptions
from sim.campaign.run import Run, Verdict, draw_schedule
from sim.engine.events import MS, SECOND
from sim.faults.kinds import FAULTS, Cast, Fault, all_regions, one_follower
from sim.scenarios import script
from sim.scenarios.scenario import (
    ScenarioError,
    perform_block,
    render_run,
    run_outcome,
)
from sim.scenarios.script import (
    FORMS,
    LATENCIES,
    TUNINGS,
    Script,
    plain_options,
    step_line,
    tuning_of,
)
from sim.schedule.plan import USUAL, Copy, Tuning
from sim.schedule.step import FOREVER, ScheduleStep

TIMES = st.integers(0, 10**13)


@st.composite
def faults(draw: st.DrawFn, cast: Cast) -> ScheduleStep:
    """Draw a fault that some of these may have."""
    fits = [fault for fault in FAULTS.values() if fault.can_happen(cast)]
    fault = draw(st.sampled_from(fits))
    lasts = draw(st.one_of(TIMES, st.just(FOREVER)))
    return ScheduleStep(
        draw(TIMES), fault.name, chosen(draw, fault, cast), lasts, strength(draw, fault)
    )


def chosen(draw: st.DrawFn, fault: Fault, cast: Cast) -> tuple[str, ...]:
    among = cast.followers if fault.choose is one_follower else cast.regions
    count = script.TARGET_COUNTS.get(fault.choose)
    if count is None:
        count = len(among) if fault.choose is all_regions else draw(st.integers(1, len(among)))
    return tuple(draw(st.permutations(among)))[:count]


def strength(draw: st.DrawFn, fault: Fault) -> int:
    return draw(st.integers(*fault.values))


@st.composite
def requests(draw: st.DrawFn, places: tuple[str, ...]) -> ScheduleStep:
    """Draw the requests of a client."""
    word = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=5)
    words = word.filter(lambda text: text.isprintable() and text != ";")
    command = st.lists(words, min_size=1, max_size=3).map(tuple)
    sent = draw(st.lists(command, min_size=1, max_size=3).map(tuple))
    place = (draw(st.sampled_from(places)),)
    if draw(st.booleans()):
        return ScheduleStep(draw(TIMES), "write", place, commands=sent)
    return ScheduleStep(draw(TIMES), "client", place, 0, draw(st.integers(0, 10**10)), sent)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Draw a run of any options and steps."""
    names = tuple(draw(st.permutations(PLACES)))[: draw(st.integers(2, 5))]
    copies = tuple(
        Copy(f"f-{i}", draw(st.integers(1, 255)), tuple(draw(st.permutations(names)))[:many])
        for i, many in enumerate(draw(st.lists(st.integers(1, 2), max_size=2)))
    )
    numbers = st.dictionaries(st.sampled_from(TUNINGS), st.integers(1, 10**11), max_size=4)
    options = attrs.evolve(
        plain_options(draw(st.integers(0, 2**63 - 1)), names, draw(TIMES)),
        topology=draw(st.sampled_from(["mesh", "ring", "star", "line"])),
        latency=draw(st.sampled_from(LATENCIES)),
        tunings={name: tuning_of(draw(numbers)) for name in names},
        offsets={name: draw(st.integers(-(10**9), 10**9)) for name in names},
        tick_ms=draw(st.integers(1, 2000)),
        chops=draw(st.integers(0, 100)),
        copies=copies,
        core=draw(st.integers(0, len(names))),
    )
    cast = Cast(names, ((names[0], names[1]),), options.followers)
    places = (*names, *options.followers)
    steps = draw(st.lists(st.one_of(faults(cast), requests(places)), max_size=8))
    return Script.from_run(options, steps)


def read(*lines: str) -> Script:
    reader = script.ScriptReader()
    for line in lines:
        reader.read_line(line)
    return reader.make_script()


@given(scripts())
def test_script_is_read_as_written(run: Script) -> None:
    lines = list(run.text_lines())
    assert read(*lines) == run
    assert list(read(*lines).text_lines()) == lines


@pytest.mark.parametrize("seed", [1, 2, 4, 9])
def test_run_that_was_written_down_goes_as_it_went(seed: int) -> None:
    options = RunOptions.draw_from_seed(seed, length=4 * SECOND, followers=1)
    steps = tuple(draw_schedule(options))
    reported = Run(options).play_steps(steps)
    text = render_run(Script.from_run(options, steps), reported)
    again = perform_block(text)
    assert again.text == text
    assert again.result is not None
    assert again.result.digest == reported.digest
    assert again.result.verdict is reported.verdict is Verdict.VALID


def test_missing_options_have_defaults() -> None:
    run = read("run 7", "regions eu us", "at 1s cut eu us for 500ms")
    assert run == Script.from_run(
        plain_options(7, ("eu", "us"), 2500 * MS),
        [ScheduleStep(SECOND, "cut", ("eu", "us"), 500 * MS)],
    )
    assert run.options.faults == ("cut",)


def test_common_numbers_are_shown_once() -> None:
    limits = Limits(ack_bytes=7)
    tunings = {"eu": Tuning(limits), "us": Tuning(limits, history_bytes=400)}
    options = attrs.evolve(plain_options(7, ("eu", "us"), SECOND), tunings=tunings)
    lines = list(Script.from_run(options, []).text_lines())
    assert lines[3:] == ["tuning all ack_bytes 7", "tuning us history_bytes 400"]
    assert tuning_of({}) == USUAL


@pytest.mark.parametrize("word", [";", "a\nb", "\x00"])
def test_word_that_no_line_holds_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="cannot be written in a line"):
        step_line(ScheduleStep(1, "write", ("eu",), commands=(("SET", "k", word),)))


def test_run_is_played_and_its_verdict_stands_below() -> None:
    text = "# why\nrun 7\nregions eu us\nlength 3s\nat 1s write eu SADD cart milk  # one\n"
    assert perform_block(text).text == f"{text}----\nunknown: no faults\n"
    text += "at 1s cut eu us for 100ms\n"
    assert perform_block(text).text == f"{text}----\nvalid\n"
    assert perform_block(perform_block(text).text).text == perform_block(text).text
    drawn = perform_block(text, is_drawn=True).picture
    assert "SADD cart milk" in drawn


def test_verdict_is_one_line() -> None:
    result = Run(plain_options(7, ("eu", "us"), 0)).play_steps([])
    reported = attrs.evolve(result, verdict=Verdict.INVALID, promise="a", reason="b\n\n  c")
    assert run_outcome(reported) == "invalid: a: b c"


def refused(*lines: str) -> str:
    """Return the error of a run whose last line is invalid."""
    with pytest.raises(ScenarioError) as caught:
        perform_block("\n".join(lines))
    where, _, why = str(caught.value).partition(f": {lines[-1]!r}: ")
    assert where == f"line {len(lines)}"
    return why


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dance", "there is no step 'dance'; there are: run, regions, "),
        ("run 8", "a file holds one run"),
        ("regions eu us", "the regions are given twice"),
        ("topology torus", "a topology is one of mesh, "),
        ("latency none", "a latency is one of measured, lan, "),
        ("length 5", "'5' is no time"),
        ("follower for 9 eu", "'for' cannot be a follower's name"),
        ("follower f 9 mars", "no region is called 'mars'; there are: eu, us, ap"),
        ("tuning all history_bytes", "too few words: tuning R|all NAME N"),
        ("tuning all history_bytes 1 ack_ns", "a number is missing"),
        ("tuning mars history_bytes 1", "no region is called 'mars'"),
        ("tuning all size 1", "a number that a region is tuned by is one of history_bytes, "),
        ("tuning all ack_ns 0", "'0' is no number for ack_ns: give 1 to 999999999999"),
        ("clock eu 5s", "'5s' is no deviation of a clock: write +5s or -5s"),
        ("clock eu +1.5ms", "'1.5ms' is no time in whole ms"),
        ("ticks 2", "'2' is no time"),
        ("pieces 101", "'101' is no share of chunks in per cent: give 0 to 100"),
        ("core 4", "'4' is no number of regions: give 0 to 3"),
        ("at 1s write eu", "too few words: at TIME write R COMMAND"),
        ("at 1s write mars GET k", "no region is called 'mars'; there are: eu, us, ap, copy"),
        ("at 1s client 1 eu", "too few words: at TIME client N R COMMAND"),
        ("at 1s client x eu GET k", "'x' is no number of a session"),
        ("at 1s dance eu", "a step is one of write, client, cut, "),
        ("at 1s cut eu us to the", "'to' is too much: at TIME cut A B"),
        ("at 1s cut eu us for", "'for' is too much"),
        ("at 1s cut eu us with 1", "'1' is no strength of cut: give 0 to 0"),
        ("at 1s slow eu us for 1s", "say how strong it is: `with N`, 2 to 20"),
        ("at 1s slow eu us with 0", "'0' is no strength of slow: give 2 to 20"),
        ("at 1s cut eu", "cut befalls 2 of them"),
        ("at 1s cut eu us ap", "cut befalls 2 of them"),
        ("at 1s cut eu eu", "name each place once"),
        ("at 1s cut eu copy", "no region is called 'copy'"),
        ("at 1s bereave eu us", "bereave befalls 3 or more of them"),
        ("at 1s promote eu", "no follower is called 'eu'"),
        ("at 1s split for 2s", "split befalls 1 or more of them"),
    ],
)
def test_nonsense_is_named_with_its_line(line: str, why: str) -> None:
    assert why in refused("run 7", "regions eu us ap", "follower copy 9 eu", line)


def test_delays_are_measured_between_places_that_are_known() -> None:
    assert "unknown region 'mars'" in refused("run 7", "regions us-east-1 mars")
    run = read("run 7", "regions us-east-1 eu-west-1", "latency measured")
    assert run.options.make_plan().latency_between("us-east-1", "eu-west-1").floor_ns > 0


def test_run_line_must_come_first() -> None:
    assert refused("run x") == "'x' is no seed: give a number, 0 to 2^63 - 1"
    assert refused("run 7") == "say `regions A B ...` first, behind `run SEED`"
    assert "say `regions A B ...` first" in refused("run 7", "clock eu +1s")
    assert refused("run 7", "regions eu") == "a run has two regions or more"
    assert "cannot be called for, to, with" in refused("run 7", "regions eu to")
    assert "one block" in refused("run 7", "regions eu us", "----", "", "at 1s cut eu us")


def test_every_line_is_described() -> None:
    documentation: Any = script.__doc__
    for name, form in FORMS.items():
        assert form.usage.partition(" ")[0] == name
        assert f"    {name} " in documentation


def test_booleans_are_read() -> None:
    tuning = tuning_of({"refuses_stale": 1, "history_bytes": 400})
    assert tuning == attrs.evolve(USUAL, refuses_stale=True, history_bytes=400)
    assert type(tuning.refuses_stale) is bool
