"""The one place where an unexpected exception is caught: a fault of ours hurts one client only.

A handler refuses with CommandError. Anything else that it raises is a bug. The client whose command
it was is told so and disconnected, since nobody knows what state its session is in; the fault is
reported with its traceback; all other clients, and the links, go on. So it is where there is no
memory for a client's request or its replies, but without a traceback. What the command had written
before is a sequence of whole effects, each applied here and due to be sent, so regions still agree.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

from crdb.engine.errors import MEMORY_EXHAUSTED_CLOSED
from crdb.engine.event_names import EventName
from crdb.engine.session import Session
from crdb.resp import reply

Report = Callable[[EventName, dict[str, object]], None]
"""Takes the name of an event and its details."""

INTERNAL_ERROR = b"ERR internal error, the connection is closed"


def contain_crash(session: Session, report: Report, act: Callable[[], bool]) -> bool:
    """What `act` returns; False, and the session is closing, if it met a bug."""
    try:
        return act()
    except MemoryError:
        session.drop_replies()
        reply.error(session.out, MEMORY_EXHAUSTED_CLOSED)
        session.close_after_reply()
        report("out of memory", {"where": "requests or replies of a client"})
        return False
    except Exception as fault:  # noqa: BLE001 - any bug in a handler must stay with its own client
        reply.error(session.out, INTERNAL_ERROR)
        session.close_after_reply()
        report(
            "internal error",
            {
                "client": session.id,
                "command": session.last_command.decode("latin-1"),
                "traceback": "".join(traceback.format_exception(fault)),
            },
        )
        return False
