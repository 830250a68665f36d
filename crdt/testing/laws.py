"""Laws of states: what must hold of any replicas that some history has led to.

Merging knows no order, no grouping and no repetition (rule ORD-4), and what is written down is the
same wherever the content is. States are never made up, only taken from where a schedule has ended:
on states that no history leads to, the laws need not hold (Shapiro et al., "Conflict-Free
Replicated Data Types", 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica, split
from crdt.store.snapshot import unpack_piece
from crdt.testing.subject import Disagreement, Subject

SCRATCH: Final = 250  # the region of replicas that only ever merge


def check_laws(subject: Subject, replicas: Sequence[Replica], count: Callable[[str], None]) -> None:
    """Put the laws to the test with the states of at least three replicas."""
    states = [replica.to_bytes() for replica in replicas]
    for state in states:
        count("a state reads back as it was")
        expect("a state reads back as it was", merged(subject, [state]), state)
        count("merge is idempotent")
        expect("merge is idempotent", merged(subject, [state, state]), state)
    for left, right in zip(states, states[1:] + states[:1], strict=True):
        count("merge is commutative")
        there = merged(subject, [left, right])
        expect("merge is commutative", there, merged(subject, [right, left]))
        count("merge absorbs")
        expect("merge absorbs", merged(subject, [there, left]), there)
    first, second, third = states[:3]
    count("merge is associative")
    grouped = merged(subject, [first, merged(subject, [second, third])])
    expect("merge is associative", merged(subject, [first, second, third]), grouped)


def expect_same(law: str, replicas: Sequence[Replica]) -> None:
    """Compare the whole states of replicas."""
    states = [replica.to_bytes() for replica in replicas]
    for state in states[1:]:
        expect(law, state, states[0])


def merged(subject: Subject, states: Sequence[bytes]) -> bytes:
    """The state of a replica that has taken in these, one after the other."""
    replica: Replica = subject.replica(make_origin(SCRATCH), (), 1 << 20)
    for state in states:
        replica.merge_bytes(state)
    return replica.to_bytes()


def expect(law: str, found: bytes, expected: bytes) -> None:
    """Compare two states."""
    if found != expected:
        raise Disagreement(law, f"{spelled(found)}\ndiffers from\n{spelled(expected)}")


def spelled(state: bytes) -> str:
    """A state as people can read it, piece by piece."""
    return "\n".join(f"  {unpack_piece(piece)}" for piece in split(state))
