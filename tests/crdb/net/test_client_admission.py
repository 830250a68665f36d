"""Admission of clients: `maxclients` and protected mode."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.net.client_admission import (
    DENIED,
    FULL,
    is_loopback,
    limit_clients,
    refusal,
    report_exposure,
)
from tests.crdb.events import Named, collector
from tests.crdb.raw import instance, lines

OUTSIDE = ["10.0.0.1", "192.168.1.2", "8.8.8.8", "2001:db8::1", "::ffff:10.0.0.1", "", "example"]
INSIDE = ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1", "localhost", None]


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside_clients_are_denied_in_protected_mode(address: str) -> None:
    database = instance()
    assert refusal(database, address) == DENIED
    assert database.statistics.rejected_connections == 1
    client = Client(database)
    lines(client, "CONFIG SET protected-mode no")
    assert refusal(database, address) is None
    lines(client, "CONFIG SET protected-mode yes requirepass secret")
    assert refusal(database, address) is None
    assert refusal(instance(protected_mode="no"), address) is None


@pytest.mark.parametrize("address", INSIDE)
def test_clients_of_this_machine_are_not(address: str | None) -> None:
    assert is_loopback(address)
    assert refusal(instance(), address) is None


def test_full_instance_refuses_everybody() -> None:
    database = instance(maxclients="1", protected_mode="no")
    assert refusal(database, "127.0.0.1") is None
    Client(database)
    assert refusal(database, "127.0.0.1") == refusal(database, "10.0.0.1") == FULL


@pytest.mark.parametrize(
    ("asked", "held"), [("10000", "92"), ("93", "92"), ("92", "92"), ("5", "5")]
)
def test_maxclients_is_lowered_to_what_files_allow(asked: str, held: str) -> None:
    database = instance(maxclients=asked)
    assert limit_clients(database, 92) == (asked != held)
    assert database.config.get([b"maxclients"]) == [(b"maxclients", held.encode())]
    assert database.config.clients_max == int(held)
    (reply,) = lines(Client(database), "CONFIG SET maxclients 93")
    assert b"not able to handle the specified number of clients, try with 92" in reply


@pytest.mark.parametrize(
    ("parameters", "hosts", "reach"),
    [
        ({"protected_mode": "no"}, ["127.0.0.1", "0.0.0.0"], "everybody"),
        ({"protected_mode": "no"}, ["127.0.0.1", "::1"], None),
        ({}, ["0.0.0.0"], "this machine, by protected mode"),
        ({"protected_mode": "no", "requirepass": "x"}, ["0.0.0.0"], None),
    ],
)
def test_port_that_is_open_without_password_is_reported(
    parameters: dict[str, str], hosts: list[str], reach: str | None
) -> None:
    database = instance(**parameters)
    events: list[Named] = []
    database.report = collector(events)
    report_exposure(database, hosts)
    assert events == ([("open port", {"bind": "0.0.0.0", "reach": reach})] if reach else [])
