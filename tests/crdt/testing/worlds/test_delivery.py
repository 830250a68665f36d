"""The delivery contract of a type: found by trial, or declared."""

from __future__ import annotations

from crdt.testing import check_type
from crdt.testing.checking import subject_of
from crdt.testing.worlds.delivery import contracted, weaker_contracts
from crdt.testing.worlds.message_world import MessageSubject
from tests.crdt.testing import right_types as right


def test_contract_comes_from_family_or_declaration() -> None:
    subject = subject_of(right.MaxMap, [("put", "a", 1)])
    assert isinstance(subject, MessageSubject)
    assert (subject.delivery, subject.duplicates) == ("any", True)
    declared = contracted(subject, "effect", {"delivery": "fifo"})
    assert (declared.delivery, declared.duplicates) == ("fifo", False)
    assert weaker_contracts(declared, {"delivery": "fifo", "duplicates": False}, 1) == []


def test_report_names_order_that_is_needed() -> None:
    commands = [("add", "milk"), ("remove", "milk")]
    report = check_type(right.ObservedRemoveSet, commands, schedules=200)
    assert report.contract[0] == "delivered in causal order, once"
    assert report.contract[1].startswith("needs causal order: under ")
