"""Who must go when there are too many connections."""

from __future__ import annotations

from replication.fairness import oldest_of_most_frequent
from tests.replication.ends import make_source, replica


def test_the_address_with_most_connections_gives_one_up() -> None:
    ends = [make_source(replica(1)) for _ in range(5)]
    for end, address in zip(ends, "abcbb", strict=True):
        end.address = address
    assert oldest_of_most_frequent(ends) is ends[1]
    assert oldest_of_most_frequent(ends[:1]) is ends[0]


def test_of_equals_the_oldest_goes() -> None:
    ends = [make_source(replica(1)) for _ in range(3)]
    assert oldest_of_most_frequent(ends) is ends[0]
