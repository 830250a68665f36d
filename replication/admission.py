"""Decide whether a connection that has said Hello becomes a link. Pure: no state of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crdt.dots import INCARNATION_MAX, region_of
from replication.frames import Hello
from replication.member import Member, Peer

FOLLOWERS_MAX: Final = 32  # as many as a database may have sources (section 20.1)

MEMBERS_INCARNATIONS_MAX: Final = (INCARNATION_MAX + 1) // 2
"""Incarnations of our own region in what a peer says that it has; else none may be left to take."""


def refuse_region(
    member: Member, peers: Mapping[str, Peer], hello: Hello, expected: str = ""
) -> str:
    """Return why a region may not be linked with `member`; empty if it may. `expected` is the name
    of the peer that was dialled, or empty if the peer has dialled."""
    peer = peers.get(hello.name)
    if peer is None or (expected and expected != hello.name):
        return f"{member.name} did not expect {hello.name!r}"
    if hello.cluster != member.cluster:
        return f"{hello.name} belongs to {hello.cluster!r}, not to {member.cluster!r}"
    for region in (hello.region, region_of(hello.origin)):
        if region != peer.region:
            return f"{hello.name} says it is region {region}, not {peer.region}"
    ours = sum(region_of(origin) == member.region for origin in hello.vector)
    if ours > MEMBERS_INCARNATIONS_MAX:
        return f"{hello.name} says that it knows more than {MEMBERS_INCARNATIONS_MAX} incarnations"
    return ""


def refuse_follower(member: Member, hello: Hello, *, followers: int, has_recovered: bool) -> str:
    """Return why somebody may not follow `member`; empty if it may. `followers` are there now."""
    if hello.origin == member.origin and hello.name == member.name:
        return f"{hello.name} cannot follow itself"
    if not has_recovered:
        return f"{member.name} has lost its memory and has not recovered"
    if followers >= FOLLOWERS_MAX:
        return f"{member.name} has {FOLLOWERS_MAX} followers already"
    return ""
