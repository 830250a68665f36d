"""The text of a failure about a key: its values in two places, and the operations behind them.

Checkers compare hashes and vectors. When these differ, the functions here find a key that differs,
and describe its values and the ops that wrote to it. They run only after a failure, so their cost
does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from crdt.causality.dots import Dot, Vector, dominates, name_origin, origin_of, seq_of
from crdt.causality.effect import FLUSH, is_key_effect
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.history import History
from sim.engine.events import SECOND
from sim.nodes.effect_decoder import EffectDecoder
from sim.nodes.formatting import format_bytes
from sim.nodes.run_history import Entry, RunHistory
from sim.nodes.state import format_value
from sim.nodes.state_hash import Elements, StateHash, what_stays

OPERATIONS_MAX: Final = 8  # ops listed in one text: the latest ones
TEXT_MAX: Final = 400  # characters of one value
IN_ORDER: Final = "a replica that got these operations in order"


@attrs.frozen
class Holder:
    """A replica that is compared with another one, with its name in the text."""

    name: str
    state_hash: StateHash


def in_both_orders(run_history: RunHistory, vector: Vector) -> Holder:
    """Return a reference replica that has applied each op of `vector` once, in order."""
    twin = Replica(255)
    for entry in run_history.ops_within(vector):
        twin.accept(Op.from_bytes(entry.data))
    return Holder(IN_ORDER, StateHash(twin.keyspace))


def explain_key(
    run_history: RunHistory, here: Holder, others: Iterable[Holder], clock: int, vector: Vector
) -> str:
    """Describe the first key that differs between `here`, which is at `vector`, and `others`.

    Keys that end by `clock` (ms) do not count. One of `others` may have applied more ops than
    `vector` covers. Keys that these ops have changed do not count either.
    """
    for there in others:
        known = vector
        later: set[bytes] = set()
        if there.name != IN_ORDER and there.state_hash.db.vector != vector:
            known = there.state_hash.db.vector
            if not dominates(known, vector):
                continue
            later = changed_since(run_history, vector, known, there.state_hash.db.held_keys())
        key = differing_key(here.state_hash, there.state_hash, clock, later)
        if key is not None:
            return (
                f"; under {format_bytes(key)!r} {here.name} holds"
                f" {held_text(here.state_hash.db, key)},"
                f" {there.name} holds {held_text(there.state_hash.db, key)};"
                f" written by {operations_text(operations_on(run_history, key, vector))}"
            )
    return "; no key differs by now"


def changed_since(
    run_history: RunHistory, vector: Vector, known: Vector, keys: Iterable[bytes]
) -> set[bytes]:
    """Return the keys written by ops that `known` covers and `vector` does not."""
    found: set[bytes] = set()
    for entry in missing_effects(run_history, vector, known):
        for effect in Op.from_bytes(entry.data).effects:
            found.update(keys if is_key_effect(effect, FLUSH) else (effect[2],))
    return found


def missing_effects(run_history: RunHistory, vector: Vector, known: Vector) -> list[Entry]:
    """Return the ops that `known` covers and `vector` does not."""
    return [
        each for each in run_history.ops_within(known) if each.last > vector.get(each.origin, 0)
    ]


def differing_key(one: StateHash, other: StateHash, clock: int, later: set[bytes]) -> bytes | None:
    """Return the first key, in byte order, that differs, except keys in `later`."""
    for key in sorted({*one.db.held_keys(), *other.db.held_keys()} - later):
        mine, theirs = (what_stays(each.hash_key(key), clock) for each in (one, other))
        if mine != theirs:
            return key
    return None


def held_text(db: Keyspace, key: bytes) -> str:
    """Return the value of a key, expired or not, and its deadline."""
    parts = db.live_parts(key)
    if not parts:
        return "nothing"
    text = " and ".join(format_value(db, part) for part in parts).removeprefix("= ")
    deadline = db.deadline(key)
    until = "" if deadline is None else f" until {deadline} ms"
    return (text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…") + until


def elements_text(elements: Elements) -> str:
    """Return the elements of a key as text."""
    names = [format_bytes(name) for _, some in elements for name in sorted(some)]
    return " ".join(names) if names else "nothing"


def operations_on(
    run_history: RunHistory, key: bytes, vector: Vector
) -> list[tuple[Entry, list[TypeCommand]]]:
    """Return the ops of `vector` that wrote to a key, each with its commands on that key."""
    found: list[tuple[Entry, list[TypeCommand]]] = []
    for entry, effects in translated(run_history):
        if entry.last <= vector.get(entry.origin, 0):
            here = [command for wrote, command in effects if wrote in {key, None}]
            if here:
                found.append((entry, here))
    return found


def translated(
    run_history: RunHistory,
) -> Iterator[tuple[Entry, list[tuple[bytes | None, TypeCommand]]]]:
    """Yield all ops in order, each with the key and the command of each of its effects.

    The key is None for a command that affects all keys.
    """
    decoder = EffectDecoder()
    for entry in run_history.in_order:
        effects = Op.from_bytes(entry.data).effects
        yield (
            entry,
            [
                (
                    None if is_key_effect(each, FLUSH) else each[2],
                    decoder.decode_effect(each, entry.origin),
                )
                for each in effects
            ],
        )


def operations_text(operations: Sequence[tuple[Entry, Sequence[TypeCommand]]]) -> str:
    """Return operations as text: the commands, the region, the virtual time and the dots."""
    shown = [
        f"{', '.join(map(str, commands))} {origin_of_op(entry)}"
        for entry, commands in operations[-OPERATIONS_MAX:]
    ]
    left_out = len(operations) - len(shown)
    return "; ".join([f"{left_out} earlier operations", *shown] if left_out else shown) or "nobody"


def missing_text(run_history: RunHistory, name: str, vector: Vector, known: Vector) -> str:
    """Describe the ops of `known` that `name`, which is at `vector`, lacks; empty if none."""
    found = missing_effects(run_history, vector, known)
    return f"; {name} lacks {entries_text(run_history, found)}" if found else ""


def entries_text(run_history: RunHistory, entries: Sequence[Entry]) -> str:
    """Return some of the recorded ops as text."""
    return operations_text(
        [
            (entry, [command for _, command in effects])
            for entry, effects in translated(run_history)
            if entry in entries
        ]
    )


def origin_of_op(entry: Entry) -> str:
    """Return the region, the virtual time and the dots of an op as text."""
    return f"by {entry.region} at {entry.at / SECOND:.3f} s ({entry!r})"


def describe_effect(history: History, run_history: RunHistory) -> str:
    """Return the history of a key as text: each effect with its region, time and wall clock.

    The bits after `seen` are the earlier effects that it had observed.
    """
    return "; ".join(
        f"{event.command} {region_of_op(event.dot, run_history)}, clock {event.clock},"
        f" seen {event.past:b})"
        for event in history
    )


def region_of_op(dot: Dot, run_history: RunHistory) -> str:
    """Return the region, virtual time and dot of an effect, without the closing bracket."""
    origin, seq = origin_of(dot), seq_of(dot)
    entry = run_history.find_covering(origin, seq)
    where = f"by {entry.region} at {entry.at / SECOND:.3f} s " if entry is not None else ""
    return f"{where}({name_origin(origin)}:{seq}"
