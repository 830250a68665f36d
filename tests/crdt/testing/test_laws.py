"""The laws of states: satisfied and violated."""

from __future__ import annotations

from collections import Counter

import pytest

from crdt import Replica
from crdt.testing import SUBJECTS, Disagreement, Subject
from crdt.testing.checking import subject_of
from crdt.testing.laws import check_laws, expect, expect_same, merged
from tests.crdt.testing.planted import ADD, Cart, ForgetfulCart, UnsortedCart


def subject(make: type[Cart]) -> Subject:
    """Return the subject for sets."""
    made = subject_of(make, [(0,)], len)
    assert isinstance(made, Subject)
    return made


def replicas(make: type[Cart]) -> list[Replica]:
    """Return three replicas that have diverged."""
    made = [Replica(region, types=(make,)) for region in (1, 2, 3)]
    for replica in made:
        replica.value("value", make).do(ADD, b"milk")
        replica.value("value", make).do(ADD, b"eggs")
    made[0].merge(made[1].snapshot())
    return made


def test_right_states_keep_laws() -> None:
    counts: Counter[str] = Counter()
    check_laws(subject(Cart), replicas(Cart), lambda law: counts.update([law]))
    assert counts == {
        "a state reads back as it was": 3,
        "merge is idempotent": 3,
        "merge is commutative": 3,
        "merge absorbs": 3,
        "merge is associative": 1,
    }


def test_wrong_states_do_not() -> None:
    with pytest.raises(Disagreement, match="merge is commutative"):
        check_laws(subject(UnsortedCart), replicas(UnsortedCart), lambda law: None)


def test_states_are_compared_whole() -> None:
    here, there, _ = replicas(Cart)
    expect_same("the same", [here, here])
    with pytest.raises(Disagreement, match="the same"):
        expect_same("the same", [here, there])
    with pytest.raises(Disagreement, match=r"(?s)a law: .*b'milk'.*\ndiffers from\n.*b'milk'"):
        expect("a law", here.to_bytes(), there.to_bytes())


def test_merging_states_is_what_replica_does() -> None:
    here, there, _ = replicas(ForgetfulCart)
    both = merged(subject(ForgetfulCart), [here.to_bytes(), there.to_bytes()])
    assert both == merged(subject(ForgetfulCart), [here.to_bytes()])
    assert SUBJECTS["set"].types == ()
