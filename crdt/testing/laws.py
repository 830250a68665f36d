"""Algebraic laws of the states of replicas.

Merging is commutative, associative and idempotent (rule ORD-4), and equal content has equal bytes.
The checked states are those at the end of a schedule. The laws need not hold for states that no
history can produce (Shapiro et al., "Conflict-Free Replicated Data Types", 2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica, split
from crdt.store.snapshot import unpack_piece
from crdt.testing.subject import Disagreement, Subject

SCRATCH: Final = 250  # the region of the replicas that merge states for the checks


def check_laws(subject: Subject, replicas: Sequence[Replica], count: Callable[[str], None]) -> None:
    """Check the laws with the states of at least three replicas. `count` is called for each check.

    Raises Disagreement if a law does not hold.
    """
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
    """Raise Disagreement if the whole states of replicas differ."""
    states = [replica.to_bytes() for replica in replicas]
    for state in states[1:]:
        expect(law, state, states[0])


def merged(subject: Subject, states: Sequence[bytes]) -> bytes:
    """Return the state of a new replica that has merged `states` in this order."""
    replica: Replica = subject.replica(make_origin(SCRATCH), (), 1 << 20)
    for state in states:
        replica.merge_bytes(state)
    return replica.to_bytes()


def expect(law: str, found: bytes, expected: bytes) -> None:
    """Raise Disagreement if two states differ."""
    if found != expected:
        raise Disagreement(law, f"{spelled(found)}\ndiffers from\n{spelled(expected)}")


def spelled(state: bytes) -> str:
    """Return a readable text of a state, one line per piece."""
    return "\n".join(f"  {unpack_piece(piece)}" for piece in split(state))
