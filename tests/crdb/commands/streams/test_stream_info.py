"""XINFO, whose fields Redis 7.2 has extended."""

from __future__ import annotations

from tests.crdb.commands.streams.test_groups import filled
from tests.crdb.regions import START_MS


def test_consumers_have_times() -> None:
    regions = filled()
    regions.run(1, "XGROUP", "CREATECONSUMER", "s", "g", "d")
    regions.now += 7
    assert regions.run(1, "XINFO", "CONSUMERS", "s", "g") == [
        [b"name", b"c", b"pending", 5, b"idle", 7, b"inactive", 7],
        [b"name", b"d", b"pending", 0, b"idle", 7, b"inactive", -1],
    ]


def test_full_shows_groups_with_pending_entries() -> None:
    regions = filled()
    shown = regions.run(1, "XINFO", "STREAM", "s", "FULL", "COUNT", "1")
    fields = dict(zip(shown[::2], shown[1::2], strict=True))
    assert fields[b"length"] == fields[b"entries-added"] == 5
    assert fields[b"entries"] == [[b"1-1", [b"a", b"b"]]]
    ((*_, consumers),) = fields[b"groups"]
    assert fields[b"groups"][0][:-2] == [
        *(b"name", b"g", b"last-delivered-id", b"5-1", b"entries-read", 5, b"lag", 0),
        *(b"pel-count", 5, b"pending", [[b"1-1", b"c", START_MS, 1]]),
    ]
    assert consumers == [
        [
            *(b"name", b"c", b"seen-time", START_MS, b"active-time", START_MS),
            *(b"pel-count", 5, b"pending", [[b"1-1", START_MS, 1]]),
        ]
    ]
    whole = regions.run(1, "XINFO", "STREAM", "s", "FULL", "COUNT", "0")
    assert len(dict(zip(whole[::2], whole[1::2], strict=True))[b"entries"]) == 5
