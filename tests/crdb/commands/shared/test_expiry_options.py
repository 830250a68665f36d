"""Times to live in the arguments of commands."""

from __future__ import annotations

import pytest

from crdb.commands.shared import expiry_options
from crdb.engine.errors import CommandError

NOW = 1_700_000_000_000
TOO_LATE = b"ERR invalid expire time in 'set' command"


@pytest.mark.parametrize(
    ("form", "argument", "deadline"),
    [
        (expiry_options.SECONDS, b"10", NOW + 10_000),
        (expiry_options.MILLISECONDS, b"10", NOW + 10),
        (expiry_options.AT_SECONDS, b"1700000001", NOW + 1000),
        (expiry_options.AT_MILLISECONDS, b"1700000000001", NOW + 1),
        (expiry_options.AT_MILLISECONDS, b"562949953421312", 1 << 49),
    ],
)
def test_four_forms(form: int, argument: bytes, deadline: int) -> None:
    assert expiry_options.deadline(argument, form, NOW, b"set") == deadline
    assert expiry_options.positive_deadline(argument, form, NOW, b"set") == deadline


@pytest.mark.parametrize(
    ("form", "argument"),
    [
        (expiry_options.AT_MILLISECONDS, b"562949953421313"),
        (expiry_options.SECONDS, b"562949953421"),
        (expiry_options.SECONDS, b"9223372036854775807"),
        (expiry_options.SECONDS, b"-9223372036854775807"),
    ],
)
@pytest.mark.rule("EXP-8")
def test_too_distant_deadline_is_refused(form: int, argument: bytes) -> None:
    with pytest.raises(CommandError) as refusal:
        expiry_options.deadline(argument, form, NOW, b"set")
    assert refusal.value.text == TOO_LATE


def test_past_is_allowed_only_where_it_deletes() -> None:
    assert expiry_options.deadline(b"-1", expiry_options.SECONDS, NOW, b"expire") == NOW - 1000
    for argument in (b"0", b"-1"):
        with pytest.raises(CommandError) as refusal:
            expiry_options.positive_deadline(argument, expiry_options.SECONDS, NOW, b"set")
        assert refusal.value.text == TOO_LATE
