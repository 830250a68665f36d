"""What every checker is told, and how it objects.

A checker follows one world. It keeps its own books and changes nothing. `looked` counts how often
there was something to compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from mypy_extensions import mypyc_attr

from crdb.engine.instance import Instance
from crdt.causality.dots import Origin, Vector
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace
from replication.machines.origin_map import Renaming
from replication.mesh.links import Links
from sim.nodes.client import Reply
from sim.nodes.ledger import Entry, Ledger
from sim.nodes.mirror import Change, Mirror
from sim.schedule.step import Words


class Violation(Exception):
    """A promise was broken."""

    def __init__(self, promise: str, text: str) -> None:
        super().__init__(f"{promise}: {text}")
        self.promise = promise
        self.text = text


class Watched(Protocol):
    """A region, as checkers see it. A restart gives it another replica and another mirror."""

    @property
    def name(self) -> str:
        """The region's name."""
        ...

    @property
    def replica(self) -> Replica:
        """Its copy of the data."""
        ...

    @property
    def links(self) -> Links:
        """Its links."""
        ...

    @property
    def instance(self) -> Instance:
        """Its clients."""
        ...

    @property
    def mirror(self) -> Mirror:
        """What follows the copy's changes."""
        ...

    @property
    def has_caught_up(self) -> bool:
        """Whether it may write."""
        ...

    @property
    def now_ms(self) -> int:
        """The time in ms by its clock that nobody sets, as of its present turn."""
        ...

    @property
    def has_waiters(self) -> bool:
        """True if a client waits for something."""
        ...

    @property
    def was_paused(self) -> bool:
        """True if it is paused, or was a moment ago."""
        ...

    def is_held_up(self, peer: str) -> bool:
        """Return whether a fault of the network holds up what `peer` has sent to it."""
        ...

    @property
    def is_unaware(self) -> bool:
        """Whether it does not know that it has lived before."""
        ...


class Followed(Protocol):
    """A follower, as checkers see it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def replica(self) -> Replica:
        """Its copy of the data."""
        ...

    @property
    def mirror(self) -> Mirror:
        """What follows the copy's changes."""
        ...

    @property
    def is_following(self) -> bool:
        """Whether it is a copy now; else a database of its own."""
        ...

    @property
    def beginnings(self) -> int:
        """How often it has begun with nothing."""
        ...

    @property
    def renamings(self) -> Mapping[str, Renaming]:
        """What the regions of each source are called there."""
        ...

    def claims(self) -> dict[str, Vector]:
        """What has been applied of each source, in its words."""
        ...


@mypyc_attr(allow_interpreted_subclasses=True)
class Checker:
    """The base of all: it hears everything and objects to nothing."""

    promise: ClassVar[str] = ""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.looked = 0

    def started(self, region: Watched) -> None:
        """A region has begun a life, empty or from a kept snapshot."""

    def rewound(self, region: Watched) -> None:
        """Somebody has set a region's clock (CRDB.CLOCK); what expires follows, also back."""

    def set_back(self, name: str, keyspace: Keyspace, before: int) -> None:
        """The time (ms) that expiry goes by in a region or follower was `before` and is earlier
        now, as its clock was set back."""

    def made(self, region: Watched, entry: Entry) -> None:
        """A region has made an operation."""

    def answered(self, region: Watched, commands: Sequence[Sequence[str]], before: Vector) -> None:
        """A client's commands have been carried out; `before` is the vector as it was then."""

    def asking(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """A client is about to send commands at once; 0 is the session of those who only write."""

    def replied(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Its commands were carried out. There are fewer replies if the last that was carried out
        waits, and those after it have not been looked at."""

    def woken(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """The reply has come that a client has waited for."""

    def left(self, region: Watched, session: int) -> None:
        """A client has closed its connection."""

    def met(self, region: Watched, entry: Entry) -> None:
        """An operation of another region stands in this one's history."""

    def applied(self, region: Watched, entry: Entry) -> None:
        """It was applied, after all that this checker was told of before."""

    def jumped(self, region: Watched) -> None:
        """A snapshot has been merged, or the history has forgotten operations before they could be
        seen: what was applied in this turn came in an order that is not known."""

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """A region has done something, and these keys have changed."""

    def helped(self, region: Watched, origin: Origin) -> None:
        """A region has asked a helper for operations of `origin`."""

    def stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """A region has lost its memory; these are alive."""

    def followed(self, copy: Followed, changes: Sequence[Change]) -> None:
        """A follower has done something, and these keys have changed."""

    def promoted(self, copy: Followed, changes: Sequence[Change]) -> None:
        """A follower has become a database of its own, and that has changed these keys."""

    def inspected(self, place: Watched | Followed) -> None:
        """A region or follower that is up may be looked at as a whole: now and then, at times that
        are drawn, and in the end."""

    def ended(self, regions: Sequence[Watched]) -> None:
        """All is healed and quiet, and every region has had the time to hear of everything."""

    def copied(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """The same for those that follow them."""

    def broken(self, text: str) -> Violation:
        """What to raise."""
        return Violation(self.promise, text)
