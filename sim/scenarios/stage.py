"""A world that a scenario is played in: what each of its steps does, and which make no sense.

The world begins with the first step that needs one; what it is made of is said before. Every step
checks its words first, so that who mistypes one is told what stands there instead of what would
have happened (the language is that of `scenario`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

from geo.latency import Latency, ms
from geo.topology import SHAPES
from sim.checkers.convergence import shown
from sim.engine.events import MS, SECOND
from sim.nodes.client import Refusal
from sim.nodes.follower import FollowerSite
from sim.nodes.saying import reply_text
from sim.nodes.site import Site, Start
from sim.report.report import Recorder
from sim.scenarios.language import (
    ALL,
    ARROW,
    Mistake,
    arrow,
    commands,
    follower_of,
    one_of,
    parse_bytes,
    parse_time,
    region_names,
)
from sim.schedule.plan import Copy, Plan, Tuning
from sim.world.world import World

SETTLE_MAX: Final = 120 * SECOND
STARTS: Final = {"amnesic": Start.REUSED, "unaware": Start.UNAWARE}
KEPT: Final = "kept"

Act: TypeAlias = Callable[[], None]


class Stage:
    """A world, and what is told of it."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self.recorder = recorder
        self.start = 0
        """The time of the first step, in ns."""
        self.names: tuple[str, ...] = ("eu", "us", "ap")
        self.topology = "mesh"
        self.delay = 40 * MS
        self.tuning = Tuning()
        self.copies: list[Copy] = []
        self.made: World | None = None
        self.told: list[str] = []
        self.told_of: tuple[str, ...] = ()
        self.begun = 0
        self.healing: list[tuple[tuple[str, str], Act]] = []
        self.kept: dict[str, list[bytes]] = {}

    @property
    def world(self) -> World:
        """The world, made at its first use."""
        if self.made is None:
            delay_ms = self.delay / MS
            plan = Plan.of(
                self.names, topology=self.topology, delay_ms=delay_ms, tuning=self.tuning
            )
            near = Latency.constant(ms(delay_ms))
            plan = attrs.evolve(plan, copies=tuple(self.copies), near=near)
            self.made = World(plan, recorder=self.recorder)
            self.made.settle(SETTLE_MAX)
            self.made.sleep(SECOND)
            self.made.on_event = self.hear
            self.start = self.made.now
        return self.made

    def begin_block(self) -> None:
        """What is told from here on stands below the next dashes."""
        self.told = []
        if self.made is not None:
            self.begun = self.made.now

    def hear(self, region: str, text: str) -> None:
        """The links of a region report something."""
        if region in self.told_of:
            self.told.append(f"+{(self.world.now - self.begun) // MS} ms  {region} {text}")

    # -- words -----------------------------------------------------------------------------

    @property
    def places(self) -> tuple[str, ...]:
        """The names of all regions and followers."""
        return (*self.names, *(copy.name for copy in self.copies))

    def named(self, name: str) -> str:
        """The name of a region or a follower."""
        if name not in self.places:
            raise Mistake(f"no region is called {name!r}; there are: {', '.join(self.places)}")
        return name

    def all_named(self, name: str) -> tuple[str, ...]:
        """One region, or all."""
        return self.places if name == ALL else (self.named(name),)

    def region(self, name: str) -> str:
        """The name of a region that is no follower."""
        if self.named(name) not in self.names:
            raise Mistake(f"{name} is a follower; regions are: {', '.join(self.names)}")
        return name

    def site(self, name: str, *, is_up: bool = True) -> Site | FollowerSite:
        """A region or a follower that is up, or down."""
        site = self.world.places[self.named(name)]
        if site.is_up != is_up:
            raise Mistake(
                f"{name} is down: `restart {name}` first"
                if is_up
                else f"{name} is up: `crash {name}` first"
            )
        return site

    def copy(self, name: str, *, is_following: bool) -> FollowerSite:
        """A follower that follows now, or does not."""
        site = self.site(name)
        if not isinstance(site, FollowerSite):
            raise Mistake(f"{name} is no follower: say `follower {name} N A` before the rest")
        if site.is_following != is_following:
            raise Mistake(f"{name} {'follows nobody now' if is_following else 'follows already'}")
        return site

    def pair(self, here: str, there: str) -> tuple[str, str]:
        """Two regions."""
        if self.named(here) == self.named(there):
            raise Mistake(f"{here} and {there} are one: name two")
        return here, there

    def pairs(self, words: list[str]) -> list[tuple[str, str]]:
        """`A B`, or `A` for its pairs with all others."""
        if len(words) == 1:
            here = self.named(words[0])
            return [(here, name) for name in self.places if name != here]
        return [self.pair(*words)]

    def link(self, words: list[str]) -> tuple[str, str]:
        """`A > B`, if a link leads there."""
        source, sink = map(self.region, arrow(words))
        if source not in self.world.sites[sink].links.peers:
            raise Mistake(f"no link leads from {source} to {sink}")
        return source, sink

    # -- before the world begins -----------------------------------------------------------

    def require_new(self) -> None:
        """What the world is made of must be said before it begins."""
        if self.made is not None:
            raise Mistake("the world has begun: say this before")

    def set_regions(self, words: list[str]) -> None:
        self.require_new()
        if self.copies:
            raise Mistake("say this before the followers")
        self.names = region_names(words)

    def set_topology(self, words: list[str]) -> None:
        self.require_new()
        self.topology = one_of(words[0], "a topology", SHAPES)

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
        copy = follower_of(words, self.places)
        self.copies.append(attrs.evolve(copy, sources=tuple(map(self.region, copy.sources))))

    # -- clients ---------------------------------------------------------------------------

    def write(self, words: list[str]) -> None:
        asked = commands(words[1:])
        self.site(words[0])
        for reply in self.world.run_all(words[0], *asked):
            if isinstance(reply, Refusal):
                raise Mistake(f"{words[0]} refuses it: {reply.text}; what is refused can be `read`")

    def read(self, words: list[str]) -> None:
        asked = commands(words[1:])
        for name in self.all_named(words[0]):
            self.site(name)
            replies = self.world.run_all(name, *asked)
            told = " ".join(map(reply_text, replies))
            self.told.append(f"{name}> {' '.join(words[1:])}: {told}")

    def tell(self, words: list[str]) -> None:
        self.told_of = self.all_named(words[0] if words else ALL)
        self.begun = self.world.now

    def vectors(self, _words: list[str]) -> None:
        for site in self.world.live():
            self.told.append(f"{site.name} has {shown(site.replica.keyspace.vector) or 'nothing'}")

    # -- trouble ---------------------------------------------------------------------------

    def trouble(self, pair: tuple[str, str], begin: Act, end: Act) -> None:
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
        if ARROW in words:
            ways = [self.pair(*arrow(words))]
        elif len(words) > 2:
            raise Mistake("name one or two, or write A > B for one way")
        else:
            ways = [way for a, b in self.pairs(words) for way in ((a, b), (b, a))]
        for a, b in ways:
            self.trouble(
                (a, b), lambda a=a, b=b: world.close(a, b), lambda a=a, b=b: world.open(a, b)
            )

    def heal(self, words: list[str]) -> None:
        wanted = set(map(self.named, words))
        ending = [each for each in self.healing if wanted <= set(each[0])]
        if wanted and not ending:
            raise Mistake(f"nothing is cut or silent between {' and '.join(words)} and others")
        for each in ending:
            self.healing.remove(each)
            each[1]()

    def unlink(self, words: list[str]) -> None:
        self.world.cut_link(*self.link(words))

    def relink(self, words: list[str]) -> None:
        self.world.heal_link(*self.link(words))

    def crash(self, words: list[str]) -> None:
        self.world.crash(self.site(words[0]).name)

    def keep(self, words: list[str]) -> None:
        site = self.site(self.region(words[0]))
        assert isinstance(site, Site)
        self.kept[site.name] = site.snapshot()

    def list_regions(self, words: list[str]) -> None:
        site = self.world.sites[self.region(words[0])]
        listed = [self.region(word) for word in words[1:]]
        if site.name not in listed:
            raise Mistake(f"the file of {site.name} lists {site.name} itself too")
        site.listed = frozenset(listed)

    def forge(self, words: list[str]) -> None:
        site, other = self.site(self.region(words[0])), self.site(self.region(words[1]))
        self.world.forge(site.name, other.name)

    def restart(self, words: list[str]) -> None:
        name, *how = words
        site = self.site(name, is_up=False)
        for word in how:
            if word not in {KEPT, *STARTS} or isinstance(site, FollowerSite):
                raise Mistake(f"{word!r} is no way in which {name} can restart")
        if len(STARTS.keys() & set(how)) > 1:
            raise Mistake("a region is amnesic or unaware, not both")
        if KEPT in how and name not in self.kept:
            raise Mistake(f"nothing was kept of {name}: `keep {name}` before its crash")
        start = next((STARTS[word] for word in how if word in STARTS), Start.COUNTED)
        self.world.restart(name, self.kept[name] if KEPT in how else (), start)

    def promote(self, words: list[str]) -> None:
        self.copy(words[0], is_following=True).promote()

    def follow(self, words: list[str]) -> None:
        self.copy(words[0], is_following=False).follow()

    # -- time ------------------------------------------------------------------------------

    def settle(self, _words: list[str]) -> None:
        if not self.world.settle(SETTLE_MAX):
            raise Mistake(f"nothing settles within {SETTLE_MAX // SECOND} s")

    def wait(self, words: list[str]) -> None:
        self.world.sleep(parse_time(words[0]))

    def clock(self, words: list[str]) -> None:
        for name in self.all_named(words[0]):
            clock = self.world.places[name].clock
            match words[1]:
                case "stop":
                    clock.set(clock.read(self.world.now))
                case "go":
                    clock.set(None)
                case span if span[:1] in {"+", "-"}:
                    sign = -1 if span.startswith("-") else 1
                    clock.step(sign * parse_time(span[1:]) // MS)
                case other:
                    raise Mistake(f"{other!r} does nothing to a clock: +5s, -5s, stop or go")
