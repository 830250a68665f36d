"""Scenarios as text: what regions do, what befalls them, and what everybody reads then.

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

Below the dashes stands what is to be seen: what `read` and `tell` had to say, and what readers see
in every region at the end of the block. An empty line ends that, and another block may follow in
the same world. `replay` gives the whole file as it is in truth, so a difference is a changed
behaviour, to be wanted or not.

    regions A B ...             first, once; numbered from 1; default: eu us ap
    topology NAME               mesh (default), star, ring or line
    delay TIME                  one way, between any two (default 40ms)
    backlog BYTES               of every region; also `waiting BYTES`
    write R COMMAND             a client's command; several, separated by ` ; `, are sent at once
    read R|all COMMAND          the same, and the reply is shown
    tell [R]                    show what the links of all regions, or one, report from here on
    cut A [B]                   separate two regions, which notice; `cut A` cuts it from all others
    silence A [B]               nothing passes, and nobody is told; `silence A > B` one way only
    heal [A [B]]                end every cut and silence, those of A, or those of A and B
    unlink A > B | relink A > B as CRDB.LINK CUT and HEAL: ops of A, to B
    settle | wait TIME          until everything has arrived where it can | just so long
    clock R|all +TIME|-TIME     step a wall clock; `stop` and `go` hold it and let it run
    crash R | keep R            lose all memory | write a snapshot to a disk
    restart R [kept] [amnesic]  begin another life, empty or from that snapshot; `amnesic`: by the
                                number of the last; `unaware`: not knowing that there was one
    list R A B ...              the regions in the file of R, from its next start on; default: all
    forge R A                   somebody tells R, in the name of A, of writes that R never made
    follower F N A [B]          before the world begins: F follows A, with region number N itself
    promote F | follow F        make it a database of its own, or a follower again
    vectors                     show what every region has applied

Words are parted by spaces; a word in quotation marks may hold some, or a `#`, which else begins a
comment. Times are written 200ms, 1.5s or 2m. What a line cannot mean is said with its number.

A file that begins with `run SEED` holds a run of the campaign instead, such as a failing one that
was made small. Its language is that of `script`, and the verdict stands below its dashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from crdt.errors import CRDTError
from sim.campaign.run import Result, Run, place
from sim.campaign.summary import verdict
from sim.engine.checker import Violation
from sim.nodes.state import state_text
from sim.report.report import Recorder
from sim.scenarios.language import Form, Mistake, take
from sim.scenarios.script import RUN, Reader, Script
from sim.scenarios.stage import Stage
from sim.schedule.step import Step

DASHES: Final = "----"

PlayRun: TypeAlias = Callable[[Run, Sequence[Step]], Result]
"""Plays a run of the campaign with these steps."""


class ScenarioError(Exception):
    """A line of a scenario makes no sense, or shows that a promise is broken."""

    def __init__(self, number: int, line: str, why: str) -> None:
        super().__init__(f"line {number}: {line!r}: {why}")


@attrs.frozen
class Block:
    """Steps, each with the number of its line, and the lines as they stand in the file."""

    steps: tuple[tuple[int, str], ...]
    source: tuple[str, ...]


@attrs.frozen
class Played:
    """What came of a file: how it should read, a picture if one was wanted, and, of a run of the
    campaign, the result."""

    text: str
    picture: str = ""
    result: Result | None = None


def parse(text: str) -> Iterator[Block]:
    """The blocks of a file; what was expected of them is left out."""
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


def replay(text: str) -> str:
    """The file with what happens in truth. Raises ScenarioError."""
    return perform(text).text


def draw_scenario(text: str) -> str:
    """Return a picture (SVG) of what happens in a file. Raises ScenarioError."""
    return perform(text, is_drawn=True).picture


def perform(text: str, play_run: PlayRun = Run.play, *, is_drawn: bool = False) -> Played:
    """Play a file, and draw it if that is wanted. Raises ScenarioError."""
    blocks = list(parse(text))
    recorder = Recorder() if is_drawn else None
    if blocks and blocks[0].steps and blocks[0].steps[0][1].split()[0] == RUN:
        return perform_run(blocks, play_run, recorder)
    stage = Stage(recorder)
    found = "\n".join(render(block, play(stage, block)) for block in blocks)
    if recorder is None:
        return Played(found)
    return Played(found, recorder.picture(stage.places, stage.start).svg())


def perform_run(blocks: Sequence[Block], play_run: PlayRun, recorder: Recorder | None) -> Played:
    """Play a run of the campaign. Raises ScenarioError."""
    for block in blocks[1:]:
        for number, line in block.steps:
            raise ScenarioError(number, line, "a file holds one run, of one block")
    script = read_run(blocks[0])
    options = script.options
    result = play_run(Run(options, recorder=recorder), script.steps)
    found = render(blocks[0], [outcome(result)])
    if recorder is None:
        return Played(found, result=result)
    picture = recorder.picture((*options.names, *options.followers))
    return Played(found, picture.svg(), result)


def read_run(block: Block) -> Script:
    """Return the run that a block tells. Raises ScenarioError."""
    reader = Reader()
    for number, line in block.steps:
        try:
            reader.take(line)
        except Mistake as error:
            raise ScenarioError(number, line, str(error)) from error
    try:
        return reader.script()
    except Mistake as error:
        raise ScenarioError(*block.steps[0], str(error)) from error


def outcome(result: Result) -> str:
    """Return what stands below the dashes of a run: its verdict, and why, in one line."""
    return " ".join(verdict(result).split())


def render_run(script: Script, result: Result) -> str:
    """Return a run, and what came of it, as a file."""
    lines = ["# python -m sim --scenario FILE plays this file again", *script.lines()]
    return render(Block((), tuple(lines)), [outcome(result)])


def render(block: Block, told: list[str]) -> str:
    """One block as it should stand in the file."""
    return "\n".join([*block.source, DASHES, *told]) + "\n"


def play(stage: Stage, block: Block) -> list[str]:
    """Take the steps of a block; what is to be seen."""
    stage.begin_block()
    for number, line in block.steps:
        try:
            take(stage, line, FORMS)
        except (Mistake, Violation) as error:
            raise ScenarioError(number, line, str(error)) from error
        except (AssertionError, CRDTError, LookupError, TypeError, ValueError) as error:
            why = f"no crash: {type(error).__name__}: {error} ({place(error)})"
            raise ScenarioError(number, line, why) from error
    for site in stage.world.places.values():
        if not site.is_up:
            stage.told.append(f"{site.name}: down")
        else:
            site.advance()
            stage.told.append(f"{site.name}: {state_text(site.replica.keyspace)}")
    return stage.told


FORMS: Final[dict[str, Form[Stage]]] = {
    "regions": Form("regions A B ...", Stage.set_regions, 1),
    "topology": Form("topology NAME", Stage.set_topology, 1, 1),
    "delay": Form("delay TIME", Stage.set_delay, 1, 1),
    "backlog": Form("backlog BYTES", Stage.set_backlog, 1, 1),
    "waiting": Form("waiting BYTES", Stage.set_waiting, 1, 1),
    "follower": Form("follower F N A [B]", Stage.set_follower, 3),
    "write": Form("write R COMMAND", Stage.write, 2),
    "read": Form("read R|all COMMAND", Stage.read, 2),
    "tell": Form("tell [R]", Stage.tell, 0, 1),
    "vectors": Form("vectors", Stage.vectors, 0, 0),
    "cut": Form("cut A [B]", Stage.cut, 1, 2),
    "silence": Form("silence A [B], or silence A > B", Stage.silence, 1, 3),
    "heal": Form("heal [A [B]]", Stage.heal, 0, 2),
    "unlink": Form("unlink A > B", Stage.unlink, 3, 3),
    "relink": Form("relink A > B", Stage.relink, 3, 3),
    "crash": Form("crash R", Stage.crash, 1, 1),
    "keep": Form("keep R", Stage.keep, 1, 1),
    "restart": Form("restart R [kept] [amnesic|unaware]", Stage.restart, 1, 3),
    "list": Form("list R A B ...", Stage.list_regions, 2),
    "forge": Form("forge R A", Stage.forge, 2, 2),
    "promote": Form("promote F", Stage.promote, 1, 1),
    "follow": Form("follow F", Stage.follow, 1, 1),
    "settle": Form("settle", Stage.settle, 0, 0),
    "wait": Form("wait TIME", Stage.wait, 1, 1),
    "clock": Form("clock R|all +TIME|-TIME|stop|go", Stage.clock, 2, 2),
}
