"""Commands on parts of strings. The differential tests of strings call all of them."""

from __future__ import annotations

import pytest

from crdb.engine.metrics.memory import GROWTH_MIN, PLENTY
from crdb.resp.decoder import ErrorReply
from tests.crdb.regions import Regions


def test_concurrent_appends_show_later_whole_result() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "x", "old")
    regions.sync()
    regions.now += 10
    regions.run(1, "APPEND", "x", "-1")
    regions.now += 1
    regions.run(2, "APPEND", "x", "-2")
    regions.sync()
    assert regions.everywhere("GET", "x") == b"old-2"


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("LCS a b", b"mytext"),
        ("LCS a b LEN", 6),
        ("LCS a b LEN IDX", ErrorReply),
        ("LCS a b NOTHING", ErrorReply),
        ("LCS a list", ErrorReply),
        ("GETRANGE a 2 3", b"my"),
        ("GETRANGE a -1 -2", b""),
        ("STRLEN a", 8),
        ("SETRANGE none 2 x", 3),
        ("SETRANGE a -1 x", ErrorReply),
        ("SETRANGE a 536870911 xx", ErrorReply),
    ],
)
def test_replies(request_: str, reply: object) -> None:
    regions = Regions(1)
    for words in (("SET", "a", "ohmytext"), ("SET", "b", "mynewtext"), ("RPUSH", "list", "x")):
        regions.run(1, *words)
    found = regions.run(1, *request_.split())
    assert isinstance(found, ErrorReply) if reply is ErrorReply else found == reply


def test_change_of_long_string_reads_no_figures_of_memory() -> None:
    """They are read for what a command adds, not for what the string holds already."""
    regions = Regions(1)
    memory = regions.instances[1].memory
    probed: list[int] = []

    def probe() -> tuple[int, int]:
        probed.append(1)
        return 0, PLENTY

    memory.probe = probe
    regions.run(1, "SETRANGE", "x", str(GROWTH_MIN), "y")
    assert probed == [1]
    for command in ("APPEND x y", "SETRANGE x 5 y", "SETBIT x 9 1", "BITFIELD x SET u8 0 7"):
        regions.run(1, *command.split())
    assert probed == [1]
