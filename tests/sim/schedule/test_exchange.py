"""Requests and replies, with transactions split into commands."""

from __future__ import annotations

from sim.nodes.client import Refusal
from sim.schedule.exchange import executed_commands

GET, SET = ("GET", "a"), ("SET", "a", "1")
MULTI, EXEC = ("MULTI",), ("EXEC",)


def test_transaction_stands_at_its_exec() -> None:
    replies = [b"0", "OK", "QUEUED", "QUEUED", ["OK", b"1"], b"1"]
    found = executed_commands([GET, MULTI, SET, GET, EXEC, GET], replies)
    assert found == [(GET, b"0"), (SET, "OK"), (GET, b"1"), (GET, b"1")]


def test_of_aborted_transaction_nothing_is_left() -> None:
    assert executed_commands([MULTI, SET, EXEC], ["OK", "QUEUED", None]) == []


def test_refused_command_is_not_in_transaction() -> None:
    refused = Refusal("ERR no such command")
    assert executed_commands([MULTI, SET, EXEC], ["OK", refused, []]) == []
    assert executed_commands([SET, GET], [refused]) == [(SET, refused)]


def test_transaction_of_several_requests_is_left_out() -> None:
    """A client once seemed to read the status QUEUED, which is not a value."""
    assert executed_commands([MULTI], ["OK"]) == []
    assert executed_commands([GET], ["QUEUED"]) == []
    assert executed_commands([EXEC, GET], [[b"1"], b"2"]) == [(GET, b"2")]
    assert executed_commands([GET], [b"QUEUED"]) == [(GET, b"QUEUED")]


def test_commands_after_discard_are_carried_out() -> None:
    replies = ["OK", "QUEUED", "OK", b"1"]
    assert executed_commands([MULTI, SET, ("DISCARD",), GET], replies) == [(GET, b"1")]
