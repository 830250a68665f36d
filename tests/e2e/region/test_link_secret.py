"""Link regions with a secret: only those that know it exchange data."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.processes import ask, eventually, first_event, started
from tests.ports import free_base

LONG = "0123456789abcdef-€"


def await_event(process: subprocess.Popen[str], name: str) -> dict[str, Any]:
    """Return the first event of that name which has not been read yet."""
    while (event := first_event(process))["event"] != name:
        pass
    return event


def test_missing_secret_is_reported() -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        assert await_event(process, "no link secret")["reach"] == "this machine"


def test_regions_and_followers_need_secret_of_their_database(tmp_path: Path) -> None:
    base = free_base(4)
    source, copy = tmp_path / "source.toml", tmp_path / "copy.toml"
    text = f'[[region]]\nname = "us"\nport = {base + 1}\nlink_port = {base + 2}\n'
    source.write_text(f'secret = "{LONG}"\n{text}', encoding="utf-8")
    follows = f'replica_of = ["127.0.0.1:{base + 1}"]\n'
    ports = f'[[region]]\nname = "copy"\nport = {base + 3}\nlink_port = {base + 4}\n'
    with started(["up", str(source), "--json"]) as process:
        first_event(process)
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        for secret in ('secret = "0123456789abcdef-other"\n', ""):
            copy.write_text(secret + ports + follows, encoding="utf-8")
            with started(["up", str(copy), "--json"]) as follower:
                first_event(follower)
                eventually(lambda: b"hung up on our proof" in ask(base + 3, "INFO", "replication"))
                assert ask(base + 3, "GET", "k") == b"$-1\r\n"
        assert b"name=copy" not in ask(base + 1, "INFO", "replication")
        assert b"crdt_links_refused:0" not in ask(base + 1, "INFO", "crdt")
        copy.write_text(f'secret = "{LONG}"\n{ports}{follows}', encoding="utf-8")
        with started(["up", str(copy), "--json"]) as follower:
            first_event(follower)
            eventually(lambda: ask(base + 3, "GET", "k") == b"$1\r\nv\r\n")
        assert "set the same `secret`" in await_event(process, "link refused")["reason"]
