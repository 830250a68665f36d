"""Optimistic locking: EXEC is refused exactly if a watched key has changed.

A client that watches no key, or that has given up watching (UNWATCH, DISCARD), is never refused.

From WATCH to EXEC, the checker reads the watched keys after each turn of the region: type, value,
deadline, and the order of a list. If any of these has changed, EXEC must be refused. If no local
client has written to a watched key, and nothing visible has changed, EXEC must not be refused.

A local write counts even if it changes nothing, as in Redis. An LTRIM that removes nothing makes no
op, so the checker takes it from the reply. A remote op that changes nothing visible does not count.
If several remote ops arrive in one turn, a later one may undo the change of an earlier one. EXEC
may then be refused or not.

The clients of followers can watch keys too. There the checker requires that a visible change is
noticed, also if the snapshot of a source has replaced the data.

Not checked: EXEC that a follower refuses without a reason, and the result of EXEC that had to wait
until a key was settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import attrs

from crdb.engine.instance import Instance
from crdt.causality.effect import FLUSH, Effect, is_key_effect
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.effects import read_in_order
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

WRITES: Final = frozenset({"SADD"})
ENDING: Final = frozenset({"EXEC", "UNWATCH", "DISCARD"})


@attrs.define
class Watch:
    """The watched keys of one session in one region."""

    seen: dict[bytes, object]
    """The visible value of each key when it was first watched."""
    changed: str = ""
    """A description of a visible change of a key; empty if there was none."""
    is_touched: bool = False
    """True if a local client wrote to a key, or a key may have changed without being observed."""
    arrived: int = 0
    """The number of remote ops on the watched keys in the present turn."""


class WatchingChecker(Checker):
    """Checks WATCH and EXEC."""

    promise: ClassVar[str] = "optimistic locking"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.open: dict[str, dict[int, Watch]] = {}
        """The active watches, by region and session."""
        self.instances: dict[str, Instance] = {}
        self.replicas: dict[str, Replica] = {}
        """The replica of each follower when a client last sent commands to it."""

    def on_region_started(self, region: Watched) -> None:
        """Drop the watches of an earlier process.

        If the process is the same, it has put its data aside. Its clients then still watch their
        keys, and these may have changed.
        """
        if self.instances.get(region.name) is not region.instance:
            self.instances[region.name] = region.instance
            self.open[region.name] = {}
        for watch in self.open[region.name].values():
            self.check_watched_keys(region, watch)
            watch.is_touched = True

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.open[region.name] = {}

    def on_client_left(self, region: Watched, session: int) -> None:
        self.open[region.name].pop(session, None)

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Read the watched keys again, because one may have expired."""
        watch = self.open[region.name].get(session)
        if watch is not None:
            self.check_watched_keys(region, watch)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Record WATCH, and check the reply to EXEC. Then record the lists that were trimmed.

        These may include keys that the same request has begun to watch.
        """
        super().on_replies(region, session, commands, replies)
        for words, reply in executed_commands(commands, replies):
            if words[0] == "LTRIM" and reply == "OK":
                self.forget_old_ops(region, words[1].encode())

    def before_follower_commands(
        self, copy: Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """Drop the watches of an earlier process, and read the watched keys again."""
        if self.replicas.get(copy.name) is not copy.replica:
            self.replicas[copy.name] = copy.replica
            self.open[copy.name] = {}
        watch = self.open[copy.name].get(session)
        if watch is not None:
            self.check_watched_keys(copy, watch)

    def on_follower_replies(
        self, copy: Followed, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Record WATCH in a follower, and check that EXEC is refused after a change."""
        super().on_follower_replies(copy, session, commands, replies)
        for watch in self.open[copy.name].values():
            watch.is_touched = True

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Read the watched keys of a follower."""
        for watch in self.open.get(copy.name, {}).values():
            self.check_watched_keys(copy, watch)

    def compare_replies(
        self,
        place: Watched | Followed,
        session: int,
        commands: Sequence[Words],
        replies: Sequence[Reply],
    ) -> None:
        """Record WATCH, and check the reply to EXEC. Raises Violation."""
        watches = self.open[place.name]
        for words, reply in zip(commands, replies, strict=False):
            if words[0] == "WATCH" and not isinstance(reply, Refusal):
                self.begin_watch(place, session, words)
            elif words[0] in WRITES and session in watches and isinstance(reply, int) and reply:
                key = words[1].encode()
                if key in watches[session].seen:
                    watches[session].changed = f"it has written to {words[1]} itself"
            elif words[0] in ENDING and not is_outside_multi(reply):
                watch = watches.pop(session, Watch({}))
                if words[0] == "EXEC" and (watch.seen or reply is None):
                    if not isinstance(reply, Refusal):
                        self.check_exec_reply(place, session, watch, reply)

    def begin_watch(self, place: Watched | Followed, session: int, words: Words) -> None:
        """Record the values of the keys that a session watches from now on."""
        watch = self.open[place.name].setdefault(session, Watch({}))
        for word in words[1:]:
            key = word.encode()
            watch.seen.setdefault(key, read_in_order(place.replica.keyspace, key))

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Record WATCH and EXEC that had to wait until a key was settled."""
        if command[0] == "WATCH" and not isinstance(reply, Refusal):
            self.begin_watch(region, session, command)
        elif command[0] in ENDING and not is_outside_multi(reply):
            self.open[region.name].pop(session, None)

    def forget_old_ops(self, region: Watched, key: bytes) -> None:
        """Mark a trimmed list as touched, even if LTRIM removed nothing."""
        if region.replica.keyspace.lookup(key) is not None:
            for watch in self.open[region.name].values():
                watch.is_touched = watch.is_touched or key in watch.seen

    def check_exec_reply(
        self, region: Watched | Followed, session: int, watch: Watch, reply: Reply
    ) -> None:
        """Compare the result of EXEC with the changes of its watched keys. Raises Violation."""
        self.looked += 1
        keys = " ".join(key.decode("latin-1") for key in watch.seen) or "no key"
        if reply is not None and watch.changed:
            raise self.violation(
                f"session {session} watched {keys} in {region.name} and its EXEC was carried out,"
                f" although {watch.changed}"
            )
        if reply is None and not watch.changed and not watch.is_touched:
            raise self.violation(
                f"session {session} watched {keys} in {region.name} and its EXEC was refused,"
                " although nothing has touched them"
            )

    def check_watched_keys(self, region: Watched | Followed, watch: Watch) -> None:
        """Record whether the visible value of a watched key has changed."""
        for key, seen in watch.seen.items():
            found = read_in_order(region.replica.keyspace, key)
            if found != seen and not watch.changed:
                watch.changed = f"{key.decode('latin-1')} went from {seen!r} to {found!r}"

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Read watched keys that may have changed in this turn."""
        for watch in self.open[region.name].values():
            watch.is_touched = watch.is_touched or watch.arrived > 1
            if watch.arrived or any(change.key in watch.seen for change in changes):
                self.check_watched_keys(region, watch)
            watch.arrived = 0

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        for watch in self.keys_touched_by(region, effects):
            watch.is_touched = True

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        if self.open[region.name]:
            for watch in self.keys_touched_by(region, Op.from_bytes(entry.data).effects):
                watch.arrived += 1

    def keys_touched_by(self, region: Watched, effects: Sequence[Effect]) -> Iterator[Watch]:
        """Yield the watches with a key that an effect has written to."""
        for watch in self.open[region.name].values():
            if any(is_key_effect(effect, FLUSH) or effect[2] in watch.seen for effect in effects):
                yield watch

    def on_history_jump(self, region: Watched) -> None:
        """Mark all watched keys as touched: a snapshot does not list the keys that it changes."""
        for watch in self.open[region.name].values():
            watch.is_touched = True


def is_outside_multi(reply: Reply) -> bool:
    """Return whether EXEC or DISCARD was refused for want of MULTI. The keys stay watched then."""
    return isinstance(reply, Refusal) and reply.text.endswith(" without MULTI")
