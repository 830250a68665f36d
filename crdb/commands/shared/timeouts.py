"""Timeouts in whole milliseconds, for WAIT, CLIENT PAUSE and the commands of crdb that wait."""

from __future__ import annotations

from typing import Final

from crdb.engine.errors import TIMEOUT_NEGATIVE, CommandError
from crdb.resp.numbers import parse_integer

NOT_A_TIMEOUT: Final = b"ERR timeout is not an integer or out of range"
TIMEOUT_MS_MAX: Final = 1 << 48


def parse_timeout_ms(argument: bytes) -> int:
    """Parse a timeout from 0 to `TIMEOUT_MS_MAX`. Raises CommandError."""
    ms = parse_integer(argument)
    if ms is None or ms > TIMEOUT_MS_MAX:
        raise CommandError(NOT_A_TIMEOUT)
    if ms < 0:
        raise CommandError(TIMEOUT_NEGATIVE)
    return ms
