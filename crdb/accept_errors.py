"""Turns the log of trio's listeners into events.

Where the process is out of file descriptors, trio logs every attempt to accept a link, ten a
second and each with a traceback. As events they are shown once and then counted.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from crdb.events import Emit

LOGGER: Final = "trio.serve_listeners"


class AcceptErrors(logging.Handler):
    """Reports what trio logs about connections that it cannot accept."""

    def __init__(self, tell: Emit) -> None:
        super().__init__()
        self.tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Report one record."""
        fault = record.exc_info[1] if record.exc_info else None
        self.tell("cannot accept", {"port": "links", "reason": str(fault or record.getMessage())})


@contextmanager
def reported_accept_errors(tell: Emit) -> Generator[None]:
    """Report the log of trio's listeners through `tell`, and keep it off standard error."""
    logger = logging.getLogger(LOGGER)
    handler = AcceptErrors(tell)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
