"""The command line: correct calls, and the message of each wrong one."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from crdb.cli.main import ending_signals, main
from crdb.region.state_directory import locked_directory
from crdb.version import __version__
from tests.ports import free_ports


def test_under_nohup_hangup_does_not_stop_it() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in ending_signals()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.SIGHUP in ending_signals()


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["up"], "give either a file or --regions"),
        (["up", "--regions", "us,us"], "name"),
        (["up", "--regions", "us-east-1,eu-wst-1"], "did you mean eu-west-1"),
        (["up", "--regions", "us,eu", "--topology", "mash"], "mesh"),
        (["up", "--regions", ""], 'name "" is not valid'),
        (["up", "--regions", "us,\udcff"], "is not valid"),
        (["up", "--regions", "us,eu", "--topology", "sta"], 'did you mean "star"'),
        (["up", "--regions", "us,eu", "--delay", "soon"], '--delay "soon" is not'),
        (["up", "--regions", "us,eu", "--delay", "-1"], '--delay "-1" is not'),
        (["up", "--regions", "us,eu", "--delay", "nan"], "milliseconds, 0..600000"),
        (["up", "--regions", "us,eu", "--port", "70000"], "--port 70000: region i listens on"),
        (["up", "--regions", "us,eu", "--port", "65534"], "which must be 1..65535"),
        (["up", "--regions", "us,eu", "--port", "-1"], "--port -1"),
        (["up", "missing.toml"], "missing.toml: No such file"),
        (["up", "missing.toml", "--regions", "us"], "either a file or --regions"),
        (["serve", "missing.toml", "--region", "us"], "missing.toml"),
    ],
)
def test_bad_call_is_one_line_that_helps(
    arguments: list[str], output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("crdb: ")
    assert err.count("\n") == 1
    assert output in err


def test_options_for_names_do_not_go_with_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_text('[[region]]\nname = "us"\n', encoding="utf-8")
    assert main(["up", str(file), "--port", "7000"]) == 1
    assert "go with --regions" in capsys.readouterr().err


def test_file_that_is_not_text_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert main(["up", str(file)]) == 1
    assert "not a text file" in capsys.readouterr().err


def test_unknown_region_of_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_text('[[region]]\nname = "us"\n', encoding="utf-8")
    assert main(["serve", str(file), "--region", "su"]) == 1
    assert "unknown region" in capsys.readouterr().err


def test_version_is_that_of_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"crdb {__version__}\n"


def test_demo_names_missing_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "crdb.cli.demo", raising=False)
    monkeypatch.delattr("crdb.cli.demo", raising=False)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == (
        "crdb: the demo needs the package redis: pip install 'active-active[demo]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        ([], "crdb: the following arguments are required: COMMAND; see crdb --help"),
        (["up", "--nonsense"], "crdb: unrecognized arguments: --nonsense; see crdb --help"),
        (["up", "--region", "us"], "crdb: unrecognized arguments: --region; see crdb --help"),
        (["serve"], "crdb serve: the following arguments are required: FILE, --region; see"),
        (["up", "--port", "x"], "crdb up: argument --port: invalid int value: 'x'; see crdb up --"),
    ],
)
def test_wrong_flags_give_one_line(
    arguments: list[str], output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(output)
    assert error.count("\n") == 1


def test_start_that_cannot_listen_is_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next start once waited for peers, as after a loss of data, and each try of a service
    manager used up an incarnation."""
    (port,) = free_ports(1)
    file, state = tmp_path / "regions.toml", tmp_path / "state"
    file.write_text(f'[[region]]\nname = "us"\nport = {port}\n', encoding="utf-8")
    with socket.create_server(("127.0.0.1", port)):
        assert main(["serve", str(file), "--region", "us", "--state", str(state)]) == 1
    assert f"cannot listen at 127.0.0.1:{port}" in capsys.readouterr().err
    assert list(state.iterdir()) == []


def test_state_directory_in_use_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second process once took an incarnation, and the two replaced each other at their
    peers."""
    file, state = tmp_path / "regions.toml", tmp_path / "state"
    file.write_text('[[region]]\nname = "us"\n', encoding="utf-8")
    with locked_directory(state):
        assert main(["serve", str(file), "--region", "us", "--state", str(state)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"crdb: {state}: another process uses this state directory; ")
    assert err.count("\n") == 1
    assert list(state.iterdir()) == []
