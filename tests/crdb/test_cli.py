"""The command line as a user meets it: good calls, and each way to get one wrong."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crdb.cli import main
from tests.crdb.processes import WAIT_SECONDS, ask, eventually, first_event, free_base, started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_serves_every_region_until_a_signal(number: signal.Signals) -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        ready = first_event(process)
        assert ready["event"] == "ready"
        assert ready["regions"] == [
            {"name": "us", "id": 1, "host": "127.0.0.1", "port": base + 1},
            {"name": "eu", "id": 2, "host": "127.0.0.1", "port": base + 2},
        ]
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        assert ask(base + 1, "CRDB.SETTLE", "5000") == b":1\r\n"
        assert ask(base + 2, "GET", "k") == b"$1\r\nv\r\n"
        process.send_signal(number)
        rest, errors = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0
        assert errors == ""
        events = [json.loads(line)["event"] for line in rest.splitlines()]
        assert "stopping" in events


def test_a_port_that_is_taken_is_one_line_and_a_status() -> None:
    base = free_base()
    with socket.create_server(("127.0.0.1", base + 2)):
        command = [sys.executable, "-m", "crdb", "up", "--regions", "us,eu", "--port", str(base)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"region eu: cannot listen on port 127.0.0.1:{base + 2}" in done.stderr


def test_regions_can_be_processes_of_their_own(tmp_path: Path) -> None:
    base = free_base()
    file = tmp_path / "regions.toml"
    file.write_text(
        "".join(f'[[region]]\nname = "r{i}"\nport = {base + i}\n' for i in (1, 2)),
        encoding="utf-8",
    )
    with (
        started(["serve", str(file), "--region", "r1", "--json"]) as one,
        started(["serve", str(file), "--region", "2", "--json"]) as two,
    ):
        assert [region["name"] for region in first_event(one)["regions"]] == ["r1"]
        assert [region["name"] for region in first_event(two)["regions"]] == ["r2"]
        eventually(lambda: ask(base + 1, "CRDB.LINKS").count(b"streaming") == 2)
        assert ask(base + 1, "SADD", "s", "x") == b":1\r\n"
        assert ask(base + 1, "CRDB.SETTLE", "10000") == b":1\r\n"
        assert ask(base + 2, "SCARD", "s") == b":1\r\n"
    assert sorted(path.name for path in (tmp_path / ".crdb").iterdir()) == ["r1", "r2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up"], "give either a file or --regions"),
        (["up", "--regions", "us,us"], "name"),
        (["up", "--regions", "us-east-1,eu-wst-1"], "did you mean eu-west-1"),
        (["up", "--regions", "us,eu", "--topology", "mash"], "mesh"),
        (["up", "--regions", "us,eu", "--delay", "soon"], "--delay 'soon'"),
        (["up", "--regions", "us,eu", "--port", "70000"], "70001"),
        (["up", "missing.toml"], "missing.toml: No such file"),
        (["up", "missing.toml", "--regions", "us"], "either a file or --regions"),
        (["serve", "missing.toml", "--region", "us"], "missing.toml"),
    ],
)
def test_a_bad_call_is_one_line_that_helps(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("crdb: ")
    assert err.count("\n") == 1
    assert said in err


def test_options_for_names_do_not_go_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_text('[[region]]\nname = "us"\n', encoding="utf-8")
    assert main(["up", str(file), "--port", "7000"]) == 1
    assert "go with --regions" in capsys.readouterr().err


def test_a_file_that_is_no_text_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert main(["up", str(file)]) == 1
    assert "not a text file" in capsys.readouterr().err


def test_an_unknown_region_of_a_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_text('[[region]]\nname = "us"\n', encoding="utf-8")
    assert main(["serve", str(file), "--region", "su"]) == 1
    assert "unknown region" in capsys.readouterr().err


def test_wrong_flags_end_with_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["up", "--nonsense"])
    assert ended.value.code == 2
    assert "usage: crdb" in capsys.readouterr().err
