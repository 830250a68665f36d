"""Notifying a service manager of readiness."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from crdb.region.readiness import notify_ready


def test_named_socket_is_notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify_ready()
        assert sock.recv(100) == b"READY=1\n"


def test_abstract_socket_is_notified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{tmp_path}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{tmp_path}")
        notify_ready()
        assert sock.recv(100) == b"READY=1\n"


@pytest.mark.parametrize("address", ["", "nonsense", "/nowhere/at/all"])
def test_without_such_socket_nothing_happens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify_ready()
