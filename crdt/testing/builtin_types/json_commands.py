"""Commands on JSON documents as plain values, and their execution by a replica.

A path is names and indexes with dots between them, such as `a.0.b`; `.` is the root. The resolved
command holds the items of the effect. So it names a place as the effect does, whatever happens to
the document later. Each execution checks that its region then shows what Python's own containers
show.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final

from crdt.causality.effect import Effect
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.commands import TypeCommand, encode, held
from crdt.types.json import JsonDocument
from crdt.types.json_tree.addresses import Address
from crdt.types.json_tree.places import JsonPlace, root_of
from crdt.types.json_tree.sums import increased
from crdt.types.json_tree.texts import is_array, parse, text_of
from crdt.types.registry import BUILT_IN
from crdt.writes import json as documents


def json_change(db: Keyspace, asked: TypeCommand) -> TypeCommand | None:
    """Execute a command. Return what its effect stands for, or None if it has none."""
    key = encode(asked.key)
    value: JsonDocument | None = held(db, key, JsonDocument)
    expected = None if value is None else copy.deepcopy(value.value())
    before = db.seq
    way = steps_of(asked.args[0])
    place = None if value is None else find_place(value, way)
    JSON_PERFORM[asked.name](db, key, place, asked)
    if db.seq == before:
        create(db, key, value, asked)
    if db.seq == before:
        return None
    effect = db.outbox[len(db.outbox) - 1]
    if not db.is_contested(key):
        expected = model(expected, way, asked)
        shown = db.lookup(key)
        assert isinstance(shown, JsonDocument)
        found = text_of(shown.value(), is_sorted=True)
        wanted = text_of(expected, is_sorted=True)
        assert found == wanted, f"{asked} made {found!r}, not {wanted!r}"
    return resolved(effect)


def resolved(effect: Effect) -> TypeCommand:
    """Return the command that an effect stands for."""
    spelling = BUILT_IN.operations[effect[:2]].spelling
    assert spelling is not None
    items = [item.decode("latin-1") if isinstance(item, bytes) else item for item in effect[3:]]
    return TypeCommand(spelling.command, effect[2].decode(), tuple(items))


def steps_of(path: Any) -> list[str]:
    """Return the names and indexes of a path."""
    return [] if path == "." else str(path).split(".")


def find_place(value: JsonDocument, way: list[str]) -> JsonPlace | None:
    """Return the place that steps lead to, or None."""
    place: JsonPlace | None = root_of(value)
    for step in way:
        if place is None:
            return None
        place = place.element(int(step)) if step.isdigit() else place.member(step)
    return place


def create(db: Keyspace, key: bytes, value: JsonDocument | None, asked: TypeCommand) -> None:
    """Create the document, or a member of an object, if the command is to write one."""
    way = steps_of(asked.args[0])
    if asked.name != "JSET":
        return
    address: Address = ()
    if way:
        parent = None if value is None else find_place(value, way[:-1])
        if parent is None or parent.kind() != "object":
            return
        address = (*parent.node_address(), way[-1].encode())
    elif value is not None:
        return
    documents.assign(db, key, address, text_of(parse(encode(asked.args[1]))))


def assign(db: Keyspace, key: bytes, place: JsonPlace | None, asked: TypeCommand) -> None:
    if place is not None:
        documents.assign(db, key, place.slot_address(), text_of(parse(encode(asked.args[1]))))


def remove(db: Keyspace, key: bytes, place: JsonPlace | None, asked: TypeCommand) -> None:
    if place is None or place.parent is None:
        return
    if place.index < 0:
        documents.remove_members(db, key, [place.slot_address()])
    else:
        address = place.parent.node_address()
        documents.remove_elements(db, key, address, place.index, place.index + 1)


def clear(db: Keyspace, key: bytes, place: JsonPlace | None, asked: TypeCommand) -> None:
    if place is not None and place.kind() in ("object", "array"):
        documents.clear(db, key, place.node_address())


def add(db: Keyspace, key: bytes, place: JsonPlace | None, asked: TypeCommand) -> None:
    if place is not None and place.kind() in ("integer", "number"):
        documents.increment(db, key, place.node_address(), asked.args[1])


def insert(db: Keyspace, key: bytes, place: JsonPlace | None, asked: TypeCommand) -> None:
    if place is not None and place.kind() == "array":
        index = min(int(asked.args[1]), place.size())
        documents.insert(db, key, place.node_address(), index, list(asked.args[2:]))


def model(value: Any, way: list[str], asked: TypeCommand) -> Any:
    """Return what a command makes of a plain value, which it may change."""
    if not way and asked.name == "JSET":
        return parse(encode(asked.args[1]))
    parent: Any = None
    target, last = value, ""
    for step in way:
        parent, last = target, step
        target = member_of(target, step)
    at: Any = int(last) if isinstance(parent, list) else last
    match asked.name:
        case "JSET":
            parent[at] = parse(encode(asked.args[1]))
        case "JDEL":
            del parent[at]
        case "JCLEAR":
            target.clear()
        case "JINCR":
            parent[at] = increased(target, asked.args[1])
        case _:
            index = int(asked.args[1])
            target[index:index] = asked.args[2:]
    return value


def member_of(target: Any, step: str) -> Any:
    """Return the member or the element that a step leads to, None for a new member."""
    return target[int(step)] if is_array(target) else target.get(step)


JsonPerform = Callable[[Keyspace, bytes, JsonPlace | None, TypeCommand], None]
JSON_PERFORM: Final[dict[str, JsonPerform]] = {
    "JSET": assign,
    "JDEL": remove,
    "JCLEAR": clear,
    "JINCR": add,
    "JPUSH": insert,
}
JSON_SAMPLES: Final = (
    *("JSET k . {}", 'JSET k . {"a":{"b":1},"l":[1,2,3]}', "JSET k . [1,2]", "JSET k a 1"),
    *("JSET k a 2.5", 'JSET k a {"b":[],"c":7}', "JSET k a.b 3", "JSET k a.c null"),
    *("JSET k l [1,2,3]", "JSET k l.0 9", "JSET k l.1 [5]", 'JSET k l.0 {"b":1}', "JSET k 0 4"),
    *("JDEL k a", "JDEL k a.b", "JDEL k l.0", "JDEL k l.1", "JCLEAR k a", "JCLEAR k l"),
    *("JCLEAR k .", "JINCR k a 1", "JINCR k a 0.5", "JINCR k a.b 2", "JINCR k l.0 10"),
    *("JPUSH k l 0 6 7", "JPUSH k l 1 8", "JPUSH k l 9 5 6", "JPUSH k . 1 2", "JPUSH k l.1 0 1"),
    *("JSET k l.0.b 2", "JDEL k l.0.b"),
)
