"""Bytes of one format that are passed to the reader of another format."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from crdt import Changes, DecodeError, Op, Replica, Snapshot, Vector
from crdt.wire import codec
from crdt.wire.formats import (
    CHANGES,
    OPERATION,
    PIECE,
    SAVE,
    STATE,
    VECTOR,
    Format,
    explain,
    recognise,
)


def example(wanted: Format) -> bytes:
    """Return bytes of this format."""
    replica = Replica(1)
    replica.set("s").add("a")
    made: dict[str, Callable[[], bytes]] = {
        OPERATION.name: replica.since({})[0].to_bytes,
        VECTOR.name: replica.vector.to_bytes,
        CHANGES.name: replica.changes_for({}).to_bytes,
        STATE.name: replica.to_bytes,
        PIECE.name: lambda: next(replica.snapshot()),
        SAVE.name: replica.save,
    }
    return made[wanted.name]()


READERS: list[tuple[str, Format, Callable[[bytes], object]]] = [
    ("Op.from_bytes", OPERATION, Op.from_bytes),
    ("Vector.from_bytes", VECTOR, Vector.from_bytes),
    ("Changes.from_bytes", CHANGES, Changes.from_bytes),
    ("apply", CHANGES, lambda data: Replica(2).apply(data)),
    ("load", SAVE, Replica.load),
    ("merge_bytes", STATE, lambda data: Replica(2).merge_bytes(data)),
    ("Snapshot.from_bytes", STATE, Snapshot.from_bytes),
    ("merge", PIECE, lambda data: Replica(2).merge([data])),
]
FORMATS = [OPERATION, VECTOR, CHANGES, STATE, PIECE, SAVE]
PAIRS = [
    pytest.param(read, wanted, given, id=f"{name} of {given.name}")
    for (name, wanted, read), given in itertools.product(READERS, FORMATS)
]


@pytest.mark.parametrize(("read", "wanted", "given"), PAIRS)
def test_bytes_of_another_format_are_named(
    read: Callable[[bytes], object], wanted: Format, given: Format
) -> None:
    data = example(given)
    assert recognise(data) == given
    if given == wanted:
        if given != PIECE:
            read(data)
        return
    text = f"^expected {wanted.name}, and these bytes are {given.name}: pass them to {given.reader}"
    with pytest.raises(DecodeError, match=text):
        read(data)


@pytest.mark.parametrize(
    "read", [each for _, _, each in READERS], ids=[name for name, _, _ in READERS]
)
def test_text_as_bytes_is_named(read: Callable[[bytes], object]) -> None:
    data = codec.to_text(example(OPERATION)).encode()
    with pytest.raises(DecodeError, match="these are the text of an operation: read it with from_"):
        read(data)


def test_text_of_another_format_is_named() -> None:
    text = codec.to_text(example(STATE))
    for read in (Op.from_text, Changes.from_text):
        with pytest.raises(DecodeError, match="these bytes are the state of a replica: pass them"):
            read(text)


@pytest.mark.parametrize(
    "given", [b"", b"{}", b"hello world", b"\x80\x04K\x01.", b"\x01" * 40, bytes(40)], ids=repr
)
def test_unknown_bytes_keep_their_error(given: bytes) -> None:
    error = DecodeError("damaged")
    assert recognise(given) is None
    assert explain(error, given, OPERATION) is error


@pytest.mark.parametrize("item", [5, (), (1, 2, 3), (1, 2, 3, 4, 5)], ids=repr)
def test_envelope_of_something_else_is_not_recognised(item: Any) -> None:
    assert recognise(codec.pack(item)) is None


def test_damaged_bytes_keep_their_error() -> None:
    damaged = example(SAVE)[:-1] + b"?"
    with pytest.raises(DecodeError, match=r"checksum does not match: .*; use what Replica.save or"):
        Replica.load(damaged)


def test_bytes_of_other_programs_are_named() -> None:
    with pytest.raises(DecodeError, match="not written by this package: they begin with b'hello w"):
        Op.from_bytes(b"hello world")


@pytest.mark.parametrize(
    "read",
    [Op.from_bytes, Vector.from_bytes, Changes.from_bytes, Snapshot.from_bytes, Replica.load],
    ids=["Op", "Vector", "Changes", "Snapshot", "Replica"],
)
@pytest.mark.parametrize("given", ["text", 5, None, bytearray(b"x")], ids=repr)
def test_readers_take_bytes_only(read: Callable[[Any], object], given: Any) -> None:
    with pytest.raises(TypeError, match=f"expected bytes, not {type(given).__name__}: "):
        read(given)


@pytest.mark.parametrize(
    "read",
    [Op.from_text, Vector.from_text, Changes.from_text, Snapshot.from_text],
    ids=["Op", "Vector", "Changes", "Snapshot"],
)
def test_readers_of_text_take_text_only(read: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"expected str, not bytes: .*from_bytes reads bytes"):
        read(b"text")
    with pytest.raises(DecodeError, match=r"not base64, as to_text|is not an entry of a vector"):
        read("\ud800")


def test_parts_of_changes_are_checked() -> None:
    vector: Any = {1: 5}
    ops: Any = 5
    with pytest.raises(TypeError, match=r"^vector: expected Vector, not dict: use what Repl"):
        Changes(vector)
    with pytest.raises(
        TypeError, match=r"^ops: expected Sequence, not int: use what Replica.since"
    ):
        Changes(Vector(), ops)
    with pytest.raises(TypeError, match=r"^ops: expected Op, not int: use what Replica.since"):
        Changes(Vector(), [ops])
    with pytest.raises(
        TypeError, match=r"^state: expected bytes, not int: use what Replica.to_byte"
    ):
        Changes(Vector(), (), ops)


def test_parts_of_vector_are_checked() -> None:
    numbers: Any = [1]
    with pytest.raises(TypeError, match=r"^numbers: expected Mapping, not list: use a mapping of"):
        Vector(numbers)
    with pytest.raises(TypeError, match=r"^fingerprints: expected Mapping, not list"):
        Vector({}, numbers)
    with pytest.raises(TypeError, match=r"^trails: expected Mapping, not list"):
        Vector({}, {}, numbers)
    with pytest.raises(TypeError, match="a vector maps origins to numbers of effects"):
        Vector({16384: numbers})
