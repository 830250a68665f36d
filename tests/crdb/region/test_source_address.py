"""Addresses of sources, as text."""

from __future__ import annotations

from crdb.region.source_address import join_address, unusable_reply
from replication.protocol.handshake import challenge


def test_addresses_of_version_6_stand_in_brackets() -> None:
    assert join_address(("db", 7001)) == "db:7001"
    assert join_address(("::1", 7001)) == "[::1]:7001"


def test_same_mistake_has_same_text() -> None:
    """Otherwise each attempt would be reported, instead of the first one and a count."""
    shown = {unusable_reply(challenge(bytes([byte]) * 32)) for byte in (0, 200)}
    assert shown == {"it is a port for links; give the port for clients"}
    web = {unusable_reply(b"HTTP/1.1 400 Bad\r\nDate: %d\r\n" % day) for day in (1, 2)}
    assert web == {"CRDB.PORT replied 'HTTP/1.1 400 Bad'"}
    assert unusable_reply(b"") == "CRDB.PORT replied ''"
