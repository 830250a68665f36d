"""Frames: their equality."""

from __future__ import annotations

import attrs
import pytest

from replication.protocol.frames import MEMBER, PROTOCOL, Eof, Frame, Hello, Ops


@pytest.mark.parametrize("kind", Frame.__args__)
def test_frames_are_frozen_and_explained(kind: type[Frame]) -> None:
    assert attrs.has(kind)
    assert kind.__doc__
    assert kind.__setattr__ is not object.__setattr__


def test_equal_content_is_equal() -> None:
    assert Ops((b"a",)) == Ops((b"a",)) != Ops((b"b",))
    assert Eof().reason == "the peer hung up"


def test_default_hello_is_of_member() -> None:
    hello = Hello("us", 1, 1 << 14, "", {})
    assert (hello.role, hello.protocol) == (MEMBER, PROTOCOL)
