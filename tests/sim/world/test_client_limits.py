"""The check of clients' limits passes, and finds clients that are closed wrongly or never."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdb.engine.metrics.memory import PLENTY
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import SimClient
from sim.schedule.plan import Plan
from sim.world.client_limits import (
    HARD_BYTES,
    LATE_MS,
    SOFT_BYTES,
    SOFT_MS,
    LimitsProbe,
    check_client_limits,
)
from sim.world.world import SimWorld

MakeProbe = Callable[[int], LimitsProbe]


@pytest.fixture
def make_probe() -> MakeProbe:
    def make(seed: int) -> LimitsProbe:
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        world.sleep(3 * SECOND)
        return LimitsProbe(world, SeededRandom(seed, "client limits"), "eu")

    return make


class Unclosed(LimitsProbe):
    """A probe whose clients are never closed, as none of its settings takes effect."""

    def set(self, name: str, value: str) -> None:
        """Set nothing."""


def test_limits_of_some_runs_are_checked() -> None:
    found: set[bool] = set()
    for seed in range(12):
        world = SimWorld(Plan.of(["eu", "us"]), seed)
        before = [site.instance.config.values.copy() for site in world.sites.values()]
        check_client_limits(world)
        found.add(any(site.instance.statistics.dropped_memory for site in world.sites.values()))
        assert [site.instance.config.values for site in world.sites.values()] == before
        assert all(len(site.instance.clients) == 1 for site in world.sites.values())
    assert found == {True, False}


@pytest.mark.parametrize("seed", range(6))
def test_region_closes_greedy_clients_alone(make_probe: MakeProbe, seed: int) -> None:
    probe = make_probe(seed)
    probe.check_unread_replies()
    probe.check_partial_requests()
    probe.check_full_memory()
    probe.check_large_values()
    statistics = probe.site.instance.statistics
    assert statistics.dropped_query == 1
    assert statistics.dropped_memory


@pytest.mark.parametrize(
    ("unread", "ms", "is_open"),
    [
        (HARD_BYTES, 0, True),
        (SOFT_BYTES, SOFT_MS + LATE_MS + 1, True),
        (SOFT_BYTES - 1, 0, False),
        (HARD_BYTES - 1, SOFT_MS, False),
    ],
)
def test_slow_client_that_is_closed_wrongly_or_never_is_caught(
    make_probe: MakeProbe, unread: int, ms: int, is_open: bool
) -> None:
    probe = make_probe(1)
    client = probe.connect()
    if not is_open:
        client.client.kill()
    text = f"eu {'does not close' if is_open else 'closes'} a client with {unread} bytes"
    since = probe.site.now_ms - ms if ms else 0
    with pytest.raises(Violation, match=f"client limits: {text} to read, too many for {ms} ms"):
        probe.check_slow(client, unread, since)


def test_soft_limit_may_be_enforced_with_next_sample(make_probe: MakeProbe) -> None:
    probe = make_probe(1)
    since = probe.site.now_ms - SOFT_MS - 1
    probe.check_slow(probe.connect(), SOFT_BYTES, since)


def test_client_that_keeps_sending_is_caught(make_probe: MakeProbe) -> None:
    probe = make_probe(1)
    with pytest.raises(Violation, match=r"does not close a client that has sent 1\d+ bytes of a"):
        Unclosed(probe.world, probe.rng, "eu").check_partial_requests()


def test_wrong_size_of_request_is_caught(
    make_probe: MakeProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_fields(_probe: LimitsProbe, _client: SimClient) -> dict[str, str]:
        return {"qbuf": "7"}

    monkeypatch.setattr(LimitsProbe, "read_fields", read_fields)
    with pytest.raises(Violation, match=r"eu shows qbuf=7 for \d+ bytes of a request"):
        make_probe(1).check_partial_requests()


def test_write_in_full_memory_is_caught(make_probe: MakeProbe) -> None:
    probe = make_probe(1)
    with pytest.raises(Violation, match="eu answers SET with 'OK'"):
        Unclosed(probe.world, probe.rng, "eu").check_full_memory()


def test_client_that_is_closed_without_need_is_caught(make_probe: MakeProbe) -> None:
    probe = make_probe(1)
    client = probe.connect()
    probe.check_connected(client, True, "at rest")
    client.client.kill()
    with pytest.raises(Violation, match="eu closes a client at rest"):
        probe.check_connected(client, True, "at rest")


def test_value_beyond_limit_is_caught(
    make_probe: MakeProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.world.client_limits.SCARCE", ((1, PLENTY),))
    probe = make_probe(1)
    with pytest.raises(Violation, match=r"eu answers SET\w+ limits .*, where 1 bytes are left of"):
        Unclosed(probe.world, probe.rng, "eu").check_large_values()
