"""Proof for replicated types, ours and yours: histories, specifications, and a world of faults.

`check_type` puts a type of your own through what ours go through. `crdt.suite.specifications` says
what our types mean; `crdt.suite.adapter` is for Hypothesis, which nothing else here needs.
"""

from __future__ import annotations

from crdt.suite.builtin import SUBJECTS
from crdt.suite.checking import Report, check_subject, check_type, replay, subject_of
from crdt.suite.foreign import Foreign
from crdt.suite.history import History, Taken, latest, unseen
from crdt.suite.options import Options, Refused
from crdt.suite.running import Failure, parse, run_script, script, search
from crdt.suite.steps import Step
from crdt.suite.subject import Disagreement, Subject
from crdt.suite.world import World

__all__ = [
    "SUBJECTS",
    "Disagreement",
    "Failure",
    "Foreign",
    "History",
    "Options",
    "Refused",
    "Report",
    "Step",
    "Subject",
    "Taken",
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
