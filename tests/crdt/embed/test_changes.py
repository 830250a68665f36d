"""Changes for a peer in one value."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from crdt import Changes, DecodeError, Replica
from crdt.wire import codec


def replica(number: int, **options: Any) -> Replica:
    made = Replica(number, **options)
    for index in range(20):
        made.set("s").add(f"{number}:{index}")
        made.seal()
    return made


@pytest.mark.parametrize("history_bytes", [1, 1 << 20])
def test_changes_bring_peer_up_to_date(history_bytes: int) -> None:
    here, there = replica(1, history_bytes=history_bytes), replica(2)
    changes = here.changes_for(there.vector)
    assert bool(changes.state) == (history_bytes == 1)
    assert bool(changes.ops) != bool(changes.state)
    assert there.apply(changes.to_bytes())
    assert there.vector == {here.origin: 20, there.origin: 20}
    assert not there.apply(changes), "nothing is new"
    assert here.apply(there.changes_for(here.vector))
    assert here.digest() == there.digest()
    assert not here.changes_for(there.vector)
    assert here.changes_for({})


def test_changes_can_be_serialised_and_copied() -> None:
    for history_bytes in (1, 1 << 20):
        changes = replica(1, history_bytes=history_bytes).changes_for({})
        twins = [
            Changes.from_bytes(changes.to_bytes()),
            Changes.from_text(changes.to_text()),
            pickle.loads(pickle.dumps(changes)),
            copy.copy(changes),
            copy.deepcopy(changes),
        ]
        for twin in twins:
            assert twin == changes
            assert hash(twin) == hash(changes)
    assert changes != "changes"
    assert repr(changes).endswith("20 ops>")
    assert "a state of" in repr(replica(1, history_bytes=1).changes_for({}))


@pytest.mark.parametrize(
    "items",
    [(), (1, b"", (), b""), (1, b"", 5, b""), (1, 5, (), b""), (1, b"", (5,), b"")],
)
def test_invalid_changes_are_refused(items: Any) -> None:
    with pytest.raises(DecodeError):
        Changes.from_bytes(codec.pack(items))


def test_another_version_is_refused_by_its_number() -> None:
    with pytest.raises(DecodeError, match=r"changes: format version 2; .* reads version 1"):
        Changes.from_bytes(codec.pack((2, b"")))


@pytest.mark.parametrize("given", [None, "text", 5, []])
def test_apply_takes_changes_or_bytes(given: Any) -> None:
    with pytest.raises(TypeError, match="expected Changes, not"):
        Replica(1).apply(given)


def test_damaged_changes_change_nothing() -> None:
    here, there = replica(1, history_bytes=1), replica(2)
    data = here.changes_for({}).to_bytes()
    before = there.to_bytes()
    with pytest.raises(DecodeError):
        there.apply(data[:-1])
    broken = Changes(here.vector, (), here.to_bytes()[:-1])
    with pytest.raises(DecodeError):
        there.apply(broken)
    assert there.to_bytes() == before
