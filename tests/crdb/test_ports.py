"""A region's ports are taken together or not at all."""

from __future__ import annotations

import socket

import attrs
import pytest

from crdb.config import Config, RegionConfig
from crdb.ports import CannotListen, listening_socket, take_ports
from tests.ports import free_base, is_free


def region(base: int) -> RegionConfig:
    return Config.from_names(["us"], base).region("us")


def test_both_ports_are_taken_and_listen() -> None:
    here = region(free_base())
    taken = take_ports(here)
    try:
        assert [sock.getsockname()[1] for sock in taken] == [here.port, here.link_port]
        assert not is_free(here.port)
    finally:
        for sock in taken:
            sock.close()


def test_if_one_is_taken_the_other_is_given_back() -> None:
    here = region(free_base())
    with (
        socket.create_server((here.host, here.link_port)),
        pytest.raises(CannotListen, match=f"link_port .*{here.link_port}.*running already"),
    ):
        take_ports(here)
    assert is_free(here.port)


def test_an_address_of_version_6_gets_a_socket_of_version_6() -> None:
    try:
        sock = listening_socket("::1", 0)
    except OSError:
        sock = None  # a machine without IPv6 says so, which is all that can be asked of it
    if sock is not None:
        assert sock.family == socket.AF_INET6
        sock.close()


def test_of_two_versions_of_an_address_the_older_is_taken() -> None:
    sock = listening_socket("localhost", 0)
    assert sock.family == socket.AF_INET
    sock.close()


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "no such host"])
def test_what_is_no_host_is_one_line(host: str) -> None:
    here = attrs.evolve(region(free_base()), host=host)
    with pytest.raises(CannotListen, match="region us: cannot listen on port") as caught:
        take_ports(here)
    assert "\n" not in str(caught.value)


def test_no_socket_is_left_when_the_address_is_none_of_ours() -> None:
    with pytest.raises(OSError, match=r"."):
        listening_socket("203.0.113.1", 0)
