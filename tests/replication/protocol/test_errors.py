"""The messages of errors."""

from __future__ import annotations

import pytest

from replication.protocol.errors import (
    CannotFollow,
    CannotRename,
    LinkCut,
    RemoteProtocolError,
    ReplicationError,
    UnknownPeer,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (LinkCut("eu"), "the link with eu is cut"),
        (UnknownPeer("ue"), "no peer is called 'ue'"),
        (RemoteProtocolError("Ops while awaiting hello"), "Ops while awaiting hello"),
        (CannotFollow("none"), "none"),
        (CannotRename("types"), "types"),
    ],
)
def test_errors_are_of_one_family_and_speak(error: ReplicationError, text: str) -> None:
    assert isinstance(error, ReplicationError)
    assert str(error) == text
