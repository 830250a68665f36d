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
comment. Times are written 200ms, 5s or 2m. What a line cannot mean is said with its number.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from crdt.errors import CRDTError
from sim.campaign import place
from sim.checkers.checker import Violation
from sim.report import Recorder
from sim.stage import Mistake, Stage
from sim.state import state_text

DASHES: Final = "----"


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
class Form:
    """A kind of step: how it is written, what it does, and how many words it has at least and at
    most besides its name."""

    usage: str
    act: Callable[[Stage, list[str]], None]
    least: int = 0
    most: int = 1 << 16


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
    stage = Stage()
    return "\n".join(render(block, play(stage, block)) for block in parse(text))


def draw_scenario(text: str) -> str:
    """Return a picture (SVG) of what happens in a file. Raises ScenarioError."""
    recorder = Recorder()
    stage = Stage(recorder)
    for block in parse(text):
        play(stage, block)
    return recorder.picture(stage.places, stage.start).svg()


def render(block: Block, told: list[str]) -> str:
    """One block as it should stand in the file."""
    return "\n".join([*block.source, DASHES, *told]) + "\n"


def play(stage: Stage, block: Block) -> list[str]:
    """Take the steps of a block; what is to be seen."""
    stage.begin_block()
    for number, line in block.steps:
        try:
            take(stage, line)
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


def take(stage: Stage, line: str) -> None:
    """One step. Raises Mistake."""
    try:
        name, *words = shlex.split(line, comments=True)
    except ValueError:
        raise Mistake("a quotation mark is not closed") from None
    form = FORMS.get(name)
    if form is None:
        raise Mistake(f"there is no step {name!r}; there are: {', '.join(FORMS)}")
    if not form.least <= len(words) <= form.most:
        raise Mistake(f"too {'few' if len(words) < form.least else 'many'} words: {form.usage}")
    form.act(stage, words)


FORMS: Final[dict[str, Form]] = {
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
