"""CRDB.SETTLE over separate processes: regions that are several links away count as well."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen

import pytest

from tests.e2e.processes import ask, eventually, first_event, started
from tests.ports import free_base

REGIONS = 4
FAR_MS = 150  # between the third region and the fourth; all others are near
LONG = "20000"
SHORT = "300"  # far less than the silence after which a peer counts as away

Line = tuple[list[int], list[Popen[str]]]


@pytest.fixture
def line(tmp_path: Path) -> Generator[Line]:
    """Start four regions in a line, all linked. Yield their ports and processes."""
    base = free_base(REGIONS)
    numbers = range(1, REGIONS + 1)
    regions = "".join(f'[[region]]\nname = "r{i}"\nport = {base + i}\n' for i in numbers)
    delays = f'[link]\ndelays = [["r3", "r4", {FAR_MS}]]\n'
    file = tmp_path / "regions.toml"
    file.write_text(f'topology = "line"\n{regions}{delays}', encoding="utf-8")
    ports = [base + i for i in numbers]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(started(["serve", str(file), "--json", "--region", f"r{i}"]))
            for i in numbers
        ]
        for process in processes:
            first_event(process)
        for port, links in zip(ports, (2, 4, 4, 2), strict=True):
            eventually(lambda p=port, n=links: ask(p, "CRDB.LINKS").count(b"streaming") == n)
        yield ports, processes


def has_converged(port: int, ms: str = LONG) -> bool:
    """Return whether CRDB.SETTLE replies 1."""
    return ask(port, "CRDB.SETTLE", ms) == b":1\r\n"


def members(port: int) -> bytes:
    """Return the number of members of the set in one region."""
    return ask(port, "SCARD", "s")


def test_all_regions_of_line_are_asked(line: Line) -> None:
    ports, _ = line
    for writes in range(1, 4):
        assert ask(ports[0], "SADD", "s", f"{writes}") == b":1\r\n"
        assert has_converged(ports[0])
        assert {members(port) for port in ports} == {b":%d\r\n" % writes}
    assert len({ask(port, "CRDB.DIGEST") for port in ports}) == 1


def test_region_far_away_that_does_not_answer_is_waited_for(line: Line) -> None:
    ports, processes = line
    processes[3].send_signal(signal.SIGSTOP)
    assert ask(ports[0], "SADD", "s", "x") == b":1\r\n"
    assert not has_converged(ports[0], SHORT)
    processes[3].send_signal(signal.SIGCONT)
    assert has_converged(ports[0])
    assert members(ports[3]) == b":1\r\n"


def test_settle_waits_for_healed_far_link_only(line: Line) -> None:
    ports, _ = line
    assert ask(ports[2], "CRDB.LINK", "CUT", "r3", "r4") == b"+OK\r\n"
    assert ask(ports[0], "SADD", "s", "x") == b":1\r\n"
    assert has_converged(ports[0])
    assert [members(port) for port in ports] == [b":1\r\n"] * 3 + [b":0\r\n"]
    assert ask(ports[3], "SADD", "s", "y") == b":1\r\n"
    assert has_converged(ports[0]), "the other way is open"
    assert [members(port) for port in ports] == [b":2\r\n"] * 3 + [b":1\r\n"]
    assert ask(ports[2], "CRDB.LINK", "HEAL", "r3", "r4") == b"+OK\r\n"
    assert has_converged(ports[0])
    assert members(ports[3]) == b":2\r\n"


def test_settle_ignores_regions_behind_ended_one(line: Line) -> None:
    ports, processes = line
    processes[2].kill()
    processes[2].wait()
    assert ask(ports[0], "SADD", "s", "x") == b":1\r\n"
    assert has_converged(ports[0])
    assert [members(ports[i]) for i in (0, 1, 3)] == [b":1\r\n", b":1\r\n", b":0\r\n"]
