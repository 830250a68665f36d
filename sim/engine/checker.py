"""The interface of checkers: the hooks that a world calls, and the violation that a checker raises.

A checker observes one world. It keeps its own records and changes nothing. `looked` counts its
checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from mypy_extensions import mypyc_attr

from crdb.engine.instance import Instance
from crdt.causality.dots import Origin, Vector
from crdt.causality.effect import Effect
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace
from replication.machines.receiving.origin_map import OriginMap
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.events import Closed, Connected
from replication.protocol.peers import Direction
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
    """A region, as checkers see it. A restart gives it another replica and another state hash."""

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
    def is_on_disk(self) -> bool:
        """True if the number of its present incarnation is on disk."""
        ...

    @property
    def now_ms(self) -> int:
        """The time in ms by its monotonic clock, as of its present turn."""
        ...

    @property
    def clock_sets(self) -> int:
        """The number of times that its wall clock was set by more than a correction."""
        ...

    @property
    def has_waiters(self) -> bool:
        """True if a client waits for something."""
        ...

    @property
    def was_paused(self) -> bool:
        """True if it is paused, or was a moment ago."""
        ...

    @property
    def latest_pause_ms(self) -> int:
        """The time in ms at which its latest pause ends or has ended; 0 if there was none."""
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
    def process_starts(self) -> int:
        """The number of times that its process has started, each time without data."""
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
    def has_waiters(self) -> bool:
        """True if a client is blocked."""
        ...

    @property
    def holds_old(self) -> bool:
        """True while it still holds what it had before it followed its sources."""
        ...

    @property
    def is_loading(self) -> bool:
        """True while the snapshot of its first source is under way."""
        ...

    def silence_ns(self) -> int | None:
        """Return the time (ns) since its first source has sent something over the present
        connection; None if there is no connection."""
        ...

    @property
    def beginnings(self) -> int:
        """The number of times it has started empty."""
        ...

    @property
    def origin_maps(self) -> Mapping[str, OriginMap]:
        """The origin map of each source."""
        ...

    def claims(self) -> dict[str, Vector]:
        """Return the vector applied from each source, with that source's origins."""
        ...


@mypyc_attr(allow_interpreted_subclasses=True)
class Checker:
    """Base of all checkers. Every hook does nothing here."""

    promise: ClassVar[str] = ""

    def __init__(self, run_history: RunHistory) -> None:
        self.run_history = run_history
        self.looked = 0

    def on_region_started(self, region: Watched) -> None:
        """Called when a region has started, empty or from a kept snapshot."""

    def on_clock_rewound(self, region: Watched) -> None:
        """Called when a client has set a region's clock (CRDB.CLOCK). Expiry follows, also back."""

    def on_expiry_set_back(self, name: str, keyspace: Keyspace, before: int) -> None:
        """Called when the clock of a region or follower was set back. Expiry followed the time
        `before` (ms), and follows an earlier one now."""

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        """Called at the end of a turn that has made effects, of which `first` is the number of the
        first. They are part of an operation that is made at the same time or a little later."""

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        """Called when a region has made an operation."""

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        """Called when a client's commands were carried out. `before` is the vector before them."""

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Called before a client sends commands. Session 0 stands for clients that only write."""

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Called when a session's commands were carried out. There are fewer replies if the last
        one waits; the commands after it have not been read then.

        Passes the replies to `compare_replies`."""
        self.compare_replies(region, session, commands, replies)

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Called when a reply has come that a client has waited for."""

    def on_messages(self, region: Watched, session: int, messages: Sequence[Reply]) -> None:
        """Called with what a subscriber has received: messages, and replies to its commands."""

    def on_client_left(self, region: Watched, session: int) -> None:
        """Called when the connection of a client was closed, by either end."""

    def on_connection_request(
        self, region: Watched, session: int, identity: int, commands: Sequence[Words]
    ) -> None:
        """Called before a session sends commands whose replies depend on the state of its
        connection. `identity` is the number of the connection."""

    def on_connection_replies(
        self, region: Watched, session: int, replies: Sequence[Reply]
    ) -> None:
        """Called with replies that such a session has got, immediately or later."""

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        """Called when an operation of another region was added to this one's history."""

    def on_op_applied(self, region: Watched, entry: Entry) -> None:
        """Called when it was applied, after everything that this checker was called for before."""

    def on_history_jump(self, region: Watched) -> None:
        """Called when the order is not known in which operations were applied in this turn: a
        snapshot was merged, or the history dropped operations before they were read."""

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Called after a turn of a region, with the keys that have changed."""

    def on_repair_asked(self, region: Watched, origin: Origin) -> None:
        """Called when a region has asked a repair peer for operations of `origin`."""

    def on_link_event(self, region: Watched, event: Connected | Closed) -> None:
        """Called when a connection of a region is made or has ended, before the region acts."""

    def on_unreachable(self, region: Watched, peer: str) -> None:
        """Called when an attempt of a region to reach a peer has failed."""

    def on_link_cut(
        self, region: Watched, peer: str, direction: Direction, before: Sequence[Machine]
    ) -> None:
        """Called when a client has cut one direction of the link between a region and a peer.
        `before` are the ends of connections that the region had."""

    def on_link_healed(self, region: Watched, peer: str) -> None:
        """Called when a client has healed the link from `peer` to a region."""

    def on_recovered(self, region: Watched) -> None:
        """Called when the recovery of a region has ended, before it serves its clients again."""

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """Called when a region has lost its memory; `survivors` are up."""

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Called after a turn of a follower, with the keys that have changed."""

    def before_follower_commands(
        self, copy: Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """Called before a client sends commands to a follower."""

    def on_follower_replies(
        self, copy: Followed, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Called when they were carried out. Passes the replies to `compare_replies`."""
        self.compare_replies(copy, session, commands, replies)

    def compare_replies(
        self,
        place: Watched | Followed,
        session: int,
        commands: Sequence[Words],
        replies: Sequence[Reply],
    ) -> None:
        """Called with the replies of a region or of a follower, for checkers that treat both
        alike."""

    def on_promotion(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Called when a follower was promoted, with the keys that this has changed."""

    def on_inspection(self, place: Watched | Followed) -> None:
        """Called to inspect a region or follower that is up: at random times, and at the end."""

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Called at the end, when every fault is healed and all regions have had time to
        converge."""

    def on_followers_end(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """Called at the end for the followers."""

    def violation(self, text: str) -> Violation:
        """Return the violation of this checker's promise, to be raised."""
        return Violation(self.promise, text)
