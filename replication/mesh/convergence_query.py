"""Convergence queries: ask all regions that live links connect whether they have converged.

A region sees only its own links. So it sends a query to its neighbours, and these forward it to
theirs. This is the echo algorithm (E. J. H. Chang, "Echo algorithms: depth parallel operations on
general graphs", IEEE Transactions on Software Engineering 8(4), 1982):

* A query goes out along all connected links, whichever way their data flows.
* A region that receives a query for the first time remembers the link that it came by (the parent),
  and forwards it along its other links. If the query comes again along one of these, that link has
  been crossed from both sides.
* When something has come back along every link that a region forwarded to, it replies to the
  parent. When something has come back along all of the asker's links, every region has been asked.

A `ConvergenceRequest` frame contains the asker's origin, the query's number and the vector of the
region that forwards it. A region reads its own vector once, when it first receives the query. At
least one end of each link then has the vectors of both ends, and checks that the sink covers its
source. So a reply is only yes or no.

**A yes** covers the regions that live links connect with the asker, if links are followed in both
directions. For every link between them that was live when its ends were asked, the sink held, at
some moment after the query began, what the source held at such a moment. Regions that links
connect both ways, or in a circle, then held the same. If no client writes, they stay converged. A
link whose reverse is cut proves one direction only. A link whose reverse is not made, since one of
the two files does not list the other region, must prove both: what flows one way only is replicated
over other regions, or not at all.

**A no** is the result if a link is lost or comes up during the query, if a link that should be
connected is not (`has_missing_link`), if a neighbour's buffers are full, or if the query is old or
was forgotten. A no is not final: ask again. A region that never replies while its link is up keeps
the query open for ever, so callers need a time limit.

**Bounds.** A replica has one query of its own under way; a caller that asks meanwhile gets the next
one. A replica remembers the latest query of each of `QUERIES_MAX` askers and forwards each query
once. It replies no to a query that it forgets. A query is forwarded less than `HOPS_MAX` times, so
queries from invented askers end too. Followers belong to no region: they are not asked, and a query
of theirs gets a no.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from crdt.causality.dots import REGION_MAX, Origin, Vector, dominates
from crdt.embed.replica import Replica
from replication.protocol.frames import ConvergenceReply, ConvergenceRequest, Frame

QUERIES_MAX: Final = 256  # askers that are remembered: more than the number of regions
HOPS_MAX: Final = REGION_MAX  # the longest path that visits each region once is shorter


class Edge(Protocol):
    """A connected link, as seen from one of its ends."""

    @property
    def is_swamped(self) -> bool:
        """Return whether the other end is too slow to receive more."""
        ...

    def send(self, frame: Frame, /) -> None:
        """Send a frame."""
        ...


class ConvergenceQuery:
    """The state of one query. `parent` is the link that it came by, while a reply is due there."""

    __slots__ = ("asker", "is_so", "number", "parent", "vector", "waiting")

    def __init__(self, asker: Origin, number: int, parent: Edge | None = None) -> None:
        self.asker = asker
        self.number = number
        self.parent = parent
        self.vector: Vector = {}
        """Our own vector when the query came."""
        self.waiting: dict[Edge, None] = {}
        """Links to which it was forwarded and that have brought nothing back yet."""
        self.is_so = True
        """True until a reason for a no is found."""


def has_no_missing_link() -> bool:
    """Return False: by default no link is expected that is not connected."""
    return False


class ConvergenceQueries:
    """The queries of one replica and those that it forwards.

    Call `add_link` and `remove_link` as links come and go, and `receive` for each frame.
    """

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.has_missing_link: Callable[[], bool] = has_no_missing_link
        """Returns whether a link that should be live is not connected at the moment."""
        self.edges: dict[Edge, bool] = {}
        """Connected links; True if their data flows to us."""
        self.one_way_edges: set[Edge] = set()
        """Connected links whose reverse is never made. Their ends must hold the same."""
        self.known: dict[Origin, ConvergenceQuery] = {}
        """The latest query of each other asker, least recently used first."""
        self.own = ConvergenceQuery(replica.origin, 0)
        self.asked = 0
        """The number of our own queries that have begun; `ended` counts those that have ended."""
        self.ended = 0
        self.last_result = False
        self.has_another = False

    # -- asking ----------------------------------------------------------------------------

    def start_query(self) -> int:
        """Start a query, or join the next one if one is under way. Return its number."""
        if self.ended < self.asked:
            self.has_another = True
            return self.asked + 1
        self.begin_query()
        return self.asked

    def find_result(self, query: int) -> bool | None:
        """Return the result of that query or of a later one; None while it is under way."""
        return self.last_result if self.ended >= query else None

    def begin_query(self) -> None:
        """Begin a query of our own.

        Numbers follow the clock, since neighbours may remember queries of an earlier process that
        had the same origin.
        """
        self.has_another = False
        self.asked += 1
        number = max(self.own.number + 1, self.replica.keyspace.expiry_clock)
        self.own = ConvergenceQuery(self.replica.origin, number)
        self.forward_query(self.own, 0)
        self.end_if_answered(self.own)

    # -- what comes ------------------------------------------------------------------------

    def receive(self, edge: Edge, frame: ConvergenceRequest | ConvergenceReply) -> None:
        """Process a query or a reply that has come along a link."""
        query = self.own if frame.asker == self.own.asker else self.known.get(frame.asker)
        if isinstance(frame, ConvergenceRequest):
            self.receive_query(edge, frame, query)
        elif query is not None and query.number == frame.number:
            if edge in query.waiting:
                del query.waiting[edge]
                query.is_so = query.is_so and frame.is_so
                self.end_if_answered(query)

    def receive_query(
        self, edge: Edge, ask: ConvergenceRequest, query: ConvergenceQuery | None
    ) -> None:
        """Process a query; `query` is the latest that is known of its asker."""
        is_new = query is None or (ask.number > query.number and query is not self.own)
        if edge in self.edges and is_new:
            query = self.remember_query(ConvergenceQuery(ask.asker, ask.number, edge))
            self.forward_query(query, ask.hops)
        elif query is not None and ask.number == query.number and edge in query.waiting:
            del query.waiting[edge]
        else:
            send_reply(edge, ask, is_so=False)
            return
        here, there = query.vector, ask.vector
        is_inward, must_be_equal = self.edges[edge], edge in self.one_way_edges
        if is_inward or must_be_equal:
            query.is_so = query.is_so and dominates(here, there)
        if not is_inward or must_be_equal:
            query.is_so = query.is_so and dominates(there, here)
        self.end_if_answered(query)

    def remember_query(self, query: ConvergenceQuery) -> ConvergenceQuery:
        """Keep a query in place of its asker's earlier one. Forget the oldest if there are more
        than `QUERIES_MAX`."""
        replaced = self.known.pop(query.asker, None)
        if replaced is not None:
            self.abandon_query(replaced)
        self.known[query.asker] = query
        if len(self.known) > QUERIES_MAX:
            self.abandon_query(self.known.pop(next(iter(self.known))))
        return query

    def forward_query(self, query: ConvergenceQuery, hops: int) -> None:
        """Record our vector, and forward a query along all links except its parent."""
        query.vector = dict(self.replica.keyspace.vector)
        if hops >= HOPS_MAX or self.has_missing_link():
            query.is_so = False
        if hops >= HOPS_MAX:
            return
        ask = ConvergenceRequest(query.asker, query.number, hops + 1, query.vector)
        for edge in self.edges:
            if edge is query.parent:
                continue
            if edge.is_swamped:
                query.is_so = False
            else:
                query.waiting[edge] = None
                edge.send(ask)

    def end_if_answered(self, query: ConvergenceQuery) -> None:
        """End a query if something has come back along every link."""
        if query.waiting:
            return
        if query is self.own:
            self.ended = self.asked
            self.last_result = query.is_so
            if self.has_another:
                self.begin_query()
        else:
            assert query.parent is not None, "a query without open links has been replied to"
            send_reply(query.parent, query, is_so=query.is_so)
            self.clear_query(query)

    def abandon_query(self, query: ConvergenceQuery) -> None:
        """Stop waiting for replies to a query of another region, and reply no to its parent."""
        if query.parent is not None:
            send_reply(query.parent, query, is_so=False)
            self.clear_query(query)

    def clear_query(self, query: ConvergenceQuery) -> None:
        """Release everything of a query except its number."""
        query.parent = None
        query.waiting = {}
        query.vector = {}

    # -- which links there are -------------------------------------------------------------

    def add_link(self, edge: Edge, *, inward: bool, is_one_way: bool = False) -> None:
        """Add a connected link. Its data flows to us if `inward`. Its reverse is never made if
        `is_one_way`. Queries under way did not cover it, so they end in no."""
        self.edges[edge] = inward
        if is_one_way:
            self.one_way_edges.add(edge)
        for query in (self.own, *self.known.values()):
            query.is_so = False

    def remove_link(self, edge: Edge) -> None:
        """Remove a link that has closed. Queries under way end in no."""
        if self.edges.pop(edge, None) is None:
            return
        self.one_way_edges.discard(edge)
        for query in (self.own, *self.known.values()):
            query.is_so = False
            if query.parent is edge:
                self.clear_query(query)
            elif edge in query.waiting:
                del query.waiting[edge]
                self.end_if_answered(query)


def send_reply(edge: Edge, asked: ConvergenceRequest | ConvergenceQuery, *, is_so: bool) -> None:
    """Reply to a query, unless the other end is too slow to receive it."""
    if not edge.is_swamped:
        edge.send(ConvergenceReply(asked.asker, asked.number, is_so))
