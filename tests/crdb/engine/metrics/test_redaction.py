"""Redacting secrets in the arguments of commands."""

from __future__ import annotations

import pytest

from crdb.engine.metrics.redaction import redacted


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("AUTH secret", "AUTH (redacted)"),
        ("auth default secret", "auth (redacted) (redacted)"),
        ("HELLO 3 AUTH user secret", "HELLO 3 AUTH (redacted) (redacted)"),
        ("HELLO 3 SETNAME auth", "HELLO 3 SETNAME auth"),
        (
            "HELLO 3 setname a auth user secret setname b",
            "HELLO 3 setname a auth (redacted) (redacted) setname b",
        ),
        ("HELLO 3 AUTH user", "HELLO 3 AUTH (redacted)"),
        ("CONFIG SET requirepass a timeout 1", "CONFIG SET requirepass (redacted) timeout 1"),
        ("config set timeout 1 MASTERAUTH a", "config set timeout 1 MASTERAUTH (redacted)"),
        ("CONFIG GET requirepass", "CONFIG GET requirepass"),
        ("CONFIG SET requirepass", "CONFIG SET requirepass"),
        ("ACL SETUSER eve >secret", "ACL SETUSER (redacted) (redacted)"),
        ("ACL WHOAMI", "ACL WHOAMI"),
        ("SET auth secret", "SET auth secret"),
    ],
)
def test_secrets_are_replaced(command: str, shown: str) -> None:
    assert redacted(command.encode().split()) == shown.encode().split()
