"""Timeouts in milliseconds: the values that are accepted, and the errors for all others."""

from __future__ import annotations

from typing import Final

import pytest

from crdb.commands.shared.timeouts import NOT_A_TIMEOUT, TIMEOUT_MS_MAX, parse_timeout_ms
from crdb.engine.errors import TIMEOUT_NEGATIVE, CommandError


@pytest.mark.parametrize("ms", [0, 1, 1500, TIMEOUT_MS_MAX])
def test_timeout_in_range_is_parsed(ms: int) -> None:
    assert parse_timeout_ms(b"%d" % ms) == ms


REFUSED: Final = {
    b"x": NOT_A_TIMEOUT,
    b"1.5": NOT_A_TIMEOUT,
    b"": NOT_A_TIMEOUT,
    b"%d" % (TIMEOUT_MS_MAX + 1): NOT_A_TIMEOUT,
    b"-1": TIMEOUT_NEGATIVE,
}


@pytest.mark.parametrize("text", REFUSED)
def test_other_timeout_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        parse_timeout_ms(text)
    assert refused.value.text == REFUSED[text]
