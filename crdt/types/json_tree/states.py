"""States of JSON documents: nested tuples, with texts for what was never edited.

A slot is its text, if its value is plain, or a tuple of nodes. A node is one of these:

    (dot, LEAF, text, sums)
    (dot, OBJECT, text, name, slot, name, slot, ...)    the text has the inherited members
    (dot, ARRAY, runs, k, run, keys, contents, ...)     as states of lists (`crdt.types.list`)

Contents are the text of an array, if all elements of a segment are plain, or a tuple of slots.

Equal content has equal states. A container that was edited, but looks like one that was not, counts
as plain. The text of an object has the members that were written with the object, in the order of
that write. The value of one that was edited since is null there, and its slot follows. Slots are
sorted by name.
"""

from __future__ import annotations

from typing import Any, Final, cast

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Vector, covers, read_dot, read_origin
from crdt.causality.schema import KEY_MAX, check_origins, is_position, is_run, is_step
from crdt.errors import DecodeError
from crdt.structures.blocks import LAST
from crdt.structures.runs import INDEX_BITS, Run, is_same, precedes
from crdt.types.components.list_elements import differences
from crdt.types.components.run_tree import element_dot, name_of
from crdt.types.json_tree.addresses import is_name
from crdt.types.json_tree.nodes import (
    MISSING,
    JsonArray,
    JsonLeaf,
    JsonNode,
    JsonObject,
    Slot,
    has_siblings,
    is_node,
    settled,
)
from crdt.types.json_tree.sums import Sums, are_covered, is_json_sum
from crdt.types.json_tree.texts import DEPTH_MAX, InvalidJson, depth_of, parse, text_of
from crdt.wire.decoding import bytes_of, integer_of, tuple_of

LEAF: Final = 0
OBJECT: Final = 1
ARRAY: Final = 2
HEAD_ITEMS: Final = 3
"""The items of a node before its members or segments."""
SEGMENT_ITEMS: Final = 4
WHAT: Final = "a JSON document"


class Plain:
    """A slot that was never edited, or looks like one."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: Any = value


# -- writing -----------------------------------------------------------------------------------


def slot_state(slot: Slot, inherited: Dot) -> Plain | tuple[Any, ...]:
    """Return the plain value of a slot, or the state of its nodes."""
    if has_siblings(slot):
        return tuple([node_tuple(node) for node in slot])
    if not is_node(slot):
        return Plain(slot)
    state = node_state(slot)
    if isinstance(state, Plain):
        return state if slot.dot == inherited else ((slot.dot, LEAF, text_of(state.value), ()),)
    return (state,)


def node_tuple(node: JsonNode) -> tuple[Any, ...]:
    """Return the state of a node."""
    state = node_state(node)
    return (node.dot, LEAF, text_of(state.value), ()) if isinstance(state, Plain) else state


def node_state(node: JsonNode) -> Plain | tuple[Any, ...]:
    """Return the plain value of a node, or its state."""
    if isinstance(node, JsonLeaf):
        if not node.sums:
            return Plain(node.value)
        flat = [item for each in node.sums for item in each]
        return node.dot, LEAF, text_of(node.value), tuple(flat)
    if isinstance(node, JsonObject):
        return object_state(node)
    return array_state(node)


def object_state(node: JsonObject) -> Plain | tuple[Any, ...]:
    """Return the plain value of an object, or its state."""
    plain: dict[str, Any] = {}
    edited: list[tuple[str, Any]] = []
    for name, slot in node.fields.items():
        state = slot_state(slot, node.dot)
        if isinstance(state, Plain):
            plain[name] = state.value
        else:
            edited.append((name, state))
            if is_inherited(slot, node.dot):
                plain[name] = None
    if not edited:
        return Plain(plain)
    flat = [
        item for name, state in sorted(edited, key=name_first) for item in (name.encode(), state)
    ]
    return (node.dot, OBJECT, text_of(plain), *flat)


def is_inherited(slot: Slot, dot: Dot) -> bool:
    """Return whether a slot holds the node that the effect `dot` of its object has written."""
    nodes = slot if has_siblings(slot) else (slot,)
    return any(is_node(node) and node.dot == dot for node in nodes)


def name_first(pair: tuple[str, Any]) -> bytes:
    """Sorts members."""
    return pair[0].encode()


def array_state(node: JsonArray) -> Plain | tuple[Any, ...]:
    """Return the plain value of an array, or its state."""
    whole = node.items.slice(0, node.items.size)
    slots: list[Plain | tuple[Any, ...]] = []
    for index, thing in enumerate(whole.things):
        dot = element_dot(whole.runs[index].dot, whole.keys[index])
        slots.append(slot_state(thing, dot))
    plain = [slot.value for slot in slots if isinstance(slot, Plain)]
    if len(plain) == len(slots) and is_as_written(node, whole.runs, whole.keys):
        return Plain(plain)
    flat: list[Any] = []
    start = 0
    while start < len(slots):
        run = whole.runs[start]
        stop = start + 1
        while stop < len(slots) and is_same(whole.runs[stop], run):
            stop += 1
        flat += (*name_of(run), differences(whole.keys[start:stop]), contents(slots[start:stop]))
        start = stop
    return (node.dot, ARRAY, () if node.tree is None else node.tree.state(), *flat)


def is_as_written(node: JsonArray, runs: list[Run], keys: list[int]) -> bool:
    """Return whether the elements of an array have the positions that its own effect gave them."""
    if node.tree is not None:
        return False
    first = (node.dot & SEQ_MAX) << INDEX_BITS
    own = node.dot >> SEQ_BITS << SEQ_BITS
    if keys != list(range(first, first + len(keys))):
        return False
    return all(run.k == 0 and run.dot == own for run in runs)


def contents(slots: list[Plain | tuple[Any, ...]]) -> Any:
    """Return the contents of a segment."""
    plain = [slot.value for slot in slots if isinstance(slot, Plain)]
    if len(plain) == len(slots):
        return text_of(plain)
    return tuple([text_of(slot.value) if isinstance(slot, Plain) else slot for slot in slots])


# -- reading -----------------------------------------------------------------------------------


def read_slot(state: Any, inherited: Dot, depth: int) -> Slot:
    """Return the slot of a state. `depth` is the number of containers around it. Raises
    DecodeError."""
    if type(state) is bytes:
        return read_text(state, depth)
    nodes = read_nodes(state, depth)
    if not nodes:
        raise DecodeError(f"{WHAT}: a slot without a node")
    return settled(nodes[0], inherited) if len(nodes) == 1 else tuple(nodes)


def read_text(text: Any, depth: int) -> Any:
    """Return the plain value of a text. Raises DecodeError."""
    try:
        value = parse(bytes_of(text, WHAT))
    except InvalidJson as error:
        raise DecodeError(f"{WHAT}: {error}") from None
    if depth_of(value) + depth > DEPTH_MAX:
        raise DecodeError(f"{WHAT}: too deep")
    return value


def read_nodes(state: Any, depth: int) -> list[JsonNode]:
    """Return the nodes of a state, which come in the order of their dots. Raises DecodeError."""
    nodes: list[JsonNode] = []
    for each in tuple_of(state, WHAT):
        node = read_node(each, depth)
        if nodes and node.dot <= nodes[len(nodes) - 1].dot:
            raise DecodeError(f"{WHAT}: siblings are not in order")
        nodes.append(node)
    return nodes


def read_node(state: Any, depth: int) -> JsonNode:
    """Return the node of a state. Raises DecodeError."""
    items = tuple_of(state, WHAT)
    if len(items) < HEAD_ITEMS or depth > DEPTH_MAX:
        raise DecodeError(f"{WHAT}: expected a node that is not too deep")
    dot = read_dot(items[0], "a node's dot")
    if items[1] == LEAF and len(items) == 4:
        leaf = JsonLeaf(dot, read_text(items[2], depth))
        leaf.sums = read_sums(items[3])
        if leaf.sums and type(leaf.value) not in (int, float):
            raise DecodeError(f"{WHAT}: increments of what is not a number")
        return leaf
    if items[1] == OBJECT and len(items) % 2:
        return read_object(dot, items, depth)
    if items[1] == ARRAY and (len(items) - HEAD_ITEMS) % SEGMENT_ITEMS == 0:
        return read_array(dot, items, depth)
    raise DecodeError(f"{WHAT}: a node of an unknown kind")


def read_sums(state: Any) -> Sums:
    """Return the increments of a state. Raises DecodeError."""
    flat = tuple_of(state, "a number's increments", 3)
    found: list[tuple[int, int, Any]] = []
    for index in range(0, len(flat), 3):
        origin = read_origin(flat[index], "an increment's origin")
        seq = integer_of(flat[index + 1], "an increment's number", 1, SEQ_MAX)
        if not is_json_sum(flat[index + 2]) or (found and origin <= found[len(found) - 1][0]):
            raise DecodeError("a number's increments: expected sums in order of origin")
        found.append((origin, seq, flat[index + 2]))
    return tuple(found)


def read_object(dot: Dot, items: tuple[Any, ...], depth: int) -> JsonObject:
    """Return the object of a state. Raises DecodeError."""
    fields = read_text(items[2], depth)
    if type(fields) is not dict:
        raise DecodeError(f"{WHAT}: expected the text of an object")
    members = cast("dict[str, Slot]", fields)
    for index in range(HEAD_ITEMS, len(items), 2):
        name = bytes_of(items[index], "a member's name")
        if not is_name(name) or (index > HEAD_ITEMS and name <= items[index - 2]):
            raise DecodeError(f"{WHAT}: a member's name is no text, or not in order")
        slot = read_slot(items[index + 1], dot, depth + 1)
        held = members.get(name.decode(), MISSING)
        if held is not (None if is_inherited(slot, dot) else MISSING):
            raise DecodeError(f"{WHAT}: an edited member does not fit the text of its object")
        members[name.decode()] = slot
    return JsonObject(dot, members)


def read_array(dot: Dot, items: tuple[Any, ...], depth: int) -> JsonArray:
    """Return the array of a state. Raises DecodeError."""
    array = JsonArray(dot)
    if items[2] != ():
        array.middle().load(items[2])
    for index in range(HEAD_ITEMS, len(items), SEGMENT_ITEMS):
        k, of_run, steps, held = items[index : index + SEGMENT_ITEMS]
        if not is_step(k) or not is_run(of_run):
            check_origins((k, of_run), is_position, WHAT)
            raise DecodeError(f"{WHAT}: expected the name of a run")
        run = array.run_of((k, of_run))
        if run is None:
            raise DecodeError(f"{WHAT}: elements of an unknown run")
        read_segment(array, run, tuple_of(steps, "an array's keys"), (held, depth + 1))
    return array


def read_segment(
    array: JsonArray, run: Run, steps: tuple[Any, ...], contained: tuple[Any, int]
) -> None:
    """Add elements of one run to the end of an array. `contained` are their contents and the number
    of containers around them. Raises DecodeError."""
    held, depth = contained
    is_text = type(held) is bytes
    things: Any = read_text(held, depth - 1) if is_text else tuple_of(held, WHAT)
    if type(things) not in (list, tuple) or len(things) != len(steps) or not steps:
        raise DecodeError(f"{WHAT}: expected as many elements as keys")
    key = 0
    for index, step in enumerate(steps):
        key += integer_of(step, "a key's step", 1 if index else -KEY_MAX, 2 * KEY_MAX)
        if not is_position((0, run.dot, key)):
            raise DecodeError(f"{WHAT}: a key is out of range")
        items = array.items
        if items.size and not precedes(items.run(LAST), items.key(LAST), run, key):
            raise DecodeError(f"{WHAT}: elements are not in order")
        thing: Any = things[index]
        if not is_text:
            thing = read_slot(thing, element_dot(run.dot, key), depth)
        if items.put(run, key, thing):
            array.count_in(run)


# -- dots --------------------------------------------------------------------------------------


def is_covered(node: JsonNode, vector: Vector) -> bool:
    """Return whether a vector covers all dots in a node."""
    if not covers(vector, node.dot):
        return False
    if isinstance(node, JsonLeaf):
        return are_covered(node.sums, vector)
    if isinstance(node, JsonObject):
        return all(is_slot_covered(slot, vector) for slot in node.fields.values())
    if node.tree is not None and not node.tree.covered(vector):
        return False
    whole = node.items.slice(0, node.items.size)
    for index, slot in enumerate(whole.things):
        if not is_slot_covered(slot, vector):
            return False
        if not covers(vector, element_dot(whole.runs[index].dot, whole.keys[index])):
            if not is_node(slot) and not has_siblings(slot):
                return False
    return True


def is_slot_covered(slot: Slot, vector: Vector) -> bool:
    """Return whether a vector covers all dots of the nodes in a slot."""
    if has_siblings(slot):
        return all(is_covered(node, vector) for node in slot)
    return is_covered(slot, vector) if is_node(slot) else True
