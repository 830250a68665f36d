"""What trio logs when it cannot accept a connection becomes an event."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping

import pytest
import trio
import trio.testing

from crdb.accept_errors import LOGGER, reported_accept_errors

Told = list[tuple[str, Mapping[str, object]]]


def test_log_goes_to_events_and_not_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    told: Told = []
    logger = logging.getLogger(LOGGER)
    with reported_accept_errors(lambda event, details: told.append((event, details))):
        logger.error("accept returned %s", "EMFILE")
    assert told == [("cannot accept", {"port": "links", "reason": "accept returned EMFILE"})]
    assert capfd.readouterr().err == ""
    assert logger.propagate
    assert logger.handlers == []


async def test_listener_without_descriptors_is_reported(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: Told = []

    class Exhausted(trio.abc.Listener[trio.abc.Stream]):
        async def accept(self) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            if len(told) == 2:
                scope.cancel()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        async def aclose(self) -> None:
            await trio.lowlevel.checkpoint()

    async def serve(_stream: trio.abc.Stream) -> None:
        raise AssertionError("nobody connects")

    with (
        reported_accept_errors(lambda event, details: told.append((event, details))),
        trio.CancelScope() as scope,
    ):
        await trio.serve_listeners(serve, [Exhausted()])
    reason = f"[Errno {errno.EMFILE}] {os.strerror(errno.EMFILE)}"
    assert told == [("cannot accept", {"port": "links", "reason": reason})] * 3
