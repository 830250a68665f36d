"""The four session guarantees (Terry et al., 1994), checked as a black box.

The members of grow-only sets are unique, so a read shows which writes it has observed. For each
session, the checker tracks the members that its later reads must contain:

* read your writes: the members that the session has added;
* monotonic reads: the members that the session has read before;
* monotonic writes, and writes follow reads: when the session reads a member for the first time, all
  members that the adding session had to see at that time.

A session that moves to another region keeps these requirements if CRDB.AWAIT replies 1 there.
Otherwise, and also when its region loses its memory, the session starts without requirements (I15
to I18).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, TypeAlias

from crdt.causality.dots import Vector
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import RunHistory
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

FAMILY: Final = "all:"
Known: TypeAlias = dict[str, set[str]]
"""The members that a session must see, by key."""


class GuaranteesChecker(Checker):
    """Checks the session guarantees."""

    promise: ClassVar[str] = "session guarantees"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.known: dict[tuple[str, int], Known] = {}
        """The members that each session must see. Clients that only write count as one session
        per region, with the number 0."""
        self.homes: dict[int, str] = {}
        """The last region of each session."""
        self.with_it: dict[str, Known] = {}
        """For each member, what the session that added it had to see at that time."""
        self.retired: set[str] = set()
        """The deleted keys."""
        self.flushed = False

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """Drop the requirements of the region's sessions. Other regions may lack these writes."""
        for name, session in list(self.known):
            if name == region.name or self.homes.get(session) == region.name:
                del self.known[name, session]

    def on_region_started(self, region: Watched) -> None:
        self.on_region_stopped(region, ())

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        """Record the writes of clients that only write."""
        db = region.replica.keyspace
        if db.seq == before.get(db.origin, 0):
            return
        known = self.known.setdefault((region.name, 0), {})
        for words in commands:
            self.note_observed(known, words, 1)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check the reads of a session, and record its writes."""
        if not session:
            return
        if self.homes.get(session, region.name) != region.name:
            if not any(words[0] == "CRDB.AWAIT" for words in commands):
                self.known.pop(("", session), None)  # the session had no vector to await
            elif list(replies) != [1]:
                return
        self.homes[session] = region.name
        known = self.known.setdefault(("", session), {})
        for words, reply in executed_commands(commands, replies):
            if words[0] == "SMEMBERS" and isinstance(reply, Refusal):
                continue
            if words[0] == "SMEMBERS" and words[1].startswith(FAMILY):
                self.check_session(region, session, words[1], reply)
            else:
                self.note_observed(known, words, reply)

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Handle the late reply to CRDB.AWAIT of a session that has moved."""
        if command[0] == "CRDB.AWAIT":
            if reply != 1:
                self.known.pop(("", session), None)
            self.homes[session] = region.name

    def note_observed(self, known: Known, words: Sequence[str], reply: Reply) -> None:
        """Record a write: an addition, a deleted key or a flush."""
        name = words[0]
        if name in {"DEL", "UNLINK"}:
            self.retired.update(words[1:])
        self.flushed = self.flushed or name == "FLUSHALL"
        if name == "SADD" and words[1].startswith(FAMILY) and not isinstance(reply, Refusal):
            for member in words[2:]:
                self.with_it[member] = {key: set(members) for key, members in known.items()}
                known.setdefault(words[1], set()).add(member)

    def check_session(self, region: Watched, session: int, key: str, reply: Reply) -> None:
        """Compare the members that a session reads with those that it must see."""
        if self.flushed or key in self.retired:
            return
        self.looked += 1
        known = self.known[("", session)]
        members = {item.decode("latin-1") for item in reply}
        self.require_observed(region, session, key, known.get(key, set()) - members)
        for member in sorted(members - known.get(key, set())):
            for other, needed in self.with_it.get(member, {}).items():
                if other == key:
                    self.require_observed(region, session, key, needed - members, member)
                elif other not in self.retired:
                    known.setdefault(other, set()).update(needed)
        known[key] = members

    def require_observed(
        self, region: Watched, session: int, key: str, lacking: set[str], member: str = ""
    ) -> None:
        """Raise Violation if members are missing in a read."""
        if lacking:
            why = f"it reads {member}, which was added after it" if member else "it has seen that"
            raise self.violation(
                f"session {session} in {region.name} does not see {sorted(lacking)[0]}"
                f" in {key}, although {why}"
            )
