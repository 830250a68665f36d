"""The ports of a region are opened all together or not at all."""

from __future__ import annotations

import errno
import socket

import attrs
import pytest

from crdb.deployment.config import Config
from crdb.deployment.region_config import RegionConfig
from crdb.net.ports import (
    CannotListen,
    check_ports,
    explain_failure,
    open_listening_socket,
    open_ports,
)
from tests.ports import free_base, is_free


def region(base: int) -> RegionConfig:
    return Config.from_names(["us"], base).region("us")


def test_both_ports_are_taken_and_listen() -> None:
    here = region(free_base())
    taken = open_ports(here)
    try:
        ports = [[sock.getsockname()[1] for sock in sockets] for sockets in taken]
        assert ports == [[here.port], [here.link_port]]
        assert not is_free(here.port)
    finally:
        for sock in (*taken[0], *taken[1]):
            sock.close()


def test_if_one_is_taken_other_is_given_back() -> None:
    here = region(free_base())
    with (
        socket.create_server((here.host, here.link_port)),
        pytest.raises(CannotListen, match=f"{here.link_port} .link_port.*running already"),
    ):
        open_ports(here)
    assert is_free(here.port)


@pytest.mark.parametrize("is_taken", [False, True])
def test_check_leaves_no_port_open(*, is_taken: bool) -> None:
    base = free_base()
    config = Config.from_names(["us", "eu"], base)
    regions = [config.region("us"), config.region("eu")]
    if is_taken:
        with (
            socket.create_server((regions[1].host, regions[1].link_port)),
            pytest.raises(CannotListen, match="region eu"),
        ):
            check_ports(regions)
    else:
        check_ports(regions)
    assert all(is_free(each.port) and is_free(each.link_port) for each in regions)


def test_address_of_version_6_gets_socket_of_version_6() -> None:
    try:
        sock = open_listening_socket("::1", 0)
    except OSError:
        sock = None  # a machine without IPv6 says so, which is all that can be asked of it
    if sock is not None:
        assert sock.family == socket.AF_INET6
        sock.close()


def test_of_two_versions_of_address_older_is_taken() -> None:
    sock = open_listening_socket("localhost", 0)
    assert sock.family == socket.AF_INET
    sock.close()


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "no!such!host"])
def test_invalid_host_is_reported_in_one_line(host: str) -> None:
    here = attrs.evolve(region(free_base()), bind=(host,))
    with pytest.raises(CannotListen, match=r"region us: cannot listen at .*; .*bind") as caught:
        open_ports(here)
    assert "\n" not in str(caught.value)


def test_no_socket_is_left_when_address_is_none_of_ours() -> None:
    with pytest.raises(OSError, match=r"."):
        open_listening_socket("203.0.113.1", 0)


def test_region_listens_at_several_addresses() -> None:
    """Clients at two, peers at a third; a machine's loopback has all of 127.0.0.0/8."""
    here = attrs.evolve(region(free_base()), bind=("127.0.0.1", "127.0.0.2"), link_bind=("*",))
    taken = open_ports(here)
    try:
        names = [[sock.getsockname() for sock in sockets] for sockets in taken]
        assert names == [
            [("127.0.0.1", here.port), ("127.0.0.2", here.port)],
            [("0.0.0.0", here.link_port)],
        ]
    finally:
        for sock in (*taken[0], *taken[1]):
            sock.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (OSError(errno.EADDRNOTAVAIL, "no"), "cannot listen at 10.9.9.9:7001 (port): no; that is"),
        (OSError(errno.EACCES, "no"), "another port, above 1023"),
        (OSError(errno.EADDRINUSE, "no"), "is crdb running already?"),
        (OSError("odd"), "odd; set bind to an address of this machine"),
    ],
)
def test_errors_name_address_and_remedy(fault: OSError, words: str) -> None:
    assert words in explain_failure(region(7000), "10.9.9.9", 7001, fault)


def test_errors_write_addresses_of_version_6_in_brackets() -> None:
    assert "[::1]:17001 (link_port)" in explain_failure(region(7000), "::1", 17001, OSError("odd"))
