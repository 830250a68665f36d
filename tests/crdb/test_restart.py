"""Regions in processes of their own, killed and started again (rules STL-1 to STL-3)."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tests.crdb.processes import WAIT_SECONDS, ask, eventually, first_event, started
from tests.ports import free_base

TWO = '[[region]]\nname = "r1"\nport = {}\n[[region]]\nname = "r2"\nport = {}\n'


def configured(directory: Path, base: int) -> list[str]:
    """The beginning of the command that serves one of two regions."""
    file = directory / "regions.toml"
    file.write_text(TWO.format(base + 1, base + 2))
    return ["serve", str(file), "--json", "--region"]


def increments(port: int, count: int) -> None:
    """Add to the counter `n`."""
    for _ in range(count):
        assert ask(port, "INCR", "n").startswith(b":")


def agree(base: int, value: int) -> bool:
    """Whether both regions show that value of `n`, and nothing else that differs."""
    shown = {ask(base + number, "GET", "n") for number in (1, 2)}
    digests = {ask(base + number, "CRDB.DIGEST") for number in (1, 2)}
    return shown == {b"$%d\r\n%d\r\n" % (len(f"{value}"), value)} and len(digests) == 1


def test_a_killed_region_reads_only_until_its_writes_are_back(tmp_path: Path) -> None:
    base = free_base()
    serve = configured(tmp_path, base)
    with started([*serve, "r2"]) as two:
        first_event(two)
        with started([*serve, "r1"]) as one:
            first_event(one)
            increments(base + 1, 3)
            eventually(lambda: agree(base, 3))
            one.kill()
            one.wait(WAIT_SECONDS)
        two.send_signal(signal.SIGSTOP)
        with started([*serve, "r1"]) as one:
            first_event(one)
            assert ask(base + 1, "INCR", "n").startswith(b"-STALE ")
            two.send_signal(signal.SIGCONT)
            eventually(lambda: ask(base + 1, "INCR", "n") == b":4\r\n")
            eventually(lambda: agree(base, 4))


def test_a_killed_region_whose_counter_is_lost_uses_no_dot_twice(tmp_path: Path) -> None:
    """It wrote under the old dots: its peer took the new writes for known ones, and the regions
    differed for ever."""
    base = free_base()
    serve = configured(tmp_path, base)
    with started([*serve, "r2"]) as two:
        first_event(two)
        with started([*serve, "r1"]) as one:
            first_event(one)
            increments(base + 1, 3)
            eventually(lambda: agree(base, 3))
            one.kill()
            one.wait(WAIT_SECONDS)
        shutil.rmtree(tmp_path / ".crdb" / "r1")
        two.send_signal(signal.SIGSTOP)
        with started([*serve, "r1"]) as one:
            first_event(one)
            increments(base + 1, 5)
            two.send_signal(signal.SIGCONT)
            eventually(lambda: agree(base, 8))


def test_regions_that_are_all_killed_do_not_wait_for_each_other(tmp_path: Path) -> None:
    base = free_base()
    serve = configured(tmp_path, base)
    for _ in range(2):
        with started([*serve, "r1"]) as one, started([*serve, "r2"]) as two:
            for process in (one, two):
                first_event(process)
            for port in (base + 1, base + 2):
                eventually(lambda port=port: ask(port, "SADD", "s", f"{port}").startswith(b":"))
            for process in (one, two):
                process.kill()
                process.wait(WAIT_SECONDS)
