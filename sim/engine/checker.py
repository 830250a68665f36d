"""The interface of checkers: the hooks that a world calls, and the violation that a checker raises.

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
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change, StateHash
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
    def state_hash(self) -> StateHash:
        """The state hash that follows the replica's changes."""
        ...

    @property
    def has_caught_up(self) -> bool:
        """True if it has caught up with its peers and may write."""
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
        """True if it does not know of its earlier incarnations."""
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
    def state_hash(self) -> StateHash:
        """The state hash that follows the replica's changes."""
        ...

    @property
    def is_following(self) -> bool:
        """True if it follows its sources; False after a promotion."""
        ...

    @property
    def holds_old(self) -> bool:
        """True while it still holds what it had before it followed its sources."""
        ...

    @property
    def beginnings(self) -> int:
        """The number of times it has started empty."""
        ...

    @property
    def renamings(self) -> Mapping[str, Renaming]:
        """The origin map of each source."""
        ...

    def claims(self) -> dict[str, Vector]:
        """Return the vector applied from each source, with that source's origins."""
        ...


@mypyc_attr(allow_interpreted_subclasses=True)
class Checker:
    """Base of all checkers: every hook is called, and does nothing here."""

    promise: ClassVar[str] = ""

    def __init__(self, run_history: RunHistory) -> None:
        self.run_history = run_history
        self.looked = 0

    def on_region_started(self, region: Watched) -> None:
        """A region has begun a life, empty or from a kept snapshot."""

    def on_clock_rewound(self, region: Watched) -> None:
        """Somebody has set a region's clock (CRDB.CLOCK); what expires follows, also back."""

    def on_expiry_set_back(self, name: str, keyspace: Keyspace, before: int) -> None:
        """The time (ms) that expiry goes by in a region or follower was `before` and is earlier
        now, as its clock was set back."""

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        """A region has made an operation."""

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        """A client's commands have been carried out; `before` is the vector as it was then."""

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """A client is about to send commands; session 0 stands for clients that only write."""

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Its commands were carried out. There are fewer replies if the last that was carried out
        waits, and those after it have not been looked at."""

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """The reply has come that a client has waited for."""

    def on_client_left(self, region: Watched, session: int) -> None:
        """A client has closed its connection."""

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        """An operation of another region stands in this one's history."""

    def on_op_applied(self, region: Watched, entry: Entry) -> None:
        """It was applied, after everything that was reported to this checker before."""

    def on_history_jump(self, region: Watched) -> None:
        """A snapshot has been merged, or the history has forgotten operations before they could be
        seen: what was applied in this turn came in an order that is not known."""

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """A region has done something, and these keys have changed."""

    def on_repair_asked(self, region: Watched, origin: Origin) -> None:
        """A region has asked a helper for operations of `origin`."""

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """A region has lost its memory; these are alive."""

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """A follower has done something, and these keys have changed."""

    def before_follower_commands(
        self, copy: Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """A client is about to send commands to a follower."""

    def on_follower_replies(
        self, copy: Followed, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """They were carried out."""

    def on_promotion(self, copy: Followed, changes: Sequence[Change]) -> None:
        """A follower has been promoted, and that has changed these keys."""

    def on_inspection(self, place: Watched | Followed) -> None:
        """A region or follower that is up may be looked at as a whole: now and then, at times that
        are drawn, and in the end."""

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """All is healed and quiet, and every region has had the time to hear of everything."""

    def on_followers_end(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """The same for those that follow them."""

    def violation(self, text: str) -> Violation:
        """Return the violation of this checker's promise, to be raised."""
        return Violation(self.promise, text)
