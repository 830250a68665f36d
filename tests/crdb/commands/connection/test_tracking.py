"""CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR: options, and what is reported."""

from __future__ import annotations

from crdb.engine.client import Client
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode


def test_mode_is_shown() -> None:
    client = Client(instance())
    assert lines(client, "CLIENT GETREDIR") == [b":-1\r\n"]
    lines(client, "CLIENT TRACKING ON BCAST PREFIX b PREFIX a NOLOOP")
    shown = lines(client, "CLIENT TRACKINGINFO", "CLIENT GETREDIR", "CLIENT INFO")
    assert decode(shown[0])[1] == [b"on", b"bcast", b"noloop"]
    assert shown[1] == b":0\r\n"
    assert b" flags=tB " in shown[2]
    assert b" redir=0 " in shown[2]


def test_prefixes_add_up() -> None:
    client = Client(instance())
    lines(client, "CLIENT TRACKING ON BCAST PREFIX b", "CLIENT TRACKING ON BCAST PREFIX a")
    assert lines(client, "CLIENT TRACKINGINFO")[0].endswith(b"*2\r\n$1\r\na\r\n$1\r\nb\r\n")
    [refused] = lines(client, "CLIENT TRACKING ON BCAST PREFIX bc")
    assert b"Prefix 'bc' overlaps with an existing prefix 'b'" in refused


def test_caching_is_shown_until_next_command() -> None:
    client = Client(instance())
    lines(client, "CLIENT TRACKING ON OPTIN", "CLIENT CACHING YES")
    assert b"caching-yes" in lines(client, "CLIENT TRACKINGINFO")[0]
    assert b"caching-yes" not in lines(client, "PING", "CLIENT TRACKINGINFO")[1]
    lines(client, "CLIENT TRACKING OFF", "CLIENT TRACKING ON OPTOUT", "CLIENT CACHING NO")
    assert b"caching-no" in lines(client, "CLIENT TRACKINGINFO")[0]
