"""Test the error for rules that are not valid."""

from __future__ import annotations

from crdb.security import rule_error
from crdb.security.rule_error import RuleError


def test_error_carries_reason_and_no_rule_yet() -> None:
    fault = RuleError(rule_error.SYNTAX_ERROR)
    assert (fault.reason, fault.rule) == (b"Syntax error", b"")


def test_every_reason_is_one_line() -> None:
    reasons = [value for name, value in vars(rule_error).items() if name.isupper()]
    assert len(reasons) == 7
    assert all(reason and b"\n" not in reason for reason in reasons)
