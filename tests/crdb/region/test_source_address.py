"""Addresses of sources, as text."""

from __future__ import annotations

from crdb.region.source_address import join_address


def test_addresses_of_version_6_stand_in_brackets() -> None:
    assert join_address(("db", 7001)) == "db:7001"
    assert join_address(("::1", 7001)) == "[::1]:7001"
