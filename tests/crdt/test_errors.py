"""The tree of errors, as its docstring draws it."""

from __future__ import annotations

import copy
import pickle
import re

import crdt.errors
from crdt import CRDTError, HistoryTruncated


def test_the_tree_is_complete() -> None:
    drawn = set(re.findall(r"\+-- (\w+)", crdt.errors.__doc__ or ""))
    made = {error.__name__ for error in CRDTError.__subclasses__()}
    assert drawn == made


def test_who_lacks_too_much_is_told_what() -> None:
    text = str(HistoryTruncated(16384, 5, 9))
    assert "wanted operation 5" in text
    assert "oldest kept is 9" in text


def test_it_comes_back_from_another_process() -> None:
    error = HistoryTruncated(16384, 5, 9)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert str(twin) == str(error)
