"""Scenarios as text: the writes of clients, the faults, and the resulting state of every region.

    # us has not seen eu's add, so its remove has nothing to take out
    regions eu us
    cut eu us
    write eu SADD cart milk
    write us SREM cart milk
    heal
    settle
    ----
    eu: cart {milk}
    us: cart {milk}

The output of a block follows its line of dashes. It consists of the output of `read` and `tell`,
and of the visible state of every region at the end of the block. An empty line ends it. Another
block in the same world can follow. `perform_block` returns the file with the actual output, so any
difference to the file is a change of behaviour.

    regions A B ...             the first line, and only once; numbered from 1; default: eu us ap
    unmodelled                  do not check the replies of clients against the checkers' models
    topology NAME               mesh (default), star, ring or line
    delay TIME                  the one-way delay between any two regions (default 40ms)
    backlog BYTES               the backlog of every region; also `waiting BYTES`
    write R|all COMMAND         a client's command; several, separated by ` ; `, are sent together
    read R|all COMMAND          the same, and show the reply
    check R|all COMMAND => JSON [as NAME]   the same, and the reply must match (see `conflicts`)
    tell [R]                    from here on, show the link events of all regions, or of one
    cut A [B]                   separate two regions, which are notified; `cut A`: A from all others
    silence A [B]               drop all data without notification; `silence A > B`: one way only
    heal [A [B]]                end every cut and silence, those of A, or those of A and B
    unlink A > B | relink A > B like CRDB.LINK CUT and HEAL: ops from A to B; `unlink all`: all
    sync [A B ...]              relink all or some regions, converge, and unlink them again
    settle | wait TIME          wait until all that can arrive has arrived | wait for a time
    clock R|all +TIME|-TIME     step a wall clock; `stop` and `go` stop it and let it run
    crash R | keep R            lose everything in memory | write a snapshot to disk
    restart R [kept] [amnesic]  begin a new incarnation, empty or from that snapshot; `amnesic`:
                                with the number of the last one; `unaware`: with an empty directory
    list R A B ...              set the regions in the file of R for its next start; default: all
    forge R A                   send R a Hello of A that claims writes which R never made
    follower F N A [B]          before the world begins: F, with region number N, follows A
    promote F | follow F        promote F, or make it a follower again
    vectors                     show the vector of every region

Words are separated by spaces. A word in quotation marks can contain spaces and `#`. Otherwise, `#`
begins a comment. Times are written 200ms, 1.5s or 2m. An error reports the number of the line.

A file that begins with `scenario NAME` contains many short scenarios without dashes, each played in
a new world (see `conflicts`). It fails if a `check` fails.

A file that begins with `run SEED` contains one run of a campaign, such as a shrunk failing run. Its
language is defined in `script`. The verdict is below its dashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from crdt.errors import CRDTError
from sim.campaign.run import Result, Run, locate_run
from sim.campaign.summary import verdict_text
from sim.engine.checker import Violation
from sim.nodes.state import format_state
from sim.report.report import Recorder
from sim.scenarios.conflicts import SCENARIO, ConflictScenario, ScenarioError, parse_conflicts
from sim.scenarios.language import Form, ScenarioMistake, take_words
from sim.scenarios.runner import ScenarioRunner
from sim.scenarios.script import RUN, Script, ScriptReader
from sim.schedule.step import ScheduleStep

DASHES: Final = "----"

PlayRun: TypeAlias = Callable[[Run, Sequence[ScheduleStep]], Result]
"""A function that plays a run of a campaign with these steps."""


@attrs.frozen
class Block:
    """A block: its steps with their line numbers, and its lines as written in the file."""

    steps: tuple[tuple[int, str], ...]
    source: tuple[str, ...]


@attrs.frozen
class Played:
    """The outcome of a file: its text with the actual output, and a picture if requested.

    `result` is the result of a run of a campaign, if the file contains one.
    """

    text: str
    picture: str = ""
    result: Result | None = None


def parse_scenario(text: str) -> Iterator[Block]:
    """Yield the blocks of a file, without their expected output."""
    steps: list[tuple[int, str]] = []
    source: list[str] = []
    is_answer = False
    for number, line in enumerate(text.splitlines(), 1):
        if is_answer:
            is_answer = bool(line.strip())
            continue
        if line.strip() == DASHES:
            yield Block(tuple(steps), tuple(source))
            steps, source, is_answer = [], [], True
            continue
        source.append(line.rstrip())
        if line.strip() and not line.strip().startswith("#"):
            steps.append((number, line.strip()))
    if steps:
        yield Block(tuple(steps), tuple(source))


def perform_block(
    text: str, play_run: PlayRun = Run.play_steps, *, is_drawn: bool = False
) -> Played:
    """Play a file of any kind, and draw it if `is_drawn`. Raises ScenarioError."""
    blocks = list(parse_scenario(text))
    recorder = Recorder() if is_drawn else None
    first = blocks[0].steps[0] if blocks and blocks[0].steps else (0, "")
    match first[1].split(maxsplit=1):
        case [word, *_] if word == RUN:
            return perform_run(blocks, play_run, recorder)
        case [word, *_] if word == SCENARIO:
            if recorder is not None:
                raise ScenarioError(*first, "a file of many scenarios has no picture")
            return perform_conflicts(text)
        case _:
            pass
    stage = ScenarioRunner(recorder)
    found = "\n".join(render_scenario(block, play_text(stage, block)) for block in blocks)
    if recorder is None:
        return Played(found)
    return Played(found, recorder.make_picture(stage.process_names, stage.start).svg())


def perform_conflicts(text: str) -> Played:
    """Play each conflict scenario of a file in a new world. Raises ScenarioError.

    Scenarios marked `instant` are skipped, because a simulated sync takes time.
    """
    for conflict in parse_conflicts(text):
        if not conflict.is_instant:
            perform_conflict(conflict)
    return Played(text)


def perform_conflict(conflict: ConflictScenario) -> None:
    """Play one conflict scenario in a new world. Raises ScenarioError."""
    stage = ScenarioRunner()
    for number, line in conflict.steps:
        take_step(stage, number, line)
    stage.end_apart()


def perform_run(blocks: Sequence[Block], play_run: PlayRun, recorder: Recorder | None) -> Played:
    """Play a run of a campaign. Raises ScenarioError."""
    for block in blocks[1:]:
        for number, line in block.steps:
            raise ScenarioError(number, line, "a file holds one run, of one block")
    script = read_run_text(blocks[0])
    options = script.options
    result = play_run(Run(options, recorder=recorder), script.steps)
    found = render_scenario(blocks[0], [run_outcome(result)])
    if recorder is None:
        return Played(found, result=result)
    picture = recorder.make_picture((*options.names, *options.followers))
    return Played(found, picture.svg(), result)


def read_run_text(block: Block) -> Script:
    """Return the run that a block describes. Raises ScenarioError."""
    reader = ScriptReader()
    for number, line in block.steps:
        try:
            reader.read_line(line)
        except ScenarioMistake as error:
            raise ScenarioError(number, line, str(error)) from error
    try:
        return reader.make_script()
    except ScenarioMistake as error:
        raise ScenarioError(*block.steps[0], str(error)) from error


def run_outcome(result: Result) -> str:
    """Return the output of a run: its verdict and the reason, in one line."""
    return " ".join(verdict_text(result).split())


def render_run(script: Script, result: Result) -> str:
    """Return a run and its verdict as the text of a file."""
    lines = ["# python -m sim --scenario FILE plays this file again", *script.text_lines()]
    return render_scenario(Block((), tuple(lines)), [run_outcome(result)])


def render_scenario(block: Block, output: list[str]) -> str:
    """Return one block as text, with its output below the dashes."""
    return "\n".join([*block.source, DASHES, *output]) + "\n"


def play_text(stage: ScenarioRunner, block: Block) -> list[str]:
    """Play the steps of a block. Return the lines of its output."""
    stage.begin_block()
    for number, line in block.steps:
        take_step(stage, number, line)
    for site in stage.world.places.values():
        if not site.is_up:
            stage.output.append(f"{site.name}: down")
        else:
            site.advance_clocks()
            stage.output.append(f"{site.name}: {format_state(site.replica.keyspace)}")
    return stage.output


def take_step(stage: ScenarioRunner, number: int, line: str) -> None:
    """Play one step. Raises ScenarioError."""
    try:
        take_words(stage, line, FORMS)
    except (ScenarioMistake, Violation) as error:
        raise ScenarioError(number, line, str(error)) from error
    except (AssertionError, CRDTError, LookupError, TypeError, ValueError) as error:
        why = f"no crash: {type(error).__name__}: {error} ({locate_run(error)})"
        raise ScenarioError(number, line, why) from error


FORMS: Final[dict[str, Form[ScenarioRunner]]] = {
    "regions": Form("regions A B ...", ScenarioRunner.set_regions, 1),
    "topology": Form("topology NAME", ScenarioRunner.set_topology, 1, 1),
    "delay": Form("delay TIME", ScenarioRunner.set_delay, 1, 1),
    "backlog": Form("backlog BYTES", ScenarioRunner.set_backlog, 1, 1),
    "waiting": Form("waiting BYTES", ScenarioRunner.set_waiting, 1, 1),
    "unmodelled": Form("unmodelled", ScenarioRunner.set_unmodelled, 0, 0),
    "follower": Form("follower F N A [B]", ScenarioRunner.set_follower, 3),
    "write": Form("write R|all COMMAND", ScenarioRunner.run_write, 2),
    "read": Form("read R|all COMMAND", ScenarioRunner.run_read, 2),
    "check": Form("check R|all COMMAND => JSON", ScenarioRunner.check_reply, 4),
    "tell": Form("tell [R]", ScenarioRunner.show_value, 0, 1),
    "vectors": Form("vectors", ScenarioRunner.show_vectors, 0, 0),
    "cut": Form("cut A [B]", ScenarioRunner.cut_regions, 1, 2),
    "silence": Form("silence A [B], or silence A > B", ScenarioRunner.silence_regions, 1, 3),
    "heal": Form("heal [A [B]]", ScenarioRunner.heal_regions, 0, 2),
    "unlink": Form("unlink A > B, or unlink all", ScenarioRunner.cut_link, 1, 3),
    "relink": Form("relink A > B", ScenarioRunner.heal_link, 3, 3),
    "sync": Form("sync [A B ...]", ScenarioRunner.sync_regions),
    "crash": Form("crash R", ScenarioRunner.crash_process, 1, 1),
    "keep": Form("keep R", ScenarioRunner.keep_snapshot, 1, 1),
    "restart": Form("restart R [kept] [amnesic|unaware]", ScenarioRunner.restart_process, 1, 3),
    "list": Form("list R A B ...", ScenarioRunner.list_regions, 2),
    "forge": Form("forge R A", ScenarioRunner.forge_hello, 2, 2),
    "promote": Form("promote F", ScenarioRunner.promote_follower, 1, 1),
    "follow": Form("follow F", ScenarioRunner.follow_again, 1, 1),
    "settle": Form("settle", ScenarioRunner.wait_converged, 0, 0),
    "wait": Form("wait TIME", ScenarioRunner.advance_by, 1, 1),
    "clock": Form("clock R|all +TIME|-TIME|stop|go", ScenarioRunner.set_clock, 2, 2),
}
