"""The secret of links: its text, weak secrets, and hosts that need no secret."""

from __future__ import annotations

import pytest

from replication.protocol.secret import NO_SECRET, LinkSecret, is_loopback, weakness


def test_secret_shows_nothing_of_itself() -> None:
    secret = LinkSecret.from_text("pässword €")
    assert secret.key == "pässword €".encode()
    assert "word" not in f"{secret!r} {secret}"
    assert secret.is_set
    assert not NO_SECRET.is_set
    assert LinkSecret.from_text("") == NO_SECRET


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("short", "it is shorter than 16 characters"),
        ("abcabcabcabcabcabcabc", "it has fewer than 6 different characters"),
        ("0123456789abcdef", ""),
    ],
)
def test_weak_secret_is_recognised(text: str, reason: str) -> None:
    assert weakness(text) == reason


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"]
)
def test_loopback_addresses_stay_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.1", "eu.example", "", "::ffff:10.0.0.1", "fe80::1%eth0", "127.0.0"],
)
def test_other_hosts_are_elsewhere(host: str) -> None:
    assert not is_loopback(host)
