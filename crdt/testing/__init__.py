"""Proof for replicated types, ours and yours: histories, specifications, and a world of faults.

`check_type` puts a type of your own through what ours go through. `crdt.testing.specifications`
says what our types mean; `crdt.testing.adapter` is for Hypothesis, which nothing else here needs.
"""

from __future__ import annotations

from crdt.testing.builtin import SUBJECTS
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
