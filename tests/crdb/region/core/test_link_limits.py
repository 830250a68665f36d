"""The bounds of links, from the configuration and the memory."""

from __future__ import annotations

import pytest

from crdb.deployment.config_file import read_config
from crdb.region.core.link_limits import link_limits

MB = 1 << 20


@pytest.mark.parametrize(
    ("settings", "memory", "backlog", "pinned"),
    [
        ("", 2048 * MB, 64 * MB, 128 * MB),
        ("", 1024 << 30, 1 << 30, 64 << 30),
        ("", 64 * MB, 16 * MB, 16 * MB),
        ("maxmemory = '1gb'\n", 2048 * MB, 32 * MB, 64 * MB),
        ("maxmemory = '8gb'\n", 2048 * MB, 64 * MB, 128 * MB),
        ("[link]\nbacklog = '200mb'\n", 2048 * MB, 0, 200 * MB),
        ("[link]\nbacklog = '1mb'\n", 2048 * MB, 0, 128 * MB),
    ],
)
def test_bounds_are_shares_of_memory(settings: str, memory: int, backlog: int, pinned: int) -> None:
    region = '[[region]]\nname = "us"\n'
    is_table = settings.startswith("[")
    config = read_config(region + settings if is_table else settings + region)
    limits = link_limits(config, memory)
    assert (limits.backlog_bytes_max, limits.pinned_bytes_max) == (backlog, pinned)
