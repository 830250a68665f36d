"""Tests for replicated types: random schedules with faults, histories and specifications.

`check_type` runs a custom type through the same checks as the built-in types.
`crdt.testing.builtin_types.specifications` defines the meaning of the built-in types.
`crdt.testing.adapter` is for Hypothesis. No other module of this package needs Hypothesis.
"""

from __future__ import annotations

from crdt.testing.builtin_types.subjects import SUBJECTS
from crdt.testing.checking import Report, check_subject, check_type, replay, subject_of
from crdt.testing.history import History, HistoryEvent, latest, unseen
from crdt.testing.running import Failure, parse, run_script, script, search
from crdt.testing.subject import Disagreement, Subject
from crdt.testing.user_types.foreign import Foreign
from crdt.testing.user_types.options import CheckOptions, Refused
from crdt.testing.worlds.steps import Step
from crdt.testing.worlds.world import World

__all__ = [
    "SUBJECTS",
    "CheckOptions",
    "Disagreement",
    "Failure",
    "Foreign",
    "History",
    "HistoryEvent",
    "Refused",
    "Report",
    "Step",
    "Subject",
    "World",
    "check_subject",
    "check_type",
    "latest",
    "parse",
    "replay",
    "run_script",
    "script",
    "search",
    "subject_of",
    "unseen",
]
