"""Refused arguments of a replica, and their error messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crdt import Op, Replica, Snapshot, make_origin, region_of
from tests.crdt.testing.planted import Cart


def test_members_name_replica_itself() -> None:
    """Otherwise the other members, which have the same list, would forget what this replica has not
    seen."""
    sentence = r"replica 3 is not among its members \[1, 2\]: list .* this one too, or pass \[\]"
    with pytest.raises(ValueError, match=sentence):
        Replica(3, members=[1, 2])
    data = Replica(3, members=[1, 2, 3]).close()
    with pytest.raises(ValueError, match=sentence):
        Replica.load(data, members=[1, 2])


def test_replica_that_never_writes_has_no_members() -> None:
    writer, reader = Replica(1, members=[1]), Replica(2, members=[])
    writer.counter("k").increment()
    writer.delete("k")
    reader.apply(writer.changes_for(reader.vector))
    reader.collect()
    assert reader.statistics().garbage_pending == 0


def test_odd_arguments_of_replica_are_refused() -> None:
    odd: Any = 5
    with pytest.raises(TypeError, match="types are classes, not 5"):
        Replica(1, types=[odd])
    with pytest.raises(ValueError, match="waiting_bytes is -1: use 0 or more"):
        Replica(1, waiting_bytes=-1)
    with pytest.raises(ValueError, match="history_bytes is -1: use 0 or more"):
        Replica(1, history_bytes=-1)


@pytest.mark.parametrize("now", [1.5, "1", None, True])
def test_clock_of_another_type_is_named(now: Any) -> None:
    with pytest.raises(TypeError, match="clock returns integer milliseconds, not "):
        Replica(1, clock=lambda: now)
    readings: list[Any] = [5, now]
    replica = Replica(1, clock=lambda: readings.pop(0))
    with pytest.raises(TypeError, match="clock returns integer milliseconds, not "):
        replica.string("k").set("v")


NUMBERS: dict[str, Callable[[Any], object]] = {
    "origin": Replica,
    "history_bytes": lambda given: Replica(1, history_bytes=given),
    "waiting_bytes": lambda given: Replica(1, waiting_bytes=given),
    "group": lambda given: Replica(1, group=given),
    "a member": lambda given: Replica(1, members=[given]),
    "region": make_origin,
    "incarnation": lambda given: make_origin(1, given),
    "op_bytes": lambda given: Replica(1).divide_at(given),
    "keys_max": lambda given: Replica(1).collect(given),
    "a deadline": lambda given: Replica(1).set("s").expire_at(given),
    "operation": lambda given: Replica(1, types=[Cart]).value("k", Cart).do(given),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("given", ["1", "1mb", 1.5, b"1", True, [1]], ids=repr)
def test_argument_that_is_no_integer_is_named(name: str, given: Any) -> None:
    text = rf"^{name}: expected an integer, not {type(given).__name__}\b"
    with pytest.raises(TypeError, match=text):
        NUMBERS[name](given)


@pytest.mark.parametrize("name", sorted(set(NUMBERS) - {"origin"}))
def test_argument_out_of_range_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is -1: use [01] "):
        NUMBERS[name](-1)


def test_origin_out_of_range_is_named() -> None:
    with pytest.raises(ValueError, match="0 is not the number of a replica: use 1 to 255"):
        Replica(0)
    with pytest.raises(TypeError, match=r"^origin: expected an integer, not NoneType: an origin"):
        region_of(None)
    with pytest.raises(ValueError, match=r"^origin is 255: use 16384 to 4194303; an origin is"):
        region_of(255)
    assert region_of(make_origin(7, 3)) == 7
    replica = Replica(1)
    with pytest.raises(TypeError, match=r"^origin: expected an integer, not str: make_origin"):
        replica.reincarnate(odd("1"))
    with pytest.raises(ValueError, match=r"not another .* region 1: use make_origin\(1, incarn"):
        replica.reincarnate(make_origin(2))


def test_reports_and_clocks_are_checked() -> None:
    replica = Replica(1, members=[1, 2])
    with pytest.raises(TypeError, match=r"^region: expected an integer, not str"):
        replica.record_report(odd("2"), {})
    with pytest.raises(TypeError, match=r"milliseconds, not the float 1.5"):
        replica.record_report(2, {}, odd(1.5))
    with pytest.raises(TypeError, match=r"expected a Vector, not str: use Vector.from_text"):
        replica.record_report(2, odd("2=1"))
    with pytest.raises(TypeError, match=r"milliseconds, not str; use time.time_ns\(\)"):
        replica.advance(odd("5"))
    assert replica.keyspace.now == 0


def test_switches_are_true_or_false() -> None:
    replica = Replica(1)
    with pytest.raises(TypeError, match=r"^sort: expected True or False, not int$"):
        replica.snapshot(odd(1))
    with pytest.raises(TypeError, match=r"^disable_wins: expected True or False, not str$"):
        replica.flag("f", disable_wins=odd("yes"))
    with pytest.raises(TypeError, match=r"^resume: expected True or False, not str$"):
        Replica.load(replica.save(), resume=odd("no"))


@pytest.mark.parametrize(
    ("types", "text"),
    [
        (Cart, r"types: expected a list of classes, not type: use types=\[Cart\]"),
        (None, r"types: expected a list of classes, not NoneType: use types=\[YourType\]"),
        ("Cart", "types: expected a list of classes, not str"),
        ([len], "len cannot be made without arguments: .*Write `def __init__"),
        ([5], "types are classes, not 5"),
    ],
)
def test_types_are_a_list_of_classes(types: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        Replica(1, types=types)


def test_type_of_value_is_checked() -> None:
    replica = Replica(1)
    with pytest.raises(TypeError, match="types are classes, not 5"):
        replica.value("k", odd(5))
    with pytest.raises(ValueError, match=r"object: the code of a type is 128..255, not None"):
        replica.value("k", odd(object))
    with pytest.raises(ValueError, match=r"without type 128: pass types=\[Cart\] to Replica"):
        replica.value("k", Cart).do(0, b"milk")


def test_replica_is_no_mapping() -> None:
    """A key alone has no type."""
    replica: Any = Replica(1)
    with pytest.raises(TypeError, match=r"no items.*use replica.counter\('n'\), replica.string"):
        replica["n"] = 1
    with pytest.raises(TypeError, match=r"no items.*use replica.counter\('n'\), replica.string"):
        replica["n"]
    with pytest.raises(TypeError, match=r"deletes a key with replica.delete\('n'\)"):
        del replica["n"]
    assert "\ud800" not in replica


def test_text_that_is_not_unicode_is_explained() -> None:
    replica = Replica(1)
    for write in (replica.string, replica.delete, replica.set("s").add):
        with pytest.raises(UnicodeEncodeError, match="not Unicode text: pass bytes instead"):
            write("\ud800")
    assert "\ud800" not in replica.set("s")


@pytest.mark.parametrize("base", [Replica, Op, Snapshot], ids=lambda base: base.__name__)
def test_class_that_may_be_compiled_has_no_subclasses(base: Any) -> None:
    with pytest.raises(TypeError, match=f"Mine cannot be a subclass of {base.__name__}"):
        type("Mine", (base,), {})


def odd(argument: object) -> Any:
    """Return an argument of a type that the function does not accept."""
    return argument
