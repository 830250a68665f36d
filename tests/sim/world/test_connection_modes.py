"""The check of connections' modes and of secrets passes, and finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sim.engine.checker import Violation
from sim.engine.rng import SeededRandom
from sim.nodes.client import Refusal, Reply
from sim.redis.connection import ANY
from sim.redis.modes import Properties
from sim.redis.state import CommandFailure
from sim.schedule.plan import Plan
from sim.schedule.step import Words
from sim.world.connection_modes import (
    ModesProbe,
    ProbedClient,
    check_connection_modes,
    is_reply,
)
from sim.world.world import SimWorld


@pytest.fixture
def make_probe() -> Callable[[int], ModesProbe]:
    def make(seed: int) -> ModesProbe:
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        return ModesProbe(world, SeededRandom(seed, "modes"), "eu")

    return make


class Untouching(ProbedClient):
    """A client whose CLIENT NO-TOUCH the server ignores."""

    def send(self, words: Words) -> Reply:
        return "OK" if "NO-TOUCH" in words else super().send(words)


class Leaving(ProbedClient):
    """A client whose connection the server does not forget."""

    def close(self) -> None:
        """Do nothing."""


def test_modes_of_some_runs_are_checked() -> None:
    commands: list[bool] = []
    for seed in range(8):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        before = sum(site.instance.statistics.commands for site in world.sites.values())
        check_connection_modes(world)
        after = sum(site.instance.statistics.commands for site in world.sites.values())
        commands.append(after - before > 100)
        for site in world.sites.values():
            assert len(site.instance.clients) == 1
            assert site.instance.config.password == b""
    assert True in commands
    assert False in commands


def test_read_that_counts_as_use_is_caught(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(1)
    probe.clients.clear()
    probe.clients.append(Untouching(probe.site, probe.server))
    with pytest.raises(Violation, match=r"modes: eu reports that modes has not been used for"):
        probe.check_uses()


def test_mode_that_nobody_asked_for_is_caught(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(1)
    client = probe.clients[0]
    client.sim_client.client.protocol = 3
    with pytest.raises(Violation, match="modes: eu shows resp=3, not 2, after ECHO a"):
        probe.run(client, ("ECHO", "a"))


def test_wrong_reply_is_caught(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(1)
    probe.server.password = "p"
    probe.clients[0].model.is_authenticated = False
    with pytest.raises(Violation, match="modes: eu answers ECHO a with b'a'"):
        probe.run(probe.clients[0], ("ECHO", "a"))


def test_password_is_caught(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(1)
    with pytest.raises(Violation, match="secrets: eu shows a password to ECHO pa551x"):
        probe.run(probe.clients[0], ("ECHO", "pa551x"))
    with pytest.raises(Violation, match="secrets: eu shows a password to SLOWLOG GET"):
        probe.check_secrets("SLOWLOG GET", [[1, [b"AUTH", b"pa552x"]]])


def test_missing_line_of_monitor_is_caught(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(1)
    probe.shown = ["a", "b"]
    lines = b'+17.0 [0 x] "ECHO" "a"\r\n+17.0 [0 x] "GET" "k"\r\n'
    with pytest.raises(Violation, match=r"modes: eu shows \['a'\] in MONITOR, where \['a', 'b'\]"):
        probe.check_lines(lines)


def test_refused_setting_leaves_password(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(1)
    passwords: list[bytes] = []
    for _ in range(30):
        probe.change_password()
        passwords.append(probe.site.instance.config.password)
        assert passwords[-1] == probe.server.password.encode()
    assert b"" in passwords
    assert any(passwords[i] and passwords[i] == passwords[i + 1] for i in range(29))


@pytest.mark.parametrize("seed", range(8))
def test_each_end_of_monitor_is_the_last(
    make_probe: Callable[[int], ModesProbe], seed: int
) -> None:
    probe = make_probe(seed)
    probe.monitor = probe.connect()
    probe.monitor.send(("MONITOR",))
    assert len(probe.site.instance.monitors.sessions) == 1
    probe.check_end_of_monitor()
    assert not probe.site.instance.monitors.sessions


def test_monitor_that_is_fed_for_ever_is_caught(make_probe: Callable[[int], ModesProbe]) -> None:
    probe = make_probe(2)
    probe.monitor = Leaving(probe.site, probe.server)
    probe.monitor.send(("MONITOR",))
    with pytest.raises(Violation, match=r"modes: eu keeps .* for a client after .* in MONITOR"):
        probe.check_end_of_monitor()


@pytest.mark.parametrize(
    ("expected", "found", "fits"),
    [
        (ANY, b"x", True),
        ("x", b"x", True),
        ("x", b"y", False),
        (CommandFailure("NOAUTH"), Refusal("NOAUTH x"), True),
        (CommandFailure("NOAUTH"), Refusal("WRONGPASS x"), False),
        (Properties(3), ("map", [[b"proto", 3]]), True),
        (Properties(3), ("map", [[b"proto", 2]]), False),
        (Properties(3), [b"proto", 3], False),
        (Properties(2), [b"proto", 2], True),
        (Properties(2), ("map", [[b"proto", 2]]), False),
    ],
)
def test_reply_has_form_of_protocol(expected: Any, found: Reply, fits: bool) -> None:
    assert is_reply(expected, found) is fits
