"""Runs in which regions edit JSON documents, with cuts, crashes and snapshots."""

from __future__ import annotations

from typing import Any

from sim.campaign.options import RunOptions
from sim.campaign.run import Run
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.documents import change_document
from sim.schedule.writes import Load


def test_commands_cover_documents() -> None:
    rng = SeededRandom(1, "documents")
    drawn = [change_document(rng, "doc:0.0", f"u{number}") for number in range(500)]
    assert len({words[0] for words in drawn}) == 11
    assert {words[1] for words in drawn} == {"doc:0.0"}


def test_documents_follow_their_rules_under_faults() -> None:
    fixed: dict[str, Any] = {
        "length": 10 * SECOND,
        "faults": ("cut", "crash"),
        "mean": 3 * SECOND,
        "load": Load(writes_per_second=12, keys=3, families=("doc", "set")),
    }
    result = Run(RunOptions.draw_from_seed(2, **fixed)).play_steps()
    assert result.promise == "", result
