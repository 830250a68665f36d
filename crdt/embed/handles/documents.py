"""The handle of a JSON document, and of the places in it.

>>> from crdt import Replica
>>> shop = Replica(1).json("shop")
>>> shop.set({"name": "Corner", "stock": {"tea": 3}, "tags": []})
>>> shop["stock"]["tea"] += 2
>>> shop["tags"].append("open")
>>> shop["stock"]["milk"] = 1
>>> shop.value
{'name': 'Corner', 'stock': {'tea': 5, 'milk': 1}, 'tags': ['open']}
>>> shop.find("$..tea")
[5]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, cast

from crdt.embed.arguments import whole
from crdt.embed.handles.base import Handle, Key, Prepare
from crdt.errors import NotANumber
from crdt.types.json import JsonDocument
from crdt.types.json_path.evaluator import find_places
from crdt.types.json_path.parser import parse_path
from crdt.types.json_tree.places import JsonPlace, root_of
from crdt.types.json_tree.texts import DEPTH_MAX, TOO_DEEP, InvalidJson, parse, text_of
from crdt.writes import json as documents

NUMBERS = ("integer", "number")
PLACED = "this place of a document is deleted with `del handle[...]` of its container"


class JsonHandle(Handle[Any]):  # noqa: PLW1641 - as mutable as a dictionary
    """A JSON document, or a place in it (rules JSN-1 to JSN-13).

    `handle["a"][0]` is a handle of a place. It need not exist until it is read: then a missing
    member raises KeyError, and a missing element IndexError. `value` returns plain Python objects.
    They are copies, so changing them changes nothing in the document.

    `+=` adds to a number. Increments of several replicas add up, while an assignment replaces what
    its replica has seen (rules JSN-6, JSN-12). So write `handle["n"] += 1`, and not
    `handle["n"] = handle["n"].value + 1`.
    """

    __slots__ = ("way",)
    kind_name = "a JSON document"

    def __init__(self, prepare: Prepare, key: Key, way: tuple[str | int, ...] = ()) -> None:
        super().__init__(prepare, key)
        self.way: tuple[str | int, ...] = way

    # -- reading ---------------------------------------------------------------------------

    def place(self) -> JsonPlace | None:
        """Return the place in the document, None if there is no document. Raises KeyError,
        IndexError or TypeError if the place does not exist."""
        document = self.read(JsonDocument)
        return None if document is None else walk(root_of(document), self.way)

    def existing(self) -> JsonPlace:
        """Return the place. Raises KeyError if there is no document."""
        place = self.place()
        if place is None:
            raise KeyError(self.key)
        return place

    @property
    def value(self) -> Any:
        """The value here as plain Python objects. None if there is no document, and for null."""
        place = self.place()
        return None if place is None else copied(place.plain())

    def find(self, path: str) -> list[Any]:
        """Return the values that a JSONPath selects, such as `$.books[?(@.price < 10)].title`.
        The path begins at this place.

        Raises ValueError if the path cannot be parsed, or would visit more than 16 million values.
        """
        place = self.place()
        parsed = parse_path(path)
        if place is None:
            return []
        root = JsonPlace(None, place.held, place.inherited)
        return [copied(each.plain()) for each in find_places(root, parsed)]

    def __getitem__(self, step: str | int) -> JsonHandle:
        """Return the handle of a member, by name, or of an element, by index."""
        key = self.key.decode("utf-8", "surrogateescape") if self.speaks_text else self.key
        return JsonHandle(self.prepare, key, (*self.way, step_of(step)))

    def get(self, step: str | int, default: Any = None) -> Any:
        """Return the value of a member or of an element, or `default` if it does not exist."""
        try:
            return copied(self[step].existing().plain())
        except (KeyError, IndexError, TypeError):
            return default

    def keys(self) -> list[str]:
        """Return the names of the members of an object."""
        return list(self.existing().members())

    def __contains__(self, item: object) -> bool:
        """Return whether an object has a member of this name, or an array has this element."""
        place = self.place()
        if place is None:
            return False
        return item in place.members() if place.kind() == "object" else item in place.plain()

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the names of an object, or over copies of the elements of an array."""
        place = self.existing()
        if place.kind() == "object":
            return iter(list(place.members()))
        return iter(cast("list[Any]", copied(container(place).plain())))

    def __len__(self) -> int:
        """Return the number of members or elements, 0 if there is no document."""
        place = self.place()
        return 0 if place is None else container(place).size()

    def __bool__(self) -> bool:
        """Return whether the value is true in Python."""
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, JsonHandle):
            return bool(self.value == other.value)
        return bool(self.value == other)

    # -- writing ---------------------------------------------------------------------------

    def set(self, value: Any) -> None:
        """Write the value here: of dict, list, str, int, float, bool and None. It replaces what
        this replica has seen, with everything in it.

        Raises TypeError for other objects, ValueError for NaN, infinities, lone surrogates and
        documents that are too deep, and KeyError or IndexError if the container does not exist.
        """
        text = encoded(value)
        db = self.write(JsonDocument)
        if not self.way:
            documents.assign(db, self.key, (), text)
            return
        parent = walk(self.root(), self.way[:-1])
        step = self.way[len(self.way) - 1]
        if isinstance(step, str):
            if parent.kind() != "object":
                raise TypeError(f"{kind_of(parent)} has no members")
            address = (*parent.node_address(), step.encode())
        else:
            address = walk(parent, (step,)).slot_address()
        documents.check_depth(address, parse(text))
        documents.assign(db, self.key, address, text)

    def root(self) -> JsonPlace:
        """Return the root of the document. Raises KeyError if there is no document."""
        document = self.read(JsonDocument)
        if document is None:
            raise KeyError(self.key)
        return root_of(document)

    def __setitem__(self, step: str | int, value: Any) -> None:
        target = self[step]
        if isinstance(value, JsonHandle) and value.way == target.way and value.key == self.key:
            return  # after an increment: `handle["n"] += 1` assigns the handle to its own place
        target.set(value.value if isinstance(value, JsonHandle) else value)

    def __delitem__(self, step: str | int) -> None:
        """Remove a member or an element, as far as this replica has seen it."""
        db = self.write(JsonDocument)
        place = self[step].existing()
        assert place.parent is not None
        if place.index < 0:
            documents.remove_members(db, self.key, [place.slot_address()])
        else:
            address = place.parent.node_address()
            documents.remove_elements(db, self.key, address, place.index, place.index + 1)

    def delete(self) -> bool:
        """Remove the observed document. Return whether it existed. Raises TypeError for the handle
        of a place inside it."""
        if self.way:
            raise TypeError(PLACED)
        return super().delete()

    def clear(self) -> None:
        """Remove all members or elements that this replica has seen (rule JSN-8)."""
        db = self.write(JsonDocument)
        documents.clear(db, self.key, container(self.existing()).node_address())

    def update(self, members: Mapping[str, Any]) -> None:
        """Write some members of an object."""
        texts = {name_of(name): encoded(value) for name, value in members.items()}
        db = self.write(JsonDocument)
        place = self.existing()
        if place.kind() != "object":
            raise TypeError(f"{kind_of(place)} has no members")
        address = place.node_address()
        for name, text in texts.items():
            documents.check_depth((*address, name.encode()), parse(text))
        for name, text in texts.items():
            documents.assign(db, self.key, (*address, name.encode()), text)

    def increment(self, by: float = 1) -> float:
        """Add to the number here. Return the result (rule JSN-12).

        Raises NotANumber if the value here is not a number, or if the sum is infinite, and
        CounterOverflow if the sum of integers needs more than 64 bits.
        """
        delta = parse(encoded(by))
        if type(delta) is not int and type(delta) is not float:
            raise TypeError(f"expected a number, not {type(by).__name__}")
        db = self.write(JsonDocument)
        place = self.existing()
        if place.kind() not in NUMBERS:
            raise NotANumber(f"{kind_of(place)} cannot be incremented")
        return documents.increment(db, self.key, place.node_address(), delta)

    def __iadd__(self, by: Any) -> Self:
        self.increment(by)
        return self

    def __isub__(self, by: Any) -> Self:
        self.increment(-by)
        return self

    def insert(self, index: int, *values: Any) -> None:
        """Insert values before the element at an index. An index beyond an end is that of the end,
        as for lists of Python (rule JSN-9)."""
        plain = [parse(encoded(value)) for value in values]
        at = whole(index)
        db = self.write(JsonDocument)
        place = array(self.existing())
        size = place.size()
        at = max(0, at + size) if at < 0 else min(at, size)
        address = place.node_address()
        documents.check_depth(address, plain)
        if plain:
            documents.insert(db, self.key, address, at, plain)

    def append(self, *values: Any) -> None:
        """Add values to the end of an array."""
        self.insert(array(self.existing()).size(), *values)

    def extend(self, values: Sequence[Any]) -> None:
        """Add the elements of a list to the end of an array."""
        self.append(*values)

    def pop(self, index: int = -1) -> Any:
        """Remove an element of an array. Return its value. Raises IndexError."""
        place = walk(array(self.existing()), (whole(index),))
        value = copied(place.plain())
        del self[place.index]
        return value


def step_of(step: object) -> str | int:
    """Return a name or an index. Raises TypeError for other objects."""
    return step if isinstance(step, str) else whole(step)


def name_of(name: object) -> str:
    """Return the name of a member. Raises TypeError if it is not text."""
    if not isinstance(name, str):
        raise TypeError(f"names of members are str, not {type(name).__name__}")
    return name


def walk(place: JsonPlace, way: Sequence[str | int]) -> JsonPlace:
    """Return the place to which steps lead. Raises KeyError, IndexError or TypeError."""
    for step in way:
        if isinstance(step, str):
            if place.kind() != "object":
                raise TypeError(f"{kind_of(place)} has no member {step!r}")
            below = place.member(step)
            if below is None:
                raise KeyError(step)
        else:
            below = array(place).element(step)
            if below is None:
                raise IndexError("index out of range")
        place = below
    return place


def kind_of(place: JsonPlace) -> str:
    """Return the type of a value with an article."""
    kind = place.kind()
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def array(place: JsonPlace) -> JsonPlace:
    """Return a place. Raises TypeError if there is no array."""
    if place.kind() != "array":
        raise TypeError(f"{kind_of(place)} has no elements")
    return place


def container(place: JsonPlace) -> JsonPlace:
    """Return a place. Raises TypeError if there is a scalar."""
    if place.kind() not in ("object", "array"):
        raise TypeError(f"{kind_of(place)} is no container")
    return place


def copied(value: Any) -> Any:
    """Return a copy of a plain value."""
    return parse(text_of(value)) if isinstance(value, dict | list) else value


def encoded(value: Any) -> bytes:
    """Return the text of a value. Raises TypeError if JSON has no form for it, and ValueError if
    it is too deep or not finite."""
    check_types(value, 0)
    text = text_of(value)
    parse(text)
    return text


def check_types(value: Any, depth: int) -> None:
    """Raise TypeError if JSON has no form for a value or for a part of it."""
    if depth > DEPTH_MAX:
        raise InvalidJson(TOO_DEEP)
    if isinstance(value, dict):
        for name, each in cast("dict[Any, Any]", value).items():
            name_of(name)
            check_types(each, depth + 1)
    elif isinstance(value, list | tuple):
        for each in cast("Sequence[Any]", value):
            check_types(each, depth + 1)
    elif value is not None and not isinstance(value, str | int | float):
        raise TypeError(f"JSON has no form for a {type(value).__name__}")
