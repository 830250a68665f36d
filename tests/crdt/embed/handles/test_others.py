"""Handles of the types that Redis does not have."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica, WrongType
from tests.crdt.exchange import deliver_to
from tests.crdt.testing.planted import ADD, Cart, Register, Tally


def test_multi_value_register_shows_one_value_or_none() -> None:
    replica = Replica(1)
    assert replica.multi_value("k").values() == frozenset()
    replica.multi_value("k").set("a")
    replica.multi_value("k").set("b")
    assert replica.multi_value("k").values() == {"b"}


def test_growing_counter_grows() -> None:
    handle = Replica(1).counter_grow("k")
    assert handle.value == 0
    assert not handle
    assert handle.increment(3) == 3
    assert handle
    assert int(handle) == 3


def test_two_flags_are_two_types() -> None:
    replica = Replica(1)
    replica.flag("k").enable()
    with pytest.raises(WrongType):
        replica.flag("k", disable_wins=True).enable()
    replica.flag("l", disable_wins=True).enable()
    assert replica.flag("l", disable_wins=True)
    replica.flag("l", disable_wins=True).disable()
    assert not replica.flag("l", disable_wins=True)


def test_type_of_ones_own_has_handle() -> None:
    replica = Replica(1, types=(Cart, Tally))
    cart = replica.value("k", Cart)
    assert cart.get() == set()
    cart.do(ADD, "milk")
    assert cart.get() == {b"milk"}
    with pytest.raises(
        WrongType, match=r"'k' holds a Cart, not a Tally: use replica.value\('k', Cart\)"
    ):
        replica.value("k", Tally).do(ADD, 1)
    with pytest.raises(WrongType):
        replica.set("k").add("a")
    replica.set("s").add("a")
    with pytest.raises(WrongType):
        replica.value("s", Cart).get()
    assert cart.delete()
    assert cart.get() == set()


def test_unsendable_value_is_not_written() -> None:
    replica = Replica(1, types=(Cart,))
    cart = replica.value("k", Cart)
    for payload in ({1}, object(), 1 << 70):
        with pytest.raises(ValueError, match="cannot be sent"):
            cart.do(ADD, payload)
    with pytest.raises(ValueError, match="operation is 256: use 0 to 255"):
        cart.do(256, b"milk")
    with pytest.raises(TypeError, match="operation: expected an integer, not float"):
        cart.do(0.0, b"milk")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"operation 5 .*no effect of a cart"):
        cart.do(5, b"milk")
    assert replica.keyspace.seq == 0


def test_type_that_replica_was_not_made_with_is_not_written() -> None:
    replica = Replica(1)
    cart = replica.value("k", Cart)
    with pytest.raises(ValueError, match="without type 128"):
        cart.do(ADD, b"milk")
    assert cart.get() == set()
    assert replica.vector == {}


def test_value_refused_by_type_is_not_written() -> None:
    """A type without checks of its own is tried out on a copy. Otherwise an effect that fails
    halfway would use up a dot that no peer receives."""
    here, there = Replica(1, types=(Tally,)), Replica(2, types=(Tally,))
    tally = here.value("k", Tally)
    for payload in ((), ("text",), (b"a", 5)):
        with pytest.raises(ValueError, match="no effect of a Tally"):
            tally.do(ADD, *payload)
    tally.do(ADD, 5)
    deliver_to(here, there)
    assert there.value("k", Tally).get() == 5
    assert here.keyspace.seq == 1


class Limit(Tally):
    """A number that may not exceed 10. Each change is sent twice."""

    code = 143

    def prepare(self, operation: int, number: int) -> tuple[Any, ...] | None:
        return None if number > 10 else (operation, 2 * number)


def test_type_may_refuse_and_may_send_something_else() -> None:
    limit = Replica(1, types=(Limit,)).value("k", Limit)
    assert not limit.do(ADD, 11)
    assert limit.value == 0
    assert limit.do(ADD, 5)
    assert limit.value == 10


class Lasting(Register):
    """A type that cannot be deleted."""

    code = 144
    remove: Any = property()
    is_live: Any = property()


def test_multi_value_and_grow_counter_have_operators() -> None:
    replica = Replica(1)
    register = replica.multi_value("k")
    register.set("a")
    assert register.get() == register.value == {"a"}
    counter = replica.counter_grow("c")
    counter += 3
    assert counter.value == 3
