"""Commands that run in slices, so that a long one does not stall other clients.

A handler that would take longer than some milliseconds passes a generator to `Client.hand_over`.
The generator yields after about `Slices.items` items of work. Its first slice runs immediately. If
it has more to do, the command becomes a `Work`: the driver runs one slice in each turn, in turn for
several works, and serves other clients in between. A short command never becomes a work, so it
costs what it did.

Readers see the effect of a command at one moment, its end:

* **Keys.** A work that writes has its keys to itself. Commands of other clients on these keys wait,
  in the order in which they came. A work that reads shares its keys with other readers; commands
  that write them wait. Commands that concern keys without naming them (KEYS, SCAN, FLUSHALL) have
  the flag `whole`. They wait for a work that writes, or, if they write, for all works. A request
  that waits is kept in `Session.postponed`, like one that waits for the end of a CLIENT PAUSE, and
  later requests of its client wait behind it. The common path has no extra test: while there are
  works, `Instance.guarded_bits` contains LOCKABLE.
* **One writer.** One work writes at a time. No new work begins while a client, an operation of
  another region or a change that blocked clients wait for is delayed, so that nothing waits for
  ever.
* **Other regions.** Nothing is sealed while a work writes, so its effects are in one operation. The
  operations of other regions wait in the causal buffer where they would change what a work uses. A
  snapshot or a merge first runs all works to their end (see `crdt.embed.hold`).
* **Preparation.** A request that needs something that is not ready, such as the order of a large
  sorted set, waits until it has been built in slices (`Client.wait_for`). It locks no key
  meanwhile.
* **Keys that are not settled.** A request waits in the same way for a large key that a merge or an
  operation of another region has changed, and one that concerns all keys waits for all of them
  (see `crdt.store.unsettled`).
* **Time.** Expiry stands still for a work: its keys expire as of its beginning.

What else concerns a work:

* The client is shown as blocked in CLIENT LIST, and its later requests wait. It can be killed. The
  work of a client that is gone is dropped if it has not written. Otherwise it runs to its end
  without replies.
* A part of a reply is sent before the rest is made. An error after that closes the connection.
* Clients that are blocked on a key are served when the works have ended. Those that watch it learn
  of its change at once.
* MONITOR shows the command at its beginning. SLOWLOG, LATENCY and the statistics count the time of
  all of its slices.
* A transaction that has begun is completed, also if memory or the right to write is lost meanwhile.
  A command in it that fails for want of memory gets its error, and the next one runs.
* A listener that closes runs all works to their end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Final

from crdb.engine.clients.crash_guard import contain_crash
from crdb.engine.command import SCRIPT, WRITE, Command
from crdb.engine.errors import MEMORY_EXHAUSTED, CommandError
from crdb.engine.execution.leftovers import Leftovers, has_many_items
from crdb.engine.execution.reach import NAMED_MAX, Reach, reach_of_request
from crdb.engine.execution.work import SliceHost, Work
from crdb.engine.session import KILLED, POSTPONED, SKIP_NEXT, SKIPPING, WORKING, Session
from crdb.resp import reply
from crdt.embed.hold import Hold
from crdt.store.unsettled import STEPS_MAX

SLICE_ITEMS: Final = 1000
"""The number of items, such as members or arguments, in a slice: about a millisecond."""


WRITES: Final = WRITE | SCRIPT
FREED: Final = 10
"""To free an argument takes so many times less than to use it."""


FINISH_SECONDS: Final = 1.0
FINISH_SLICES: Final = 500
"""A script that runs for longer than one of these, while something needs the whole state, ends with
an error. Other commands come to their end."""


class MustWait(Exception):
    """Raised by `Slices.begin`: the request must be carried out later, from its beginning."""


class Slices:
    """The works of one instance."""

    def __init__(self, host: SliceHost) -> None:
        self.host = host
        self.works: deque[Work] = deque()
        self.writer: Work | None = None
        """The work that writes, if there is one."""
        self.waiting: dict[int, Session] = {}
        """The clients whose requests wait for the end of a work, by id, in order."""
        self.hold = Hold(self.finish_all)
        self.kept_changes: list[bytes] = []
        """Changed keys whose blocked clients are served when the works have ended."""
        self.preparing: deque[tuple[Session, Iterator[None]]] = deque()
        """The clients whose requests wait until what they need has been prepared, and what does
        that."""
        self.is_running = False
        """True while a slice of a work runs."""
        self.is_unsettled = False
        """True if `guarded_bits` allows for keys that are not settled."""
        self.garbage = Leftovers()

    @property
    def items(self) -> int:
        """The number of items in a slice."""
        return self.host.slice_items

    @items.setter
    def items(self, items: int) -> None:
        self.host.slice_items = items

    def is_idle(self) -> bool:
        """Return whether there is nothing to do."""
        if self.works or self.preparing or self.garbage.lists or self.host.watching.ended:
            return False
        if self.host.tracking.has_changes() or self.host.may_evict():
            return False
        if not self.host.hub.is_idle():
            return False
        return not self.host.replica.has_work()

    # -- begin -----------------------------------------------------------------------------

    def begin(self, session: Session, args: list[bytes], steps: Iterator[None]) -> None:
        """Run the first slice of a command. Run the others in later turns, if there are more.

        Raises MustWait if no work may begin now. Nothing has been done then. Raises what `steps`
        raises in its first slice.
        """
        host = self.host
        command = host.commands.require(args)
        reach = self.reach_of(session, command, args)
        if self.works and (
            self.waiting
            or self.kept_changes
            or self.hold.has_delayed
            or (reach.writes and self.writer is not None)
        ):
            raise MustWait
        work = Work(session, command, args, steps, reach)
        work.clock = host.keyspace.expiry_clock
        seq = host.keyspace.seq
        mark = len(session.out)
        self.is_running = True
        try:
            is_ended = not run_step(steps)
        finally:
            self.is_running = False
            work.in_exec, session.in_exec = session.in_exec, False
        if is_ended:
            return
        work.has_replied = len(session.out) > mark
        self._keep(work, seq)

    def adopt(self, session: Session, args: list[bytes], steps: Iterator[None], seq: int) -> None:
        """Run the other slices of a command that has run its first one, while there was no work.
        `seq` is the number of the last effect before."""
        assert not self.works
        command = self.host.commands.require(args)
        work = Work(session, command, args, steps, self.reach_of(session, command, args))
        work.clock = self.host.keyspace.expiry_clock
        self._keep(work, seq)

    def _keep(self, work: Work, seq: int) -> None:
        """Run the other slices of a work in later turns."""
        work.has_written = self.host.keyspace.seq != seq
        work.session.flags |= WORKING
        self.works.append(work)
        self._take_keys(work)

    def reach_of(self, session: Session, command: Command, args: list[bytes]) -> Reach:
        """Return the keys of a request; for EXEC those of its queue and those that are watched."""
        if command.name != b"exec":
            return reach_of_request(command, args)
        is_whole = b"" in session.queued_keys or len(session.watched) > NAMED_MAX // FREED
        if is_whole:
            return Reach(set(), is_whole=True, writes=session.queued_bits & WRITES != 0)
        if session.queued_keys and not session.watched:
            keys = session.queued_keys
        else:
            keys = session.queued_keys | session.watched.keys()
        if not session.queued_keys:
            for request in session.queue:
                reach = reach_of_request(self.host.commands.require(request), request)
                keys |= reach.keys
                is_whole = is_whole or reach.is_whole
        return Reach(keys, is_whole=is_whole, writes=session.queued_bits & WRITES != 0)

    def _take_keys(self, work: Work) -> None:
        """Let commands of others on the keys of `work` wait."""
        hold, reach = self.hold, work.reach
        if reach.writes:
            self.writer = work
            hold.is_writing = True
        elif reach.is_whole:
            hold.reads_all += 1
        else:
            for key in reach.keys:
                hold.keys[key] = hold.keys.get(key, 0) + 1
        self.host.replica.update_hold(hold)
        self.host.combine_guards()

    # -- wait ------------------------------------------------------------------------------

    def may_delay(self) -> bool:
        """Return whether some requests may have to wait. Remember the answer of the keyspace."""
        self.is_unsettled = self.host.keyspace.has_unsettled_keys()
        return self.is_unsettled or len(self.works) > 0

    def settles_first(self, session: Session, command: Command, args: list[bytes]) -> bool:
        """Return whether a request must wait since it concerns all keys, or a large key that a
        merge or an operation has changed, and they are not settled. They are settled in slices."""
        db = self.host.keyspace
        if not db.has_unsettled_keys():
            return False
        reach = self.reach_of(session, command, args)
        if reach.is_whole:
            self.prepare(session, args, self._settle_all())
            return True
        for key in reach.keys:
            if db.is_large_unsettled(key):
                self.prepare(session, args, self._settle(key))
                return True
        return False

    def _settle(self, key: bytes) -> Iterator[None]:
        """Settle a large key. Nothing is done while a command relies on the keys as they are."""
        replica, db = self.host.replica, self.host.keyspace
        while replica.is_held() or db.settle_slice(key):
            yield

    def _settle_all(self) -> Iterator[None]:
        """Wait until all keys are settled, which `run_slice` does. Settle them at once if too many
        further changes come meanwhile, and no command relies on the keys as they are."""
        replica, db = self.host.replica, self.host.keyspace
        latest = db.steps_begun() + STEPS_MAX
        while db.has_unsettled_keys():
            if db.steps_begun() > latest and not replica.is_held():
                db.settle_all()
                return
            yield

    def delays(self, session: Session, command: Command, args: list[bytes]) -> bool:
        """Return whether a request must wait for the end of a work."""
        reach = self.reach_of(session, command, args)
        writer = self.writer
        if writer is not None:
            if reach.is_whole or (writer.reach.is_whole and reach.keys):
                return True
            if reach.overlaps(writer.reach.keys):
                return True
        return reach.writes and (
            (self.hold.reads_all > 0 and (reach.is_whole or bool(reach.keys)))
            or reach.overlaps(self.hold.keys)
        )

    def postpone(self, session: Session, args: list[bytes]) -> None:
        """Keep a request until a work has ended."""
        session.postponed = args
        session.flags |= POSTPONED
        self.waiting.setdefault(session.id, session)

    def prepare(self, session: Session, args: list[bytes], steps: Iterator[None]) -> None:
        """Keep a request until `steps`, which prepares what it needs, has ended."""
        session.postponed = args
        session.flags |= POSTPONED
        self.preparing.append((session, steps))

    def is_preparing(self, session: Session) -> bool:
        """Return whether a request of `session` waits until something has been prepared."""
        return any(each is session for each, _ in self.preparing)

    def _advance_preparation(self) -> None:
        """Run one slice of a preparation. At its end, wake the client that waits for it."""
        session, steps = self.preparing.popleft()
        if contain_crash(session, self.host.report, lambda: run_step(steps)):
            self.preparing.append((session, steps))
        else:
            session.flags &= ~POSTPONED
            self.host.wake(session)

    def _wake_waiting(self) -> None:
        """Wake the clients whose requests wait. Those that still have to wait will do so again."""
        waiting = list(self.waiting.values())
        self.waiting.clear()
        for session in waiting:
            session.flags &= ~POSTPONED
            self.host.wake(session)

    def keep_back(self, keys: list[bytes]) -> None:
        """Keep those of the changed `keys` that clients are blocked on until the works have
        ended."""
        by_key = self.host.blocked.by_key
        self.kept_changes += [key for key in keys if key in by_key]

    # -- run -------------------------------------------------------------------------------

    def run_slice(self) -> Session | None:
        """Run one slice of one work, of a preparation, of the delivery of messages, and of what
        merges and removals have left to be done. Return the client of the first, whose replies may
        be sent."""
        if self.host.replica.has_work():
            self._work()
        if self.preparing:
            self._advance_preparation()
        if self.garbage.lists:
            self.garbage.free_slice(FREED * self.items)
        if self.host.watching.ended:
            self.host.watching.release_slice(self.items)
        if self.host.may_evict():
            self.host.evict_slice()
        if self.host.tracking.has_changes():
            self.host.tracking.deliver()
        if not self.host.hub.is_idle():
            self.host.hub.run_slice(self.items)
        if not self.works:
            return None
        work = self.works.popleft()
        self.works.append(work)
        self._advance(work)
        if self.writer is not None:
            self.host.keyspace.pack_effects(2 * self.items)
        return work.session

    def _work(self) -> None:
        """Run one slice of what the replica has left to be done."""
        try:
            self.host.replica.work()
        except MemoryError:  # the next slice tries again
            self.host.memory_exhausted("merging")

    def finish_all(self) -> None:
        """Run all works to their end. A link may ask for that while it sends, so the next turn
        pushes what they write, and serves the clients that they wake. A script that would run for
        long ends with an error."""
        if not self.works:
            return
        turn, clock, slices = self.host.turn, self.host.timing.clock, 0
        latest = clock() + FINISH_SECONDS
        turn.defers_push = True
        try:
            while self.works:
                self.run_slice()
                slices += 1
                if slices >= FINISH_SLICES or clock() >= latest:
                    self.host.end_script()
        finally:
            turn.defers_push = False
        turn.set_timer(turn.clock())

    def _advance(self, work: Work) -> None:
        """Run one slice of `work`. End the work if that was the last one."""
        host, session, db = self.host, work.session, self.host.keyspace
        seq, clock, began = db.seq, db.expiry_clock, host.timing.clock()
        db.set_expiry(work.clock)
        db.set_marking(not session.no_touch or work.command.name == b"touch")
        session.in_exec = work.in_exec
        mark = len(session.out)
        self.is_running = True
        has_more = contain_crash(session, host.report, lambda: self._step(work, mark))
        self.is_running = False
        work.in_exec, session.in_exec = session.in_exec, False
        db.set_marking(True)
        db.set_expiry(clock)
        work.seconds += host.timing.clock() - began
        work.has_written = work.has_written or db.seq != seq
        session.mute(mark)
        if session.flags & KILLED:
            session.drop_replies(mark)
        work.has_replied = work.has_replied or len(session.out) > mark
        if session.count_output():
            host.check_output(session)
        is_dropped = session.flags & KILLED and not work.has_written
        if not has_more or is_dropped:
            self._end(work)

    def _step(self, work: Work, mark: int) -> bool:
        """Return whether `work` has more to do after one more slice."""
        session = work.session
        try:
            return run_step(work.steps)
        except CommandError as refusal:
            text = refusal.text
        except MemoryError:
            text = MEMORY_EXHAUSTED
            self.host.memory_exhausted("a command of a client")
        session.drop_replies(mark)
        reply.error(session.out, text)
        if work.has_replied:
            session.close_after_reply()
        self.host.statistics.failed[work.command.number] += 1
        self.host.statistics.count_error(text)
        return False

    # -- end -------------------------------------------------------------------------------

    def drop(self, session: Session) -> None:
        """Forget a client that is gone. Its work goes on without replies if it has written."""
        self.waiting.pop(session.id, None)
        if session.flags & POSTPONED:
            left = [each for each in self.preparing if each[0] is not session]
            self.preparing = deque(left)
        if session.flags & WORKING:
            work = next(each for each in self.works if each.session is session)
            session.flags |= KILLED
            if not work.has_written:
                self._end(work)

    def _end(self, work: Work) -> None:
        """End a work: let others use its keys, and its client go on."""
        host, session, hold = self.host, work.session, self.hold
        host.abandon_script(session)
        self.works.remove(work)
        session.flags &= ~(WORKING | SKIPPING)
        if session.flags & SKIP_NEXT:
            session.flags = session.flags & ~SKIP_NEXT | SKIPPING
        session.in_exec = False
        session.flush_pushes()
        reach = work.reach
        if self.writer is work:
            self.writer = None
            hold.is_writing = False
        elif reach.is_whole:
            hold.reads_all -= 1
        else:
            for key in reach.keys:
                hold.keys[key] -= 1
                if not hold.keys[key]:
                    del hold.keys[key]
        host.combine_guards()
        try:
            self._count(work)
            self._keep_garbage(work)
            kept, self.kept_changes = self.kept_changes, []
            host.key_events.finish(session)
            host.serve_blocked(kept)
            host.after_command(session)
        except MemoryError:
            host.memory_exhausted("the end of a command of a client")
        self._release(reach)
        if session.id in host.clients:
            host.wake(session)
        self._wake_waiting()

    def _keep_garbage(self, work: Work) -> None:
        """Keep what a work leaves, to free it in slices."""
        keyspace, many = self.host.keyspace, FREED * self.items
        if len(work.args) > many:
            self.garbage.add(work.args)
        if work.reach.writes and has_many_items(keyspace, many):
            self.garbage.add(keyspace.pending_effects())

    def _release(self, reach: Reach) -> None:
        """Seal and apply what has waited for a work with this reach."""
        host = self.host
        is_late = self.hold.has_delayed and not self.hold.is_writing
        with suppress(MemoryError):  # the next operation that arrives tries again
            host.replica.update_hold(self.hold)
        if is_late:
            host.after_command()
            host.turn.run_phases(seals=reach.writes)

    def _count(self, work: Work) -> None:
        """Count the call and its time."""
        host = self.host
        if work.seconds < host.timing.outlier_seconds:
            host.statistics.count_calls(work.command.number, 1, work.seconds)
        else:
            seconds, at = work.seconds, host.wall // 1000
            host.timing.observe(work.session, work.command, work.args, seconds, at)

    def finish_with(self, session: Session, steps: Iterator[None]) -> None:
        """Carry out `steps` at the end of the work of `session`, or now if its command has ended.
        The keys of the work are kept from others until then."""
        for work in self.works:
            if work.session is session:
                work.steps = chain(work.steps, steps)
                return
        for _ in steps:
            pass

    def charge(self, session: Session, seconds: float) -> None:
        """Add the time of the first slice to the work of `session`."""
        for work in self.works:
            if work.session is session:
                work.seconds += seconds


def run_step(steps: Iterator[None]) -> bool:
    """Run one slice. Return whether there is more to do."""
    for _ in steps:
        return True
    return False
