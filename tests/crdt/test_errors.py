"""The tree of errors, as its docstring draws it."""

from __future__ import annotations

import copy
import pickle
import re

import crdt.errors
from crdt import CRDTError, DotReused, HistoryTruncated, IdentityReused


def test_tree_is_complete() -> None:
    drawn = set(re.findall(r"\+-- (\w+)", crdt.errors.__doc__ or ""))
    direct = CRDTError.__subclasses__()
    tree = [error for each in direct for error in (each, *each.__subclasses__())]
    made = {error.__name__ for error in tree if error.__module__ == crdt.errors.__name__}
    assert drawn == made


def test_truncated_history_names_what_is_missing() -> None:
    text = str(HistoryTruncated(16384, 5, 9))
    assert "wanted operation 5" in text
    assert "oldest kept is 9" in text


def test_error_survives_pickling() -> None:
    for error in (HistoryTruncated(16384, 5, 9), IdentityReused(16385, "operation 5 differs")):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert str(twin) == str(error)
            assert type(twin) is type(error)


def test_error_for_reused_identity_names_remedy() -> None:
    error = IdentityReused(16385, "operation 5 differs")
    assert isinstance(error, DotReused)
    assert error.origin == 16385
    assert "identity 1.1: operation 5 differs. Nothing was changed" in str(error)
    assert "identity 1:" in str(IdentityReused(16384, "x"))
    assert "Replica() draws one" in str(error)
