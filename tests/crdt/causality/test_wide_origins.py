"""Origins of 64 bits: every format can hold them, and this program refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crdt import DecodeError, Replica, UnsupportedOrigin, Vector
from crdt.causality.dots import DOT_MAX, ORIGIN_MAX, make_dot, read_dot, read_origin
from crdt.causality.op import Op, write_vector
from crdt.causality.schema import KEY_BITS, check_shape, is_dot
from crdt.store.snapshot import HEAD, KEYS, VERSION, pack_piece
from crdt.wire import codec

WIDE = (1 << 64) - 1
DOT = make_dot(WIDE, 7)
POSITION = (0, make_dot(WIDE, 0), 1 << KEY_BITS)
RESETS = (WIDE, 1, 1, 5)
OVER = ORIGIN_MAX + 1
"""The lowest origin that this program does not support."""


def op_of(effect: tuple[Any, ...]) -> None:
    """Receive an operation with this effect."""
    Replica(1).accept(Op.from_bytes(Op(2 << 14, 1, 0, {}, (effect,)).to_bytes()))


def state_of(code: int, state: Any, deadlines: tuple[Any, ...] = ()) -> None:
    """Receive a snapshot with this state of a key."""
    incoming = Replica(1).incoming()
    incoming.feed(pack_piece((HEAD, VERSION, 0, (1 << 15, 9), (), 1, ())))
    incoming.feed(pack_piece((KEYS, (), ((b"k", deadlines, ((code, state),)),))))


def head_of(vector: tuple[int, ...], contexts: tuple[Any, ...], trails: tuple[Any, ...]) -> None:
    """Receive the head of a snapshot."""
    Replica(1).incoming().feed(pack_piece((HEAD, VERSION, 0, vector, contexts, 1, trails)))


PLACES: dict[str, Callable[[], object]] = {
    "operation": lambda: Op.from_bytes(Op(WIDE, 1, 0, {}, ((2, 0, b"k", b"a"),)).to_bytes()),
    "context": lambda: Op.from_bytes(
        Op(1 << 14, 1, 0, {WIDE: 3}, ((2, 0, b"k", b"a"),)).to_bytes()
    ),
    "delete": lambda: op_of((0, 0, b"k", (1, RESETS))),
    "dot": lambda: check_shape((11, 0, b"k", DOT), ((is_dot,), (), ())),
    "delete of fields": lambda: op_of((0, 0, b"k", (3, (b"f", RESETS)))),
    "resets": lambda: op_of((1, 0, b"k", 0, b"v", RESETS)),
    "insert": lambda: op_of((5, 16, b"k", POSITION, 1, 1, b"v")),
    "remove": lambda: op_of((5, 18, b"k", POSITION)),
    "vector": lambda: Vector.from_bytes(codec.pack((1, write_vector({WIDE: 1}), (), ()))),
    "text": lambda: Vector.from_text(f"1=2,x{WIDE:016x}=7:00000001"),
    "head": lambda: head_of((WIDE, 1), (), ()),
    "head, context": lambda: head_of((1 << 14, 1), ((WIDE, ()),), ()),
    "head, fingerprints": lambda: head_of((1 << 14, 1), (), ((WIDE, (), ()),)),
    "string": lambda: state_of(1, (DOT, 0, b"v", False)),
    "counter": lambda: state_of(8, (WIDE, 1, 1, 5, 0, 0, 0)),
    "reset of a counter": lambda: state_of(8, (1 << 15, 1, 1, 5, 1, 5, DOT)),
    "set": lambda: state_of(2, (b"a", DOT)),
    "set, several": lambda: state_of(2, (b"a", (1, DOT))),
    "multi-value register": lambda: state_of(6, (DOT, b"v")),
    "deadline": lambda: state_of(2, (b"a", make_dot(1 << 15, 1)), (DOT, 5)),
    "save": lambda: Replica.load(
        codec.pack((b"crdt replica", 2, codec.pack((WIDE, 0, 0, 0, b"", (), (), ()))))
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_origin_of_64_bits_is_read_and_refused_by_name(place: str) -> None:
    with pytest.raises(
        UnsupportedOrigin,
        match=f"the origin is {WIDE}, and this program supports origins up to {ORIGIN_MAX}",
    ):
        PLACES[place]()


@pytest.mark.parametrize("origin", [OVER, (1 << 53) - 1, 1 << 53, (1 << 62) - 1, 1 << 62])
@pytest.mark.parametrize(
    "form", ["insert", "assign", "remove", "run", "span", "resets", "delete", "state"]
)
def test_origin_above_supported_ones_is_refused_by_name(form: str, origin: int) -> None:
    run = (0, make_dot(origin, 0))
    position = (*run, 1 << KEY_BITS)
    resets = (origin, 1, 1, 5)
    forms: dict[str, Callable[[], object]] = {
        "insert": lambda: op_of((5, 16, b"k", position, 1, 1, b"v")),
        "assign": lambda: op_of((5, 17, b"k", 0, position, b"v")),
        "remove": lambda: op_of((5, 18, b"k", position)),
        "run": lambda: op_of((5, 16, b"k", run, 0, 1, b"v")),
        "span": lambda: op_of((5, 18, b"k", (*position, 1, 2))),
        "resets": lambda: op_of((1, 0, b"k", 0, b"v", resets)),
        "delete": lambda: op_of((0, 0, b"k", (1, resets))),
        "state": lambda: state_of(5, (2, (), *run, (1 << KEY_BITS,), (b"v",))),
    }
    with pytest.raises(UnsupportedOrigin, match=f"the origin is {origin}, and this program"):
        forms[form]()


def test_dot_of_wide_origin_is_written_and_read() -> None:
    assert codec.unpack(codec.pack((DOT, b"v"))) == (DOT, b"v")


@pytest.mark.parametrize("item", [0, -1, WIDE + 1, b"1", True, None])
def test_invalid_origin_is_not_called_unsupported(item: object) -> None:
    with pytest.raises(DecodeError, match="here: expected an integer from 1 to") as caught:
        read_origin(item, "here")
    assert not isinstance(caught.value, UnsupportedOrigin)


@pytest.mark.parametrize("item", [0, -1, make_dot(WIDE + 1, 0), b"1", True, None])
def test_invalid_dot_is_not_unsupported_origin(item: object) -> None:
    with pytest.raises(DecodeError, match="here: expected an integer from 1 to") as caught:
        read_dot(item, "here")
    assert not isinstance(caught.value, UnsupportedOrigin)


def test_largest_of_this_program_are_read() -> None:
    assert (read_origin(ORIGIN_MAX, ""), read_dot(DOT_MAX, "")) == (ORIGIN_MAX, DOT_MAX)
