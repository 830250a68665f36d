"""For those who prefer Hypothesis: the same schedules, drawn and shrunk by it.

`schedules()` is a strategy of whole schedules, one integer a step, for `@given` and `@example`.
`RegionMachine` is a state machine to derive from: give it a subject, add rules and invariants if
there is more to do or to check.

    class CartMachine(RegionMachine):
        subject = SUBJECTS["set"]

    TestCart = CartMachine.TestCase

Nothing else in this package needs Hypothesis; it is imported when this module is.
"""

from __future__ import annotations

from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from crdt.suite.steps import CODE_MAX, NUMBER_MAX, Step, step_of
from crdt.suite.subject import Subject
from crdt.suite.world import World

numbers: Final = st.integers(0, NUMBER_MAX - 1)


def schedules(length: int = 40) -> st.SearchStrategy[list[Step]]:
    """Schedules of at most `length` steps."""
    return st.lists(st.integers(0, CODE_MAX).map(step_of), max_size=length)


class RegionMachine(RuleBasedStateMachine):
    """A world of three regions. After every step, `World.check` has compared whoever changed."""

    subject: ClassVar[Subject]

    def __init__(self) -> None:
        super().__init__()
        self.world: World = World(self.subject)

    @rule(region=numbers, command=numbers)
    def write(self, region: int, command: int) -> None:
        """A client writes."""
        self.world.step(Step("write", region, command))

    @rule(region=numbers, choice=numbers)
    def deliver(self, region: int, choice: int) -> None:
        """An operation arrives."""
        self.world.step(Step("deliver", region, choice))

    @rule(region=numbers, choice=numbers)
    def duplicate(self, region: int, choice: int) -> None:
        """An operation arrives, and will again."""
        self.world.step(Step("duplicate", region, choice))

    @rule(source=numbers, sink=numbers)
    def pull(self, source: int, sink: int) -> None:
        """One region catches up from another."""
        self.world.step(Step("pull", source, sink))

    @rule(source=numbers, sink=numbers)
    def cut(self, source: int, sink: int) -> None:
        """A link is cut one way."""
        self.world.step(Step("cut", source, sink))

    @rule()
    def heal(self) -> None:
        """All links are whole again."""
        self.world.step(Step("heal"))

    @rule(region=numbers)
    def open_snapshot(self, region: int) -> None:
        """A region begins to write its state down."""
        self.world.step(Step("open", region))

    @rule(choice=numbers, sink=numbers)
    def merge_snapshot(self, choice: int, sink: int) -> None:
        """A region takes a snapshot in."""
        self.world.step(Step("merge", choice, sink))

    @rule(region=numbers)
    def report_and_collect(self, region: int) -> None:
        """All report, one forgets what it may."""
        self.world.step(Step("gossip"))
        self.world.step(Step("collect", region))

    @rule(region=numbers, ahead=numbers)
    def advance(self, region: int, ahead: int) -> None:
        """Time passes."""
        self.world.step(Step("advance", region, ahead))

    @invariant()
    def every_value_is_explained(self) -> None:
        """Every region shows what the specification says."""
        for site in self.world.sites:
            self.world.check(site)

    def teardown(self) -> None:
        """At last all hear everything, and agree."""
        self.world.step(Step("settle"))
