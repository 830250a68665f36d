"""Blocking commands: a blocked client gets an element as soon as there is one.

Checked after each turn of a region:

* no client blocks for a key that has an element of the wanted type;
* no client blocks for a key that has served a client which blocked later, unless that client may
  have been woken by another key;
* no client blocks in a region that has not caught up, or in a follower;
* a client times out after its timeout, neither early nor much too late;
* each element is unique, and is popped only once in an incarnation of a region.

If a client is blocked for a key, an element pushed to this key is popped before the next command of
the same request. The number that WAIT replies is never too high.

Not checked: elements that BLMOVE has moved, because another region may have popped them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, cast

import attrs

from crdb.engine.instance import Instance
from crdt.causality.dots import Origin, Vector, join
from crdt.writes.content import type_name
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

LATE_MS_MAX: Final = 50  # allowed delay of a timeout while the region is not paused
LISTS: Final = frozenset({"BLPOP", "BRPOP", "BLMOVE"})
BLOCKING: Final = frozenset({*LISTS, "BZPOPMIN"})
HEAD_OR_TAIL: Final = frozenset({"BLPOP", "BRPOP"})
PUSHES: Final = frozenset({"LPUSH", "RPUSH"})
POPS: Final = frozenset({"BLPOP", "BRPOP", "BZPOPMIN", "LPOP", "RPOP"})
FAMILIES: Final = ("queue:", "ranks:")


@attrs.frozen
class Wait:
    """A blocked client. `until` is its timeout, in ms of its region's monotonic clock."""

    command: Words
    keys: tuple[bytes, ...]
    until: int
    number: int
    """The index among all blocked clients, in order of time."""

    @property
    def wanted_type(self) -> bytes:
        """The type of value that the client can pop from."""
        return b"list" if self.command[0] in LISTS else b"zset"


@attrs.frozen
class Served:
    """A client that was blocked and has been served, with the key that served it."""

    wait: Wait
    key: bytes

    @property
    def may_overtake(self) -> bool:
        """Return whether another key may have woken the client before this key's turn came.

        As in Redis 7.2, the whole command of a woken client runs again. So it pops from the first
        of its keys that has an element, and the key that woke it can be a later one.
        """
        later_keys = self.wait.keys[self.wait.keys.index(self.key) + 1 :]
        return any(key != self.key for key in later_keys)


class WaitingChecker(Checker):
    """Checks blocking commands."""

    promise: ClassVar[str] = "blocking"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.waits: dict[str, dict[int, Wait]] = {}
        """The blocked clients, by region and session."""
        self.handed_out: dict[str, set[bytes]] = {}
        """The elements popped in the present incarnation of each region."""
        self.moved: set[bytes] = set()
        """The elements that BLMOVE has moved. If another region has popped one, it exists twice."""

        self.served: dict[str, list[Served]] = {}
        """The clients served in the present turn, by region."""
        self.instances: dict[str, Instance] = {}
        self.count = 0
        self.awaited: dict[str, int] = {}
        """The lists for which clients were blocked when the request arrived, with their session."""
        self.reached: dict[str, Vector] = {}
        """The largest vector that each region has ever had, also before a loss of memory."""
        self.written: dict[tuple[str, int], tuple[Origin, int]] = {}
        """The region's latest dot when the session's request arrived, by region and session."""

    def on_region_started(self, region: Watched) -> None:
        """Forget the clients of an earlier process. If the process is the same, it has put its data
        aside. It must send its blocked clients an error, unless it still serves them."""
        self.reached.setdefault(region.name, {})
        if self.instances.get(region.name) is not region.instance:
            self.instances[region.name] = region.instance
            self.waits[region.name] = {}
        self.served[region.name] = []
        self.handed_out[region.name] = set()

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.waits[region.name] = {}

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        reached = self.reached.setdefault(region.name, {})
        reached[entry.origin] = max(entry.last, reached.get(entry.origin, 0))

    def on_history_jump(self, region: Watched) -> None:
        reached = self.reached.get(region.name, {})
        self.reached[region.name] = join(reached, region.replica.keyspace.vector)

    def on_client_left(self, region: Watched, session: int) -> None:
        self.waits[region.name].pop(session, None)

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Record the lists for which clients are blocked. BLMOVE may return elements to a list,
        so nothing is recorded while a client is blocked in BLMOVE."""
        waits = self.waits[region.name].items() if len(commands) > 1 else ()
        has_movers = any(wait.command[0] == "BLMOVE" for _, wait in waits)
        self.awaited = {
            key.decode(): each
            for each, wait in waits
            if not has_movers and wait.command[0] in HEAD_OR_TAIL
            for key in wait.keys
        }
        db = region.replica.keyspace
        self.written[region.name, session] = db.origin, db.seq

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Record blocked clients and popped elements, and check WAIT."""
        self.check_order(region, commands, replies)
        for words, reply in executed_commands(commands, replies):
            self.record_popped(region, words, reply)
            if words[0] == "WAIT":
                self.count_holders(region, session, words, reply)
        if session and len(replies) < len(commands):
            words = commands[len(replies)]
            if words[0] in BLOCKING:
                keys = words[1:2] if words[0] == "BLMOVE" else words[1:-1]
                until = region.now_ms + int(float(words[-1]) * 1000)
                self.count += 1
                wait = Wait(words, tuple(key.encode() for key in keys), until, self.count)
                self.waits[region.name][session] = wait

    def check_order(
        self, region: Watched, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check that no request pops its own element while another client is blocked for it."""
        pushed: dict[str, bytes] = {}
        for words, reply in zip(commands, replies, strict=False):
            if words[0] == "MULTI":
                return
            if words[0] in PUSHES and len(words) == 3 and isinstance(reply, int):
                pushed[words[1]] = words[2].encode()
            elif words[0] in POPS and words[1] in self.awaited and reply is not None:
                self.looked += 1
                if reply == pushed.get(words[1]):
                    raise self.violation(
                        f"{region.name} hands out {reply!r} with {' '.join(words)}, although"
                        f" session {self.awaited[words[1]]} waited for it"
                    )

    def count_holders(self, region: Watched, session: int, words: Words, reply: Reply) -> None:
        """Compare the reply to WAIT with the number of regions that have had the writes."""
        if not isinstance(reply, int):
            return
        self.looked += 1
        origin, seq = self.written[region.name, session]
        vectors = [vector for name, vector in self.reached.items() if name != region.name]
        holders = sum(vector.get(origin, 0) >= seq for vector in vectors)
        if reply > holders:
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {reply}, and {holders} other regions"
                f" have had its {seq} writes"
            )

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Check that a client has not timed out early, and record the popped element."""
        if command[0] == "WAIT":
            self.count_holders(region, session, command, reply)
        wait = self.waits[region.name].pop(session, None)
        if wait is None:
            return
        self.looked += 1
        late = region.now_ms - wait.until
        if reply is None and late < 0:
            raise self.violation(
                f"session {session} in {region.name} gave up {' '.join(command)} {-late} ms early"
            )
        if (key := served_key(command, reply)) is not None:
            self.served[region.name].append(Served(wait, key))
        self.record_popped(region, command, reply)

    def record_popped(self, region: Watched, words: Words, reply: Reply) -> None:
        """Record popped elements. Raises Violation if one is popped a second time."""
        if words[0] == "BLMOVE" and isinstance(reply, bytes):
            self.moved.add(reply)
        if words[0] not in POPS or not words[1].startswith(FAMILIES):
            return
        handed_out = self.handed_out[region.name]
        for element in list_elements(words[0], reply):
            self.looked += 1
            if element in handed_out and element not in self.moved:
                raise self.violation(
                    f"{region.name} hands out {element!r} a second time, with {' '.join(words)}"
                )
            handed_out.add(element)

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check the blocked clients of a region. Raises Violation."""
        waits = self.waits[region.name]
        served, self.served[region.name] = self.served[region.name], []
        if not region.has_caught_up and waits:
            raise self.violation(
                f"session {min(waits)} waits in {region.name}, which does not serve its clients"
            )
        for session, wait in waits.items():
            self.check_waiters(region, session, wait)
            for each in served:
                is_same = each.wait.wanted_type == wait.wanted_type and each.key in wait.keys
                if is_same and wait.number < each.wait.number and not each.may_overtake:
                    raise self.violation(
                        f"session {session} in {region.name} waits, {' '.join(wait.command)}, but"
                        f" who came later has been served: {' '.join(each.wait.command)}"
                    )

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Check that no client is blocked in a follower. Clients of a promoted one may be."""
        if copy.is_following:
            self.looked += 1
            if copy.has_waiters:
                raise self.violation(f"a client waits in {copy.name}, which only follows others")

    def check_waiters(self, region: Watched, session: int, wait: Wait) -> None:
        """Check that no element is available to a blocked client, and that it is not overdue."""
        for key in wait.keys:
            db = region.replica.keyspace
            value = db.lookup(key)
            if value is not None and type_name(db, value) == wait.wanted_type:
                raise self.violation(
                    f"session {session} in {region.name} waits, {' '.join(wait.command)},"
                    f" but {key.decode('latin-1')} holds {value.visible()!r}"
                )
        late = region.now_ms - wait.until
        if late > LATE_MS_MAX and not region.was_paused:
            raise self.violation(
                f"session {session} in {region.name} should have given up"
                f" {' '.join(wait.command)} {late} ms ago"
            )


def served_key(words: Words, reply: Reply) -> bytes | None:
    """Return the key that served a client, or None if the client was not served."""
    if words[0] == "BLMOVE":
        return words[1].encode() if isinstance(reply, bytes) else None
    return cast("list[bytes]", reply)[0] if isinstance(reply, list) else None


def list_elements(name: str, reply: Reply) -> list[bytes]:
    """Return the popped elements in the reply to a pop."""
    if name in BLOCKING:
        return cast("list[bytes]", reply)[1:2] if isinstance(reply, list) else []
    return [reply] if isinstance(reply, bytes) else []
