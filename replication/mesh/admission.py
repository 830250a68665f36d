"""Decide whether a connection that has said Hello becomes a link. Pure and without state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from crdt.causality.dots import INCARNATION_MAX, region_of
from replication.mesh.registry import Machine, Registry
from replication.mesh.rivals import describe_rival
from replication.mesh.roster import compare_lists
from replication.protocol.frames import Hello
from replication.protocol.names import RULE, is_name
from replication.protocol.peers import Member, Peer

FOLLOWERS_MAX: Final = 32  # as many as a database may have sources (section 20.1)

MEMBERS_INCARNATIONS_MAX: Final = (INCARNATION_MAX + 1) // 2
"""Incarnations of our own region in what a peer says that it has; else none may be left to take."""

NAME_SHOWN_MAX: Final = 60


def refuse_region(
    member: Member, peers: Mapping[str, Peer], hello: Hello, expected: str = ""
) -> str:
    """Return why a region may not be linked with `member`; empty if it may. `expected` is the name
    of the peer that was dialled, or empty if the peer has dialled."""
    reason = refuse_names(hello)
    if reason:
        return reason
    peer = peers.get(hello.name)
    number = find_guest(member, hello) if peer is None else peer.region
    if number == 0 or (expected and expected != hello.name):
        return describe_stranger(member, hello, expected)
    if hello.cluster != member.cluster:
        return (
            f"{hello.name} belongs to the CRDB {hello.cluster!r}, and {member.name} to "
            f"{member.cluster!r}: give both files the same id"
        )
    reason = compare_lists(member.name, member.members, hello)
    if reason:
        return reason
    for region in (hello.region, region_of(hello.origin)):
        if region != number:
            return f"{hello.name} says it is region {region}, not {number}"
    ours = sum(region_of(origin) == member.region for origin in hello.vector)
    if ours > MEMBERS_INCARNATIONS_MAX:
        return f"{hello.name} says that it knows more than {MEMBERS_INCARNATIONS_MAX} incarnations"
    return ""


def describe_stranger(member: Member, hello: Hello, expected: str) -> str:
    """Return why a region that the peers of `member` do not include, or that has answered in place
    of region `expected`, is refused, and what to do."""
    if expected and expected != hello.name:
        return (
            f"{hello.name} has answered at the address of {expected}: correct host and link_port "
            f"of {expected} in the file of {member.name}"
        )
    if hello.name in dict(member.members).values():
        return (
            f"the topology in the file of {member.name} does not link it with {hello.name}: give "
            f"all files the same topology, and restart the regions whose files have changed"
        )
    return (
        f"{hello.name!r} is neither in the file of {member.name} nor in its own: add it to both, "
        f"with the same number"
    )


def refuse_rival(hello: Hello, others: Iterable[Machine | None], now: int) -> str:
    """Return why a region is refused that seems to run twice; empty if it is accepted. `others` are
    our other links with it. The process that we are linked with is kept while it is alive."""
    for end in others:
        known = None if end is None else end.hello
        if end is None or known is None or known.origin == hello.origin:
            continue
        if end.is_alive(now):
            return describe_rival(hello.name)
    return ""


def refuse_names(hello: Hello) -> str:
    """Return why the names in a Hello are not valid; empty if they are. They are shown in INFO, in
    events and on terminals."""
    for name in (hello.name, *(name for _, name in (*hello.members, *hello.others))):
        if not is_name(name):
            return f"{ascii(name)[:NAME_SHOWN_MAX]} is not a valid name: {RULE}"
    return ""


def find_guest(member: Member, hello: Hello) -> int:
    """Return the number of a region that only its own file lists, or 0.

    It is 0 if our file also lists the name (then the topology does not link it with us), or if
    one of the files lists no regions.
    """
    if not member.members or hello.name in dict(member.members).values():
        return 0
    return next((number for number, name in hello.members if name == hello.name), 0)


def refuse_follower(member: Member, hello: Hello, *, followers: int, has_recovered: bool) -> str:
    """Return why somebody may not follow `member`; empty if it may. `followers` are there now."""
    reason = refuse_names(hello)
    if reason:
        return reason
    if hello.origin == member.origin and hello.name == member.name:
        return f"{hello.name} cannot follow itself"
    if not has_recovered:
        return f"{member.name} has lost its memory and has not recovered"
    if followers >= FOLLOWERS_MAX:
        return f"{member.name} has {FOLLOWERS_MAX} followers already"
    return ""


def refuse_circle(member: Member, hello: Hello, upstream: Registry | None) -> str:
    """Return why somebody may not follow an instance that follows others itself, over the links
    `upstream`; empty if they may. In a circle the data of each would replace that of the next, and
    no data would ever be written."""
    if upstream is None:
        return ""
    for lineage in upstream.lineages.values():
        for steps, instance in enumerate(lineage):
            if instance == (hello.origin, hello.name):
                how = "over others" if steps else "itself"
                return f"{member.name} follows {hello.name} {how}: one of them must be promoted"
    if upstream.peers.keys() - upstream.caught_up:
        return f"{member.name} follows others itself and has not caught up with them"
    return ""
