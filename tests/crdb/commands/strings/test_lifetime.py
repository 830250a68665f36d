"""Times to live, as clients say them."""

from __future__ import annotations

import pytest

from crdb.commands.strings import lifetime
from crdb.engine.errors import CommandError

NOW = 1_700_000_000_000
TOO_LATE = b"ERR invalid expire time in 'set' command"


@pytest.mark.parametrize(
    ("form", "argument", "deadline"),
    [
        (lifetime.SECONDS, b"10", NOW + 10_000),
        (lifetime.MILLISECONDS, b"10", NOW + 10),
        (lifetime.AT_SECONDS, b"1700000001", NOW + 1000),
        (lifetime.AT_MILLISECONDS, b"1700000000001", NOW + 1),
        (lifetime.AT_MILLISECONDS, b"562949953421312", 1 << 49),
    ],
)
def test_the_four_forms(form: int, argument: bytes, deadline: int) -> None:
    assert lifetime.deadline(argument, form, NOW, b"set") == deadline
    assert lifetime.positive_deadline(argument, form, NOW, b"set") == deadline


@pytest.mark.parametrize(
    ("form", "argument"),
    [
        (lifetime.AT_MILLISECONDS, b"562949953421313"),
        (lifetime.SECONDS, b"562949953421"),
        (lifetime.SECONDS, b"9223372036854775807"),
        (lifetime.SECONDS, b"-9223372036854775807"),
    ],
)
def test_exp_8_what_is_too_far_away_is_refused(form: int, argument: bytes) -> None:
    with pytest.raises(CommandError) as refusal:
        lifetime.deadline(argument, form, NOW, b"set")
    assert refusal.value.text == TOO_LATE


def test_the_past_is_allowed_only_where_it_deletes() -> None:
    assert lifetime.deadline(b"-1", lifetime.SECONDS, NOW, b"expire") == NOW - 1000
    for argument in (b"0", b"-1"):
        with pytest.raises(CommandError) as refusal:
            lifetime.positive_deadline(argument, lifetime.SECONDS, NOW, b"set")
        assert refusal.value.text == TOO_LATE
