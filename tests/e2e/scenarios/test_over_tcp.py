"""Every conformance scenario against `crdb up`, through redis-py, with its links cut and healed by
CRDB.LINK: one process with all regions, flushed between scenarios."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from tests.contract.scenarios.cases import Case, Player, Refused, cases
from tests.ports import free_ports

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

NAMES = ("one", "two", "three", "four", "five")
SETTLE_MS = 20_000
STOP_SECONDS_MAX = 20


class Served:
    """Running regions. Between scenarios nothing of the last one is left."""

    def __init__(self, addresses: Sequence[tuple[str, int]]) -> None:
        self.clients = [client(*address) for address in addresses]
        self.subscriptions: dict[int, Any] = {}

    def begin(self) -> None:
        """Empty all regions and cut all links."""
        first = self.clients[0]
        self.admin("CRDB.LINK", "HEAL", "ALL")
        self.settle()
        for each in self.clients:
            each.execute_command("CRDB.CLOCK", "REAL")
        first.execute_command("FLUSHALL")
        self.settle()
        assert [each.execute_command("DBSIZE") for each in self.clients] == [0] * len(self.clients)
        self.admin("CRDB.LINK", "CUT", "ALL")

    def admin(self, *words: str) -> Any:
        """A command of an administrator, to the first region."""
        return cast("Any", self.clients[0].execute_command(*words))

    def settle(self) -> None:
        """Wait until everything has come to wherever open links lead."""
        assert self.admin("CRDB.SETTLE", str(SETTLE_MS)) == 1

    def run(self, at: int, commands: Sequence[Sequence[str]], is_transaction: bool) -> Any:
        there = self.clients[at - 1]
        try:
            if not is_transaction:
                return cast("Any", there.execute_command(*commands[0]))
            pipe = there.pipeline(transaction=True)
            for command in commands:
                pipe.execute_command(*command)
            return pipe.execute()
        except ResponseError as error:
            raise Refused(str(error)) from error

    def sync(self, regions: Sequence[int]) -> None:
        if not regions:
            self.admin("CRDB.LINK", "HEAL", "ALL")
            self.settle()
            self.admin("CRDB.LINK", "CUT", "ALL")
            return
        pairs = [(str(a), str(b)) for a in regions for b in regions if a != b]
        for pair in pairs:
            self.admin("CRDB.LINK", "HEAL", *pair)
        self.settle()
        for pair in pairs:
            self.admin("CRDB.LINK", "CUT", *pair)

    def wait(self, ms: int) -> None:
        time.sleep(ms / 1000)  # what is waited for is the clock of another process

    def clock(self, at: int, ms: int | None) -> None:
        words = ("REAL",) if ms is None else ("SET", str(ms))
        self.clients[at - 1].execute_command("CRDB.CLOCK", *words)

    def subscribe(self, at: int, channel: str) -> None:
        self.subscriptions[at] = self.clients[at - 1].pubsub(ignore_subscribe_messages=True)
        self.subscriptions[at].subscribe(channel)

    def message(self, at: int) -> Any:
        found = None
        while found is None:
            found = self.subscriptions[at].get_message(timeout=SETTLE_MS / 1000)
        return found["data"]


def client(host: str, port: int) -> Redis:
    """A client as applications make it."""
    return Redis(host, port, decode_responses=True)


def configuration(ports: range) -> str:
    """A file with a region to each of these ports."""
    return "".join(
        f'[[region]]\nname = "{name}"\nport = {port}\n'
        for name, port in zip(NAMES, ports, strict=False)
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """As many regions as the largest scenario needs."""
    count = max(case.regions for case in cases())
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


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_scenario(case: Case, served: Served) -> None:
    served.begin()
    Player(case, served).play()
    served.sync(())
    digests = [cast("str", each.execute_command("CRDB.DIGEST")) for each in served.clients]
    assert digests == digests[:1] * len(digests)
