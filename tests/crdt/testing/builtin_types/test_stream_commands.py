"""Commands on streams as the test kit executes them."""

from __future__ import annotations

from crdt import Replica
from crdt.testing.builtin_types.commands import command
from crdt.testing.builtin_types.stream_commands import NOTHING, change


def test_commands_resolve_to_ids() -> None:
    db = Replica(1).keyspace
    db.advance(5)
    asked = [
        "XADD k a",
        "XADDSAME k b",
        "XDEL k 0",
        "XSETID k 2",
        "XGROUPCREATE k g 0",
        "XACK k g 1",
    ]
    found = [str(change(db, command(text))) for text in asked]
    assert found == [
        "XADD k 5 1 1 field a",
        "XADD k 6 0 2 b value",
        "XDEL k 5 1 5 1",
        "XSETID k 8 0 2 5 1",
        "XGROUPCREATE k g 0 0 -1",
        f"XACK k g {1 << 54 | 2} 6 0",
    ]
    assert str(change(db, command("XTRIM k 1"))) == "XTRIM k 6 0"
    assert str(change(db, command("XGROUPDESTROY k g"))) == "XGROUPDESTROY k g 1"


def test_commands_without_effect_come_to_nothing() -> None:
    db = Replica(1).keyspace
    for text in ("XDEL k 0", "XTRIM k 1", "XSETID k 1", "XGROUPDESTROY k g", "XACK k g 1"):
        assert change(db, command(text)) == command(f"{NOTHING} k")
