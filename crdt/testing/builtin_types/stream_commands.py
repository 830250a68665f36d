"""The execution of the commands on streams, whose ids and positions a region chooses.

`XADD k a` adds an entry with the next id of the region. `XDEL k 1` and `XTRIM k 2` name entries by
their place, `XACK k g 2` acknowledges the next entries of a group. Execution returns the command
with the ids that this came to.
"""

from __future__ import annotations

from typing import Any, Final

from crdt.causality.effect import Effect
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.commands import TypeCommand, encode, held
from crdt.types.registry import BUILT_IN
from crdt.types.stream import Stream
from crdt.writes import stream, stream_groups
from crdt.writes.stream import IdMode
from crdt.writes.stream_groups import GroupPlace

NOTHING: Final = "NOTHING"
"""The name of a command that came to no effect."""


def change(db: Keyspace, asked: TypeCommand) -> TypeCommand:
    """Carry out a command on a stream. Return what its only effect says."""
    key = encode(asked.key)
    value: Stream | None = held(db, key, Stream)
    before = db.pending_count()
    CHANGES[asked.name](db, key, value, asked.args)
    if db.pending_count() == before:
        return TypeCommand(NOTHING, asked.key)
    return command_of(db.pending_effects()[-1])


def command_of(effect: Effect) -> TypeCommand:
    """Return the command that an effect on a stream stands for."""
    spelling = BUILT_IN.operations[effect[:2]].spelling
    assert spelling is not None
    args = [item.decode() if isinstance(item, bytes) else item for item in effect[3:]]
    return TypeCommand(spelling.command, effect[2].decode(), tuple(args))


def add(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    new = stream.next_id(stream.held_stream(db, key), IdMode.STRICT, db.origin, db.now)
    assert new is not None
    stream.add(db, key, new, [b"field", encode(args[0])])


def add_same(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    """Add an entry with an id that other regions may choose too (rule STM-7)."""
    found = stream.held_stream(db, key)
    last = (0, 0) if found is None else found.last_id()
    stream.add(db, key, (last[0] + 1, 0), [encode(args[0]), b"value"])


def remove(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    if value is not None and value.length() > args[0]:
        stream.remove(db, key, [list(value.forward())[args[0]][:2]])


def trim(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    if value is not None and value.length():
        point = stream.trim_point(value, args[0])
        if point is not None:
            stream.trim(db, key, point)


def set_id(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    if value is not None:
        last = value.last_id()
        stream.set_id(db, key, (last[0] + args[0], last[1]), None, value.max_deleted_id())


def create(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    name = encode(args[0])
    if value is None or name not in value.groups:
        stream_groups.create(db, key, name, (args[1], 0))


def destroy(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    stream_groups.destroy(db, key, encode(args[0]))


def acknowledge(db: Keyspace, key: bytes, value: Stream | None, args: tuple[Any, ...]) -> None:
    """Deliver the next entries of a group, and acknowledge all but the last of them."""
    name = encode(args[0])
    if value is None or name not in value.groups:
        return
    place = GroupPlace(key, name, value, value.groups[name])
    consumer = place.group.consumer(b"consumer", db.now)
    found = stream_groups.deliver_next(db, place, consumer, args[1])
    stream_groups.acknowledge(db, place, [entry[:2] for entry in found[: max(1, args[1] - 1)]])


CHANGES: Final = {
    "XADD": add,
    "XADDSAME": add_same,
    "XDEL": remove,
    "XTRIM": trim,
    "XSETID": set_id,
    "XGROUPCREATE": create,
    "XGROUPDESTROY": destroy,
    "XACK": acknowledge,
}
"""The execution of each command."""
SAMPLES: Final = (
    *("XADD k a", "XADD k b", "XADDSAME k c", "XDEL k 0", "XDEL k 1", "XTRIM k 1"),
    *("XSETID k 2", "XGROUPCREATE k g 0", "XGROUPCREATE k h 1", "XGROUPDESTROY k g"),
    *("XGROUPDESTROY k h", "XACK k g 1", "XACK k g 3"),
)
"""The commands of random schedules."""
