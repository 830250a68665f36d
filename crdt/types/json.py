"""JSON documents: objects, arrays and scalars that regions edit concurrently.

`crdt.types.json_tree.nodes` explains how a document is held, and `addresses` how effects name a
place in it. All rules follow from two of them: a write makes a new node, and removes the nodes that
it has observed with everything in them. An effect below a node that is gone changes nothing.

* Two regions that create a document, or write one member, keep both nodes. Readers see that of the
  lower region (JSN-1, JSN-2, JSN-6). The next write that has observed both replaces them.
* A write or a removal wins over concurrent changes inside what it replaces (JSN-3, JSN-5, JSN-7,
  JSN-10). A write of a place wins over a concurrent removal of this place (JSN-4).
* CLEAR keeps the node. Members and elements that were added concurrently stay (JSN-8).
* Changes of different members merge, and so do insertions and removals of elements (JSN-9, JSN-11).
* Increments of a number add up (JSN-12, D-14). All other changes of a scalar are writes (JSN-13).

The wall clock decides nothing here. Removed nodes leave nothing behind. Runs in the middle of
arrays are remembered for a while, as those of lists are (`crdt.types.components.run_tree`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Vector
from crdt.causality.effect import Effect, weight
from crdt.causality.observed import Observed
from crdt.causality.schema import is_place, is_sign, is_span, is_step
from crdt.types.base import DroppedContent, Value
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TypeDefinition,
    renamed_position,
)
from crdt.types.json_tree import arrays
from crdt.types.json_tree.addresses import (
    Address,
    depth_below,
    is_member_address,
    is_node_address,
    is_slot_address,
    renamed_address,
)
from crdt.types.json_tree.dropped import DroppedNodes, arrays_below
from crdt.types.json_tree.merging import Merge
from crdt.types.json_tree.nodes import (
    MISSING,
    JsonArray,
    JsonLeaf,
    JsonNode,
    JsonObject,
    dot_of,
    nodes_in,
    open_below,
    slot_of,
    unfolded,
    values_of,
)
from crdt.types.json_tree.renaming import rename_node
from crdt.types.json_tree.states import is_covered, node_tuple, read_nodes
from crdt.types.json_tree.sums import added, is_json_sum
from crdt.types.json_tree.texts import DEPTH_MAX, InvalidJson, depth_of, parse, text_of
from crdt.wire.decoding import items_of_version

JSON: Final = 13
ASSIGN: Final = 0  # (code, operation, key, slot, text)
REMOVE: Final = 1  # (code, operation, key, slot, ...)          members of objects
CUT: Final = 2  #    (code, operation, key, node, span, ...)    elements of an array
CLEAR: Final = 3  #  (code, operation, key, node)
ADD: Final = 4  #    (code, operation, key, node, sum)
INSERT: Final = 5  # (code, operation, key, node, place, k, sign, text of an array)

STATE_VERSION: Final = 1
BYTES_PER_SLOT: Final = 16
"""The bytes of a text for each slot, as the size of a document is estimated."""
LARGE_SLOTS: Final = 5000
"""Removed content of about so many slots is freed in slices."""


class JsonDocument(Value):
    """A document: the nodes of its root, by dot. Readers see the first one."""

    __slots__ = ("arrays", "dropped", "roots", "slots")

    def __init__(self) -> None:
        self.roots: tuple[JsonNode, ...] = ()
        self.arrays: list[JsonArray] = []
        """The arrays that have runs in the middle, which are garbage some day."""
        self.slots: int = 0
        """About how many values were written since the last merge, of which some may be gone."""
        self.dropped: DroppedNodes | None = None

    def code(self) -> int:
        return JSON

    # -- places ----------------------------------------------------------------------------

    def root(self) -> JsonNode:
        """Return the node of the root that readers see. The document must be live."""
        return self.roots[0]

    def node_at(self, address: Address) -> JsonNode | None:
        """Return the node that an address names, ready to be changed; None if it is gone. What is
        on the way becomes nodes. That changes nothing for readers or in states."""
        node = self.open_root(address[0])
        for index in range(1, len(address), 2):
            if node is None:
                return None
            node = open_below(node, address[index], address[index + 1])
        return node

    def open_root(self, dot: Dot) -> JsonNode | None:
        """Return a node of the root, ready to be changed, or None."""
        for index, node in enumerate(self.roots):
            if node.dot == dot:
                opened = unfolded(node)
                if opened is not node:
                    self.roots = (*self.roots[:index], opened, *self.roots[index + 1 :])
                return opened
        return None

    # -- effects ---------------------------------------------------------------------------

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        operation: int = effect[1]
        if operation == ASSIGN:
            self.assign(effect[3], effect[4], dot, observed)
        elif operation == REMOVE:
            for index in range(3, len(effect)):
                self.remove_member(effect[index], observed)
        else:
            node = self.node_at(effect[3])
            if isinstance(node, JsonLeaf):
                if operation == ADD and type(node.value) in (int, float):
                    node.sums = added(node.sums, dot >> SEQ_BITS, dot & SEQ_MAX, effect[4])
            elif isinstance(node, JsonArray):
                self.change_array(node, effect, dot, observed)
            elif isinstance(node, JsonObject) and operation == CLEAR:
                self.clear_object(node, observed)

    def assign(self, address: Address, text: bytes, dot: Dot, observed: Observed) -> None:
        """Write a slot."""
        node = JsonLeaf(dot, parse(text))
        if address and depth_below(address) + depth_of(node.value) > DEPTH_MAX:
            return  # only a hostile peer sends this
        self.slots += 1 + len(text) // BYTES_PER_SLOT
        if not address:
            left, gone = arrays.divided(list(self.roots), observed)
            self.roots = tuple(sorted([*left, node], key=dot_of))
            self.drop(gone)
            return
        parent, step = self.node_at(address[:-1]), address[len(address) - 1]
        if isinstance(parent, JsonObject) and type(step) is bytes:
            name = step.decode()
            held = nodes_in(parent.fields.get(name, MISSING), parent.dot)
            left, gone = arrays.divided(held, observed)
            parent.fields[name] = slot_of([*left, node], parent.dot)
            self.drop(gone)
        elif isinstance(parent, JsonArray) and type(step) is tuple:
            self.drop(arrays.assign_element(parent, cast("Any", step), node, observed))
            self.note_array(parent)

    def remove_member(self, address: Address, observed: Observed) -> None:
        """Remove what was observed of a member of an object."""
        parent, step = self.node_at(address[:-1]), address[len(address) - 1]
        if isinstance(parent, JsonObject) and type(step) is bytes:
            self.remove_name(parent, step.decode(), observed)

    def remove_name(self, parent: JsonObject, name: str, observed: Observed) -> None:
        """Remove what was observed of the member of a name."""
        held = nodes_in(parent.fields.get(name, MISSING), parent.dot)
        left, gone = arrays.divided(held, observed)
        if left:
            parent.fields[name] = slot_of(left, parent.dot)
        elif gone:
            del parent.fields[name]
        self.drop(gone)

    def clear_object(self, node: JsonObject, observed: Observed) -> None:
        """Remove what was observed of all members (rule JSN-8)."""
        for name in list(node.fields):
            self.remove_name(node, name, observed)

    def change_array(self, array: JsonArray, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Insert, remove or clear elements."""
        operation: int = effect[1]
        if operation == INSERT:
            values = parse(effect[7])
            if depth_below(effect[3]) + depth_of(values) > DEPTH_MAX:
                return
            self.slots += 1 + len(effect[7]) // BYTES_PER_SLOT
            arrays.insert_elements(array, (effect[4], effect[5], effect[6]), values, dot)
        elif operation == CUT:
            for index in range(4, len(effect)):
                self.drop(arrays.discard_elements(array, effect[index], observed))
        elif operation == CLEAR:
            self.drop(arrays.clear_array(array, observed))
        self.note_array(array)

    def note_array(self, array: JsonArray) -> None:
        """Note an array that has runs in the middle."""
        if array.tree is not None and all(held is not array for held in self.arrays):
            self.arrays.append(array)

    def drop(self, gone: list[JsonNode]) -> None:
        """Forget what is noted of the arrays in removed nodes."""
        if gone and self.arrays:
            lost = {id(array) for node in gone for array in arrays_below(node)}
            self.arrays = [array for array in self.arrays if id(array) not in lost]

    def remove(self, observed: Observed, resets: object) -> None:
        left, gone = arrays.divided(list(self.roots), observed)
        self.roots = tuple(left)
        self.drop(gone)
        if gone and self.slots > LARGE_SLOTS:
            self.dropped = DroppedNodes(gone)

    def take_content(self) -> DroppedContent | None:
        return DroppedNodes(list(self.roots)) if self.slots > LARGE_SLOTS else None

    def take_dropped(self) -> DroppedContent | None:
        dropped, self.dropped = self.dropped, None
        return dropped

    # -- reading ---------------------------------------------------------------------------

    def is_live(self) -> bool:
        return len(self.roots) > 0

    def min_dot(self) -> Dot:
        return self.roots[0].dot if self.roots else 0

    def count_items(self) -> int:
        return max(1, self.slots)

    def value(self) -> Any:
        """Return the plain value that readers see. It must not be changed."""
        return values_of(self.roots[0])

    def visible(self) -> object:
        return text_of(self.value(), is_sorted=True)

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(each.dot, text_of(values_of(each), is_sorted=True)) for each in self.roots]

    # -- whole states ----------------------------------------------------------------------

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        for _ in self.merge_in_slices(other, mine, theirs):
            pass

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        assert isinstance(other, JsonDocument)
        nodes: list[JsonNode] = []
        yield from Merge(mine, theirs).join(list(self.roots), list(other.roots), nodes)
        self.roots = tuple(nodes)
        self.slots = max(self.slots, other.slots)
        self.note_arrays()

    def note_arrays(self) -> None:
        """Note all arrays that have runs in the middle."""
        found = [array for node in self.roots for array in arrays_below(node)]
        self.arrays = [array for array in found if array.tree is not None]

    def state(self) -> Any:
        """Return the version, and the nodes of the root (`crdt.types.json_tree.states`)."""
        return STATE_VERSION, tuple([node_tuple(node) for node in self.roots])

    def load(self, state: Any) -> None:
        items = items_of_version(state, STATE_VERSION, 2, "a JSON document")
        self.roots = tuple(read_nodes(items[1], 0))
        self.slots = 1 + weight(items[1]) // BYTES_PER_SLOT
        self.note_arrays()

    def covered(self, vector: Vector) -> bool:
        return all(is_covered(node, vector) for node in self.roots)

    def keeps_traces(self) -> bool:
        return False

    def has_garbage(self) -> bool:
        for array in self.arrays:
            if array.tree is not None and array.tree.empty:
                return True
        return False

    def collect(self, stable: Vector) -> bool:
        left: list[JsonArray] = []
        for array in self.arrays:
            if array.tree is not None:
                array.tree.collect(stable)
                if array.tree.runs:
                    left.append(array)
                else:
                    array.tree = None
        self.arrays = left
        return self.has_garbage()


def is_json_text(item: object) -> bool:
    """Return whether `item` is a text that `parse` accepts."""
    if type(item) is not bytes:
        return False
    try:
        parse(item)
    except InvalidJson:
        return False
    return True


def is_array_text(item: object) -> bool:
    """Return whether `item` is the text of an array."""
    return type(item) is bytes and item[:1] == b"[" and is_json_text(item)


def rename_document(value: JsonDocument, names: OriginNames) -> None:
    """Rename the origins of all nodes."""
    for node in value.roots:
        rename_node(node, names)
    value.roots = tuple(sorted(value.roots, key=dot_of))


def rename_effect(effect: Effect, names: OriginNames) -> Effect:
    """Return an effect with the origins in its addresses and positions renamed."""
    operation: int = effect[1]
    head = effect[:3]
    if operation == REMOVE:
        return (*head, *[renamed_address(address, names) for address in effect[3:]])
    items: list[Any] = [renamed_address(effect[3], names), *effect[4:]]
    if operation == CUT:
        items[1:] = [renamed_position(span, names) for span in effect[4:]]
    elif operation == INSERT:
        items[1] = renamed_position(effect[4], names)
    return (*head, *items)


def content(value: JsonDocument) -> list[Any]:
    """Return the text of the document."""
    return [text_of(value.value())]


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="JSON",
    code=JSON,
    make=JsonDocument,
    operations=(
        Operation(
            "assign",
            (is_slot_address, is_json_text),
            spelling=Spelling("JSON.ASSIGN", SpellingForm.NAMES),
        ),
        Operation(
            "remove",
            repeated=(is_member_address,),
            spelling=Spelling("JSON.REMOVE", SpellingForm.NAMES),
        ),
        Operation(
            "cut",
            (is_node_address,),
            repeated=(is_span,),
            spelling=Spelling("JSON.CUT", SpellingForm.NAMES),
        ),
        Operation("clear", (is_node_address,), spelling=Spelling("JSON.EMPTY", SpellingForm.NAMES)),
        Operation(
            "add",
            (is_node_address, is_json_sum),
            spelling=Spelling("JSON.ADD", SpellingForm.NAMES),
        ),
        Operation(
            "insert",
            (is_node_address, is_place, is_step, is_sign, is_array_text),
            spelling=Spelling("JSON.INSERT", SpellingForm.NAMES),
        ),
    ),
    redis_name=b"ReJSON-RL",
    rename_origins=rename_document,
    rename_effect=rename_effect,
    content=content,
)
