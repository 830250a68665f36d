"""Connections: each command gets its own reply, in order, when and if it must.

Some sessions use the state of their connection and that of others. A model of each connection
(`sim.redis.connection`) predicts their replies, however many commands a request has:

* Replies come in the order of the commands, one for each, except where CLIENT REPLY drops them.
* EXEC is refused if a command could not be queued; RESET makes a connection like a new one.
* During a CLIENT PAUSE, the commands that it holds get no reply. All others get theirs at once. At
  its end, or at CLIENT UNPAUSE, the replies to what was held come at once. A pause that is in force
  is neither shortened nor made to hold less.
* CLIENT UNBLOCK ends the wait of a blocked client, as it says. A list that is pushed serves the
  first client that waits for a list, whoever else waits for the key. If nobody waits, the list
  keeps the element, and the next client that pops gets it.
* CLIENT KILL closes the connection that it names, and no other.
* The parameter `timeout` closes a connection that has sent nothing for so long, and no other. One
  that is blocked is never closed.
* The rate of commands that INFO shows is that of the last SAMPLED_MS.

Not checked: connections of a process that has refused commands or put its state aside since it
started. The state of some is not known then, and they act on the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

from crdb.engine.instance import Instance
from crdt.causality.effect import FLUSH, Effect, is_key_effect
from crdt.causality.op import Op
from sim.checkers.clients.commands import plain
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import Entry, RunHistory
from sim.redis.commands import is_expected
from sim.redis.connection import ANY, BLOCKS, NOTHING, ConnectionModel, Expected
from sim.redis.state import CommandFailure
from sim.schedule.step import Words

LATE_MS_MAX: Final = 50
SAMPLE_MS: Final = 100
SAMPLED_MS: Final = 1600
"""The time over which INFO averages rates."""
EXEMPT: Final = (("CLIENT", "PAUSE"), ("CLIENT", "UNPAUSE"), ("CLIENT", "KILL"))
"""The commands that no pause holds."""
RATE: Final = "instantaneous_ops_per_sec"
TOTAL: Final = "total_commands_processed"


class ConnectionRecord:
    """The model of a connection. Times are in ms of its region's clock."""

    def __init__(self, session: int, identity: int) -> None:
        self.session = session
        self.identity = identity
        self.model = ConnectionModel()
        self.unread: deque[Words] = deque()
        """The commands that have not run yet."""
        self.expected: deque[tuple[Words, Expected]] = deque()
        """The commands that have run and whose replies have not come."""
        self.blocked: Words | None = None
        self.blocked_until = 0
        """The time at which the client gives up waiting; 0 is never."""
        self.blocked_number = 0
        """The number of this wait among those of the region."""
        self.is_held = False
        """True if the next command waits for the end of a pause."""
        self.active_at = 0
        self.due_at = 0
        """The time at which the replies became due that have not come."""
        self.is_doomed = False
        """True if the connection must be closed."""


class RegionRecord:
    """The connections of a region, its pause, and its parameter `timeout`."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.connections: dict[int, ConnectionRecord] = {}
        """By session. Connections whose state is not known are missing."""
        self.waits = 0
        """The number of times that a client was blocked."""
        self.lists: dict[str, list[str]] = {}
        """The elements under each key to which these connections push."""
        self.lost: set[int] = set()
        """The numbers of connections whose state is not known."""
        self.paused_until: int | None = None
        self.holds_reads = False
        self.idle_ms = 0
        """The time after which an idle connection is closed; 0 is never."""
        self.idle_since = 0
        """The time at which the parameter was set."""
        self.sampled_at = 0
        """The time at which INFO was last read."""
        self.sampled = 0
        """The number of commands that had run then."""
        self.sent: list[tuple[int, int]] = []
        """The times at which commands were sent since then, with their numbers."""


class ConnectionChecker(Checker):
    """Checks what clients see of their connections."""

    promise: ClassVar[str] = "connections"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, RegionRecord] = {}

    def on_region_started(self, region: Watched) -> None:
        """Forget all connections. If the process is the same, they exist, in an unknown state."""
        record = self.regions.get(region.name)
        if record is None or record.instance is not region.instance:
            self.regions[region.name] = RegionRecord(region.instance)
        else:
            forget_connections(record)

    def on_history_jump(self, region: Watched) -> None:
        """Note that watched keys may have changed: a snapshot does not list what it changes."""
        for connection in self.regions[region.name].connections.values():
            model = connection.model
            model.is_unsure = model.is_unsure or bool(model.watched)

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        if any(is_key_effect(effect, FLUSH) for effect in effects):
            self.on_history_jump(region)

    def on_op_received(self, region: Watched, entry: Entry) -> None:
        if any(it.model.watched for it in self.regions[region.name].connections.values()):
            self.on_effects_made(region, 0, Op.from_bytes(entry.data).effects)

    def on_client_left(self, region: Watched, session: int) -> None:
        """Check that a connection was closed for a reason."""
        record = self.regions[region.name]
        connection = record.connections.pop(session, None)
        if connection is None or connection.is_doomed:
            return
        self.looked += 1
        idle = region.now_ms - connection.active_at
        if connection.model.has_quit or connection.is_held:
            return
        if not record.idle_ms or idle <= record.idle_ms or connection.blocked is not None:
            doing = "is blocked" if connection.blocked else f"has been idle for {idle} ms"
            raise self.violation(
                f"{region.name} closes the connection of session {session}, which {doing};"
                f" the timeout is {record.idle_ms} ms"
            )

    def on_connection_request(
        self, region: Watched, session: int, identity: int, commands: Sequence[Words]
    ) -> None:
        """Predict the replies to commands that are about to be sent."""
        record = self.regions[region.name]
        if record.lost:
            return  # a connection of unknown state may pause, serve, unblock or close the others
        self.check_overdue(region, record)
        connection = record.connections.get(session)
        if connection is None or connection.identity != identity:
            connection = record.connections[session] = ConnectionRecord(session, identity)
        if commands or not connection.active_at:
            connection.active_at = region.now_ms
        record.sent.append((region.now_ms, len(commands)))
        connection.unread.extend(commands)
        self.advance(region, record, connection)

    def on_connection_replies(
        self, region: Watched, session: int, replies: Sequence[Reply]
    ) -> None:
        """Compare replies that have come with the predicted ones. Raises Violation."""
        record = self.regions[region.name]
        connection = record.connections.get(session)
        if connection is None:
            return
        if region.instance.refused_bits:
            forget_connections(record)
            return
        self.end_pause_if_due(region, record)
        if replies and connection.blocked is not None and not connection.expected:
            self.give_up_if_due(region, record, connection)
        for reply in replies:
            self.compare_reply(region, record, connection, plain(reply))
        if connection.expected:
            words, expected = connection.expected[0]
            raise self.violation(
                f"{region.name} does not answer {' '.join(words)} of session {session}; expected"
                f" {expected!r}"
            )

    def compare_reply(
        self, region: Watched, record: RegionRecord, connection: ConnectionRecord, found: Any
    ) -> None:
        """Compare a reply with the next one that is expected. Raises Violation."""
        self.looked += 1
        session = connection.session
        if not connection.expected:
            waits = connection.blocked or next(iter(connection.unread), None)
            reason = f"while {' '.join(waits)} has to wait" if waits else "for no command"
            raise self.violation(f"{region.name} sends {found!r} to session {session}, {reason}")
        words, expected = connection.expected.popleft()
        if words[0] == "INFO" and isinstance(found, str):
            self.check_rate(region, record, found)
        if expected is ANY or is_like(expected, found):
            return
        raise self.violation(
            f"{region.name} answers {' '.join(words)} of session {session} with {found!r}, not"
            f" {expected!r}"
        )

    # -- what connections do ---------------------------------------------------------------

    def advance(self, region: Watched, record: RegionRecord, connection: ConnectionRecord) -> None:
        """Run the commands of a connection in the model, up to one that has to wait."""
        connection.due_at = region.now_ms
        while connection.unread and not (connection.blocked or connection.model.has_quit):
            words = connection.unread[0]
            connection.is_held = is_held(record, connection, words)
            if connection.is_held:
                return
            connection.unread.popleft()
            reply = connection.model.run(words)
            if reply == BLOCKS:
                reply = pop_element(record, words)
            if reply == BLOCKS:
                record.waits += 1
                connection.blocked, connection.blocked_number = words, record.waits
                seconds = float(words[-1])
                connection.blocked_until = region.now_ms + int(seconds * 1000) if seconds else 0
                return
            if words[0] == "CONFIG":
                self.change_timeout(region, record, words)
            elif words[0] == "RPUSH" and reply == 1:
                reply = self.push_element(region, record, words)
            elif words[0] == "CLIENT":
                reply = self.run_on_others(region, record, connection, words, reply)
            self.expect(connection, words, reply)

    def expect(self, connection: ConnectionRecord, words: Words, reply: Expected) -> None:
        """Expect a reply, unless it is hidden or there is none."""
        if reply is not NOTHING and not connection.model.is_hidden:
            connection.expected.append((words, reply))

    def end_wait(
        self, region: Watched, record: RegionRecord, connection: ConnectionRecord, reply: Expected
    ) -> None:
        """Let a blocked client have its reply, and its next commands run."""
        words, connection.blocked = connection.blocked, None
        assert words is not None
        self.expect(connection, words, reply)
        self.advance(region, record, connection)

    def give_up_if_due(
        self, region: Watched, record: RegionRecord, connection: ConnectionRecord
    ) -> None:
        """Let a blocked client time out, if the time has come."""
        if connection.blocked_until and region.now_ms >= connection.blocked_until:
            self.end_wait(region, record, connection, None)

    def push_element(self, region: Watched, record: RegionRecord, words: Words) -> Expected:
        """Run RPUSH: serve the client that has waited longest for a list under the key, or keep the
        element. Return the reply."""
        _, key, element = words
        elements = record.lists.setdefault(key, [])
        elements.append(element)
        count = len(elements)
        waiting = [
            connection
            for connection in record.connections.values()
            if connection.blocked is not None and connection.blocked[:2] == ("BLPOP", key)
        ]
        if waiting:
            first = min(waiting, key=blocked_number_of)
            self.end_wait(region, record, first, [key, elements.pop(0)])
        return count

    def change_timeout(self, region: Watched, record: RegionRecord, words: Words) -> None:
        """Note a change of the parameter `timeout`."""
        if words[1:3] == ("SET", "timeout"):
            record.idle_ms = 1000 * int(words[3])
            record.idle_since, record.sampled_at = region.now_ms, 0

    def run_on_others(
        self,
        region: Watched,
        record: RegionRecord,
        connection: ConnectionRecord,
        words: Words,
        reply: Expected,
    ) -> Expected:
        """Run CLIENT with a subcommand for all connections or another one. Return the reply."""
        others = [it for it in record.connections.values() if it is not connection]
        match words:
            case ("CLIENT", "PAUSE", ms, *_):
                ends_at, holds_reads = region.now_ms + int(ms), words[-1] != "WRITE"
                if record.paused_until is not None:
                    ends_at = max(ends_at, record.paused_until)
                    holds_reads = holds_reads or record.holds_reads
                record.paused_until, record.holds_reads = ends_at, holds_reads
                return "OK"
            case ("CLIENT", "UNPAUSE"):
                self.end_pause(region, record)
                return "OK"
            case ("CLIENT", "UNBLOCK", identity, *_):
                for other in others:
                    if str(other.identity) == identity and other.blocked is not None:
                        end = CommandFailure("UNBLOCKED") if words[-1] == "ERROR" else None
                        self.end_wait(region, record, other, end)
                        return 1
                return 0
            case ("CLIENT", "KILL", "ID", "0"):
                return CommandFailure()
            case ("CLIENT", "KILL", "ID", identity):
                doomed = [other for other in others if str(other.identity) == identity]
                for other in doomed:
                    other.is_doomed, other.due_at = True, region.now_ms
                return len(doomed)
            case ("CLIENT", "ID"):
                return connection.identity
            case _:
                return reply

    # -- time ------------------------------------------------------------------------------

    def end_pause(self, region: Watched, record: RegionRecord) -> None:
        """End the pause. What was held runs now."""
        record.paused_until = None
        for connection in record.connections.values():
            if connection.is_held:
                self.advance(region, record, connection)

    def end_pause_if_due(self, region: Watched, record: RegionRecord) -> None:
        """End the pause if its time has come."""
        if record.paused_until is not None and region.now_ms >= record.paused_until:
            due_at = record.paused_until
            held = [each for each in record.connections.values() if each.is_held]
            self.end_pause(region, record)
            for connection in held:
                connection.due_at = due_at

    def check_overdue(self, region: Watched, record: RegionRecord) -> None:
        """Check that nothing is late in a region. Raises Violation."""
        self.end_pause_if_due(region, record)
        for connection in record.connections.values():
            if connection.blocked is not None and connection.blocked_until:
                connection.due_at = connection.blocked_until
            late = region.now_ms - connection.due_at
            if late > LATE_MS_MAX and region.latest_pause_ms < connection.due_at:
                self.check_answered(region, connection, late)
            began = max(connection.active_at, record.idle_since)
            idle = region.now_ms - began
            is_idle = record.idle_ms and idle > record.idle_ms + SAMPLE_MS + LATE_MS_MAX
            if is_idle and connection.blocked is None and region.latest_pause_ms < began:
                raise self.violation(
                    f"{region.name} has not closed the connection of session {connection.session},"
                    f" which has been idle for {idle} ms"
                )

    def check_answered(self, region: Watched, connection: ConnectionRecord, late: int) -> None:
        """Check that nothing was due `late` ms ago that has not come. Raises Violation."""
        if connection.is_doomed:
            raise self.violation(
                f"{region.name} has not closed the connection of session {connection.session}"
            )
        waiting = connection.blocked if connection.blocked_until else None
        if connection.expected:
            waiting = connection.expected[0][0]
        if waiting is not None:
            raise self.violation(
                f"{region.name} has not answered {' '.join(waiting)} of session"
                f" {connection.session} for {late} ms"
            )

    def check_rate(self, region: Watched, record: RegionRecord, info: str) -> None:
        """Compare the rate of commands with their number since the last INFO. Raises Violation."""
        lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
        rate, total, now = int(lines[RATE]), int(lines[TOTAL]), region.now_ms
        begin, before, sent = record.sampled_at, record.sampled, record.sent
        record.sampled_at, record.sampled, record.sent = now, total, []
        if not record.idle_ms or not begin or now - begin < SAMPLED_MS + SAMPLE_MS:
            return
        if region.latest_pause_ms > record.idle_since:
            return
        self.looked += 1
        counted = (rate - 1) * SAMPLED_MS / 1000
        since = now - SAMPLED_MS + SAMPLE_MS
        least = sum(count for at, count in sent if since < at < now - SAMPLE_MS)
        if counted > total - before or (rate + 1) * SAMPLED_MS / 1000 < least:
            raise self.violation(
                f"{region.name} says that it runs {rate} commands per second, and ran"
                f" {total - before} in {now - begin} ms, {least} of them in the last {SAMPLED_MS}"
            )

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        for region in regions:
            self.check_overdue(region, self.regions[region.name])


def forget_connections(record: RegionRecord) -> None:
    """Forget the state of all connections of a region."""
    record.lost.update(each.identity for each in record.connections.values())
    record.connections.clear()


def blocked_number_of(connection: ConnectionRecord) -> int:
    """Return the number of the wait of a blocked client."""
    return connection.blocked_number


def pop_element(record: RegionRecord, words: Words) -> Expected:
    """Run a blocking command. Return its reply, or BLOCKS if there is nothing to pop."""
    elements = record.lists.get(words[1])
    if not elements:
        return BLOCKS
    if words[0] != "BLPOP":
        return CommandFailure("WRONGTYPE")
    return [words[1], elements.pop(0)]


def is_held(record: RegionRecord, connection: ConnectionRecord, words: Words) -> bool:
    """Return whether a command must wait for the end of the pause. A refused one need not."""
    model = connection.model
    if record.paused_until is None or words[:2] in EXEMPT or model.refuses(words):
        return False
    return record.holds_reads or model.writes(words)


def is_like(expected: Expected, found: Any) -> bool:
    """Return whether a reply is the expected one. Items of EXEC that are ANY fit everything."""
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(cast("list[Any]", expected), cast("list[Any]", found), strict=False)
        is_whole = len(cast("list[Any]", expected)) == len(cast("list[Any]", found))
        return is_whole and all(is_like(one, other) for one, other in pairs)
    return expected is ANY or is_expected(expected, found)
