"""Write JSON documents and places in them.

Places are named by addresses (`crdt.types.json_tree.addresses`). Values are texts in the form that
`crdt.types.json_tree.texts.text_of` returns.
"""

from __future__ import annotations

from typing import Any

from crdt.store.keyspace import Keyspace
from crdt.types.json import ADD, ASSIGN, CLEAR, CUT, INSERT, JSON, REMOVE, JsonDocument
from crdt.types.json_tree.addresses import Address, Step, depth_below
from crdt.types.json_tree.nodes import JsonArray, JsonLeaf, plain_of, values_of
from crdt.types.json_tree.sums import increased, next_sum, own_sum
from crdt.types.json_tree.texts import DEPTH_MAX, TOO_DEEP, InvalidJson, depth_of, parse, text_of
from crdt.writes.content_writers import add_content_writer
from crdt.writes.list_places import head_place, place_between, tail_place


def document(db: Keyspace, key: bytes) -> JsonDocument:
    """Return the document under `key`, which exists."""
    held = db.remains(key, JSON)
    assert isinstance(held, JsonDocument)
    return held


def check_depth(address: Address, value: Any) -> None:
    """Raise InvalidJson if a plain value, which `parse` returned, is too deep for an address."""
    if address and depth_below(address) + depth_of(value) > DEPTH_MAX:
        raise InvalidJson(TOO_DEEP)


def assign(db: Keyspace, key: bytes, address: Address, text: bytes) -> None:
    """Write a slot; the empty address is that of the root. It replaces what is seen there, with
    everything in it. The caller has checked the text and its depth."""
    db.emit((JSON, ASSIGN, key, address, text))


def assign_content(db: Keyspace, key: bytes, content: list[Any]) -> None:
    """Write the document of another key."""
    assign(db, key, (), content[0])


def remove_members(db: Keyspace, key: bytes, addresses: list[Address]) -> None:
    """Remove members of objects, given by the addresses of their slots."""
    if addresses:
        db.emit((JSON, REMOVE, key, *addresses))


def remove_elements(db: Keyspace, key: bytes, address: Address, start: int, stop: int) -> None:
    """Remove the elements with `start` <= index < `stop` of the array at an address."""
    spans = array_at(db, key, address).spans(start, stop)
    if spans:
        db.emit((JSON, CUT, key, address, *spans))


def array_at(db: Keyspace, key: bytes, address: Address) -> JsonArray:
    """Return the array at an address, which exists."""
    array = document(db, key).node_at(address)
    assert isinstance(array, JsonArray)
    return array


def element_value(array: JsonArray, index: int) -> Any:
    """Return the plain value of an element. It must not be changed."""
    return plain_of(array.items.thing_at(index))


def remove_slot(db: Keyspace, key: bytes, address: Address, step: Step) -> None:
    """Remove the element at a position of the array at an address."""
    db.emit((JSON, CUT, key, address, step))


def clear(db: Keyspace, key: bytes, address: Address) -> None:
    """Remove all members of the object, or all elements of the array, at an address (JSN-8)."""
    db.emit((JSON, CLEAR, key, address))


def insert(db: Keyspace, key: bytes, address: Address, index: int, values: list[Any]) -> None:
    """Insert plain values before the element at `index` of the array at an address, or behind the
    last one."""
    array = array_at(db, key, address)
    origin, seq = db.origin, db.seq + 1
    if index == array.length():
        place = tail_place(array, origin, seq)
    elif index == 0:
        place = head_place(array, origin, seq)
    else:
        place = place_between(array, index, origin, seq, is_after=True)
    ordered = values if place[2] > 0 else values[::-1]
    db.emit((JSON, INSERT, key, address, *place, text_of(ordered)))


def increment(db: Keyspace, key: bytes, address: Address, delta: Any) -> Any:
    """Add to the number at an address (JSN-12). Return the result.

    Raises CounterOverflow and NotANumber as `sums.increased` does. Nothing is changed then.
    """
    leaf = document(db, key).node_at(address)
    assert isinstance(leaf, JsonLeaf)
    shown = values_of(leaf)
    result = increased(shown, delta)
    amount = next_sum(own_sum(leaf.sums, db.origin), shown, result)
    if amount is not None:
        db.emit((JSON, ADD, key, address, amount))
    else:
        assign(db, key, address[:-1], text_of(result))
    return result


def parsed(text: bytes, address: Address = ()) -> Any:
    """Return the plain value of a text that is to be written at an address. Raises InvalidJson."""
    value = parse(text)
    check_depth(address, value)
    return value


add_content_writer(JSON, assign_content)
