"""Subjects make replicas of their types."""

from __future__ import annotations

import pickle

from crdt import make_origin
from crdt.testing import SUBJECTS, Disagreement, Subject
from tests.crdt.testing.planted import Cart


def test_subject_makes_replicas_of_its_types() -> None:
    set_ = SUBJECTS["set"]
    subject = Subject("cart", (), set_.perform, set_.read, set_.spec, types=(Cart,))
    replica = subject.replica(make_origin(2), (1, 2, 3), 500)
    assert replica.region == 2
    assert replica.stability.members == {1, 3}
    assert replica.history.limit == 500
    assert replica.value("k", Cart).get() == set()


def test_disagreement_names_law() -> None:
    error = Disagreement("merge is idempotent", "it is not")
    assert isinstance(error, AssertionError)
    assert error.law == "merge is idempotent"
    assert str(error) == "merge is idempotent: it is not"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
