"""Regions in processes of their own, stopped, killed and started again, also with other files
(rules STL-1 to STL-3)."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from crdt.causality.dots import INCARNATION_MAX
from tests.e2e.processes import (
    WAIT_SECONDS,
    ask,
    events_until,
    eventually,
    started,
)
from tests.ports import free_base

LOADING = b"-LOADING this region is loading its data from its peers\r\n"


class Regions:
    """Regions r1, r2, ... of one file, each in its own process. Region 1 listens on `base` + 1."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.file = directory / "regions.toml"
        self.state = directory / ".crdb"
        self.base = free_base(5)
        self.stack = stack
        self.running: dict[int, Popen[str]] = {}

    def write(self, *numbers: int, more: str = "") -> None:
        """Write a file that lists these regions."""
        regions = "".join(
            f'[[region]]\nname = "r{number}"\nid = {number}\nport = {self.base + number}\n'
            for number in numbers
        )
        self.file.write_text(more + regions, encoding="utf-8")

    def start(self, number: int, *options: str, waits: bool = True) -> list[dict[str, Any]]:
        """Start a region. Return its events up to `ready`, or up to `listening` if `waits` is
        false."""
        command = ["serve", str(self.file), "--json", "--region", f"r{number}", *options]
        process = self.stack.enter_context(started(command))
        self.running[number] = process
        return events_until(process, "ready" if waits else "listening")

    def stop(self, number: int, *, kill: bool = False) -> None:
        """Stop a region by a signal."""
        process = self.running.pop(number)
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        process.communicate(timeout=WAIT_SECONDS)

    def restart(self, number: int, *options: str) -> list[dict[str, Any]]:
        self.stop(number)
        return self.start(number, *options)

    def ask(self, number: int, *words: str) -> bytes:
        return ask(self.base + number, *words)

    def add(self, number: int, name: str) -> None:
        """Increment the counter, then write a member. So a region that has the member has counted
        it."""
        assert self.ask(number, "INCR", "n").startswith(b":")
        assert self.ask(number, "SADD", "s", name) == b":1\r\n"

    def fill(self, number: int, name: str) -> None:
        """Write a member in one region, and wait until all regions have it."""
        self.add(number, name)
        vector = self.ask(number, "CRDB.VECTOR").split(b"\r\n")[1].decode()
        for other in self.running:
            assert self.ask(other, "CRDB.AWAIT", vector, "30000") == b":1\r\n"

    def hold(self, *members: str) -> None:
        """Check that all running regions have these members, and a counter equal to their
        number."""
        for number in self.running:
            assert self.ask(number, "GET", "n") == b"$1\r\n%d\r\n" % len(members), number
            assert self.ask(number, "SCARD", "s") == b":%d\r\n" % len(members), number


@pytest.fixture
def regions(tmp_path: Path) -> Generator[Regions]:
    with ExitStack() as stack:
        yield Regions(tmp_path, stack)


def names(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


@contextmanager
def paused(process: Popen[str]) -> Generator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


# -- restart -------------------------------------------------------------------------------


def test_region_replies_loading_until_recovered(regions: Regions) -> None:
    regions.write(1, 2)
    assert names(regions.start(1)) == ["listening", "no link secret", "ready"]
    regions.start(2)
    regions.fill(1, "a")
    regions.stop(1, kill=True)
    with paused(regions.running[2]):
        assert names(regions.start(1, waits=False)) == ["listening"]
        for words in (("GET", "n"), ("DBSIZE",), ("INCR", "n"), ("MULTI",), ("BLPOP", "q", "0")):
            replied = regions.ask(1, *words)
            assert replied == (b"+OK\r\n" if words == ("MULTI",) else LOADING), words
        assert regions.ask(1, "PING") == LOADING, "as Redis has it"
        assert regions.ask(1, "INFO").count(b"\r\nloading:1\r\n") == 1
        assert b"crdt_stale:1" in regions.ask(1, "INFO", "crdt")
    events = events_until(regions.running[1], "ready")
    assert names(events)[0] == "loading"
    regions.hold("a")
    assert b"\r\nloading:0\r\n" in regions.ask(1, "INFO", "persistence")
    regions.fill(1, "b")
    regions.hold("a", "b")


def test_stale_reads_can_be_had(regions: Regions) -> None:
    regions.write(1, 2)
    regions.start(1)
    regions.start(2)
    regions.fill(1, "a")
    regions.stop(1)
    with paused(regions.running[2]):
        regions.start(1, "--serve-stale", waits=False)
        assert regions.ask(1, "GET", "n") == b"$-1\r\n"
        assert regions.ask(1, "INCR", "n").startswith(b"-STALE ")
        words = ("replica-serve-stale-data", "no")
        assert regions.ask(1, "CONFIG", "SET", *words) == b"+OK\r\n"
        assert regions.ask(1, "GET", "n") == LOADING
        assert regions.ask(1, "INCR", "n") == LOADING
        assert regions.ask(1, "CONFIG", "SET", words[0], "yes") == b"+OK\r\n"
        assert regions.ask(1, "GET", "n") == b"$-1\r\n"
    events_until(regions.running[1], "ready")
    regions.hold("a")


def test_killed_region_without_state_reuses_no_dot(regions: Regions) -> None:
    """The region once reused its dots. Its peer took the new writes for known ones, and the regions
    differed for ever."""
    regions.write(1, 2)
    regions.start(1)
    regions.start(2)
    regions.fill(1, "a")
    regions.stop(1, kill=True)
    shutil.rmtree(regions.state / "r1")
    with paused(regions.running[2]):
        regions.start(1)
        assert regions.ask(1, "SADD", "s", "b") == b":1\r\n"
        assert regions.ask(1, "INCR", "n") == b":1\r\n"
    eventually(lambda: regions.ask(1, "GET", "n") == b"$1\r\n2\r\n")
    eventually(lambda: regions.ask(2, "GET", "n") == b"$1\r\n2\r\n")


@pytest.mark.parametrize("count", [2, 3])
def test_rolling_restart_that_waits_for_ready_loses_nothing(regions: Regions, count: int) -> None:
    numbers = range(1, count + 1)
    regions.write(*numbers)
    for number in numbers:
        regions.start(number)
    held: list[str] = []
    for number in numbers:
        held.append(f"of {number}".replace(" ", "-"))
        regions.fill(number, held[-1])
    for number in numbers:
        assert "data lost" not in names(regions.restart(number))
        regions.hold(*held)


# -- loss ----------------------------------------------------------------------------------


def test_total_loss_is_reported_once_by_each(regions: Regions) -> None:
    regions.write(1, 2)
    regions.start(1)
    regions.start(2)
    regions.fill(1, "a")
    for number in (1, 2):
        regions.stop(number)
    for number in (1, 2):
        regions.start(number, waits=False)
    for number in (1, 2):
        events = events_until(regions.running[number], "ready")
        (lost,) = [event for event in events if event["event"] == "data lost"]
        assert lost["everything"] is True
        assert lost["writes"] == 2
        assert lost["peers"] == [f"r{3 - number}"]
    regions.fill(1, "b")
    regions.hold("b")


def test_regions_that_never_held_anything_lose_nothing(regions: Regions) -> None:
    regions.write(1, 2)
    for _ in range(2):
        regions.start(1, waits=False)
        regions.start(2, waits=False)
        for number in (1, 2):
            assert "data lost" not in names(events_until(regions.running[number], "ready"))
        for number in (1, 2):
            regions.stop(number)


def test_region_without_reachable_peers_does_not_serve(regions: Regions) -> None:
    regions.write(1, 2)
    regions.start(1)
    regions.start(2)
    regions.fill(1, "a")
    regions.stop(1)
    regions.stop(2)
    regions.start(1, waits=False)
    (*_, waiting) = events_until(regions.running[1], "waiting")
    assert waiting["peers"]["r2"].startswith("cannot connect: ")
    assert "--start-empty" in waiting["remedy"]
    assert regions.ask(1, "GET", "n") == LOADING
    regions.stop(1)
    events = regions.start(1, "--start-empty")
    assert names(events) == ["listening", "started empty", "no link secret", "ready"]
    assert events[1]["writes"] == 2
    assert regions.ask(1, "GET", "n") == b"$-1\r\n"


def test_region_that_is_refused_does_not_come_back_empty(regions: Regions) -> None:
    regions.write(1, 2, 3)
    for number in (1, 2, 3):
        regions.start(number)
    regions.fill(1, "a")
    regions.stop(1)
    regions.stop(3)
    regions.write(1, 3, 2)
    regions.file.write_text(regions.file.read_text().replace('"r2"\nid = 2', '"r2"\nid = 4'))
    regions.start(3, "--start-empty")
    regions.start(1, waits=False)
    (*_, waiting) = events_until(regions.running[1], "waiting")
    assert "'r2' is region" in waiting["peers"]["r2"]
    assert regions.ask(1, "GET", "n") == LOADING


def test_empty_peer_does_not_speak_for_one_that_is_away(regions: Regions) -> None:
    regions.write(1, 2, 3)
    for number in (1, 2, 3):
        regions.start(number)
    regions.fill(1, "a")
    for number in (1, 2):
        regions.stop(number)
    with paused(regions.running[3]):
        for number in (1, 2):
            regions.start(number, waits=False)
        (*_, waiting) = events_until(regions.running[1], "waiting")
        assert "r3" in waiting["peers"]
        assert regions.ask(1, "GET", "n") == regions.ask(2, "GET", "n") == LOADING
    for number in (1, 2):
        assert "data lost" not in names(events_until(regions.running[number], "ready"))
    regions.hold("a")


def test_lone_region_warns_of_data_loss(regions: Regions) -> None:
    regions.write(1)
    regions.start(1)
    regions.fill(1, "a")
    events = regions.restart(1)
    assert names(events) == ["listening", "data lost", "no link secret", "ready"]
    assert regions.ask(1, "GET", "n") == b"$-1\r\n"


# -- lists of regions ----------------------------------------------------------------------


@pytest.mark.parametrize("new_first", [True, False])
@pytest.mark.parametrize("old", [(1,), (1, 2), (1, 2, 3)])
def test_adding_region_by_restarts_loses_nothing(
    regions: Regions, old: tuple[int, ...], new_first: bool
) -> None:
    regions.write(*old)
    for number in old:
        regions.start(number)
    regions.fill(1, "before")
    new = len(old) + 1
    regions.write(*old, new)
    held = ["before"]
    if new_first or old == (1,):
        regions.start(new)
        eventually(lambda: regions.ask(new, "SCARD", "s") == b":1\r\n")
        held.append("new")
        regions.add(new, "new")
    for number in old:
        regions.restart(number)
        held.append(f"r{number}")
        regions.add(number, held[-1])
    if new not in regions.running:
        regions.start(new)
    for number in regions.running:
        eventually(
            lambda number=number: regions.ask(number, "SCARD", "s") == b":%d\r\n" % len(held)
        )
    regions.hold(*held)
    regions.fill(new, "after")
    regions.hold(*held, "after")


def test_removing_region_by_restarts_loses_nothing(regions: Regions) -> None:
    regions.write(1, 2, 3)
    for number in (1, 2, 3):
        regions.start(number)
    for number in (1, 2, 3):
        regions.fill(number, f"r{number}")
    regions.stop(2)
    regions.write(1, 3)
    for number in (1, 3):
        regions.restart(number)
        regions.hold("r1", "r2", "r3")
    regions.fill(3, "after")
    regions.hold("r1", "r2", "r3", "after")
    assert regions.ask(1, "DEL", "s") == b":1\r\n"
    eventually(lambda: b"crdt_gc_gvc_min:{1=" in regions.ask(1, "INFO", "crdt"))


def test_regions_of_another_crdb_are_refused(regions: Regions) -> None:
    regions.write(1, 2)
    regions.start(1)
    regions.write(1, 2, more='id = "bank"\n')
    regions.start(2)
    (*_, down) = events_until(regions.running[2], "link down")
    assert "belongs to the CRDB" in down["reason"]
    assert "give both files the same id" in down["reason"]


def second_process(regions: Regions, directory: Path) -> tuple[Path, int]:
    """Write a second file, in which r1 has other ports. Return it, and the port for clients."""
    port = regions.base + 5
    text = regions.file.read_text(encoding="utf-8")
    directory.mkdir()
    file = directory / "regions.toml"
    file.write_text(text.replace(f"port = {regions.base + 1}", f"port = {port}"), encoding="utf-8")
    return file, port


@pytest.mark.parametrize("copied", [False, True], ids=["own directory", "copied directory"])
def test_two_processes_as_one_region(regions: Regions, tmp_path: Path, copied: bool) -> None:
    """Each process has its own state directory. One of them once acknowledged writes that were
    never replicated."""
    regions.write(1, 2)
    regions.start(2)
    regions.start(1)
    file, port = second_process(regions, tmp_path / "second")
    state = tmp_path / "second" / "state"
    if copied:
        shutil.copytree(regions.state / "r1", state)
        number = int((state / "incarnation").read_text())
        (state / "incarnation").write_text(f"{number - 1 & INCARNATION_MAX}")
        (state / "held").write_text("")
    command = ["serve", str(file), "--json", "--region", "r1", "--state", str(state)]
    second = regions.stack.enter_context(started(command))
    (*_, found) = events_until(second, "region runs twice")
    assert found["peer"] == "r2"
    error = (
        b"-STALE another process runs as this region, and peers accept only one: stop all but one"
    )
    assert ask(port, "SET", "k", "second") == error + b"\r\n"
    eventually(lambda: regions.ask(1, "SET", "k", "first") == b"+OK\r\n")
    eventually(lambda: regions.ask(2, "GET", "k") == b"$5\r\nfirst\r\n")
    regions.stop(1)
    events_until(second, "ready")
    eventually(lambda: ask(port, "GET", "k") == b"$5\r\nfirst\r\n")
    assert ask(port, "SET", "k", "second") == b"+OK\r\n"
