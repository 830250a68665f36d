"""The same schedules for Hypothesis, which draws and shrinks them.

`schedules()` is a strategy of whole schedules, for `@given` and `@example`. `RegionMachine` is the
base class of a state machine. A derived class names a subject. It may add rules and invariants.

    class CartMachine(RegionMachine):
        subject = subject_of(Cart, [("add", "milk"), ("remove", "milk")])

    TestCart = CartMachine.TestCase

Only this module of the package imports Hypothesis.
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
        if not hasattr(self, "subject"):
            name = type(self).__name__
            raise TypeError(f"{name} has no subject. Write `subject = subject_of(Cart, commands)`.")
        self.world: AnyWorld = world_of(self.subject)
        self.steps: list[Step] = []
        self.is_broken: bool = False

    def run(self, *steps: Step) -> None:
        """Run steps. Raises AssertionError with the schedule up to the step that fails."""
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
        """Carry out a command at a region."""
        self.run(Step("write", region, command))

    @rule(region=numbers, choice=numbers)
    def deliver(self, region: int, choice: int) -> None:
        """Deliver an operation to a region."""
        self.run(Step("deliver", region, choice))

    @rule(region=numbers, choice=numbers)
    def duplicate(self, region: int, choice: int) -> None:
        """Deliver an operation that will be delivered again."""
        self.run(Step("duplicate", region, choice))

    @rule(source=numbers, sink=numbers)
    def pull(self, source: int, sink: int) -> None:
        """Bring a region up to date from another region."""
        self.run(Step("pull", source, sink))

    @rule(source=numbers, sink=numbers)
    def cut(self, source: int, sink: int) -> None:
        """Cut a link in one direction."""
        self.run(Step("cut", source, sink))

    @rule()
    def heal(self) -> None:
        """Restore all links."""
        self.run(Step("heal"))

    @rule(region=numbers)
    def open_snapshot(self, region: int) -> None:
        """Begin a snapshot of a region."""
        self.run(Step("open", region))

    @rule(choice=numbers, sink=numbers)
    def merge_snapshot(self, choice: int, sink: int) -> None:
        """Merge a snapshot into a region."""
        self.run(Step("merge", choice, sink))

    @rule(region=numbers)
    def report_and_collect(self, region: int) -> None:
        """Let all regions report their vectors, then let one region collect garbage."""
        self.run(Step("gossip"), Step("collect", region))

    @rule(region=numbers, ahead=numbers)
    def advance(self, region: int, ahead: int) -> None:
        """Change the clock of one region or of all."""
        self.run(Step("advance", region, ahead))

    def teardown(self) -> None:
        """Deliver everything and check that all regions agree, unless a step has failed."""
        if not self.is_broken:
            self.run(Step("settle"))
