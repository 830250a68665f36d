"""The connection that is closed when there are too many."""

from __future__ import annotations

from replication.machines.sending.source import Source
from replication.mesh.fairness import follower_to_replace, oldest_of_most_frequent
from tests.replication.ends import connected_source, hello, make_source, replica


def test_address_with_most_connections_loses_one() -> None:
    ends = [make_source(replica(1)) for _ in range(5)]
    for end, address in zip(ends, "abcbb", strict=True):
        end.address = address
    assert oldest_of_most_frequent(ends) is ends[1]
    assert oldest_of_most_frequent(ends[:1]) is ends[0]


def test_of_equals_oldest_goes() -> None:
    ends = [make_source(replica(1)) for _ in range(3)]
    assert oldest_of_most_frequent(ends) is ends[0]


def followers(addresses: str) -> list[Source]:
    """Return followers that have sent a request, from addresses of one letter."""
    found = [connected_source(replica(1)) for _ in addresses]
    for end, address in zip(found, addresses, strict=True):
        end.address = address
    return found


def newcomer(address: str) -> Source:
    """Return a connection that has just come in."""
    end = make_source(replica(1))
    end.address = address
    return end


def test_follower_that_asks_for_nothing_goes_first() -> None:
    idle = make_source(replica(1))
    idle.receive(hello(3), 0)
    ends = [*followers("aab"), idle]
    assert follower_to_replace(ends, newcomer("a")) is idle


def test_address_with_most_followers_loses_one() -> None:
    ends = followers("babab")
    assert follower_to_replace(ends, newcomer("c")) is ends[4]
    assert follower_to_replace(ends, newcomer("a")) is None
    assert follower_to_replace(ends, newcomer("b")) is None


def test_followers_do_not_replace_each_other_for_ever() -> None:
    assert follower_to_replace(followers("ab"), newcomer("c")) is None
    assert follower_to_replace(followers("aab"), newcomer("b")) is None
