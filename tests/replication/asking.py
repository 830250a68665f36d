"""A world for convergence queries, with messages and losses in any order.

A region is a replica and its `ConvergenceQueries`; what it holds changes by hand. A link is a pair
of ends with a queue each way. It comes up as a real one does: the source knows of it first, the
sink hears of it before anything else. When it is lost, what is under way is gone, and each end
notices when it is told to.
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
"""Source and sink."""

STEPS_MAX: Final = 100_000


class Place:
    """One end of one connection; `other` is its other end."""

    def __init__(self, site: Site, link: Link) -> None:
        self.site = site
        self.link = link
        self.other = self
        self.queue: deque[ConvergenceRequest | ConvergenceReply | None] = deque()
        """What is on its way here; None says that the link is there."""
        self.is_lost = False
        """The connection is, whether or not it was noticed here."""
        self.is_swamped = False

    def send(self, frame: Frame, /) -> None:
        """Send a frame."""
        assert isinstance(frame, ConvergenceRequest | ConvergenceReply)
        assert len(frame.vector if isinstance(frame, ConvergenceRequest) else {}) < 100
        self.site.world.messages += 1
        if not self.other.is_lost:
            self.other.queue.append(frame)

    def take(self) -> None:
        """Take in the next message."""
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
    """One region."""

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
        """Let a link come up."""
        source, sink = (Place(self.sites[number], link) for number in link)
        source.other, sink.other = sink, source
        self.places += [source, sink]
        sink.queue.append(None)
        source.queue.append(None)
        source.take()

    def places_of(self, link: Link) -> list[Place]:
        """The ends of a link as far as they are known, new and old."""
        return [place for place in self.places if place.link == link]

    def lose(self, link: Link) -> None:
        """A link's connection is lost; nobody has noticed."""
        for place in self.places_of(link):
            place.is_lost = True
            place.queue.clear()

    def cut(self, link: Link) -> None:
        """A link is cut; its ends have yet to notice."""
        self.wanted.discard(link)
        self.lose(link)

    def heal(self, link: Link) -> None:
        """A link is there, after both ends have noticed that it was not."""
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
        """Bring what a link's source holds to its sink."""
        if self.is_up(link):
            source, sink = link
            self[sink].vector.update(join(self[sink].vector, self[source].vector))

    def busy(self) -> Iterator[Place]:
        """Ends with something to take in."""
        return (place for place in self.places if place.queue)

    def pump(self) -> None:
        """Let every loss be noticed, and every message arrive."""
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
        """Let every link that is wanted be there, and bring everything everywhere."""
        self.pump()
        for link in sorted(self.wanted):
            self.heal(link)
        self.pump()
        for _ in self.sites:
            for link in self.wanted:
                self.carry(link)

    def ask(self, number: int) -> bool | None:
        """Ask in one region, let every message arrive, and see what has come out."""
        questions = self[number].convergence_queries
        turn = questions.start_query()
        self.pump()
        return questions.find_result(turn)
