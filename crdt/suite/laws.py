"""Laws of states: what must hold of any replicas that some history has led to.

Merging knows no order, no grouping and no repetition (rule ORD-4), and what is written down is the same
wherever the content is. States are never made up, only taken from where a schedule has ended:
on states that no history leads to, the laws need not hold (Shapiro et al., "Conflict-Free
Replicated Data Types", 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdt.dots import make_origin
from crdt.replica import Replica
from crdt.suite.subject import Disagreement, Subject
from crdt.suite.world import World

SCRATCH: Final = 250  # the region of replicas that only ever merge


def check_laws(world: World) -> None:
    """Put the laws to the test with the states of a world as it stands."""
    for site in world.sites:
        world.send(site)
    subject = world.subject
    states = [site.replica.to_bytes() for site in world.sites]
    for state in states:
        world.count("a state reads back as it was")
        expect("a state reads back as it was", merged(subject, [state]), state)
        world.count("merge is idempotent")
        expect("merge is idempotent", merged(subject, [state, state]), state)
    for left, right in zip(states, states[1:] + states[:1], strict=True):
        world.count("merge is commutative")
        there = merged(subject, [left, right])
        expect("merge is commutative", there, merged(subject, [right, left]))
        world.count("merge absorbs")
        expect("merge absorbs", merged(subject, [there, left]), there)
    first, second, third = states[:3]
    world.count("merge is associative")
    grouped = merged(subject, [first, merged(subject, [second, third])])
    expect("merge is associative", merged(subject, [first, second, third]), grouped)


def merged(subject: Subject, states: Sequence[bytes]) -> bytes:
    """The state of a replica that has taken in these, one after the other."""
    replica: Replica = subject.replica(make_origin(SCRATCH), (), 1 << 20)
    for state in states:
        replica.merge_bytes(state)
    return replica.to_bytes()


def expect(law: str, found: bytes, expected: bytes) -> None:
    """Compare two states."""
    if found != expected:
        raise Disagreement(law, f"{len(found)} bytes differ from the {len(expected)} expected")
