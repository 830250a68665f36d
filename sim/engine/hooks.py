"""The checkers that listen to each hook.

A world calls a hook of `Checker` many thousand times, and most checkers do nothing at most hooks.
So only those are called whose class overrides it, in the order of the checkers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sim.engine.checker import Checker

REACHED: Final[dict[str, tuple[str, ...]]] = {
    "on_connection_replies": ("on_commands_run", "on_connection_replies"),
    "on_follower_replies": ("on_follower_replies", "compare_replies"),
    "on_op_received": ("on_op_received", "on_op_applied"),
    "on_replies": ("on_commands_run", "on_replies", "compare_replies"),
}
"""The methods that are called for one checker after the other at some hooks, where there are
several."""


class Hooks:
    """The checkers of a world, by hook."""

    def __init__(self, checkers: Sequence[Checker]) -> None:
        self.checkers: tuple[Checker, ...] = tuple(checkers)
        self.by_name: dict[str, tuple[Checker, ...]] = {}

    def listening(self, name: str) -> tuple[Checker, ...]:
        """Return the checkers that do something at a hook, in their order."""
        found = self.by_name.get(name)
        if found is None:
            methods = REACHED.get(name, (name,))
            found = tuple([each for each in self.checkers if overrides_any(each, Checker, methods)])
            self.by_name[name] = found
        return found


def overrides_any(checker: Checker, base: type[Checker], methods: Sequence[str]) -> bool:
    """Return whether the class of a checker overrides one of these methods of `base`."""
    kind = type(checker)
    return any(getattr(kind, name) is not getattr(base, name) for name in methods)
