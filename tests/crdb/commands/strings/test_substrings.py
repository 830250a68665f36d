"""Commands on parts of strings. The differential tests of strings call all of them."""

from __future__ import annotations

import pytest

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
