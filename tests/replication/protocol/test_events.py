"""Events: their fields and equality."""

from __future__ import annotations

import attrs
import pytest

from replication.protocol.events import Event


@pytest.mark.parametrize("kind", Event.__args__)
def test_events_are_frozen_and_name_peer(kind: type[Event]) -> None:
    assert attrs.fields(kind)[0].name == "peer"
    assert kind.__doc__
    assert kind.__setattr__ is not object.__setattr__
