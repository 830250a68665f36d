"""A `LinkControl` over `Regions`, whose links carry ops when a test lets them."""

from __future__ import annotations

from collections.abc import Sequence

from crdb.engine.environment.link_control import (
    LinkInfo,
    LinkState,
    NoSuchLink,
    QueryNumbers,
    have_arrived,
)
from crdt.causality.dots import Vector
from tests.crdb.regions import Regions


class FlowingLinks:
    """A full mesh between the regions, unless only some `pairs` of numbers are linked.

    Regions in `distant` answer questions only when `answer` is called, as another process would.
    """

    def __init__(self, regions: Regions, distant: Sequence[int] = ()) -> None:
        self.world = regions
        self.names = [instance.name for instance in regions.instances.values()]
        self.states = {
            (one, other): LinkState.STREAMING
            for one in self.names
            for other in self.names
            if one != other
        }
        self.distant = {self.names[n - 1] for n in distant}
        self.reported: dict[str, tuple[int, Vector]] = {}
        self.asked = 0
        for instance in regions.instances.values():
            instance.links = self

    def vector(self, name: str) -> Vector:
        return self.world.replicas[self.names.index(name) + 1].vector

    def flow(self) -> None:
        """Carry everything over the links that are not cut, and let time pass."""
        for _ in self.names:
            for (source, sink), state in self.states.items():
                if state is LinkState.STREAMING:
                    self.world.send(self.names.index(source) + 1, self.names.index(sink) + 1)

    def answer(self) -> None:
        """Let all distant regions reply to the last query."""
        for name in self.distant:
            self.reported[name] = (self.asked, self.vector(name))

    # -- the contract ----------------------------------------------------------------------

    def regions(self) -> Sequence[str]:
        return self.names

    def links(self) -> Sequence[LinkInfo]:
        return [
            LinkInfo(source, sink, state, lag_ops=3, lag_ms=1.5, delay_ms=40)
            for (source, sink), state in self.states.items()
        ]

    def cut(self, source: str, sink: str) -> None:
        self.put(source, sink, LinkState.CUT)

    def heal(self, source: str, sink: str) -> None:
        self.put(source, sink, LinkState.STREAMING)

    def put(self, source: str, sink: str, state: LinkState) -> None:
        if (source, sink) not in self.states:
            raise NoSuchLink(source, sink)
        self.states[source, sink] = state

    def cut_all(self) -> None:
        self.states = dict.fromkeys(self.states, LinkState.CUT)

    def heal_all(self) -> None:
        self.states = dict.fromkeys(self.states, LinkState.STREAMING)

    def ask(self) -> QueryNumbers:
        self.asked += 1
        return {"": self.asked}

    def has_converged(self, query: QueryNumbers) -> bool | None:
        here = {name: self.vector(name) for name in self.names if name not in self.distant}
        there = {
            name: done for name, (number, done) in self.reported.items() if number >= query[""]
        }
        if len(here | there) < len(self.names):
            return None
        return have_arrived(self.links(), here | there)
