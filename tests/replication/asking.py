"""A world for convergence queries, with messages and losses in any order.

A region is a replica and its `ConvergenceQueries`. Its vector changes by hand. A link is a pair of
ends with a queue each way. It comes up as a real link does: first at the source, then at the sink,
which learns of it before anything else. When a link is lost, its messages in transit are lost, and
each end notices the loss when the test lets it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from crdt.causality.dots import Vector, join, make_origin
from crdt.embed.replica import Replica
from replication.mesh.convergence_query import ConvergenceQueries
from replication.protocol.frames import ConvergenceReply, ConvergenceRequest, Frame

Link: TypeAlias = tuple[int, int]
"""The numbers of a source and of its sink."""

STEPS_MAX: Final = 100_000


class Place:
    """An end of a connection. `other` is its other end."""

    def __init__(self, site: Site, link: Link) -> None:
        self.site = site
        self.link = link
        self.other = self
        self.queue: deque[ConvergenceRequest | ConvergenceReply | None] = deque()
        """Messages in transit to this end. None reports that the link is up."""
        self.is_lost = False
        """True if the connection is lost, even if this end has not noticed."""
        self.is_swamped = False

    def send(self, frame: Frame, /) -> None:
        """Send a frame."""
        assert isinstance(frame, ConvergenceRequest | ConvergenceReply)
        assert len(frame.vector if isinstance(frame, ConvergenceRequest) else {}) < 100
        self.site.world.messages += 1
        if not self.other.is_lost:
            self.other.queue.append(frame)

    def take(self) -> None:
        """Process the next message."""
        frame = self.queue.popleft()
        inward = self.link[1] == self.site.number
        if frame is None:
            self.site.convergence_queries.add_link(self, inward=inward)
        else:
            self.site.convergence_queries.receive(self, frame)

    def notice(self) -> None:
        """Notice that the connection is lost."""
        self.site.world.places.remove(self)
        self.site.convergence_queries.remove_link(self)


class Site:
    """A region of the world."""

    def __init__(self, world: AskingWorld, number: int) -> None:
        self.world = world
        self.number = number
        self.replica = Replica(number)
        self.convergence_queries = ConvergenceQueries(self.replica)
        self.convergence_queries.has_missing_link = self.awaits

    @property
    def vector(self) -> Vector:
        """Return its vector."""
        return self.replica.keyspace.vector

    def awaits(self) -> bool:
        """Return whether a wanted link is missing."""
        there = {place.link for place in self.convergence_queries.edges if isinstance(place, Place)}
        return any(self.number in link and link not in there for link in self.world.wanted)

    def write(self) -> None:
        """Make an effect."""
        origin = make_origin(self.number)
        self.vector[origin] = self.vector.get(origin, 0) + 1


class AskingWorld:
    """Regions 1 to `count`, and all `links`, connected."""

    def __init__(self, count: int, links: Iterable[Link]) -> None:
        self.messages = 0
        self.wanted: set[Link] = set(links)
        """Links that are not cut."""
        self.places: list[Place] = []
        self.sites = {number: Site(self, number) for number in range(1, count + 1)}
        for link in sorted(self.wanted):
            self.connect(link)
        self.pump()

    def __getitem__(self, number: int) -> Site:
        return self.sites[number]

    # -- links -----------------------------------------------------------------------------

    def connect(self, link: Link) -> None:
        """Connect both ends of a link."""
        source, sink = (Place(self.sites[number], link) for number in link)
        source.other, sink.other = sink, source
        self.places += [source, sink]
        sink.queue.append(None)
        source.queue.append(None)
        source.take()

    def places_of(self, link: Link) -> list[Place]:
        """Return the ends of a link that have not noticed its loss, new and old."""
        return [place for place in self.places if place.link == link]

    def lose(self, link: Link) -> None:
        """Lose a link's connection. Its ends have not noticed yet."""
        for place in self.places_of(link):
            place.is_lost = True
            place.queue.clear()

    def cut(self, link: Link) -> None:
        """Cut a link. Its ends have not noticed yet."""
        self.wanted.discard(link)
        self.lose(link)

    def heal(self, link: Link) -> None:
        """Let both ends of a link notice its loss, and connect them again."""
        for place in self.places_of(link):
            if not place.is_lost:
                return
            place.notice()
        self.wanted.add(link)
        self.connect(link)

    def is_up(self, link: Link) -> bool:
        """Return whether both ends know the connection, and it is not lost."""
        places = self.places_of(link)
        return len(places) == 2 and all(
            place in place.site.convergence_queries.edges and not place.is_lost for place in places
        )

    # -- what happens ----------------------------------------------------------------------

    def carry(self, link: Link) -> None:
        """Deliver to a link's sink what its source has."""
        if self.is_up(link):
            source, sink = link
            self[sink].vector.update(join(self[sink].vector, self[source].vector))

    def busy(self) -> Iterator[Place]:
        """Return the ends that have messages to process."""
        return (place for place in self.places if place.queue)

    def pump(self) -> None:
        """Let every loss be noticed and every message arrive."""
        for _ in range(STEPS_MAX):
            lost = next((place for place in self.places if place.is_lost), None)
            place = next(self.busy(), None)
            if lost is not None:
                lost.notice()
            elif place is not None:
                place.take()
            else:
                return
        raise AssertionError("it goes on for ever")

    def quiet(self) -> None:
        """Connect every link that is not cut, and deliver everything."""
        self.pump()
        for link in sorted(self.wanted):
            self.heal(link)
        self.pump()
        for _ in self.sites:
            for link in self.wanted:
                self.carry(link)

    def ask(self, number: int) -> bool | None:
        """Start a query in one region, let every message arrive, and return the result."""
        questions = self[number].convergence_queries
        turn = questions.start_query()
        self.pump()
        return questions.find_result(turn)
