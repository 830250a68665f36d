"""Scripts: the options and steps of one run as text, which can be edited and replayed.

    # us has not seen eu's add when it removes
    run 7
    regions eu us
    length 6s
    at 1s cut eu us for 2.5s
    at 1.2s write eu SADD cart milk
    at 1.3s write us SREM cart milk
    ----
    valid

A script is a scenario file (see `scenario`) with a single block that begins with `run SEED`. Its
steps replace those that the seed would draw. They are played in their order, each at its time, or
immediately if that time has passed. Then all faults are healed, and the run is checked like any
other run. The verdict is below the dashes.

The seed still determines delays, random replies and incarnations. Other options have defaults:

    run SEED                    first line: 0 to 2^63 - 1; links share a secret if it is odd
    regions A B ...             second line: the regions, numbered from 1
    topology NAME               mesh (default), star, ring or line
    latency NAME                `measured`, or a preset for all ways; default: metro
    length TIME                 time until all is healed; default: 1 s after the last step
    follower F N A [B]          F, with region number N, follows A
    tuning R|all NAME N ...     limits of a region, such as `history_bytes 400`; the names are the
                                fields of `Tuning` and `Limits`, times are in ns
    clock R +TIME|-TIME         the error of a region's wall clock
    ticks TIME                  the resolution of wall clocks; default: 1ms
    pieces N                    the percentage of chunks that arrive in pieces
    core N                      the number of regions that must converge without the others
    at TIME write R COMMAND     a client's command; several, separated by ` ; `, are sent together
    at TIME client N R COMMAND  the same in session N, which can read and move (see `session`)
    at TIME FAULT A B ...       a kind of fault (docs/faults.md) with its targets; then optionally
                                `for TIME` or `to the end`, and `with N` for its strength
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs

from geo.latency import PRESETS
from geo.topology import SHAPES
from replication.protocol.limits import Limits
from sim.campaign.command import SEED_MAX
from sim.campaign.options import RunOptions
from sim.engine.events import MS, SECOND
from sim.faults.kinds import (
    FAULTS,
    Fault,
    all_regions,
    linked_pair,
    one_follower,
    one_region,
    two_regions,
)
from sim.scenarios.language import (
    ALL,
    DIGITS_MAX,
    Form,
    ScenarioMistake,
    follower_of,
    format_time,
    parse_choice,
    parse_commands,
    parse_number,
    parse_time,
    region_names,
    take_words,
)
from sim.schedule.plan import USUAL, Copy, Tuning
from sim.schedule.step import FOREVER, ScheduleStep
from sim.schedule.writes import Load

RUN: Final = "run"
WRITE: Final = "write"
CLIENT: Final = "client"
FOR: Final = "for"
TO_THE_END: Final = ("to", "the", "end")
WITH: Final = "with"
KEYWORDS: Final = frozenset({FOR, TO_THE_END[0], WITH})
LATENCIES: Final = ("measured", *PRESETS)
SEPARATOR: Final = ";"
NUMBER_MAX: Final = 10**DIGITS_MAX - 1
LIMITS: Final = tuple(field.name for field in attrs.fields(Limits))
TUNINGS: Final = (*(name.name for name in attrs.fields(Tuning) if name.name != "limits"), *LIMITS)
"""The names of all values of a region's tuning."""
TARGET_COUNTS: Final[dict[Callable[..., object], int]] = {
    one_region: 1,
    one_follower: 1,
    two_regions: 2,
    linked_pair: 2,
}
"""The number of targets of a fault, by its choice function. Other choices accept any number."""


@attrs.frozen
class Script:
    """A run that can be written as text: its options and its steps."""

    options: RunOptions
    steps: tuple[ScheduleStep, ...]

    @staticmethod
    def from_run(options: RunOptions, steps: Sequence[ScheduleStep]) -> Script:
        """Return a script of these steps. Options that only serve to draw steps are reset."""
        plain = plain_options(options.seed, options.names, options.length)
        kinds = {step.kind for step in steps}
        return Script(
            attrs.evolve(
                plain,
                topology=options.topology,
                latency=options.latency,
                tunings={
                    name: tuning for name, tuning in options.tunings.items() if tuning != USUAL
                },
                offsets={name: ms for name, ms in options.offsets.items() if ms},
                tick_ms=options.tick_ms,
                chops=options.chops,
                copies=options.copies,
                core=options.core,
                faults=tuple(name for name in FAULTS if name in kinds),
            ),
            tuple(steps),
        )

    def text_lines(self) -> Iterator[str]:
        """Yield the lines of the script, without the verdict."""
        options = self.options
        plain = plain_options(options.seed, options.names, options.length)
        yield f"{RUN} {options.seed}"
        yield f"regions {' '.join(options.names)}"
        for copy in options.copies:
            yield f"follower {copy.name} {copy.number} {' '.join(copy.sources)}"
        for name in ("topology", "latency"):
            if getattr(options, name) != getattr(plain, name):
                yield f"{name} {getattr(options, name)}"
        yield f"length {format_time(options.length)}"
        yield from tuning_lines(options)
        for name in options.names:
            if ms := options.offsets.get(name, 0):
                yield f"clock {name} {'-' if ms < 0 else '+'}{format_time(abs(ms) * MS)}"
        if options.tick_ms != plain.tick_ms:
            yield f"ticks {format_time(options.tick_ms * MS)}"
        if options.chops:
            yield f"pieces {options.chops}"
        if options.core:
            yield f"core {options.core}"
        for step in self.steps:
            yield step_line(step)


def plain_options(seed: int, names: tuple[str, ...], length: int) -> RunOptions:
    """Return options with default values, which draw no steps."""
    return RunOptions(
        seed=seed,
        names=names,
        topology="mesh",
        latency="metro",
        length=length,
        load=Load(),
        bursts=0,
        faults=(),
        mean=SECOND,
        tunings={},
        offsets={},
        tick_ms=1,
        chops=0,
        copies=(),
        lasting=(),
        core=0,
    )


# -- to text -----------------------------------------------------------------------------------


def numbers_of(tuning: Tuning) -> dict[str, int]:
    """Return all values of a tuning by name."""
    return {
        name: int(getattr(tuning.limits if name in LIMITS else tuning, name)) for name in TUNINGS
    }


def differing_fields(tuning: Tuning) -> dict[str, int]:
    """Return the values of a tuning that differ from the defaults, by name."""
    usual = numbers_of(USUAL)
    return {name: number for name, number in numbers_of(tuning).items() if number != usual[name]}


def tuning_lines(options: RunOptions) -> Iterator[str]:
    """Yield one line for values that all regions share, and one for the rest of each region."""
    each = {name: differing_fields(options.tunings.get(name, USUAL)) for name in options.names}
    first = each[options.names[0]]
    common = {
        name: number
        for name, number in first.items()
        if all(tuning.get(name) == number for tuning in each.values())
    }
    rests = {
        region: {name: number for name, number in tuning.items() if name not in common}
        for region, tuning in each.items()
    }
    for region, tuning in {ALL: common, **rests}.items():
        if tuning:
            yield f"tuning {region} {' '.join(f'{name} {n}' for name, n in tuning.items())}"


def step_line(step: ScheduleStep) -> str:
    """Return a step as a line. Raises ValueError if a word cannot be written in a line."""
    words = ["at", format_time(step.at), step.kind]
    if step.kind in {WRITE, CLIENT}:
        if step.kind == CLIENT:
            words.append(str(step.value))
        words += step.regions
        for number, command in enumerate(step.commands):
            if any(word == SEPARATOR or not word.isprintable() for word in command):
                raise ValueError(f"a word of {command} cannot be written in a line")
            words += [SEPARATOR] if number else []
            words += map(shlex.quote, command)
        return " ".join(words)
    words += step.regions
    if step.lasts >= FOREVER:
        words += TO_THE_END
    elif step.lasts:
        words += [FOR, format_time(step.lasts)]
    if step.value:
        words += [WITH, str(step.value)]
    return " ".join(words)


# -- from text ---------------------------------------------------------------------------------


class ScriptReader:
    """Reads a script, line by line."""

    def __init__(self) -> None:
        self.seed = -1
        self.names: tuple[str, ...] = ()
        self.declared: dict[str, Any] = {}
        """The options that lines have set."""
        self.copies: list[Copy] = []
        self.tunings: dict[str, dict[str, int]] = {}
        self.offsets: dict[str, int] = {}
        self.steps: list[ScheduleStep] = []

    def read_line(self, line: str) -> None:
        """Read one line. Raises ScenarioMistake."""
        take_words(self, line, FORMS)

    def make_script(self) -> Script:
        """Return the script. Raises ScenarioMistake if no line has named the regions."""
        self.require_names()
        end = max((step.at + step.lasts for step in self.steps if step.lasts < FOREVER), default=0)
        options = attrs.evolve(
            plain_options(self.seed, self.names, end + SECOND),
            tunings={name: tuning_of(numbers) for name, numbers in self.tunings.items()},
            offsets=self.offsets,
            copies=tuple(self.copies),
            **self.declared,
        )
        return Script.from_run(options, self.steps)

    @property
    def process_names(self) -> tuple[str, ...]:
        """The names of all regions and followers."""
        return (*self.names, *(copy.name for copy in self.copies))

    def require_names(self) -> None:
        """Raise ScenarioMistake if the regions are not known yet."""
        if not self.names:
            raise ScenarioMistake("say `regions A B ...` first, behind `run SEED`")

    def require_region(self, name: str) -> str:
        """Return the name of a region. Raises ScenarioMistake if it is unknown."""
        self.require_names()
        if name not in self.names:
            raise ScenarioMistake(
                f"no region is called {name!r}; there are: {', '.join(self.names)}"
            )
        return name

    def require_process(self, name: str) -> str:
        """Return the name of a region or a follower. Raises ScenarioMistake if it is unknown."""
        self.require_names()
        if name not in self.process_names:
            raise ScenarioMistake(
                f"no region is called {name!r}; there are: {', '.join(self.process_names)}"
            )
        return name

    # -- options ---------------------------------------------------------------------------

    def set_seed(self, words: list[str]) -> None:
        if self.seed >= 0:
            raise ScenarioMistake("a file holds one run")
        if not words[0].isascii() or not words[0].isdigit() or int(words[0]) > SEED_MAX:
            raise ScenarioMistake(f"{words[0]!r} is no seed: give a number, 0 to 2^63 - 1")
        self.seed = int(words[0])

    def set_regions(self, words: list[str]) -> None:
        if self.names:
            raise ScenarioMistake("the regions are given twice")
        if KEYWORDS & set(words):
            raise ScenarioMistake(
                f"a region of a run cannot be called {', '.join(sorted(KEYWORDS))}"
            )
        if len(words) < 2:
            raise ScenarioMistake("a run has two regions or more")
        self.names = region_names(words)

    def set_topology(self, words: list[str]) -> None:
        self.declared["topology"] = parse_choice(words[0], "a topology", SHAPES)

    def set_latency(self, words: list[str]) -> None:
        self.declared["latency"] = parse_choice(words[0], "a latency", LATENCIES)

    def set_length(self, words: list[str]) -> None:
        self.declared["length"] = parse_time(words[0])

    def set_follower(self, words: list[str]) -> None:
        self.require_names()
        copy = follower_of(words, self.process_names)
        if copy.name in KEYWORDS:
            raise ScenarioMistake(f"{copy.name!r} cannot be a follower's name")
        self.copies.append(
            attrs.evolve(copy, sources=tuple(map(self.require_region, copy.sources)))
        )

    def set_tuning(self, words: list[str]) -> None:
        self.require_names()
        region, *pairs = words
        if len(pairs) % 2:
            raise ScenarioMistake("a number is missing: tuning R|all NAME N ...")
        names = self.names if region == ALL else (self.require_region(region),)
        for name, text in zip(pairs[::2], pairs[1::2], strict=True):
            parse_choice(name, "a number that a region is tuned by", TUNINGS)
            number = parse_number(text, f"number for {name}", 1, NUMBER_MAX)
            for each in names:
                self.tunings.setdefault(each, {})[name] = number

    def set_clock(self, words: list[str]) -> None:
        name, span = self.require_region(words[0]), words[1]
        if span[:1] not in {"+", "-"}:
            raise ScenarioMistake(f"{span!r} is no deviation of a clock: write +5s or -5s")
        self.offsets[name] = parse_whole_ms(span[1:]) * (-1 if span.startswith("-") else 1)

    def set_ticks(self, words: list[str]) -> None:
        self.declared["tick_ms"] = max(1, parse_whole_ms(words[0]))

    def set_pieces(self, words: list[str]) -> None:
        self.declared["chops"] = parse_number(words[0], "share of chunks in per cent", 0, 100)

    def set_core(self, words: list[str]) -> None:
        self.require_names()
        self.declared["core"] = parse_number(words[0], "number of regions", 0, len(self.names))

    # -- steps -----------------------------------------------------------------------------

    def add_step(self, words: list[str]) -> None:
        self.require_names()
        at, kind, rest = parse_time(words[0]), words[1], words[2:]
        if kind == WRITE:
            step = self.add_write(at, rest)
        elif kind == CLIENT:
            step = self.add_session(at, rest)
        else:
            step = self.add_fault(at, parse_choice(kind, "a step", (WRITE, CLIENT, *FAULTS)), rest)
        self.steps.append(step)

    def add_write(self, at: int, words: list[str]) -> ScheduleStep:
        if len(words) < 2:
            raise ScenarioMistake("too few words: at TIME write R COMMAND")
        asked = tuple(parse_commands(words[1:]))
        return ScheduleStep(at, WRITE, (self.require_process(words[0]),), commands=asked)

    def add_session(self, at: int, words: list[str]) -> ScheduleStep:
        if len(words) < 3:
            raise ScenarioMistake("too few words: at TIME client N R COMMAND")
        number = parse_number(words[0], "number of a session", 0, NUMBER_MAX)
        asked = tuple(parse_commands(words[2:]))
        return ScheduleStep(
            at, CLIENT, (self.require_process(words[1]),), value=number, commands=asked
        )

    def add_fault(self, at: int, kind: str, words: list[str]) -> ScheduleStep:
        fault = FAULTS[kind]
        end = next((i for i, word in enumerate(words) if word in KEYWORDS), len(words))
        regions, rest = tuple(words[:end]), words[end:]
        self.check_regions(fault, regions)
        lasts = value = 0
        if rest[:1] == [FOR] and len(rest) > 1:
            lasts, rest = parse_time(rest[1]), rest[2:]
        elif tuple(rest[:3]) == TO_THE_END:
            lasts, rest = FOREVER, rest[3:]
        low, high = fault.values
        if rest[:1] == [WITH] and len(rest) > 1:
            value, rest = parse_number(rest[1], f"strength of {kind}", low, high), rest[2:]
        elif low > 0:
            raise ScenarioMistake(f"say how strong it is: `with N`, {low} to {high}")
        if rest:
            raise ScenarioMistake(
                f"{rest[0]!r} is too much: at TIME {kind} A B ... [for TIME] [with N]"
            )
        return ScheduleStep(at, kind, regions, lasts, value)

    def check_regions(self, fault: Fault, regions: tuple[str, ...]) -> None:
        """Raise ScenarioMistake if these are not valid targets of a fault."""
        copies = [copy.name for copy in self.copies]
        for name in regions:
            if fault.choose is not one_follower:
                self.require_region(name)
            elif name not in copies:
                raise ScenarioMistake(f"no follower is called {name!r}")
        if len(set(regions)) < len(regions):
            raise ScenarioMistake("name each place once")
        wanted = TARGET_COUNTS.get(fault.choose)
        least = wanted or (fault.least if fault.choose is all_regions else 1)
        if len(regions) < least or len(regions) > (wanted or len(regions)):
            raise ScenarioMistake(
                f"{fault.name} befalls {least}{'' if wanted else ' or more'} of them"
            )


def tuning_of(numbers: dict[str, int]) -> Tuning:
    """Return the default tuning with some values replaced. For flags, 1 means True."""
    limits = {name: number for name, number in numbers.items() if name in LIMITS}
    others: dict[str, Any] = {
        name: type(getattr(USUAL, name))(number)
        for name, number in numbers.items()
        if name not in limits
    }
    return attrs.evolve(USUAL, limits=attrs.evolve(USUAL.limits, **limits), **others)


def parse_whole_ms(text: str) -> int:
    """Return a time in whole ms. Raises ScenarioMistake."""
    ms, rest = divmod(parse_time(text), MS)
    if rest:
        raise ScenarioMistake(f"{text!r} is no time in whole ms")
    return ms


FORMS: Final[dict[str, Form[ScriptReader]]] = {
    RUN: Form("run SEED", ScriptReader.set_seed, 1, 1),
    "regions": Form("regions A B ...", ScriptReader.set_regions, 1),
    "topology": Form("topology NAME", ScriptReader.set_topology, 1, 1),
    "latency": Form("latency NAME", ScriptReader.set_latency, 1, 1),
    "length": Form("length TIME", ScriptReader.set_length, 1, 1),
    "follower": Form("follower F N A [B]", ScriptReader.set_follower, 3),
    "tuning": Form("tuning R|all NAME N ...", ScriptReader.set_tuning, 3),
    "clock": Form("clock R +TIME|-TIME", ScriptReader.set_clock, 2, 2),
    "ticks": Form("ticks TIME", ScriptReader.set_ticks, 1, 1),
    "pieces": Form("pieces N", ScriptReader.set_pieces, 1, 1),
    "core": Form("core N", ScriptReader.set_core, 1, 1),
    "at": Form("at TIME WHAT R ...", ScriptReader.add_step, 3),
}
