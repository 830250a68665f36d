"""The effects of garbage collection, as checkers see them."""

from __future__ import annotations

import pytest

from crdt.causality.effect import Effect
from sim.checkers.replicas.unasked import UnaskedChecker
from sim.engine.checker import Watched
from tests.sim.planted import fresh


@pytest.mark.interpreted("compiled checkers have compiled heirs only")
def test_only_effects_without_client_are_shown() -> None:
    keys: list[object] = []

    class Listing(UnaskedChecker):
        """Keeps the keys of effects that no client has asked for."""

        promise = "listing"

        def on_unasked_op(self, region: Watched, effect: Effect) -> None:
            keys.append(effect[2])

    world = fresh(Listing)
    world.run("eu", "SET", "asked", "1")
    site = world.sites["eu"]
    site.replica.string("unasked").set("1")
    site.finish_turn()
    assert keys == [b"unasked"]
