"""The delays between attempts."""

from __future__ import annotations

from random import Random

import pytest

from replication.protocol.backoff import WAIT_NS_MAX, WAIT_NS_MIN, Backoff, was_accepted


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


@pytest.mark.parametrize(
    ("lasted_ns", "is_greeted", "is_refused", "accepted"),
    [
        (0, True, False, True),
        (0, False, False, False),
        (0, False, True, False),
        (WAIT_NS_MAX, True, True, False),
        (WAIT_NS_MAX + 1, True, True, True),
        (WAIT_NS_MAX + 1, False, True, False),
    ],
)
def test_refused_peer_is_not_dialled_soon_again(
    lasted_ns: int, is_greeted: bool, is_refused: bool, accepted: bool
) -> None:
    """Two processes of one region, which replace each other, were once dialled 20 times a
    second."""
    found = was_accepted(lasted_ns, is_greeted=is_greeted, is_refused=is_refused)
    assert found is accepted
