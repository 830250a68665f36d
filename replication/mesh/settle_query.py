"""Whether everything that was written has come to wherever live links lead: asked of all regions.

A region sees its own links only, so it asks its neighbours, and these ask theirs. This is the echo
algorithm (E. J. H. Chang, "Echo algorithms: depth parallel operations on general graphs", IEEE
Transactions on Software Engineering 8(4), 1982):

* A question goes out along all connected links, in whichever direction their data flows.
* Who hears it for the first time remembers from whom, and asks along all its other links. Who hears
  it again along another link knows that this link has been crossed from both sides.
* Who has heard something along every link that it asked along answers whom it heard it from first.
  When the asker has heard something along all of its links, every region has been asked.

An `Ask` bears the asker's origin and a number, by which it is known again, and the vector of the
region that passes it on. A region takes its own vector once, when it first hears a question. As
both ends of a link know both vectors then, or the one that answers does, it is checked where it
is: the sink must hold all that its source holds. Nothing but yes or no has to travel back.

**What a yes proves.** It covers the regions that live links connect with the asker, each link taken
for a way in both directions. For every link between them that was live when its ends were asked,
the sink held at a moment after the question began what the source held at one. Regions that links
connect both ways, or in a circle, then held the same; with writes stopped they hold it from then
on, since each had all that any of them could still bring it. A link whose reverse is cut proves one
direction only: who gets no data from a region need not have what it has, as in `crdb up`.

**What ends in no.** A link that is lost or comes up in mid-question, one that ought to be there and
is not yet (`awaits`), a neighbour that takes nothing in, a question that is old or was forgotten. A
no is not final: ask again. A region that never answers, while its link lives, keeps a question open
for ever; whoever waits for it has a time limit of their own.

**Bounds.** A replica has one question of its own on its way: who asks meanwhile gets the next one.
It remembers the latest question of each of `QUESTIONS_MAX` askers, so it passes each on once, and
answers no for one that it forgets. What is passed on was passed on less than `HOPS_MAX` times, so
that even many made-up askers set nothing in motion that goes on for ever. Followers belong to
no region: they are not asked, and get no for an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from crdt.causality.dots import REGION_MAX, Origin, Vector, dominates
from crdt.embed.replica import Replica
from replication.protocol.frames import Answer, Ask, Frame

QUESTIONS_MAX: Final = 256  # askers that are remembered: more than there are regions
HOPS_MAX: Final = REGION_MAX  # no way that visits no region twice is longer


class Edge(Protocol):
    """A connected link, as seen from one of its ends."""

    @property
    def is_swamped(self) -> bool:
        """Whether the other end takes in nothing, or not enough."""
        ...

    def say(self, frame: Frame, /) -> None:
        """Send a frame."""
        ...


class Question:
    """One question, where it is now; `parent` is the link that it came by, if it still waits for
    an answer there."""

    __slots__ = ("asker", "is_so", "number", "parent", "vector", "waiting")

    def __init__(self, asker: Origin, number: int, parent: Edge | None = None) -> None:
        self.asker = asker
        self.number = number
        self.parent = parent
        self.vector: Vector = {}
        """Ours, when the question came."""
        self.waiting: dict[Edge, None] = {}
        """Links along which it was asked and nothing has been heard yet."""
        self.is_so = True
        """No reason is known why not."""


def nothing() -> bool:
    """Every link that ought to be there is."""
    return False


class Questions:
    """The questions of one replica and those that pass through it. `join` and `leave` tell which
    links there are, `hear` brings what comes along them."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.awaits: Callable[[], bool] = nothing
        """Whether a link that is live as far as we know is not connected at the moment."""
        self.edges: dict[Edge, bool] = {}
        """Connected links, and whether their data flows to us."""
        self.known: dict[Origin, Question] = {}
        """The latest of each other asker, least recently asked first."""
        self.own = Question(replica.origin, 0)
        self.asked = 0
        """How many questions of our own have begun, and how many of them have ended."""
        self.ended = 0
        self.said = False
        self.again = False

    # -- asking ----------------------------------------------------------------------------

    def ask(self) -> int:
        """Ask, or join in the question that is asked next; for `verdict`."""
        if self.ended < self.asked:
            self.again = True
            return self.asked + 1
        self.begin()
        return self.asked

    def verdict(self, question: int) -> bool | None:
        """What came out of that question or a later one; None before."""
        return self.said if self.ended >= question else None

    def begin(self) -> None:
        """Ask a question of our own. Numbers follow the clock, as neighbours may remember those of
        a life that had the same origin."""
        self.again = False
        self.asked += 1
        number = max(self.own.number + 1, self.replica.keyspace.horizon)
        self.own = Question(self.replica.origin, number)
        self.spread(self.own, 0)
        self.look(self.own)

    # -- what comes ------------------------------------------------------------------------

    def hear(self, edge: Edge, frame: Ask | Answer) -> None:
        """Something has come along a link."""
        question = self.own if frame.asker == self.own.asker else self.known.get(frame.asker)
        if isinstance(frame, Ask):
            self.hear_ask(edge, frame, question)
        elif question is not None and question.number == frame.number:
            if edge in question.waiting:
                del question.waiting[edge]
                question.is_so = question.is_so and frame.is_so
                self.look(question)

    def hear_ask(self, edge: Edge, ask: Ask, question: Question | None) -> None:
        """A question has come; `question` is the one that is known of its asker."""
        is_new = question is None or (ask.number > question.number and question is not self.own)
        if edge in self.edges and is_new:
            question = self.remember(Question(ask.asker, ask.number, edge))
            self.spread(question, ask.hops)
        elif question is not None and ask.number == question.number and edge in question.waiting:
            del question.waiting[edge]
        else:
            answer(edge, ask, is_so=False)
            return
        here, there = question.vector, ask.vector
        holds = dominates(here, there) if self.edges[edge] else dominates(there, here)
        question.is_so = question.is_so and holds
        self.look(question)

    def remember(self, question: Question) -> Question:
        """Keep a question in place of its asker's earlier one, and forget the oldest of all if
        these become too many."""
        replaced = self.known.pop(question.asker, None)
        if replaced is not None:
            self.give_up(replaced)
        self.known[question.asker] = question
        if len(self.known) > QUESTIONS_MAX:
            self.give_up(self.known.pop(next(iter(self.known))))
        return question

    def spread(self, question: Question, hops: int) -> None:
        """Take our vector for a question, and ask it along all links but the one it came by."""
        question.vector = dict(self.replica.keyspace.vector)
        if hops >= HOPS_MAX or self.awaits():
            question.is_so = False
        if hops >= HOPS_MAX:
            return
        ask = Ask(question.asker, question.number, hops + 1, question.vector)
        for edge in self.edges:
            if edge is question.parent:
                continue
            if edge.is_swamped:
                question.is_so = False
            else:
                question.waiting[edge] = None
                edge.say(ask)

    def look(self, question: Question) -> None:
        """End a question if something has been heard along every link."""
        if question.waiting:
            return
        if question is self.own:
            self.ended = self.asked
            self.said = question.is_so
            if self.again:
                self.begin()
        else:
            assert question.parent is not None, "what waits for nothing has been answered"
            answer(question.parent, question, is_so=question.is_so)
            self.close(question)

    def give_up(self, question: Question) -> None:
        """Wait no more for a question of another region, and say so to whoever waits for us."""
        if question.parent is not None:
            answer(question.parent, question, is_so=False)
            self.close(question)

    def close(self, question: Question) -> None:
        """Keep nothing of a question but its number."""
        question.parent = None
        question.waiting = {}
        question.vector = {}

    # -- which links there are -------------------------------------------------------------

    def join(self, edge: Edge, *, inward: bool) -> None:
        """A link is connected; `inward` if its data flows to us. It was not asked along, so what
        is under way must be asked again."""
        self.edges[edge] = inward
        for question in (self.own, *self.known.values()):
            question.is_so = False

    def leave(self, edge: Edge) -> None:
        """A link is over: what was asked along it, or came by it, must be asked again."""
        if self.edges.pop(edge, None) is None:
            return
        for question in (self.own, *self.known.values()):
            question.is_so = False
            if question.parent is edge:
                self.close(question)
            elif edge in question.waiting:
                del question.waiting[edge]
                self.look(question)


def answer(edge: Edge, asked: Ask | Question, *, is_so: bool) -> None:
    """Answer a question, if the other end takes in what it asked for."""
    if not edge.is_swamped:
        edge.say(Answer(asked.asker, asked.number, is_so))
