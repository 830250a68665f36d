"""Python's collector: what is examined, and what is frozen."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from crdb.net.collector import (
    COLLECT_AFTER,
    LONG_EFFECTS_BYTES,
    LongRequest,
    calm_collector,
    examine_effects,
    examine_new,
    freeze_survivors,
)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    if freeze_survivors in gc.callbacks:
        gc.callbacks.remove(freeze_survivors)
    gc.unfreeze()
    gc.set_threshold(*before)


def test_collector_is_calmed() -> None:
    calm_collector()
    calm_collector()
    assert gc.get_threshold() == COLLECT_AFTER
    assert gc.callbacks.count(freeze_survivors) == 1
    frozen = gc.get_freeze_count()
    kept = [[number] for number in range(1000)]
    gc.collect(0)
    assert gc.get_freeze_count() >= frozen + len(kept)


def test_cycle_of_new_objects_is_collected() -> None:
    calm_collector()
    cycle = Cycle()
    alive = weakref.ref(cycle)
    del cycle
    examine_new()
    assert alive() is None


def test_examined_object_is_not_examined_again() -> None:
    calm_collector()
    kept = [bytes(number) for number in range(300)]
    assert is_new(kept)
    examine_new()
    assert not is_new(kept)


def is_new(thing: object) -> bool:
    """Return whether the collector will still examine an object."""
    return any(each is thing for each in gc.get_objects())


def test_long_effects_are_examined() -> None:
    calm_collector()
    kept = [bytes(number) for number in range(300)]
    examine_effects(LONG_EFFECTS_BYTES)
    assert is_new(kept)
    examine_effects(LONG_EFFECTS_BYTES + 1)
    assert not is_new(kept)


def test_long_request_is_examined_at_its_beginning() -> None:
    calm_collector()
    long_request = LongRequest()
    for first in (10, 15):  # the second one begins after the first one has ended
        request = [bytes(number) for number in range(first)]
        long_request.examine(first)
        assert not is_new(request)
        other = [request]
        long_request.examine(20)
        assert is_new(other)


class Cycle:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self
