"""The delays between attempts."""

from __future__ import annotations

from random import Random

from replication.protocol.backoff import WAIT_NS_MAX, WAIT_NS_MIN, Backoff


def test_waits_double_within_bounds() -> None:
    backoff = Backoff(Random(1))
    waits = [backoff.wait_ns() for _ in range(12)]
    expected = [min(WAIT_NS_MIN << i, WAIT_NS_MAX) for i in range(12)]
    for wait, mean in zip(waits, expected, strict=True):
        assert mean // 2 <= wait < mean + mean // 2


def test_peer_that_was_there_is_dialled_soon_again() -> None:
    backoff = Backoff(Random(1))
    for _ in range(9):
        backoff.wait_ns()
    backoff.reset()
    assert backoff.wait_ns() < 2 * WAIT_NS_MIN


def test_two_links_do_not_wait_alike() -> None:
    one, other = Backoff(Random(1)), Backoff(Random(2))
    assert [one.wait_ns() for _ in range(4)] != [other.wait_ns() for _ in range(4)]
