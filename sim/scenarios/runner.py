"""The runner of a scenario: checks each step and applies it to a simulated world.

The first step that needs the world creates it. The lines that describe the world must come before.
Every step checks its words before it has any effect, so that a mistyped word is reported. The
language is defined in `scenario`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import attrs

from geo.latency import Latency, ms
from geo.topology import SHAPES
from sim.checkers.clients.commands import CommandChecker
from sim.checkers.clients.meaning import MeaningChecker
from sim.checkers.clients.reads import ReadsChecker
from sim.checkers.replicas.convergence import shown
from sim.checkers.replicas.rules import RulesChecker
from sim.engine.events import MS, SECOND
from sim.nodes.client import Refusal, Reply
from sim.nodes.follower import SimFollower
from sim.nodes.formatting import format_reply
from sim.nodes.region import SimRegion, Start
from sim.report.report import Recorder
from sim.scenarios.conflicts import ClientStep, ReplyChecks, parse_client_step
from sim.scenarios.language import (
    ALL,
    ARROW,
    ScenarioMistake,
    follower_of,
    parse_arrow,
    parse_bytes,
    parse_choice,
    parse_commands,
    parse_time,
    region_names,
)
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world.world import CHECKERS, SimWorld

CONVERGE_MAX: Final = 120 * SECOND
END_SLEEP: Final = 10 * SECOND
STARTS: Final = {"amnesic": Start.REUSED, "unaware": Start.UNAWARE}
KEPT: Final = "kept"
MODELS: Final = (MeaningChecker, RulesChecker, ReadsChecker, CommandChecker)
"""Checkers that model the results of commands. They support the commands of campaigns only."""
UNMODELLED: Final = tuple(checker for checker in CHECKERS if checker not in MODELS)

Act: TypeAlias = Callable[[], None]


class ScenarioRunner:
    """Runs a scenario's steps in a world, and collects the output."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self.recorder = recorder
        self.start = 0
        """The time of the first step, in ns."""
        self.names: tuple[str, ...] = ("eu", "us", "ap")
        self.topology = "mesh"
        self.delay = 40 * MS
        self.tuning = Tuning()
        self.copies: list[Copy] = []
        self.made: SimWorld | None = None
        self.output: list[str] = []
        self.traced_processes: tuple[str, ...] = ()
        self.begun = 0
        self.healing: list[tuple[tuple[str, str], Act]] = []
        self.kept: dict[str, list[bytes]] = {}
        self.checks = ReplyChecks()
        self.is_unmodelled = False

    @property
    def world(self) -> SimWorld:
        """The world, which is created at its first use."""
        if self.made is None:
            delay_ms = self.delay / MS
            plan = Plan.of(
                self.names, topology=self.topology, delay_ms=delay_ms, tuning=self.tuning
            )
            near = Latency.constant(ms(delay_ms))
            plan = attrs.evolve(plan, copies=tuple(self.copies), near=near)
            checkers = UNMODELLED if self.is_unmodelled else CHECKERS
            self.made = SimWorld(plan, checkers=checkers, recorder=self.recorder)
            self.made.converge(CONVERGE_MAX)
            self.made.sleep(SECOND)
            self.made.on_event = self.record_event
            self.start = self.made.now
        return self.made

    def begin_block(self) -> None:
        """Begin a block. Its output is shown below the next line of dashes."""
        self.output = []
        if self.made is not None:
            self.begun = self.made.now

    def record_event(self, region: str, text: str) -> None:
        """Add an event of a region to the output, if the events of that region are shown."""
        if region in self.traced_processes:
            self.output.append(f"+{(self.world.now - self.begun) // MS} ms  {region} {text}")

    # -- words -----------------------------------------------------------------------------

    @property
    def process_names(self) -> tuple[str, ...]:
        """The names of all regions and followers."""
        return (*self.names, *(copy.name for copy in self.copies))

    def named_process(self, name: str) -> str:
        """Return the name of a region or a follower. Raises ScenarioMistake if it is unknown."""
        if name not in self.process_names:
            raise ScenarioMistake(
                f"no region is called {name!r}; there are: {', '.join(self.process_names)}"
            )
        return name

    def all_named_processes(self, name: str) -> tuple[str, ...]:
        """Return the name of one process, or all names for `all`."""
        return self.process_names if name == ALL else (self.named_process(name),)

    def parse_region(self, name: str) -> str:
        """Return the name of a region. Followers are refused."""
        if self.named_process(name) not in self.names:
            raise ScenarioMistake(f"{name} is a follower; regions are: {', '.join(self.names)}")
        return name

    def running_region(self, name: str, *, is_up: bool = True) -> SimRegion | SimFollower:
        """Return a region or a follower, which must be up, or down if `is_up` is False."""
        site = self.world.places[self.named_process(name)]
        if site.is_up != is_up:
            raise ScenarioMistake(
                f"{name} is down: `restart {name}` first"
                if is_up
                else f"{name} is up: `crash {name}` first"
            )
        return site

    def running_follower(self, name: str, *, is_following: bool) -> SimFollower:
        """Return a follower, which must be following now, or not following."""
        site = self.running_region(name)
        if not isinstance(site, SimFollower):
            raise ScenarioMistake(
                f"{name} is no follower: say `follower {name} N A` before the rest"
            )
        if site.is_following != is_following:
            raise ScenarioMistake(
                f"{name} {'follows nobody now' if is_following else 'follows already'}"
            )
        return site

    def parse_pair(self, here: str, there: str) -> tuple[str, str]:
        """Return the names of two different processes."""
        if self.named_process(here) == self.named_process(there):
            raise ScenarioMistake(f"{here} and {there} are one: name two")
        return here, there

    def parse_pairs(self, words: list[str]) -> list[tuple[str, str]]:
        """Return the pair `A B`, or all pairs of `A` with others if only `A` is given."""
        if len(words) == 1:
            here = self.named_process(words[0])
            return [(here, name) for name in self.process_names if name != here]
        return [self.parse_pair(*words)]

    def parse_link(self, words: list[str]) -> tuple[str, str]:
        """Return the source and the sink of `A > B`, which must be a link."""
        source, sink = map(self.parse_region, parse_arrow(words))
        if source not in self.world.sites[sink].links.peers:
            raise ScenarioMistake(f"no link leads from {source} to {sink}")
        return source, sink

    # -- before the world begins -----------------------------------------------------------

    def require_new(self) -> None:
        """Raise ScenarioMistake if the world has already been created."""
        if self.made is not None:
            raise ScenarioMistake("the world has begun: say this before")

    def set_regions(self, words: list[str]) -> None:
        self.require_new()
        if self.copies:
            raise ScenarioMistake("say this before the followers")
        self.names = region_names(words)

    def set_unmodelled(self, _words: list[str]) -> None:
        self.require_new()
        self.is_unmodelled = True

    def set_topology(self, words: list[str]) -> None:
        self.require_new()
        self.topology = parse_choice(words[0], "a topology", SHAPES)

    def set_delay(self, words: list[str]) -> None:
        self.require_new()
        self.delay = parse_time(words[0])

    def set_backlog(self, words: list[str]) -> None:
        self.require_new()
        self.tuning = attrs.evolve(self.tuning, history_bytes=parse_bytes(words[0]))

    def set_waiting(self, words: list[str]) -> None:
        self.require_new()
        self.tuning = attrs.evolve(self.tuning, waiting_bytes=parse_bytes(words[0]))

    def set_follower(self, words: list[str]) -> None:
        self.require_new()
        copy = follower_of(words, self.process_names)
        self.copies.append(attrs.evolve(copy, sources=tuple(map(self.parse_region, copy.sources))))

    # -- clients ---------------------------------------------------------------------------

    def run_write(self, words: list[str]) -> None:
        step = parse_client_step(words)
        for name in self.all_named_processes(step.place):
            self.running_region(name)
            for reply in self.run_client_step(step, name):
                if isinstance(reply, Refusal):
                    raise ScenarioMistake(
                        f"{name} refuses it: {reply.text}; what is refused can be `read`"
                    )

    def check_reply(self, words: list[str]) -> None:
        step = parse_client_step(words)
        for name in self.all_named_processes(step.place):
            self.running_region(name)
            self.checks.check_reply(step, name, self.run_client_step(step, name))

    def run_client_step(self, step: ClientStep, name: str) -> list[Reply]:
        """Run the commands of a step in one region. Its clock is stopped if the step has a time."""
        if step.clock_ms is not None:
            self.world.set_clock(self.parse_region(name), step.clock_ms)
        replies = self.world.run_all(name, *self.checks.fill_commands(step.commands))
        if step.clock_ms is not None:
            self.world.set_clock(name, None)
        return replies

    def run_read(self, words: list[str]) -> None:
        asked = parse_commands(words[1:])
        for name in self.all_named_processes(words[0]):
            self.running_region(name)
            replies = self.world.run_all(name, *asked)
            reply_text = " ".join(map(format_reply, replies))
            self.output.append(f"{name}> {' '.join(words[1:])}: {reply_text}")

    def show_value(self, words: list[str]) -> None:
        self.traced_processes = self.all_named_processes(words[0] if words else ALL)
        self.begun = self.world.now

    def show_vectors(self, _words: list[str]) -> None:
        for site in self.world.live_regions():
            self.output.append(
                f"{site.name} has {shown(site.replica.keyspace.vector) or 'nothing'}"
            )

    # -- faults ----------------------------------------------------------------------------

    def inject_fault(self, pair: tuple[str, str], begin: Act, end: Act) -> None:
        """Begin a fault. The step `heal` calls `end`."""
        begin()
        self.healing.append((pair, end))

    def cut_regions(self, words: list[str]) -> None:
        world = self.world
        for a, b in self.parse_pairs(words):
            self.inject_fault(
                (a, b), lambda a=a, b=b: world.cut(a, b), lambda a=a, b=b: world.heal(a, b)
            )

    def silence_regions(self, words: list[str]) -> None:
        world = self.world
        if ARROW in words:
            ways = [self.parse_pair(*parse_arrow(words))]
        elif len(words) > 2:
            raise ScenarioMistake("name one or two, or write A > B for one way")
        else:
            ways = [way for a, b in self.parse_pairs(words) for way in ((a, b), (b, a))]
        for a, b in ways:
            self.inject_fault(
                (a, b),
                lambda a=a, b=b: world.close_way(a, b),
                lambda a=a, b=b: world.open_way(a, b),
            )

    def heal_regions(self, words: list[str]) -> None:
        wanted = set(map(self.named_process, words))
        ending = [each for each in self.healing if wanted <= set(each[0])]
        if wanted and not ending:
            raise ScenarioMistake(
                f"nothing is cut or silent between {' and '.join(words)} and others"
            )
        for each in ending:
            self.healing.remove(each)
            each[1]()

    def cut_link(self, words: list[str]) -> None:
        if words == [ALL]:
            for link in self.links_between(self.names):
                self.world.cut_link(*link)
            return
        self.world.cut_link(*self.parse_link(words))

    def links_between(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return the links among some regions, as pairs of source and sink."""
        sites = self.world.sites
        return [(a, b) for a in names for b in names if a in sites[b].links.peers]

    def sync_regions(self, words: list[str]) -> None:
        links = self.links_between([self.parse_region(word) for word in words] or self.names)
        for link in links:
            self.world.heal_link(*link)
        self.wait_converged([])
        for link in links:
            self.world.cut_link(*link)
        self.checks.forget_agreed()

    def end_apart(self) -> None:
        """Heal all links, and run the final checks of the world. Raises Violation."""
        for link in self.links_between(self.names):
            self.world.heal_link(*link)
        self.world.sleep(END_SLEEP)
        self.world.check_end()

    def heal_link(self, words: list[str]) -> None:
        self.world.heal_link(*self.parse_link(words))

    def crash_process(self, words: list[str]) -> None:
        self.world.crash_process(self.running_region(words[0]).name)

    def keep_snapshot(self, words: list[str]) -> None:
        site = self.running_region(self.parse_region(words[0]))
        assert isinstance(site, SimRegion)
        self.kept[site.name] = site.take_snapshot()

    def list_regions(self, words: list[str]) -> None:
        site = self.world.sites[self.parse_region(words[0])]
        listed = [self.parse_region(word) for word in words[1:]]
        if site.name not in listed:
            raise ScenarioMistake(f"the file of {site.name} lists {site.name} itself too")
        site.list_regions(listed)

    def forge_hello(self, words: list[str]) -> None:
        site, other = (
            self.running_region(self.parse_region(words[0])),
            self.running_region(self.parse_region(words[1])),
        )
        self.world.forge_hello(site.name, other.name)

    def restart_process(self, words: list[str]) -> None:
        name, *how = words
        site = self.running_region(name, is_up=False)
        for word in how:
            if word not in {KEPT, *STARTS} or isinstance(site, SimFollower):
                raise ScenarioMistake(f"{word!r} is no way in which {name} can restart")
        if len(STARTS.keys() & set(how)) > 1:
            raise ScenarioMistake("a region is amnesic or unaware, not both")
        if KEPT in how and name not in self.kept:
            raise ScenarioMistake(f"nothing was kept of {name}: `keep {name}` before its crash")
        start = next((STARTS[word] for word in how if word in STARTS), Start.COUNTED)
        self.world.restart_process(name, self.kept[name] if KEPT in how else (), start)

    def promote_follower(self, words: list[str]) -> None:
        self.running_follower(words[0], is_following=True).stop_following()

    def follow_again(self, words: list[str]) -> None:
        self.running_follower(words[0], is_following=False).start_following()

    # -- time ------------------------------------------------------------------------------

    def wait_converged(self, _words: list[str]) -> None:
        if not self.world.converge(CONVERGE_MAX):
            raise ScenarioMistake(
                f"the regions have not converged within {CONVERGE_MAX // SECOND} s"
            )

    def advance_by(self, words: list[str]) -> None:
        self.world.sleep(parse_time(words[0]))

    def set_clock(self, words: list[str]) -> None:
        for name in self.all_named_processes(words[0]):
            clock = self.world.places[name].clock
            match words[1]:
                case "stop":
                    clock.stop_at(clock.read_ms(self.world.now))
                case "go":
                    clock.stop_at(None)
                case span if span[:1] in {"+", "-"}:
                    sign = -1 if span.startswith("-") else 1
                    clock.step_by(sign * parse_time(span[1:]) // MS)
                case other:
                    raise ScenarioMistake(
                        f"{other!r} does nothing to a clock: +5s, -5s, stop or go"
                    )
