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
    cut A B | heal [A B]        separate two regions, which notice; `cut A` cuts it from all others
    silence A B | silence A > B nothing passes, both ways or one, and nobody is told
    unlink A > B | relink A > B as CRDB.LINK CUT and HEAL: ops of A, to B
    settle | wait TIME          until everything has arrived where it can | just so long
    clock R|all +TIME|-TIME     step a wall clock; `stop` and `go` hold it and let it run
    crash R | keep R            lose all memory | write a snapshot to a disk
    restart R [kept] [amnesic]  begin another life, empty or from that snapshot; `amnesic`: by the
                                number of the last; `unaware`: not knowing that there was one
    follower F N A [B]          before the world begins: F follows A, with region number N itself
    promote F | follow F        make it a database of its own, or a follower again
    vectors                     show what every region has applied
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import attrs

from geo.latency import Latency, ms
from geo.topology import SHAPES
from sim.checkers.checker import Violation
from sim.checkers.convergence import shown
from sim.engine import MS, SECOND
from sim.plan import Copy, Plan, Tuning
from sim.saying import reply_text
from sim.site import Start
from sim.state import state_text
from sim.world import World

DASHES: Final = "----"
UNITS: Final = (("ms", MS), ("s", SECOND), ("m", 60 * SECOND))
SETTLE_MAX: Final = 120 * SECOND
ALL: Final = "all"


class ScenarioError(Exception):
    """A line of a scenario makes no sense."""

    def __init__(self, number: int, line: str, why: str) -> None:
        super().__init__(f"line {number}: {line!r}: {why}")


@attrs.frozen
class Block:
    """Steps, each with the number of its line, and the lines as they stand in the file."""

    steps: tuple[tuple[int, str], ...]
    source: tuple[str, ...]


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
        words = line.partition("#")[0].strip()
        if words:
            steps.append((number, words))
    if steps:
        yield Block(tuple(steps), tuple(source))


def replay(text: str) -> str:
    """The file with what happens in truth. Raises ScenarioError."""
    stage = Stage()
    return "\n".join(render(block, stage.play(block)) for block in parse(text))


def render(block: Block, told: list[str]) -> str:
    """One block as it should stand in the file."""
    return "\n".join([*block.source, DASHES, *told]) + "\n"


def parse_time(text: str) -> int:
    """`200ms`, `5s` or `2m` in ns. Raises ValueError."""
    for unit, ns in UNITS:
        number = text.removesuffix(unit)
        if number != text and number.isdigit():
            return int(number) * ns
    raise ValueError(f"{text!r} is no time: write 200ms, 5s or 2m")


class Stage:
    """A world that a scenario is played in."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self.names: tuple[str, ...] = ("eu", "us", "ap")
        self.copies: list[Copy] = []
        self.made: World | None = None
        self.told: list[str] = []
        self.told_of: tuple[str, ...] = ()
        self.begun = 0
        self.healing: list[tuple[tuple[str, ...], Callable[[], None]]] = []
        self.kept: dict[str, list[bytes]] = {}

    @property
    def world(self) -> World:
        """The world, made at its first use."""
        if self.made is None:
            settings = self.settings
            tuning = Tuning(
                history_bytes=int(settings.get("backlog", 1 << 20)),
                waiting_bytes=int(settings.get("waiting", 64 << 20)),
            )
            delay_ms = parse_time(settings.get("delay", "40ms")) / MS
            plan = Plan.of(
                self.names,
                topology=settings.get("topology", "mesh"),
                delay_ms=delay_ms,
                tuning=tuning,
            )
            near = Latency.constant(ms(delay_ms))
            self.made = World(attrs.evolve(plan, copies=tuple(self.copies), near=near))
            self.made.settle(SETTLE_MAX)
            self.made.sleep(SECOND)
            self.made.on_event = self.hear
        return self.made

    def play(self, block: Block) -> list[str]:
        """Take the steps of a block; what is to be seen."""
        self.told = []
        if self.made is not None:
            self.begun = self.made.now
        for number, line in block.steps:
            name, _, rest = line.partition(" ")
            act = STEPS.get(name)
            if act is None:
                raise ScenarioError(number, line, f"there is no step {name!r}")
            try:
                act(self, rest.split())
            except (ValueError, KeyError, AssertionError, Violation) as error:
                raise ScenarioError(number, line, str(error) or "impossible now") from error
        for site in self.world.places.values():
            if not site.is_up:
                self.told.append(f"{site.name}: down")
            else:
                site.advance()
                self.told.append(f"{site.name}: {state_text(site.replica.keyspace)}")
        return self.told

    def hear(self, region: str, text: str) -> None:
        """The links of a region report something."""
        if region in self.told_of:
            ms = (self.world.now - self.begun) // MS
            self.told.append(f"+{ms} ms  {region} {text}")

    @property
    def places(self) -> tuple[str, ...]:
        """The names of all regions and followers."""
        return (*self.names, *(copy.name for copy in self.copies))

    def region(self, name: str) -> str:
        """A region, or a follower, by name. Raises ValueError."""
        if name not in self.places:
            raise ValueError(f"no region is called {name!r}")
        return name

    def regions(self, name: str) -> tuple[str, ...]:
        """One region, or all."""
        return self.places if name == ALL else (self.region(name),)

    def pairs(self, words: list[str]) -> list[tuple[str, str]]:
        """`A B`, or `A` for its pairs with all others."""
        if len(words) == 1:
            here = self.region(words[0])
            return [(here, name) for name in self.places if name != here]
        here, there = words
        return [(self.region(here), self.region(there))]

    # -- before the world begins -----------------------------------------------------------

    def set_regions(self, words: list[str]) -> None:
        self.require_new()
        self.names = tuple(words)

    def set_topology(self, words: list[str]) -> None:
        self.require_new()
        if words[0] not in SHAPES:
            raise ValueError(f"a topology is one of {', '.join(SHAPES)}")
        self.settings["topology"] = words[0]

    def set_follower(self, words: list[str]) -> None:
        self.require_new()
        name, number, *sources = words
        self.copies.append(Copy(name, int(number), tuple(map(self.region, sources))))

    def set_number(self, name: str, words: list[str]) -> None:
        """A setting of all regions."""
        self.require_new()
        self.settings[name] = words[0]

    def require_new(self) -> None:
        """Raises ValueError once something has happened."""
        if self.made is not None:
            raise ValueError("the world has begun")

    # -- clients ---------------------------------------------------------------------------

    def write(self, words: list[str]) -> None:
        self.world.run_all(self.region(words[0]), *commands(words[1:]))

    def read(self, words: list[str]) -> None:
        asked = commands(words[1:])
        for name in self.regions(words[0]):
            replies = self.world.run_all(name, *asked)
            told = " ".join(map(reply_text, replies))
            self.told.append(f"{name}> {' '.join(words[1:])}: {told}")

    def tell(self, words: list[str]) -> None:
        self.told_of = self.regions(words[0] if words else ALL)
        self.begun = self.world.now

    def vectors(self, _words: list[str]) -> None:
        for site in self.world.live():
            self.told.append(f"{site.name} has {shown(site.replica.vector) or 'nothing'}")

    # -- trouble ---------------------------------------------------------------------------

    def trouble(
        self, pair: tuple[str, ...], begin: Callable[[], None], end: Callable[[], None]
    ) -> None:
        """Begin something that `heal` ends."""
        begin()
        self.healing.append((pair, end))

    def cut(self, words: list[str]) -> None:
        world = self.world
        for a, b in self.pairs(words):
            self.trouble(
                (a, b), lambda a=a, b=b: world.cut(a, b), lambda a=a, b=b: world.heal(a, b)
            )

    def silence(self, words: list[str]) -> None:
        world = self.world
        if ">" in words:
            ways = [(self.region(words[0]), self.region(words[2]))]
        else:
            ways = [way for a, b in self.pairs(words) for way in ((a, b), (b, a))]
        for a, b in ways:
            self.trouble(
                (a, b), lambda a=a, b=b: world.close(a, b), lambda a=a, b=b: world.open(a, b)
            )

    def heal(self, words: list[str]) -> None:
        wanted = set(words)
        for pair, end in list(self.healing):
            if not wanted or wanted == set(pair):
                self.healing.remove((pair, end))
                end()

    def unlink(self, words: list[str]) -> None:
        self.world.cut_link(self.region(words[0]), self.region(words[2]))

    def relink(self, words: list[str]) -> None:
        self.world.heal_link(self.region(words[0]), self.region(words[2]))

    def crash(self, words: list[str]) -> None:
        self.world.crash(self.region(words[0]))

    def keep(self, words: list[str]) -> None:
        name = self.region(words[0])
        self.kept[name] = self.world.sites[name].snapshot()

    def restart(self, words: list[str]) -> None:
        name = self.region(words[0])
        kept = self.kept[name] if "kept" in words[1:] else ()
        start = Start.REUSED if "amnesic" in words[1:] else Start.COUNTED
        self.world.restart(name, kept, Start.UNAWARE if "unaware" in words[1:] else start)

    def promote(self, words: list[str]) -> None:
        self.world.copies[words[0]].promote()

    def follow(self, words: list[str]) -> None:
        self.world.copies[words[0]].follow()

    # -- time ------------------------------------------------------------------------------

    def settle(self, _words: list[str]) -> None:
        if not self.world.settle(SETTLE_MAX):
            raise ValueError(f"nothing settles within {SETTLE_MAX // SECOND} s")

    def wait(self, words: list[str]) -> None:
        self.world.sleep(parse_time(words[0]))

    def clock(self, words: list[str]) -> None:
        for name in self.regions(words[0]):
            clock = self.world.places[name].clock
            match words[1]:
                case "stop":
                    clock.set(clock.read(self.world.now))
                case "go":
                    clock.set(None)
                case span:
                    sign = -1 if span.startswith("-") else 1
                    clock.step(sign * parse_time(span.lstrip("+-")) // MS)


def commands(words: list[str]) -> list[tuple[str, ...]]:
    """Commands that are separated by semicolons."""
    found: list[tuple[str, ...]] = []
    while ";" in words:
        at = words.index(";")
        found.append(tuple(words[:at]))
        words = words[at + 1 :]
    return [*found, tuple(words)]


STEPS: Final[dict[str, Callable[[Stage, list[str]], None]]] = {
    "regions": Stage.set_regions,
    "topology": Stage.set_topology,
    "delay": lambda stage, words: stage.set_number("delay", words),
    "backlog": lambda stage, words: stage.set_number("backlog", words),
    "waiting": lambda stage, words: stage.set_number("waiting", words),
    "write": Stage.write,
    "read": Stage.read,
    "tell": Stage.tell,
    "vectors": Stage.vectors,
    "cut": Stage.cut,
    "silence": Stage.silence,
    "heal": Stage.heal,
    "unlink": Stage.unlink,
    "relink": Stage.relink,
    "crash": Stage.crash,
    "keep": Stage.keep,
    "restart": Stage.restart,
    "follower": Stage.set_follower,
    "promote": Stage.promote,
    "follow": Stage.follow,
    "settle": Stage.settle,
    "wait": Stage.wait,
    "clock": Stage.clock,
}
