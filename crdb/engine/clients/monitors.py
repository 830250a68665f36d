"""Clients that run MONITOR, and the lines that they receive.

Without a monitor this code does not run. While there is one, every client has the flag OBSERVED. It
routes requests through `dispatch.call`, which passes them to the monitors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crdb.engine.metrics.redaction import redacted
from crdb.engine.session import MONITORING, OBSERVED, Session

HIDDEN_FLAGS: Final = frozenset({"admin", "skip_monitor"})
"""Commands with one of these flags are not shown."""
ESCAPES: Final[dict[int, bytes]] = {
    0x5C: b"\\\\",
    0x22: b'\\"',
    0x0A: b"\\n",
    0x0D: b"\\r",
    0x09: b"\\t",
    0x07: b"\\a",
    0x08: b"\\b",
}


class Monitors:
    """The clients of one instance that run MONITOR. `send` delivers a line to one of them."""

    def __init__(
        self,
        clients: Mapping[int, Session],
        wall: Callable[[], int],
        send: Callable[[Session, bytes], None],
    ) -> None:
        """`clients` are all clients of the instance; `wall` is its wall clock in ms."""
        self.clients = clients
        self.wall = wall
        self.send = send
        self.sessions: dict[int, Session] = {}

    def add(self, session: Session) -> None:
        """Show `session` what all clients do from now on."""
        session.flags |= MONITORING
        self.sessions[session.id] = session
        for each in self.clients.values():
            each.flags |= OBSERVED

    def remove(self, session: Session) -> None:
        """Stop showing, if `session` is a monitor."""
        session.flags &= ~MONITORING
        if self.sessions.pop(session.id, None) is not None and not self.sessions:
            for each in self.clients.values():
                each.flags &= ~OBSERVED

    def feed(self, session: Session, flags: list[str], args: list[bytes]) -> None:
        """Show the monitors a command that has run."""
        if not HIDDEN_FLAGS.isdisjoint(flags):
            return
        line = line_of(self.wall(), session.address, redacted(args))
        for monitor in list(self.sessions.values()):
            if not monitor.killed:
                self.send(monitor, line)


def line_of(wall_ms: int, address: bytes, args: list[bytes]) -> bytes:
    """Return a line of MONITOR, as a simple string."""
    seconds, ms = divmod(wall_ms, 1000)
    shown = b" ".join(quoted(argument) for argument in args)
    return b"+%d.%06d [0 %b] %b\r\n" % (seconds, ms * 1000, address, shown)


def quoted(argument: bytes) -> bytes:
    """Return an argument in quotes, with everything that is not printable escaped.

    >>> quoted(b'say "hi"\\n\\x00')
    b'"say \\\\"hi\\\\"\\\\n\\\\x00"'
    """
    shown = bytearray(b'"')
    for byte in argument:
        escape = ESCAPES.get(byte)
        if escape is not None:
            shown += escape
        elif 0x20 <= byte < 0x7F:
            shown.append(byte)
        else:
            shown += b"\\x%02x" % byte
    return bytes(shown + b'"')
