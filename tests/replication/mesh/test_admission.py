"""Admission of connections as links."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from replication.mesh.admission import FOLLOWERS_MAX, refuse_circle, refuse_follower, refuse_region
from replication.mesh.registry import Registry
from replication.protocol.frames import FOLLOWER, Hello
from replication.protocol.peers import Member, Peer

HERE = Member("r1", 1, make_origin(1), "shop")
PEERS = {"r2": Peer("r2", 2), "r3": Peer("r3", 3)}
NOT_LISTED = (
    "'r9' is neither in the file of r1 nor in its own: add it to both, with the same number"
)
HELLO = Hello("r2", 2, make_origin(2), "shop", {})


def test_expected_peer_is_admitted() -> None:
    assert refuse_region(HERE, PEERS, HELLO) == ""
    assert refuse_region(HERE, PEERS, HELLO, "r2") == ""


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (attrs.evolve(HELLO, name="r9"), NOT_LISTED),
        (
            attrs.evolve(HELLO, cluster="bank"),
            "r2 belongs to the CRDB 'bank', and r1 to 'shop': give both files the same id",
        ),
        (attrs.evolve(HELLO, region=3), "r2 says it is region 3, not 2"),
        (attrs.evolve(HELLO, origin=make_origin(4)), "r2 says it is region 4, not 2"),
    ],
)
def test_wrong_region_is_refused(hello: Hello, reason: str) -> None:
    assert refuse_region(HERE, PEERS, hello) == reason


def test_answer_by_another_peer_is_refused() -> None:
    assert refuse_region(HERE, PEERS, HELLO, "r3") == (
        "r2 has answered at the address of r3: correct host and link_port of r3 in the file of r1"
    )


def test_followers_are_bounded_and_need_source_with_memory() -> None:
    hello = Hello("f", 9, make_origin(9), "", {}, FOLLOWER)
    assert refuse_follower(HERE, hello, followers=0, has_recovered=True) == ""
    assert "has not recovered" in refuse_follower(HERE, hello, followers=0, has_recovered=False)
    full = refuse_follower(HERE, hello, followers=FOLLOWERS_MAX, has_recovered=True)
    assert full == f"r1 has {FOLLOWERS_MAX} followers already"
    itself = attrs.evolve(hello, name="r1", origin=HERE.origin)
    assert "itself" in refuse_follower(HERE, itself, followers=0, has_recovered=True)


@pytest.mark.parametrize("name", ["", "a\nb", "a b", "../x", "x" * 65, "\x1b[2J"])
def test_names_that_would_break_line_are_refused(name: str) -> None:
    named = attrs.evolve(HELLO, name=name, role=FOLLOWER)
    assert "is not a valid name" in refuse_follower(HERE, named, followers=0, has_recovered=True)
    assert "is not a valid name" in refuse_region(HERE, PEERS, named)
    listed = attrs.evolve(HELLO, members=((1, name),))
    assert "is not a valid name" in refuse_region(HERE, PEERS, listed)
    hello = attrs.evolve(HELLO, others=((1, name),))
    assert "is not a valid name" in refuse_region(HERE, PEERS, hello)
    assert refuse_region(HERE, PEERS, named).isprintable()


def test_follower_circle_is_refused() -> None:
    hello = Hello("f", 9, make_origin(9), "", {}, FOLLOWER)
    upstream = Registry([Peer("db:1", 0, None, serves=False)])
    assert refuse_circle(HERE, hello, None) == ""
    assert "has not caught up" in refuse_circle(HERE, hello, upstream)
    upstream.caught_up.add("db:1")
    assert refuse_circle(HERE, hello, upstream) == ""
    upstream.lineages["db:1"] = ((make_origin(1), "f"), (make_origin(9), "g"))
    assert refuse_circle(HERE, hello, upstream) == "", "another one of the same name"
    upstream.lineages["db:1"] += ((make_origin(9), "f"),)
    circle = "r1 follows f over others: one of them must be promoted"
    assert refuse_circle(HERE, hello, upstream) == circle
    upstream.lineages["db:1"] = ((make_origin(9), "f"),)
    assert "r1 follows f itself" in refuse_circle(HERE, hello, upstream)
