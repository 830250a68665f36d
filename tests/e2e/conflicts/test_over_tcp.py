"""Play every scenario of conflicts against `crdb up` over TCP.

One process has all regions, which are emptied between scenarios. CRDB.LINK cuts the links. Values
and deadlines follow the test clock, which only the scenarios move, so no time to live depends on
the load of the machine. The links follow the real clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from sim.nodes.client import Refusal, Reply
from sim.scenarios.conflicts import Commands, ConflictScenario
from tests.contract.conflicts.loading import REGIONS_MAX, each_timed_conflict
from tests.contract.conflicts.playing import play_conflict
from tests.ports import free_ports

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

NAMES = tuple(f"r{number}" for number in range(1, REGIONS_MAX + 1))
CONVERGE_MS = 20_000
START_MS = 1_700_000_000_000
STOP_SECONDS_MAX = 20


class Served:
    """Running regions, which are emptied between scenarios."""

    def __init__(self, addresses: Sequence[tuple[str, int]]) -> None:
        self.clients = [client(*address) for address in addresses]
        self.now = START_MS
        """The time in all regions. It goes on from one scenario to the next, because a step back
        of less than a second would leave the clock of expiry where it was."""

    def begin(self, names: Sequence[str]) -> None:
        assert tuple(names) == NAMES[: len(names)]
        first = self.clients[0]
        self.admin("CRDB.LINK", "HEAL", "ALL")
        self.converge()
        self.wait(0)
        first.execute_command("FLUSHALL")
        self.converge()
        assert [each.execute_command("DBSIZE") for each in self.clients] == [0] * len(self.clients)
        self.admin("CRDB.LINK", "CUT", "ALL")

    def admin(self, *words: str) -> Any:
        """Send a command of an administrator to the first region."""
        return cast("Any", self.clients[0].execute_command(*words))

    def converge(self) -> None:
        """Wait until all regions that open links connect have converged."""
        assert self.admin("CRDB.SETTLE", str(CONVERGE_MS)) == 1

    def run(self, place: str, commands: Commands) -> list[Reply]:
        there = self.client_of(place)
        if len(commands) == 1:
            return [self.reply_to(there, *commands)]
        assert (commands[0], commands[-1]) == (("MULTI",), ("EXEC",))
        pipe = there.pipeline(transaction=True)
        for command in commands[1:-1]:
            pipe.execute_command(*command)
        try:
            return [pipe.execute()]
        except ResponseError as error:
            return [Refusal(str(error))]

    def reply_to(self, there: Any, command: Sequence[str]) -> Reply:
        """Return the reply to one command."""
        try:
            return there.execute_command(*command)
        except ResponseError as error:
            return Refusal(str(error))

    def client_of(self, place: str) -> Any:
        """Return the client of a region."""
        return self.clients[NAMES.index(place)]

    def sync(self, places: Sequence[str]) -> None:
        numbers = [NAMES.index(place) + 1 for place in places]
        pairs = [(str(a), str(b)) for a in numbers for b in numbers if a != b]
        for pair in pairs:
            self.admin("CRDB.LINK", "HEAL", *pair)
        self.converge()
        for pair in pairs:
            self.admin("CRDB.LINK", "CUT", *pair)

    def wait(self, ms: int) -> None:
        self.now += ms
        for place in NAMES:
            self.set_clock(place, None)

    def set_clock(self, place: str, ms: int | None) -> None:
        reading = self.now if ms is None else ms
        self.client_of(place).execute_command("CRDB.CLOCK", "SET", str(reading))


def client(host: str, port: int) -> Redis:
    """Return a client whose replies are those of RESP2, with text in place of bytes."""
    made = Redis(host, port, decode_responses=True, protocol=2)
    made.response_callbacks.clear()
    return made


def configuration(ports: range) -> str:
    """Return a file with a region for each of these ports."""
    return "".join(
        f'[[region]]\nname = "{name}"\nport = {port}\n'
        for name, port in zip(NAMES, ports, strict=False)
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Start as many regions as the largest scenario needs."""
    count = REGIONS_MAX
    file: Path = tmp_path_factory.mktemp("conformance") / "regions.toml"
    file.write_text(configuration(free_ports(count)), encoding="utf-8")
    command = [sys.executable, "-m", "crdb", "up", str(file), "--json", "--test-clock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            while ready["event"] != "ready":
                ready = json.loads(process.stdout.readline())
            Thread(target=process.stdout.read, daemon=True).start()  # or the pipe fills up
            there = Served([(region["host"], region["port"]) for region in ready["regions"]])
            yield there
            for each in there.clients:
                each.close()
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS_MAX)
    assert process.returncode == 0


@each_timed_conflict
def test_conflict_over_tcp(conflict: ConflictScenario, served: Served) -> None:
    play_conflict(conflict, served)
    served.sync(NAMES)
    digests = [cast("str", each.execute_command("CRDB.DIGEST")) for each in served.clients]
    assert digests == digests[:1] * len(digests)
