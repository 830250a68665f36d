"""Replicas of any type that exchange messages, under a chosen delivery contract.

`World` runs types inside of replicas of a keyspace. `MessageWorld` runs a type without a keyspace.
The message of a command is put into a queue to each other replica. It arrives according to the
contract:

* "causal": after everything that its origin had seen;
* "fifo": after everything that its origin had sent;
* "any": in any order.

Messages may arrive again if duplicates are allowed. Whole states are exchanged if the type supports
this. After every step, each changed replica is read, and three things are checked:

* the invariants hold;
* the reading equals the one that the specification gives;
* replicas that have seen the same operations have equal readings.

The last two are checked only if the set of seen operations is causally closed. Types guarantee
nothing for other sets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from crdt.causality.dots import make_dot, make_origin
from crdt.testing.history import History, HistoryEvent
from crdt.testing.readings import Expectations, Reading, difference, worded
from crdt.testing.subject import Disagreement, TraceEntry
from crdt.testing.user_types.families import NOTHING, Family
from crdt.testing.user_types.options import Command
from crdt.testing.worlds.steps import AHEAD, REGIONS, Step

CLOCK_START_MS: Final = 1000
SCRATCH: Final = 100  # the number of the replicas that merge states for the checks
KINDS: Final = ("write", "deliver", "duplicate", "pull", "advance", "settle")


@attrs.frozen
class MessageSubject:
    """A type to test, and the delivery contract for its messages."""

    name: str
    commands: tuple[Command, ...]
    family: Family
    expectations: Expectations
    delivery: str = "causal"
    duplicates: bool = False
    keep_refused: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of steps that have an effect on this subject."""
        left_out = () if self.duplicates else ("duplicate",)
        return tuple(kind for kind in KINDS if kind not in left_out)


@attrs.frozen(eq=False)
class Message:
    """A message in transit. Sets of operations are bit sets, as in `HistoryEvent`."""

    content: Any
    carried: int  # the operations in the message
    past: int  #    the operations that its origin had seen before them
    earlier: int  # the operations that its origin had made before them


class MessageSite:
    """A replica, and the messages in transit to it."""

    def __init__(self, number: int, family: Family) -> None:
        self.number: int = number
        self.clock: int = CLOCK_START_MS
        self.replica: Any = family.new(number, lambda: self.clock)
        self.seen: int = 0
        self.own: int = 0
        self.sequence: int = 0
        self.waiting: list[Message] = []
        self.received: list[Message] = []
        self.unsent: Message | None = None

    def __str__(self) -> str:
        return f"region {self.number}"


class MessageWorld:
    """Replicas of one type that exchange messages."""

    def __init__(self, subject: MessageSubject) -> None:
        self.subject: MessageSubject = subject
        self.family: Family = subject.family
        self.everything: list[HistoryEvent] = []
        self.refused: int = 0  # the set of refused operations
        self.sites: list[MessageSite] = [
            MessageSite(number + 1, self.family) for number in range(REGIONS)
        ]
        self.known: dict[int, tuple[str, Reading]] = {}
        self.answers: dict[int, Reading] = {}
        self.counts: dict[str, int] = {}
        self.steps: int = 0
        self.trace: list[TraceEntry] = []

    def site(self, number: int) -> MessageSite:
        """Return the replica for a number in a step."""
        return self.sites[number % len(self.sites)]

    def count(self, law: str) -> None:
        """Record that a law was checked."""
        self.counts[law] = self.counts.get(law, 0) + 1

    def run(self, steps: list[Step]) -> None:
        """Run these steps, check the states, and converge. Raises the error of the first
        failure."""
        for step in steps:
            self.step(step)
        self.check_states()
        self.step(Step("settle"))

    def step(self, step: Step) -> None:
        """Run one step and check the replicas that it has changed."""
        self.steps += 1
        STEPS.get(step.kind, MessageWorld.do_nothing)(self, step.first, step.second)

    # -- steps -----------------------------------------------------------------------------

    def do_nothing(self, first: int, second: int) -> None:
        """Ignore a step that has no meaning without a keyspace."""

    def write(self, number: int, choice: int) -> None:
        """Execute a command at a replica."""
        site = self.site(number)
        command = self.subject.commands[choice % len(self.subject.commands)]
        history = self.history(site)
        performed = self.family.perform(site.replica, command)
        site.replica = performed.replica
        self.subject.expectations.check_result(
            str(site), history, command, performed.result, self.count
        )
        if not performed.refused or self.subject.keep_refused:
            event = self.note(site, command, performed.result, performed.refused)
            if performed.message is not NOTHING:
                self.enqueue(site, performed.message, event)
        self.check(site)

    def note(self, site: MessageSite, command: Command, result: Any, refused: bool) -> HistoryEvent:
        """Add an operation to the history and return it."""
        site.sequence += 1
        index = len(self.everything)
        dot = make_dot(make_origin(site.number), site.sequence)
        event = HistoryEvent(
            command, dot, site.clock, site.clock, index, site.seen, result=result, refused=refused
        )
        self.everything.append(event)
        site.seen |= 1 << index
        self.refused |= refused << index
        return event

    def enqueue(self, site: MessageSite, content: Any, event: HistoryEvent) -> None:
        """Join a message with the unsent one, or send the unsent one and keep the new message."""
        bit = 1 << event.index
        if site.unsent is not None:
            joined = self.family.group(site.unsent.content, content)
            if joined is not NOTHING and self.is_next(site, event):
                self.count("deltas travel in groups")
                carried = site.unsent.carried | bit
                site.unsent = attrs.evolve(site.unsent, content=joined, carried=carried)
                site.own |= bit
                return
            self.send(site)
        site.unsent = Message(content, bit, event.past, site.own)
        site.own |= bit

    def is_next(self, site: MessageSite, event: HistoryEvent) -> bool:
        """Return whether a replica has received nothing since its unsent operations."""
        assert site.unsent is not None
        return not event.past & ~(site.unsent.past | site.unsent.carried)

    def send(self, site: MessageSite) -> None:
        """Send the unsent message to all other replicas."""
        if site.unsent is not None:
            for other in self.sites:
                if other is not site:
                    other.waiting.append(site.unsent)
            site.unsent = None

    def can_arrive(self, site: MessageSite, message: Message) -> bool:
        """Return whether the contract allows a message to arrive now."""
        needed = {"causal": message.past, "fifo": message.earlier, "any": 0}
        return not needed[self.subject.delivery] & ~(site.seen | self.refused)

    def deliver(self, number: int, choice: int) -> None:
        """Deliver one of the messages in transit to a replica."""
        sink = self.site(number)
        for site in self.sites:
            self.send(site)
        ready = [message for message in sink.waiting if self.can_arrive(sink, message)]
        if ready:
            message = ready[choice % len(ready)]
            sink.waiting.remove(message)
            sink.received.append(message)
            self.receive(sink, message)

    def duplicate(self, number: int, choice: int) -> None:
        """Deliver a message that has been delivered before."""
        sink = self.site(number)
        if sink.received and self.subject.duplicates:
            self.count("duplicates are harmless")
            self.receive(sink, sink.received[choice % len(sink.received)])

    def receive(self, sink: MessageSite, message: Message) -> None:
        """Apply a message at a replica and check the replica."""
        sink.replica = self.family.receive(sink.replica, message.content)
        sink.seen |= message.carried | message.past & self.refused
        if self.sends_states():
            sink.seen |= message.past
        self.check(sink)

    def sends_states(self) -> bool:
        """Return whether a message contains everything that its origin had seen."""
        return getattr(self.family, "sends", "") == "state"

    def pull(self, source: int, sink: int) -> None:
        """Bring the whole state of one replica to another, if the type supports this."""
        here, there = self.site(sink), self.site(source)
        if here is there or not self.family.exports or not self.is_closed(there.seen):
            return  # a state need not contain operations whose dependencies are missing
        for site in self.sites:
            self.send(site)
        if not self.family.merges:
            if here.seen & ~there.seen:
                return  # loading would lose something
            here.replica = self.family.new(here.number + REGIONS, lambda: here.clock)
        self.count("whole states are exchanged")
        here.replica = self.family.absorb(here.replica, self.family.export(there.replica))
        here.seen |= there.seen
        here.waiting = [m for m in here.waiting if m.carried & ~here.seen]
        self.check(here)

    def advance(self, number: int, choice: int) -> None:
        """Advance the clock of one replica or of all, or set it back."""
        index = number % (2 * len(self.sites))
        for site in [self.sites[index]] if index < len(self.sites) else self.sites:
            site.clock += AHEAD[choice % len(AHEAD)]

    def converge(self, first: int, second: int) -> None:
        """Deliver all messages and check that all replicas agree."""
        for site in self.sites:
            self.send(site)
        for site in self.sites * 2:
            while ready := [m for m in site.waiting if self.can_arrive(site, m)]:
                site.waiting.remove(ready[0])
                site.received.append(ready[0])
                self.receive(site, ready[0])
        for site in self.sites:
            assert not site.waiting
            self.count("replicas that received everything agree")
            self.check(site)

    # -- checks ----------------------------------------------------------------------------

    def history(self, site: MessageSite) -> History:
        """Return the history that a replica has seen."""
        return History(self.everything, site.seen, site.clock)

    def is_closed(self, seen: int) -> bool:
        """Return whether a set of seen operations is causally closed."""
        return not any(
            event.past & ~(seen | self.refused)
            for event in self.everything
            if seen >> event.index & 1
        )

    def check(self, site: MessageSite) -> None:
        """Read a replica and check its reading."""
        reading = self.family.read(site.replica)
        self.trace.append((self.steps, str(site), reading))
        expectations = self.subject.expectations
        expectations.check_invariants(str(site), reading, self.count)
        if not self.is_closed(site.seen):
            return
        if expectations.specs:
            expectations.check_spec(str(site), reading, self.expected(site), self.count)
        self.check_equal(site, reading)

    def expected(self, site: MessageSite) -> Reading:
        """Return the reading that the specification gives. It is computed once per history."""
        if site.seen not in self.answers:
            self.answers[site.seen] = self.subject.expectations.expected(self.history(site))
        return self.answers[site.seen]

    def check_equal(self, site: MessageSite, reading: Reading) -> None:
        """Check that replicas that have seen the same operations have equal readings."""
        key = site.seen & ~self.refused
        where, other = self.known.setdefault(key, (str(site), reading))
        self.count("equal operations, equal values")
        self.subject.expectations.check_equal(str(site), reading, where, other)

    def check_states(self) -> None:
        """Check the laws of states with the current states of all replicas."""
        if not self.family.exports:
            return
        states = [self.family.export(site.replica) for site in self.sites]
        for site, state in zip(self.sites, states, strict=True):
            self.expect("a state reads back as it was", [state], self.family.read(site.replica))
        if not self.family.merges:
            return
        first, second, third = states
        for left, right in ((first, second), (second, third), (third, first)):
            self.expect("merge is idempotent", [left, left], self.merged([left]))
            both = self.merged([left, right])
            self.expect("merge is commutative", [right, left], both)
            self.expect("merge absorbs", [left, right, left], both)
        after = self.family.new(SCRATCH, lambda: CLOCK_START_MS)
        for state in (second, third):
            after = self.family.absorb(after, state)
        grouped = [first, self.family.export(after)]
        self.expect("merge is associative", [first, second, third], self.merged(grouped))

    def merged(self, states: list[Any]) -> Reading:
        """Return the reading of a new replica that has absorbed these states."""
        replica = self.family.new(SCRATCH, lambda: CLOCK_START_MS)
        for state in states:
            replica = self.family.absorb(replica, state)
        return self.family.read(replica)

    def expect(self, law: str, states: list[Any], expected: Reading) -> None:
        """Raise Disagreement if absorbing `states` does not give the expected reading."""
        self.count(law)
        found = self.merged(states)
        if (name := difference(found, expected)) is not None:
            shown, meant = worded(name, found[name]), worded(name, expected[name])
            raise Disagreement(law, f"a replica shows {shown}, and must show {meant}")


STEPS: Final[dict[str, Callable[[MessageWorld, int, int], None]]] = {
    "write": MessageWorld.write,
    "deliver": MessageWorld.deliver,
    "duplicate": MessageWorld.duplicate,
    "pull": MessageWorld.pull,
    "advance": MessageWorld.advance,
    "settle": MessageWorld.converge,
}
