"""Sessions see what they have seen: the four session guarantees (Terry et al., 1994), black box.

Every member of a set that is only ever added to is unique, so a read shows which writes it has
seen. For each session the checker keeps what it must see from now on:

* read your writes: what it has added itself;
* monotonic reads: what it has read before;
* monotonic writes, and writes follow reads: with each member that it reads for the first time, all
  that the session which added that member had to see then.

A session that moves to another region keeps this if CRDB.AWAIT has been answered with 1 there, and
starts over if not. So it does when its region loses its memory (I15 to I18).
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
"""By key, members that must be seen."""


class GuaranteesChecker(Checker):
    """Checks the session guarantees."""

    promise: ClassVar[str] = "session guarantees"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.known: dict[tuple[str, int], Known] = {}
        """The elements that each session must see; those that only write go by their region."""
        self.homes: dict[int, str] = {}
        """In which region a session was last."""
        self.with_it: dict[str, Known] = {}
        """By member, what the session that added it had to see."""
        self.retired: set[str] = set()
        """Keys that somebody has deleted."""
        self.flushed = False

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        """Drop what was seen only there: others need not have it."""
        for name, session in list(self.known):
            if name == region.name or self.homes.get(session) == region.name:
                del self.known[name, session]

    def on_region_started(self, region: Watched) -> None:
        self.on_region_stopped(region, ())

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        """Take in what those have done who only write."""
        db = region.replica.keyspace
        if db.seq == before.get(db.origin, 0):
            return
        known = self.known.setdefault((region.name, 0), {})
        for words in commands:
            self.note_observed(known, words, 1)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare what a session has read with what it must see."""
        if not session:
            return
        if self.homes.get(session, region.name) != region.name:
            if not any(words[0] == "CRDB.AWAIT" for words in commands):
                self.known.pop(("", session), None)  # it had no vector to wait for
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
        """A session has arrived in another region, or has not."""
        if command[0] == "CRDB.AWAIT":
            if reply != 1:
                self.known.pop(("", session), None)
            self.homes[session] = region.name

    def note_observed(self, known: Known, words: Sequence[str], reply: Reply) -> None:
        """Take in a write."""
        name = words[0]
        if name in {"DEL", "UNLINK"}:
            self.retired.update(words[1:])
        self.flushed = self.flushed or name == "FLUSHALL"
        if name == "SADD" and words[1].startswith(FAMILY) and not isinstance(reply, Refusal):
            for member in words[2:]:
                self.with_it[member] = {key: set(members) for key, members in known.items()}
                known.setdefault(words[1], set()).add(member)

    def check_session(self, region: Watched, session: int, key: str, reply: Reply) -> None:
        """Compare what a session reads under a key with what it must see there."""
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
        """Raise if something is missing."""
        if lacking:
            why = f"it reads {member}, which was added after it" if member else "it has seen that"
            raise self.violation(
                f"session {session} in {region.name} does not see {sorted(lacking)[0]}"
                f" in {key}, although {why}"
            )
