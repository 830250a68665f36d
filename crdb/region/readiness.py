"""Driver: notify a service manager that the regions of this process serve correct reads."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify_ready() -> None:
    """Send READY=1 to the socket that systemd names in NOTIFY_SOCKET, if it does (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"READY=1\n", f"\0{address[1:]}" if address[0] == "@" else address)
