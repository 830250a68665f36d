"""Families of user types: correct ones pass, and each wrong one fails for its own reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from crdt.testing import HistoryEvent, check_type, unseen
from crdt.testing.subject import Disagreement
from crdt.testing.user_types.families import NOTHING, ClassFamily
from crdt.testing.user_types.options import CheckOptions
from tests.crdt.testing import right_types as right
from tests.crdt.testing import wrong_types as wrong

CART = [("add", "milk"), ("remove", "milk"), ("add", "eggs")]
ACCOUNT = [("deposit", 3), ("withdraw", 3), ("withdraw", 1)]
TEXT = [("insert", 0, "a"), ("insert", 1, "b"), ("delete", 0)]
AMOUNTS = [("add", 1), ("add", -2)]
SEEDS_MAX = 5  # a wrong type is found by one of so many schedules
PUTS = [("put", 1), ("put", 2), "delete"]
SHELF = {"cart": right.ObservedRemoveSet, "count": right.PNCounter}
SHELF_COMMANDS = [("cart", "add", "milk"), ("cart", "remove", "milk"), ("count", "add", 1)]


def observed_remove(history: Sequence[HistoryEvent]) -> set[str]:
    """Return the members with an add that no remove had seen."""
    removes = [event for event in history if event.command[0] == "remove"]
    adds = [event for event in history if event.command[0] == "add"]
    return {
        add.command[1]
        for add in adds
        if not any(r.saw(add) and r.command[1] == add.command[1] for r in removes)
    }


def total(history: Sequence[HistoryEvent]) -> int:
    return sum(event.command[1] for event in history)


def members(history: Sequence[HistoryEvent]) -> frozenset[str]:
    return frozenset(event.command[1] for event in history)


def balance(history: Sequence[HistoryEvent]) -> int:
    return sum(t.command[1] * (1 if t.command[0] == "deposit" else -1) for t in history)


def greatest(history: Sequence[HistoryEvent]) -> int:
    return max((event.command[1] for event in history), default=0)


def mean(history: Sequence[HistoryEvent]) -> float:
    return total(history) / len(history) if history else 0.0


def sums(history: Sequence[HistoryEvent]) -> dict[str, int]:
    return {"a": sum(event.command[2] for event in history)} if history else {}


def two_phases(history: Sequence[HistoryEvent]) -> set[str]:
    """Return the members that were added and never removed."""
    added = {event.command[1] for event in history if event.command[0] == "add"}
    return added - {event.command[1] for event in history if event.command[0] == "remove"}


def enable_wins(history: Sequence[HistoryEvent]) -> bool:
    """Return whether no disable has seen some enable."""
    disables = [event for event in history if event.command[0] == "disable"]
    enables = [event for event in history if event.command[0] == "enable"]
    return bool(unseen(enables, disables))


def highest_not_deleted(history: Sequence[HistoryEvent]) -> int | None:
    """Return the highest number that no delete had seen."""
    deletes = [event for event in history if event.command[0] == "delete"]
    puts = [event for event in history if event.command[0] == "put"]
    return max((event.command[1] for event in unseen(puts, deletes)), default=None)


def is_not_negative(value: int) -> bool:
    return value >= 0


def has_milk(history: Sequence[HistoryEvent], member: str) -> bool:
    return member in observed_remove(history)


RIGHT: list[tuple[Any, list[Any], Any, CheckOptions]] = [
    (right.MaxRegister, [("put", 1), ("put", 5), ("put", 3)], greatest, {}),
    (right.MaxMap, [("put", "a", 1), ("put", "a", 2), ("put", "b", 1)], None, {}),
    (right.ObservedRemoveSet, CART, observed_remove, {}),
    (
        right.ObservedRemoveSet,
        CART,
        {"value": observed_remove, "has": has_milk},
        {"queries": [("has", "milk")], "delivery": "causal", "duplicates": False},
    ),
    (right.PNCounter, AMOUNTS, total, {}),
    (right.BoundedCounter, ACCOUNT, balance, {"invariant": is_not_negative}),
    (right.Text, TEXT, None, {}),
    (right.GrowSet, [("add", "a"), ("add", "b")], None, {}),
    (right.TwoPhaseSet, CART, two_phases, {}),
    (right.EnableWinsFlag, ["enable", "disable"], enable_wins, {}),
    (right.BoundedByEffects, ACCOUNT, balance, {"invariant": is_not_negative}),
    (right.LastWriter, [("set", "a"), ("set", "b")], None, {}),
    (right.DeltaCounter, [("add", 1), ("add", 2)], total, {"sends": "delta"}),
    (SHELF, SHELF_COMMANDS, None, {}),
]


@pytest.mark.parametrize(("make", "commands", "spec", "options"), RIGHT)
def test_right_type_of_each_family_passes(
    make: Any, commands: list[Any], spec: Any, options: CheckOptions
) -> None:
    report = check_type(make, commands, spec, **{"schedules": 40, **options})
    assert report.laws["equal operations, equal values"] > 500
    assert ("value equals specification" in report.laws) == (spec is not None)


# the wrong type, a text in the counterexample, and its greatest number of steps
WRONG: list[tuple[Any, list[Any], Any, CheckOptions, str, int]] = [
    (wrong.DeafClock, [("set", "a"), ("set", "b")], None, {}, "after the same operations", 9),
    (wrong.ReaddingSet, CART[:2], None, {}, "shows set(), region 1 showed {'x'}", 3),
    (wrong.MaxCounter, [("add", 1), ("add", -1)], total, {}, "('add', -1)", 2),
    (wrong.UnitingSet, CART[:2], observed_remove, {}, "says {'milk'}", 3),
    (wrong.StampedText, [("insert", 0, "a"), ("insert", 0, "b")], None, {}, "'ab'", 2),
    (wrong.GreedyRegister, [("put", 2), ("put", 5)], None, {}, "shows 5", 2),
    (wrong.OneValue, [("put", "a"), ("put", "b")], None, {}, "after the same operations", 3),
    (wrong.CarelessCounter, ACCOUNT, None, {"invariant": is_not_negative}, "shows -", 4),
    (wrong.Average, [("add", 1), ("add", 5)], mean, {}, "the specification says 3.0", 2),
    (wrong.LaterEntry, [("add", "a", 1)], sums, {}, "the specification says {'a': 2}", 2),
    (wrong.MaxOfTotals, AMOUNTS, total, {}, "the specification says -2", 1),
    (wrong.BoundedBySight, ACCOUNT, balance, {"invariant": is_not_negative}, "shows -", 4),
    (wrong.DeletingRegister, PUTS, highest_not_deleted, {}, "shows None, the spec", 2),
    (wrong.WrongDelta, [("add", 1)], None, {"sends": "delta"}, "its delta into 1", 1),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[0].__name__)
def test_wrong_type_fails_for_its_own_reason(case: Any) -> None:
    make, commands, spec, options, shown, steps = case
    with pytest.raises(AssertionError) as caught:
        check_type(make, commands, spec, **options)
    text = str(caught.value)
    assert int(text.partition("seed ")[2].partition(",")[0]) < SEEDS_MAX
    assert shown.replace("'x'", "'milk'") in text
    assert int(text.partition(" step")[0].rpartition(" ")[2]) <= steps


def test_refused_command_is_not_in_history_unless_asked_for() -> None:
    def no_refusals(history: Sequence[HistoryEvent]) -> int:
        assert not any(event.refused for event in history)
        return balance(history)

    def without_refusals(history: Sequence[HistoryEvent]) -> int:
        return balance([event for event in history if not event.refused])

    check_type(right.BoundedCounter, ACCOUNT, no_refusals, schedules=20)
    check_type(right.BoundedCounter, ACCOUNT, without_refusals, schedules=20, keep_refused=True)


def test_results_of_commands_are_compared() -> None:
    def results(history: Sequence[HistoryEvent], command: tuple[Any, ...]) -> object:
        return True if command[0] == "withdraw" else None

    with pytest.raises(AssertionError, match=r"returned Refused.*`results` says True"):
        check_type(right.BoundedCounter, ACCOUNT, results=results, schedules=20)


def test_functions_take_place_of_methods() -> None:
    def put(replica: dict[str, int], name: str, number: int) -> None:
        replica[name] = max(number, replica.get(name, 0))

    def merge(mine: dict[str, int], theirs: dict[str, int]) -> dict[str, int]:
        return {name: max(mine.get(name, 0), theirs.get(name, 0)) for name in {*mine, *theirs}}

    report = check_type(
        dict[str, int],
        [("put", "a", 1), ("put", "a", 2)],
        schedules=20,
        mutators={"put": put},
        merge=merge,
        value=dict[str, int].copy,
    )
    assert report.laws["merge is associative"] == 20


def test_making_effect_must_not_change_replica() -> None:
    class Hasty(right.MaxRegister):
        """Applies a change when it is made, and once more with its effect."""

        def put(self, number: int) -> tuple[str, int]:
            self.number += number
            return "put", number

    with pytest.raises(AssertionError, match="only `apply` changes a replica"):
        check_type(Hasty, [("put", 1)])


def test_update_changes_its_origin_and_travels() -> None:
    class Tally:
        """Adds up."""

        def __init__(self) -> None:
            self.sum = 0

        def add(self, amount: int) -> int | None:
            if amount > 5:
                return None
            self.sum += amount
            return amount

        def apply(self, amount: int) -> None:
            self.sum += amount

        @property
        def value(self) -> int:
            return self.sum

    report = check_type(Tally, [("add", 1), ("add", 9)], total, sends="update", schedules=20)
    assert "needs no order" in report.contract
    assert any(line.startswith("needs each message once") for line in report.contract)


def test_effects_that_are_states_are_exchanged_as_whole() -> None:
    class Loaded(right.MaxRegister):
        """Can be saved and loaded, but not merged."""

        def state(self) -> int:
            return self.number

        def load(self, state: int) -> None:
            self.number = state

    report = check_type(Loaded, [("put", 1), ("put", 2)], greatest, schedules=60)
    assert report.laws["whole states are exchanged"] > 0
    assert "merge is associative" not in report.laws


def test_uncopyable_state_is_named() -> None:
    class Locked(right.MaxRegister):
        """Holds a value that cannot be sent."""

        def __init__(self) -> None:
            super().__init__()
            self.lines = (line for line in ())

        def merge(self, other: Locked) -> None:
            self.number = max(self.number, other.number)

        def put(self, number: int) -> None:
            self.number = max(self.number, number)

    with pytest.raises((ValueError, AssertionError), match="cannot be copied"):
        check_type(Locked, [("put", 1)], sends="state", schedules=1)


def test_delta_that_is_refused_and_messages_that_stay_apart() -> None:
    family = ClassFamily(right.DeltaCounter, "delta", [("value",)], {})
    replica = family.new(1, lambda: 0)

    def refuse(_amount: int) -> None:
        pass

    replica.add = refuse
    assert family.perform(replica, ("add", 1)).refused
    assert ClassFamily(right.PNCounter, "state", [("value",)], {}).group(1, 2) is NOTHING


def test_refusing_prepare_sends_nothing() -> None:
    class Prepared(right.MaxRegister):
        """Refuses a number that is not greater than the present one."""

        def prepare(self, name: str, number: int) -> tuple[str, int] | None:
            return (name, number) if number > self.number else None

    report = check_type(Prepared, [("put", 1), ("put", 2)], greatest, schedules=20)
    assert report.subject == "Prepared"


def test_parts_join_their_own_deltas_only() -> None:
    makes = {"one": right.DeltaCounter, "other": right.DeltaCounter, "set": right.GrowSet}
    commands = [("one", "add", 1), ("other", "add", 2), ("set", "add", "a")]
    sends: Any = {"one": "delta", "other": "delta"}
    spec = {"one": total, "other": total, "set": members}
    report = check_type(makes, commands, spec, sends=sends, schedules=20)
    assert report.laws["deltas travel in groups"] > 0
    assert report.laws["value equals specification"] > 500


def test_disagreement_of_delta_names_law() -> None:
    family = ClassFamily(wrong.WrongDelta, "delta", [("value",)], {})
    with pytest.raises(Disagreement) as caught:
        family.perform(family.new(1, lambda: 0), ("add", 1))
    assert caught.value.law == "a delta equals the whole"


def test_delta_mutator_may_also_change_replica_alike() -> None:
    class Eager(right.DeltaCounter):
        """Adds to itself before it returns the delta."""

        def add(self, amount: int) -> right.DeltaCounter:
            delta = super().add(amount)
            self.merge(delta)
            return delta

    family = ClassFamily(Eager, "delta", [("value",)], {})
    here, there = family.new(1, lambda: 0), family.new(2, lambda: 0)
    done = family.perform(here, ("add", 3))
    assert (done.refused, done.replica.value()) == (False, 3)
    assert family.receive(there, done.message).value() == 3
