"""Hashes: a map of strings.

Each field is a string: a register, a counter, or both (rules HSH-2 to HSH-5, D-06). Which fields
there are is decided as for a set, by observed removes (rules HSH-1, HSH-6, HSH-7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crdt.causality.dots import Dot
from crdt.causality.schema import are_resets, is_bytes, is_seq, is_stamp, is_sum
from crdt.structures.pieces import in_pieces
from crdt.types.components.fields import Fields, Thing, names_of, rename_fields
from crdt.types.components.lone_write import LoneText, LoneWrite
from crdt.types.components.register import Register
from crdt.types.definition import (
    Operation,
    Spelling,
    SpellingForm,
    TextForm,
    TypeDefinition,
    are_short,
)
from crdt.types.string import String

HASH: Final = 3


class Hash(Fields):
    """Strings by field."""

    __slots__ = ()

    def code(self) -> int:
        return HASH

    def make(self) -> Register:
        return String()

    def lone(self, dot: Dot, stamp: int, value: Any) -> LoneWrite | None:
        return LoneText(dot, stamp, value) if type(value) is bytes else None

    def get(self, field: bytes) -> bytes | None:
        """Return what HGET shows."""
        thing = self.thing(field)
        return None if thing is None else text_of_thing(thing)

    def items(self) -> list[tuple[bytes, bytes]]:
        """Return all fields with their values. Those of a small hash are in order of age."""
        pairs: list[tuple[bytes, bytes]] = []
        for field, thing in self.content().items():
            pairs.append((field, text_of_thing(thing)))
        return pairs

    def field(self, name: bytes) -> bytes | None:
        return self.get(name)

    def visible(self) -> object:
        return sorted(self.items())


def text_of_thing(thing: Thing) -> bytes:
    """Return the text of what is stored for a field."""
    if isinstance(thing, LoneText):
        return thing.value
    assert isinstance(thing, String)
    return thing.read()


def content(value: Hash) -> list[Any]:
    """Return fields and values in turn."""
    return [item for pair in value.items() for item in pair]


def content_size(value: Hash) -> int:
    """Return the number of fields."""
    return value.size()


def content_pieces(value: Hash, size: int) -> Iterator[list[Any]]:
    """Yield fields and values in turn, of about `size` fields at a time."""
    for names in in_pieces(value.names(), size):
        pairs: list[Any] = []
        for name in names:
            pairs += (name, value.get(name))
        yield pairs


ENCODING_LIMITS: Final = {"hash-max-listpack-entries": 512, "hash-max-listpack-value": 64}


def encoding(value: Hash, limits: Mapping[str, int]) -> bytes:
    """Return the encoding of a hash in Redis."""
    if value.size() > limits["hash-max-listpack-entries"]:
        return b"hashtable"
    is_packed = are_short(content(value), limits["hash-max-listpack-value"])
    return b"listpack" if is_packed else b"hashtable"


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="hash",
    code=HASH,
    make=Hash,
    operations=(
        Operation(
            "assign",
            (is_stamp,),
            repeated=(is_bytes, is_bytes),
            spelling=Spelling("HSET", SpellingForm.PAIRS),
        ),
        Operation(
            "reset",
            (is_stamp, is_bytes, is_bytes, are_resets),
            spelling=Spelling("HSET", SpellingForm.PAIR),
        ),
        Operation(
            "add", (is_bytes, is_seq, is_sum), spelling=Spelling("HINCRBY", SpellingForm.SUM)
        ),
        Operation("remove", repeated=(is_bytes,), spelling=Spelling("HDEL", SpellingForm.NAMES)),
        Operation("erase", (is_bytes, are_resets), spelling=Spelling("HDEL", SpellingForm.NAME)),
    ),
    redis_name=b"hash",
    rename_origins=rename_fields,
    encoding=encoding,
    encoding_limits=ENCODING_LIMITS,
    elements=names_of,
    content=content,
    content_size=content_size,
    content_pieces=content_pieces,
    text_form=TextForm("{}", ": "),
)
