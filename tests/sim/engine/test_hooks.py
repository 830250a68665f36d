"""Only the checkers that do something at a hook listen to it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sim.checkers.clients.atomicity import AtomicityChecker
from sim.checkers.clients.commands import CommandChecker
from sim.checkers.links.traffic import TrafficChecker
from sim.checkers.replicas.growth import GrowthChecker
from sim.engine.checker import Checker, Followed, Watched
from sim.engine.hooks import Hooks, overrides_any
from sim.nodes.client import Reply
from sim.nodes.run_history import RunHistory
from sim.schedule.step import Words
from sim.world.world import CHECKERS

HOOKS = [name for name in vars(Checker) if name.startswith(("on_", "before_", "compare_"))]


class Comparing(Checker):
    """Overrides what `on_replies` and `on_follower_replies` call."""

    def compare_replies(
        self,
        place: Watched | Followed,
        session: int,
        commands: Sequence[Words],
        replies: Sequence[Reply],
    ) -> None:
        self.looked += 1


def hooks_of(*kinds: type[Checker]) -> Hooks:
    """Return the hooks of a world with these checkers."""
    history = RunHistory()
    return Hooks([kind(history) for kind in kinds])


def test_checker_that_does_nothing_listens_to_nothing() -> None:
    hooks = hooks_of(Checker)
    assert HOOKS
    assert all(hooks.listening(name) == () for name in HOOKS)


def test_checkers_listen_in_their_order() -> None:
    hooks = hooks_of(CommandChecker, Checker, GrowthChecker, TrafficChecker)
    listening = hooks.listening("on_turn_end")
    assert [type(each) for each in listening] == [GrowthChecker, TrafficChecker]
    assert hooks.listening("on_turn_end") is listening


def test_checker_of_a_method_that_a_hook_reaches_listens() -> None:
    hooks = hooks_of(Comparing, AtomicityChecker)
    assert Comparing in map(type, hooks.listening("on_replies"))
    assert [type(each) for each in hooks.listening("on_follower_replies")] == [Comparing]


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_listener(name: str) -> None:
    assert hooks_of(*CHECKERS).listening(name)


def test_inherited_hook_counts_as_overridden() -> None:
    class Later(Comparing):
        """Overrides nothing itself."""

    later = Later(RunHistory())
    assert overrides_any(later, Checker, ("compare_replies",))
    assert not overrides_any(later, Checker, ("on_op_made", "on_turn_end"))
    assert not overrides_any(later, Comparing, ("compare_replies",))
