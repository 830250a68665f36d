"""The only place where unexpected exceptions are caught, so that a bug affects one client only.

A handler refuses with CommandError. Any other exception is a bug. The client gets an error and is
disconnected, since its session may be in any state. The exception is reported with its traceback.
All other clients and the links continue. If there is no memory for a client's request or its
replies, the same happens without a traceback. What the command had written before is a sequence of
whole effects, which are applied here and will be sent, so regions still converge.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

from crdb.engine.errors import MEMORY_EXHAUSTED_CLOSED
from crdb.engine.events.event_bases import Report
from crdb.engine.events.operator_events import InternalErrorEvent, OutOfMemoryEvent
from crdb.engine.session import Session
from crdb.resp import reply

INTERNAL_ERROR = b"ERR internal error, the connection is closed"


def contain_crash(session: Session, report: Report, act: Callable[[], bool]) -> bool:
    """Return what `act` returns. If it raises, close the session and return False."""
    try:
        return act()
    except MemoryError:
        session.drop_replies()
        reply.error(session.out, MEMORY_EXHAUSTED_CLOSED)
        session.close_after_reply()
        report(OutOfMemoryEvent(where="requests or replies of a client"))
        return False
    except Exception as fault:  # noqa: BLE001 - any bug in a handler must stay with its own client
        reply.error(session.out, INTERNAL_ERROR)
        session.close_after_reply()
        report(
            InternalErrorEvent(
                client=session.id,
                command=session.last_command.decode("latin-1"),
                traceback="".join(traceback.format_exception(fault)),
            )
        )
        return False
