"""Run the command line as a process: good calls, signals, closed pipes."""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from crdb.version import __version__
from tests.e2e.processes import (
    WAIT_SECONDS,
    ask,
    events_until,
    eventually,
    first_event,
    ready_event,
    started,
)
from tests.ports import free_base, is_free


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_serves_every_region_until_signal(number: signal.Signals) -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        listening, ready = first_event(process), ready_event(process)
        assert listening["event"] == "listening"
        assert (
            listening["regions"]
            == ready["regions"]
            == [
                {"name": "us", "id": 1, "host": "127.0.0.1", "port": base + 1},
                {"name": "eu", "id": 2, "host": "127.0.0.1", "port": base + 2},
            ]
        )
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        assert ask(base + 1, "CRDB.SETTLE", "20000") == b":1\r\n"
        assert ask(base + 2, "GET", "k") == b"$1\r\nv\r\n"
        process.send_signal(number)
        rest, errors = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0
        assert errors == ""
        events = [json.loads(line)["event"] for line in rest.splitlines()]
        assert "stopping" in events


def test_shutdown_stops_process_as_signal_does() -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        ready_event(process)
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        assert ask(base + 1, "CRDB.SETTLE", "20000") == b":1\r\n"
        assert ask(base + 1, "WAIT", "1", "20000") == b":1\r\n"
        refused = ask(base + 1, "SHUTDOWN")
        assert b"no other region is known to hold everything" in refused, "eu is in this process"
        assert ask(base + 1, "SHUTDOWN", "NOSAVE") == b""
        rest, errors = process.communicate(timeout=WAIT_SECONDS)
        assert (process.returncode, errors) == (0, "")
        events = [json.loads(line) for line in rest.splitlines()]
        stopping = [event for event in events if event["event"] == "stopping"]
        assert stopping[0]["signal"].startswith("SHUTDOWN from 127.0.0.1:")


def test_listening_precedes_events_of_copy(tmp_path: Path) -> None:
    base = free_base()
    file = tmp_path / "copy.toml"
    file.write_text(
        f'[[region]]\nname = "copy"\nport = {base + 1}\nreplica_of = ["127.0.0.1:{base + 2}"]\n',
        encoding="utf-8",
    )
    with started(["up", str(file), "--json"]) as process:
        assert first_event(process)["event"] == "listening"
        events = [event["event"] for event in events_until(process, "ready")]
        assert "following" in events


def test_port_that_is_taken_is_one_line_and_status() -> None:
    base = free_base()
    with socket.create_server(("127.0.0.1", base + 2)):
        command = [sys.executable, "-m", "crdb", "up", "--regions", "us,eu", "--port", str(base)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"region eu: cannot listen at 127.0.0.1:{base + 2}" in done.stderr


@pytest.mark.parametrize("arguments", [["--json"], []], ids=["json", "lines"])
def test_closed_output_ends_command_without_traceback(arguments: list[str]) -> None:
    base = free_base()
    with started(["up", "--regions", "us", "--port", str(base), *arguments]) as process:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(WAIT_SECONDS) == 0
        assert process.stderr is not None
        assert (
            process.stderr.read()
            == "crdb: the reader of the events has closed its pipe, so the regions stop\n"
        )
        assert is_free(base + 1)


def test_unread_events_block_nothing() -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        first_event(process)
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        for _ in range(20):  # each brings half a kilobyte of events
            assert ask(base + 1, "CRDB.LINK", "CUT", "ALL") == b"+OK\r\n"
            assert ask(base + 1, "CRDB.LINK", "HEAL", "ALL") == b"+OK\r\n"
            eventually(lambda: ask(base + 1, "CRDB.LINKS").count(b"streaming") == 2)
        process.send_signal(signal.SIGINT)
        events, _ = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0
        assert len(events) > 4096


def test_server_runs_without_output() -> None:
    base = free_base()
    command = f"exec {sys.executable} -m crdb up --regions us --port {base} >&- 2>&-"
    process = subprocess.Popen(["/bin/sh", "-c", command])
    try:
        eventually(lambda: not is_free(base + 1))
        assert ask(base + 1, "PING") == b"+PONG\r\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SECONDS) == 0
    finally:
        process.kill()
        process.wait(WAIT_SECONDS)


def test_server_raises_its_file_limit() -> None:
    base = free_base()
    command = f"ulimit -S -n 40; exec {sys.executable} -m crdb up --regions us,eu --port {base}"
    process = subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.PIPE)
    try:
        eventually(lambda: not is_free(base + 1))
        clients = [socket.create_connection(("127.0.0.1", base + 1)) for _ in range(60)]
        for client in clients:
            client.sendall(b"PING\r\n")
            assert client.recv(7) == b"+PONG\r\n"
            client.close()
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0


def test_too_few_files_are_one_line() -> None:
    command = f"ulimit -n 24; exec {sys.executable} -m crdb up --regions us,eu,ap"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "crdb: only 24 files may be open, and 59 are needed: raise the limit (ulimit -n)\n"
    )


def test_blocked_clients_hold_no_end_up() -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        first_event(process)
        asked = (b"BLPOP q 0", b"WAIT 9 0", b"CRDB.SETTLE 100000", b"*2\r\n$3\r\nGET\r\n$9\r\nk")
        clients = [socket.create_connection(("127.0.0.1", base + 1)) for _ in asked]
        for client, words in zip(clients, asked, strict=True):
            client.sendall(words + b"\r\n")
        eventually(lambda: ask(base + 1, "CLIENT", "LIST").count(b"cmd=blpop") == 1)
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WAIT_SECONDS)
        assert (process.returncode, errors) == (0, "")
        for client in clients:
            client.close()


INTERRUPTED = """
import signal, sys
import crdb.__main__, crdb.cli.main
sys.argv = ["crdb", "demo"]
crdb.cli.main.execute = lambda options: signal.raise_signal(signal.SIGINT)
crdb.__main__.main()
"""


def test_interrupt_before_anything_runs_is_silent() -> None:
    run = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGINT, b"", b"")


def run_without_trio(*arguments: str) -> tuple[int, str, str]:
    """Run the command where trio cannot be imported. Return its status, output and errors."""
    bare = (
        "import sys; sys.modules['trio'] = None; from crdb.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", bare, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def test_missing_extra_is_reported() -> None:
    assert run_without_trio("up", "--regions", "us,eu") == (
        1,
        "",
        "crdb: this command needs the package trio: pip install 'active-active[server]'\n",
    )


def test_help_and_version_need_no_extra() -> None:
    assert run_without_trio("--version") == (0, f"crdb {__version__}\n", "")
    status, output, errors = run_without_trio("up", "--help")
    assert (status, errors) == (0, "")
    assert output.startswith("usage: crdb up")


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


PROGRAMS = {
    "help": ("crdb", "--help"),
    "version": ("crdb", "--version"),
    "help of a command": ("crdb", "up", "--help"),
    "simulator's help": ("sim", "--help"),
}


def run_with_output(redirection: str, *words: str) -> tuple[int, str]:
    """Run a program with its standard output redirected by the shell. Return its status and
    errors."""
    command = f'exec "$0" -m "$@" {redirection}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, *words],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_full_output_is_one_line(words: Sequence[str]) -> None:
    """Python once added "Exception ignored", and the status was 120."""
    status, errors = run_with_output(">/dev/full", *words)
    assert status == (2 if words[0] == "sim" else 1)
    assert errors == f"{words[0]}: standard output: No space left on device\n"


@pytest.mark.parametrize("words", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_closed_output_is_one_line(words: Sequence[str]) -> None:
    status, errors = run_with_output(">&-", *words)
    assert status == (2 if words[0] == "sim" else 1)
    assert errors == f"{words[0]}: standard output: Bad file descriptor\n"


def test_mistakes_are_reported_with_any_output() -> None:
    for redirection in (">/dev/full", ">&-"):
        status, errors = run_with_output(redirection, "crdb", "up")
        assert status == 1
        assert errors.startswith("crdb: give either a file or --regions")
        assert errors.count("\n") == 1


@pytest.mark.parametrize("program", ["crdb", "sim"])
def test_interrupt_during_imports_is_silent(program: str) -> None:
    """`python -m sim` once spent half a second on imports, during which Ctrl-C printed a
    traceback."""
    imported = {"crdb": "crdb.cli.command_line", "sim": "sim.command_line"}[program]
    code = f"""
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "{imported}":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("{program}", run_name="__main__")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGINT, b"", b"")
