"""The specification of each type: a function from the visible operations to the value.

The specifications document the conflict rules. After every step of a schedule, each changed replica
is compared with them. They do not use dots, vectors or garbage collection. Their only input is
which command each region executed, and which other commands it had seen. The specification of the
keyspace combines the types: one key may hold several types (D-02), a key may have expired (EXP-*,
D-10), and a command may clear everything that it had seen.

Most specifications use two definitions. An operation is *live* if no visible operation that undoes
its kind had seen it. A write to a key that is invisible in its region, because it does not exist or
has expired, first clears the remaining content of the key there (EXP-6).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from crdt.causality.dots import Origin
from crdt.numbers.number import exact, text_of
from crdt.testing.builtin_types import commands, stream_commands
from crdt.testing.builtin_types.hyperloglog_meaning import hyperloglog
from crdt.testing.builtin_types.json_commands import JSON_PERFORM, JSON_SAMPLES, json_change
from crdt.testing.builtin_types.json_specification import json_document
from crdt.testing.builtin_types.register_changes import (
    ChangesOf,
    hash_changes,
    set_changes,
    string_changes,
    zset_changes,
)
from crdt.testing.builtin_types.stream_meaning import specify_stream
from crdt.testing.builtin_types.type_specification import Meaning, Part, TypeSpecification
from crdt.testing.history import History, HistoryEvent, unseen
from crdt.types.registry import DEFINITIONS

FOREVER: Final = 1 << 60
NUMERIC: Final = re.compile(r"-?\d+(\.\d+)?")

Shown = tuple[str, Any, int | None]  # type, value, deadline


# -- the keyspace --------------------------------------------------------------------------------

CLEARS: Final = {"DEL", "FLUSHALL", "SET", "RENEW"}
FORGET: Final = "FORGET"  # removes deadlines at FOREVER; only garbage collection writes it


def keyspace(history: History) -> dict[str, Shown]:
    """Return the type, value and deadline of each key."""
    keys = sorted({event.command.key for event in history if event.command.key})
    shown = {key: visible_state(history, key) for key in keys}
    return {key: entry for key, entry in shown.items() if entry is not None}


def visible_state(history: History, key: str) -> Shown | None:
    """Return the visible entry of one key. Of several types, the lowest origin wins (D-02)."""
    about = [t for t in history if t.command.key == key or t.command.name == "FLUSHALL"]
    if not about:
        return None
    ends = deadline(history, about)
    if ends < history.now:
        return None
    names = {event.command.name for event in about}
    kinds = [kind for kind, each in SPECIFICATIONS.items() if not names.isdisjoint(each.makes)]
    parts = [(kind, SPECIFICATIONS[kind].meaning(history, about)) for kind in kinds]
    alive = [(part[1], CODES[kind], kind, part[0]) for kind, part in parts if part]
    if not alive:
        return None
    _, _, kind, value = min(alive, key=lambda entry: entry[:2])
    return kind, value, None if ends >= FOREVER else ends


def begins_with_clear(history: History, event: HistoryEvent) -> bool:
    """Return whether a write clears its key first. It does so if the key had a time to live but no
    visible value in the region of the write."""
    found = event.notes.get("fresh")
    if found is None:
        before = history.before(event)
        key, name = event.command.key, event.command.name
        clears = name in CLEARS or name == FORGET
        found = not clears and has_deadline(before, key) and visible_state(before, key) is None
        event.notes["fresh"] = found
    return bool(found)


def find_clears(history: History, about: list[HistoryEvent]) -> list[HistoryEvent]:
    """Return the operations that removed all content of the key that they had seen."""
    return [t for t in about if t.command.name in CLEARS or begins_with_clear(history, t)]


def deadline(history: History, about: list[HistoryEvent]) -> int:
    """Return the deadline of a key: the latest of the concurrent ones (EXP-1 to EXP-3, D-10)."""
    return max((ends_at(history, t) or 0 for t in deadlines(history, about)), default=FOREVER)


def deadlines(history: History, about: list[HistoryEvent]) -> list[HistoryEvent]:
    """Return the changes of the time to live that are neither replaced nor cleared. Deadlines that
    garbage collection has removed count, because it must not change any visible value."""
    changes = [t for t in about if ends_at(history, t) is not None]
    return unseen(changes, [*changes, *find_clears(history, about)]) if changes else []


def has_deadline(history: History, key: str) -> bool:
    """Return whether a key has a time to live, even if it has no value."""
    about = [t for t in history if t.command.key == key or t.command.name == "FLUSHALL"]
    return bool(deadlines(history, about))


def ends_at(history: History, event: HistoryEvent) -> int | None:
    """Return the deadline that an operation sets, or None."""
    made = event.command
    if made.name == "SET":
        return FOREVER
    if made.name == "RENEW":
        return FOREVER if made.args[1] is None else made.args[1]
    if made.name not in ("EXPIREAT", "PERSIST") or begins_with_clear(history, event):
        return None
    return FOREVER if made.name == "PERSIST" else made.args[0]


# -- registers with increments: strings, fields, scores -------------------------------------------


def registers(history: History, about: list[HistoryEvent], changes_of: ChangesOf) -> dict[Any, Any]:
    """Return each register's live writes, live increments and lowest live origin, by name.

    The first of the live writes is the visible one.
    """
    clears = find_clears(history, about)
    done = [(event, changes_of(event.command)) for event in about]
    names: dict[Any, Any] = {name: None for _, each in done for name in each}
    for name in names:
        mine = [(event, each[name]) for event, each in done if name in each]
        undo = [event for event, change in mine if change[0] != "add"]
        live = unseen([t for t, change in mine if change[0] != "remove"], [*undo, *clears])
        value_of = {event.index: change[1] for event, change in mine}
        written = [event for event, change in mine if change[0] == "write"]
        writes = [t for t in live if t in written]
        writes.sort(key=lambda t: (-register_stamp(history, t, name, changes_of), t.origin))
        names[name] = (
            [value_of[t.index] for t in writes],
            [value_of[t.index] for t in live if t not in written],
            min((t.origin for t in live), default=0),
        )
    return {name: found for name, found in names.items() if found[2]}


def register_stamp(history: History, write: HistoryEvent, name: Any, changes_of: ChangesOf) -> int:
    """Return the stamp of a write: its clock, but at least 1 more than the stamps of the live
    writes that it had seen (ORD-7). Writes that it cleared first count only for a plain SET."""
    found = write.notes.get((name, changes_of))
    if found is None:
        found = write.clock
        if write.command.name != "RENEW" and not begins_with_clear(history, write):
            before = history.before(write)
            about = [t for t in before if t.command.key in (write.command.key, "")]
            clears = find_clears(before, about)
            undo = [t for t in about if changes_of(t.command).get(name, ("add",))[0] != "add"]
            live = unseen(undo, [*undo, *clears])
            writes = [t for t in live if changes_of(t.command)[name][0] == "write"]
            stamps = [register_stamp(before, t, name, changes_of) for t in writes]
            found = max([write.clock, *(s + 1 for s in stamps)])
        write.notes[name, changes_of] = found
    return int(found)


def text(writes: list[str], increments: list[Any]) -> str:
    """Return the visible write plus the increments, if it is a number (CTR-6, D-04)."""
    base = writes[0] if writes else "0"
    if not increments or not NUMERIC.fullmatch(base):
        return base
    number = Decimal(base) + sum((Decimal(str(n)) for n in increments), Decimal(0))
    return text_of(exact(number)).decode()


def string(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the value of a string: a register with increments (STR-*, CTR-*)."""
    found = registers(history, about, string_changes)
    return (text(*found[""][:2]), found[""][2]) if found else None


def hash_fields(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the value of a hash: strings by field (HSH-*). Fields that have expired are hidden."""
    found = registers(history, about, hash_changes)
    found = {f: each for f, each in found.items() if field_ends(history, about, f) >= history.now}
    fields = [(field, text(*found[field][:2])) for field in sorted(found)]
    return (fields, min(found[field][2] for field in found)) if found else None


def field_ends(history: History, about: list[HistoryEvent], field: Any) -> int:
    """Return the deadline of a field: the latest of the concurrent ones. A write is one that never
    comes (HSH-10, D-10)."""
    changes: list[HistoryEvent] = []
    removers = find_clears(history, about)
    values: dict[int, int] = {}
    for event in about:
        made = event.command
        kind = hash_changes(made).get(field, ("",))[0]
        if made.name == "HPEXPIREAT" and field in made.args[1:]:
            changes.append(event)
            values[event.index] = made.args[0]
        elif kind == "write":
            changes.append(event)
            values[event.index] = FOREVER
        elif kind in ("remove", "anew"):
            removers.append(event)
    live = unseen(changes, [*changes, *removers])
    return max((values[event.index] for event in live), default=FOREVER)


def sorted_set(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the value of a sorted set: scores by member (ZST-*)."""
    found = registers(history, about, zset_changes)
    scores = [(m, sum(found[m][0][:1]) + sum(found[m][1])) for m in sorted(found)]
    return (scores, min(found[member][2] for member in found)) if found else None


def add_wins_set(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the value of an add-wins set: members with a live add (SET-*)."""
    found = registers(history, about, set_changes)
    return (sorted(found), min(found[m][2] for m in found)) if found else None


# -- types of embedding programs only -------------------------------------------------------------


def multi(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the values of a multi-value register: the writes that no other write had seen."""
    writes = [t for t in about if t.command.name == "MVSET"]
    live = unseen(writes, [*writes, *find_clears(history, about)])
    values = sorted({str(t.command.args[0]) for t in live})
    return (values, min(t.origin for t in live)) if live else None


def remove_wins_set(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the value of a remove-wins set: members whose latest operations are all adds."""
    changes = [t for t in about if t.command.name in ("RWADD", "RWREM")]
    clears = find_clears(history, about)
    present: dict[Any, Origin] = {}
    for member in {member for t in changes for member in t.command.args}:
        mine = [t for t in changes if member in t.command.args]
        live = unseen(mine, [*mine, *clears])
        if live and all(t.command.name == "RWADD" for t in live):
            present[member] = min(t.origin for t in live)
    return (sorted(present), min(present.values())) if present else None


def growing(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the value of a growing counter: the increments that no command has cleared."""
    adds = [t for t in about if t.command.name == "GROWBY"]
    live = unseen(adds, find_clears(history, about))
    return (sum(t.command.args[0] for t in live), min(t.origin for t in live)) if live else None


def specify_flag(enable: str, disable: str, disable_wins: bool) -> Meaning:
    """Return the specification of a flag. The flag is on if an enable is live. If `disable_wins`,
    no disable may be live."""

    def flag(history: History, about: list[HistoryEvent]) -> Part | None:
        changes = [t for t in about if t.command.name in (enable, disable)]
        live = unseen(changes, [*changes, *find_clears(history, about)])
        enables = [t for t in live if t.command.name == enable]
        if not enables or (disable_wins and len(live) > len(enables)):
            return None
        return True, min(t.origin for t in enables)

    return flag


# -- lists ---------------------------------------------------------------------------------------


def elements(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the elements of a list, sorted by value. `ListOrder` checks their real order."""
    clears = find_clears(history, about)
    changes = [t for t in about if t.command.name in ("LSET", "LREM")]
    live: list[str] = []
    origins: list[Origin] = []
    for push in [t for t in about if t.command.name == "PUSH"]:
        for index, value in enumerate(push.command.args):
            writes, origin = element(history, changes, (push, index, clears))
            if writes:
                live.append(writes[0] if writes[0] is not None else value)
                origins.append(origin)
    return (sorted(str(value) for value in live), min(origins)) if live else None


def element(history: History, changes: list[HistoryEvent], which: Any) -> tuple[list[Any], Origin]:
    """Return the live values of one element, the visible one first, and the lowest live origin.

    None stands for the value with which the element was inserted.
    """
    push, index, clears = which
    name = (push.dot, index)
    sets = [t for t in changes if t.command.name == "LSET" and t.command.args[0] == name]
    removes = [t for t in changes if t.command.name == "LREM" and name in t.command.args]
    live = unseen([push, *sets], [*sets, *removes, *clears])
    live.sort(key=lambda t: (-element_stamp(history, t, name), t.origin))
    values = [None if t is push else t.command.args[1] for t in live]
    return values, min((t.origin for t in live), default=0)


def element_stamp(history: History, write: HistoryEvent, name: Any) -> int:
    """Return the stamp of an LSET. It is 0 for the insertion of the element."""
    if write.command.name != "LSET":
        return 0
    found = write.notes.get(name)
    if found is None:
        before = history.before(write)
        about = [t for t in before if t.command.key in (write.command.key, "")]
        sets = [t for t in about if t.command.name == "LSET" and t.command.args[0] == name]
        removes = [t for t in about if t.command.name == "LREM" and name in t.command.args]
        live = unseen(sets, [*sets, *removes, *find_clears(before, about)])
        stamps = [element_stamp(before, t, name) + 1 for t in live]
        found = write.notes[name] = max([write.clock, *stamps])
    return int(found)


def hyperloglogs(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the registers of a HyperLogLog as codes."""
    return hyperloglog(about, find_clears(history, about))


def json_documents(history: History, about: list[HistoryEvent]) -> Part | None:
    """Return the text of a JSON document."""
    return json_document(about, find_clears(history, about))


CODES: Final = {each.name: each.code for each in DEFINITIONS}
"""The type codes. If two types have equal origins, the lower code wins (D-02)."""
SPECIFICATIONS: Final[dict[str, TypeSpecification]] = {
    "string": TypeSpecification(
        meaning=string,
        makes=frozenset({"SET", "KEEP", "RENEW", "INCRBY"}),
        perform={
            "SET": commands.assign,
            "KEEP": commands.assign_keep,
            "APPEND": commands.append,
            "SETRANGE": commands.set_range,
            "INCRBY": commands.increment,
        },
        subject="string",
        samples=(
            *("SET k a", "SET k '7'", "APPEND k '5'", "INCRBY k 1"),
            *("INCRBY k 10", "INCRBY k 0.1", "SET k '7.0'"),
            *("SETRANGE k 1 pq", "SETRANGE k 0 z", "SETRANGE k 2 '5'"),
        ),
    ),
    "set": TypeSpecification(
        meaning=add_wins_set,
        makes=frozenset({"SADD"}),
        perform={"SADD": commands.set_add, "SREM": commands.set_remove},
        subject="set",
        samples=("SADD k a", "SADD k a b c", "SREM k a", "SREM k b c", "SADD k d"),
    ),
    "hash": TypeSpecification(
        meaning=hash_fields,
        makes=frozenset({"HSET", "HINCRBY"}),
        perform={
            "HSET": commands.hash_assign,
            "HDEL": commands.hash_remove,
            "HINCRBY": commands.hash_increment,
            "HPEXPIREAT": commands.hash_expire,
            "HPERSIST": commands.hash_persist,
        },
        subject="hash",
        samples=(
            *("HSET k f a", "HSET k f '7' g '8'", "HINCRBY k f 1", "HINCRBY k g 10"),
            *("HDEL k f", "HDEL k f g", "HINCRBY k f 0.1"),
            *("HPEXPIREAT k 10 f", "HPEXPIREAT k 40 f g", "HPERSIST k f", "HPEXPIREAT k 200 g"),
        ),
    ),
    "sorted set": TypeSpecification(
        meaning=sorted_set,
        makes=frozenset({"ZADD", "ZINCRBY"}),
        perform={
            "ZADD": commands.zset_assign,
            "ZREM": commands.zset_remove,
            "ZINCRBY": commands.zset_increment,
        },
        subject="sorted-set",
        samples=(
            *("ZADD k a 1.0", "ZADD k a 2.5 b 3.0", "ZINCRBY k a 1.0"),
            *("ZINCRBY k b 0.5", "ZREM k a", "ZREM k a b"),
        ),
    ),
    "list": TypeSpecification(
        meaning=elements,
        makes=frozenset({"PUSH"}),
        perform=dict.fromkeys(commands.LIST_PERFORM, commands.list_change),
        subject="list",
        samples=(
            *("RPUSH k a", "RPUSH k b c d", "LPUSH k e", "LPUSH k f g h"),
            *("LINSERT k 1 i", "LINSERT k 2 j", "LSET k 0 m", "LSET k 0 o", "LSET k 0 p"),
            *("LSET k 1 n", "LPOP k", "RPOP k", "LTRIM k 1 3"),
        ),
    ),
    "hyperloglog": TypeSpecification(
        meaning=hyperloglogs,
        makes=frozenset({"PFRAISE"}),
        perform={"PFRAISE": commands.raise_registers},
        subject="hyperloglog",
        samples=("PFRAISE k 65", "PFRAISE k 66 129", "PFRAISE k 130", "PFRAISE l 65"),
    ),
    "stream": TypeSpecification(
        meaning=specify_stream(find_clears),
        makes=frozenset({"XADD", "XGROUPCREATE", "XSETID"}),
        perform=dict.fromkeys(stream_commands.CHANGES, stream_commands.change),
        subject="stream",
        samples=stream_commands.SAMPLES,
    ),
    "multi-value": TypeSpecification(
        meaning=multi,
        makes=frozenset({"MVSET"}),
        perform={"MVSET": commands.multi_assign},
        subject="multi-value",
        samples=("MVSET k a", "MVSET k b", "MVSET k c"),
    ),
    "remove-wins set": TypeSpecification(
        meaning=remove_wins_set,
        makes=frozenset({"RWADD"}),
        perform=dict.fromkeys(("RWADD", "RWREM"), commands.remove_wins_change),
        subject="set-remove-wins",
        samples=("RWADD k a", "RWADD k a b c", "RWREM k a", "RWREM k b c", "RWREM k a b"),
    ),
    "growing counter": TypeSpecification(
        meaning=growing,
        makes=frozenset({"GROWBY"}),
        perform={"GROWBY": commands.grow},
        subject="counter-grow",
        samples=("GROWBY k 1", "GROWBY k 10", "GROWBY k 100"),
    ),
    "enable-wins flag": TypeSpecification(
        meaning=specify_flag("EWENABLE", "EWDISABLE", False),
        makes=frozenset({"EWENABLE"}),
        perform=dict.fromkeys(("EWENABLE", "EWDISABLE"), commands.flag_change),
        subject="flag",
        samples=("EWENABLE k", "EWDISABLE k"),
    ),
    "disable-wins flag": TypeSpecification(
        meaning=specify_flag("DWENABLE", "DWDISABLE", True),
        makes=frozenset({"DWENABLE"}),
        perform=dict.fromkeys(("DWENABLE", "DWDISABLE"), commands.flag_change),
        subject="flag",
        samples=("DWENABLE l", "DWDISABLE l", "DEL l"),
    ),
    "JSON": TypeSpecification(
        meaning=json_documents,
        makes=frozenset({"JSON.ASSIGN"}),
        perform=dict.fromkeys(JSON_PERFORM, json_change),
        subject="json",
        samples=JSON_SAMPLES,
    ),
}
"""The specification of each type by the name of its definition."""
