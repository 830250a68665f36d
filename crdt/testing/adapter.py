"""The same schedules for those who prefer Hypothesis: drawn and shrunk by it.

`schedules()` is a strategy of whole schedules, for `@given` and `@example`. `RegionMachine` is a
state machine to derive from: give it a subject, and add rules and invariants if there is more to
do or to check.

    class CartMachine(RegionMachine):
        subject = subject_of(Cart, [("add", "milk"), ("remove", "milk")])

    TestCart = CartMachine.TestCase

Nothing else in this package needs Hypothesis; it is imported when this module is.
"""

from __future__ import annotations

from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from crdt.testing.running import AnySubject, AnyWorld, Failure, world_of
from crdt.testing.worlds.steps import NAMES, NUMBER_MAX, Step

numbers: Final = st.integers(0, NUMBER_MAX - 1)


def schedules(length: int = 40) -> st.SearchStrategy[list[Step]]:
    """Return a strategy of schedules of at most `length` steps."""
    return st.lists(st.builds(Step, st.sampled_from(NAMES), numbers, numbers), max_size=length)


class RegionMachine(RuleBasedStateMachine):
    """A world of three regions. After every step, the world checks the regions that changed.

    All failures are raised as an AssertionError at one place, so that Hypothesis reports one.
    """

    subject: ClassVar[AnySubject]

    def __init__(self) -> None:
        super().__init__()
        self.world: AnyWorld = world_of(self.subject)
        self.steps: list[Step] = []
        self.is_broken: bool = False

    def take(self, *steps: Step) -> None:
        """Take steps. Raises AssertionError with the schedule up to the one that fails."""
        failure: Failure | None = None
        try:
            for step in steps:
                self.steps.append(step)
                self.world.step(step)
        except Exception as error:  # noqa: BLE001 - whatever the code under test may raise
            failure = Failure(self.subject, self.steps, error)
        if failure is not None:
            self.is_broken = True
            raise AssertionError(str(failure))

    @rule(region=numbers, command=numbers)
    def write(self, region: int, command: int) -> None:
        """A client writes."""
        self.take(Step("write", region, command))

    @rule(region=numbers, choice=numbers)
    def deliver(self, region: int, choice: int) -> None:
        """An operation arrives."""
        self.take(Step("deliver", region, choice))

    @rule(region=numbers, choice=numbers)
    def duplicate(self, region: int, choice: int) -> None:
        """An operation arrives, and will again."""
        self.take(Step("duplicate", region, choice))

    @rule(source=numbers, sink=numbers)
    def pull(self, source: int, sink: int) -> None:
        """Let a region catch up from another."""
        self.take(Step("pull", source, sink))

    @rule(source=numbers, sink=numbers)
    def cut(self, source: int, sink: int) -> None:
        """A link is cut one way."""
        self.take(Step("cut", source, sink))

    @rule()
    def heal(self) -> None:
        """All links are whole again."""
        self.take(Step("heal"))

    @rule(region=numbers)
    def open_snapshot(self, region: int) -> None:
        """A region begins to write its state down."""
        self.take(Step("open", region))

    @rule(choice=numbers, sink=numbers)
    def merge_snapshot(self, choice: int, sink: int) -> None:
        """A region takes a snapshot in."""
        self.take(Step("merge", choice, sink))

    @rule(region=numbers)
    def report_and_collect(self, region: int) -> None:
        """All regions report, and one forgets what it may."""
        self.take(Step("gossip"), Step("collect", region))

    @rule(region=numbers, ahead=numbers)
    def advance(self, region: int, ahead: int) -> None:
        """Time passes."""
        self.take(Step("advance", region, ahead))

    def teardown(self) -> None:
        """Deliver everything to all regions, which must agree, unless a step has failed."""
        if not self.is_broken:
            self.take(Step("settle"))
