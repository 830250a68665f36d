"""The guide to adding a command works: its steps are carried out on a copy of the packages."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.checkout.guide_steps import ROOT, changed_files, check_proof, prove

GUIDE = "add-a-command.md"
LARGE_SET = r"""
from random import Random

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdt import Replica
from crdt.types.components.named import LIMITS

LIMITS.small_max = 2
client = Client(Instance(Replica(1), build_table(), name="us", rng=Random(1)))
print(receive(client, b"SADD cart a b c d\r\n"))           # b':4\r\n'
print(receive(client, b"CRDB.TOGGLE cart d\r\n"))          # b':0\r\n'
print(receive(client, b"CRDB.TOGGLE cart e\r\n"))          # b':1\r\n'
print(receive(client, b"CRDB.ATLEAST 4 2 cart none\r\n"))  # b':1\r\n'
print(receive(client, b"CRDB.ATLEAST 5 2 cart none\r\n"))  # b':0\r\n'
"""


def test_command_added_by_guide_replies_as_shown(tmp_path: Path) -> None:
    prove(tmp_path, GUIDE, ("crdb", "crdt", "geo", "replication"))
    check_proof(tmp_path, LARGE_SET)


def test_guide_changes_one_file_for_each_command() -> None:
    text = (ROOT / "docs" / "how-to" / GUIDE).read_text()
    assert changed_files(text) == [
        "crdb/commands/sets/sets.py",
        "crdb/commands/sets/set_algebra.py",
    ]
    assert text.count("```diff") == 2
