"""An instance whose driver writes the phases of its turns into a log."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import run
from crdb.engine.instance import Instance
from crdb.engine.session import Session
from crdb.engine.turns.journal import Journal, SyncPolicy
from crdb.engine.turns.turn import Turn
from crdt.embed.replica import RUN_BYTES_MAX
from tests.crdb.engine.turns.fake_journal import FakeJournal, disk_full
from tests.crdb.events import Named, collector
from tests.crdb.raw import instance

MISCONF = (
    b"-MISCONF the journal cannot be written (No space left on device), so writes are refused."
    b" Repair or free the disk, then restart the region.\r\n"
)


class Server:
    """An instance with a driver that writes what it does into a log."""

    def __init__(self, policy: SyncPolicy | None = None) -> None:
        self.instance: Instance = instance()
        self.turn: Turn = self.instance.turn
        self.log: list[str] = []
        self.now = 100.0
        self.events: list[Named] = []
        self.journal = FakeJournal(self.log)
        self.sent: dict[int, bytes] = {}
        self.closed: list[int] = []
        self.timers: list[float] = []
        self.syncing: list[Journal] = []
        self.instance.report = collector(self.events)
        self.turn.clock = lambda: self.now
        self.turn.seal = self.seal
        self.turn.send = self.send
        self.turn.push = lambda: self.log.append("push")
        self.turn.set_timer = self.timers.append
        self.turn.start_sync = self.syncing.append
        if policy is not None:
            self.turn.use_journal(self.journal, policy)

    def seal(self) -> None:
        self.log.append("seal")
        self.instance.replica.seal()

    def send(self, session: Session) -> None:
        """Send the replies of a session as a connection does."""
        self.log.append("send")
        if session.killed:
            self.closed.append(session.id)
        else:
            self.sent[session.id] = self.sent.get(session.id, b"") + b"".join(session.out)
        session.out.clear()
        session.output_bytes = session.counted = 0

    def sync_in_thread(self) -> None:
        """Run what was handed to the thread."""
        journal = self.syncing.pop()
        try:
            journal.sync()
        except OSError as fault:
            self.turn.end_sync(journal, fault)
        else:
            self.turn.end_sync(journal, None)

    def execute(self, client: Client, data: bytes) -> None:
        """Read and execute: a client has sent `data`."""
        run(client, data)
        self.answer(client)
        while self.instance.woken:
            woken = self.instance.woken.pop(0)
            assert isinstance(woken, Client)
            run(woken, b"")
            self.answer(woken)

    def set_large(self, client: Client) -> None:
        """Write more than may wait for the end of a turn. It takes two strings, since the last
        string waits."""
        for key in (b"k", b"l"):
            value = b"$%d\r\n%b\r\n" % (RUN_BYTES_MAX, b"x" * RUN_BYTES_MAX)
            self.execute(client, b"*3\r\n$3\r\nSET\r\n$1\r\n%b\r\n" % key + value)

    def answer(self, client: Client) -> None:
        if client.out or client.closing:
            if self.turn.holds_replies:
                self.turn.hold(client)
            else:
                self.send(client)


def fail(server: Server, where: str) -> None:
    """Let the next call of the journal fail."""
    if where == "append":
        server.journal.append_fault = disk_full()
    else:
        server.journal.sync_fault = disk_full()
