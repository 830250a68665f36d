"""Commands that write whole values of JSON documents: JSON.SET, JSON.MSET, JSON.MERGE.

Each place that a path selects is written by an effect of its own. Of concurrent writes of one
place, that of the lower region is seen (JSN-6). Writes of different places merge (JSN-11).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crdb.commands.family import CommandFamily
from crdb.commands.json.requests import (
    NEW_AT_ROOT,
    Found,
    check_depth,
    document_to_change,
    find,
    path_of,
    still_there,
    value_of,
)
from crdb.commands.shared import slicing
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError, wrong_arity
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.json import JsonDocument
from crdt.types.json_path.selectors import JsonPath, NameSelector
from crdt.types.json_tree.addresses import Address
from crdt.types.json_tree.places import JsonPlace
from crdt.types.json_tree.texts import is_object, text_of
from crdt.writes import json as documents

COMMANDS: Final[CommandFamily] = CommandFamily("json", since="1.0.0")

NOT_STATIC: Final = b"Err wrong static path"
INDEX_OUT_OF_RANGE: Final = b"ERR array index out of range"
MSET_ARITY: Final = wrong_arity(b"json.mset")


class WritePlan:
    """The places that a request writes: existing ones, or a new member of existing objects."""

    __slots__ = ("new", "replaced")

    def __init__(self) -> None:
        self.replaced: Found = []
        self.new: list[tuple[JsonPlace, str]] = []
        """Objects, and the name of the member that they get."""

    def is_empty(self) -> bool:
        """Return whether nothing is written."""
        return not self.replaced and not self.new

    def check(self, value: Any) -> None:
        """Raise CommandError if a value is too deep to be written."""
        check_depth(self.replaced, value)
        for parent, name in self.new:
            check_depth([parent.named(name, None)], value)


def plan_write(
    document: JsonDocument, path: JsonPath, plan: WritePlan, condition: bytes
) -> Iterator[None]:
    """Find what a write of a path concerns, in slices. `condition` is `NX`, `XX` or empty. Raises
    CommandError."""
    yield from find(document, path, plan.replaced)
    if condition != b"NX" and (plan.replaced or condition == b"XX"):
        return
    if not path.is_static():
        raise CommandError(NOT_STATIC)
    last = path.selectors[len(path.selectors) - 1]
    is_there = len(plan.replaced) > 0
    plan.replaced = []
    if not isinstance(last, NameSelector):
        if is_there:
            return
        raise CommandError(INDEX_OUT_OF_RANGE)
    parents: Found = []
    above = JsonPath(path.selectors[:-1], path.text, path.original, path.is_legacy)
    yield from find(document, above, parents)
    if not is_there:
        name = last.names[0]
        plan.new = [(parent, name) for parent in parents if parent.kind() == "object"]


def assign_all(client: Client, key: bytes, plan: WritePlan, text: bytes) -> Iterator[None]:
    """Write a value at all places of a plan."""
    for index, place in enumerate(plan.replaced):
        if index and index % client.slice_items == 0:
            yield
        if still_there(client.db, key, place):
            documents.assign(client.db, key, place.slot_address(), text)
    for parent, name in plan.new:
        address = (*parent.node_address(), name.encode())
        documents.assign(client.db, key, address, text)


def reply_written(client: Client, is_written: bool) -> None:
    """Reply OK, or null if nothing was written."""
    if is_written:
        reply.ok(client.out)
    else:
        reply.null(client.out, client.protocol)


@COMMANDS.declare(
    "json.set",
    "key path json [condition: NX | XX]",
    "write denyoom sliced",
    keys="RW access update",
    summary="Sets the value at a path of a JSON document, which a write of the root creates.",
    complexity="O(M + N) for a value of size N, and M values that the path visits.",
)
def json_set(client: Client, args: list[bytes]) -> None:
    key, path = args[1], path_of(args[2])
    condition = condition_of(args[4:])
    document = document_to_change(client.db, key)
    value = value_of(args[3])
    if document is None:
        if condition == b"XX":
            reply.null(client.out, client.protocol)
            return
        if not path.is_root():
            raise CommandError(NEW_AT_ROOT)
    if document is None or path.is_root():
        if document is None or condition != b"NX":
            documents.assign(client.db, key, (), text_of(value))
        reply_written(client, document is None or condition != b"NX")
        return
    steps = set_places(client, key, (document, path, condition), value)
    slicing.run(client, args, path.visits_max(document.count_items()), steps)


def condition_of(options: list[bytes]) -> bytes:
    """Return `NX`, `XX` or an empty string. Raises CommandError for other options."""
    if not options:
        return b""
    if len(options) > 1 or not any(arguments.is_word(options[0], w) for w in (b"NX", b"XX")):
        raise CommandError(SYNTAX)
    return options[0].upper()


def set_places(
    client: Client, key: bytes, where: tuple[JsonDocument, JsonPath, bytes], value: Any
) -> Iterator[None]:
    """Write a value at the places of a path, in slices."""
    document, path, condition = where
    plan = WritePlan()
    yield from plan_write(document, path, plan, condition)
    plan.check(value)
    yield from assign_all(client, key, plan, text_of(value))
    reply_written(client, not plan.is_empty())


@COMMANDS.declare(
    "json.mset",
    "(triplet: key path json)...",
    "write denyoom sliced",
    since="2.6.0",
    keys="RW access update",
    summary="Sets values at paths of JSON documents.",
    complexity="O(K * (M + N)) for K values of size N, and M values that each path visits.",
)
def json_mset(client: Client, args: list[bytes]) -> None:
    if len(args) % 3 != 1:
        raise CommandError(MSET_ARITY)
    slots = 0
    for index in range(1, len(args), 3):
        document = document_to_change(client.db, args[index])
        if document is not None:
            slots += path_of(args[index + 1]).visits_max(document.count_items())
    slicing.run(client, args, slots + len(args), set_many(client, args))


def set_many(client: Client, args: list[bytes]) -> Iterator[None]:
    """Check all values and paths, and then write them, in slices."""
    plans: list[tuple[bytes, WritePlan | None, bytes]] = []
    for index in range(1, len(args), 3):
        key, path = args[index], path_of(args[index + 1])
        document = document_to_change(client.db, key)
        plan: WritePlan | None = None
        if not path.is_root():
            if document is None:
                raise CommandError(NEW_AT_ROOT)
            plan = WritePlan()
            yield from plan_write(document, path, plan, b"")
        value = value_of(args[index + 2])
        if plan is not None:
            plan.check(value)
        plans.append((key, plan, text_of(value)))
        yield
    for key, plan, text in plans:
        if plan is None:
            documents.assign(client.db, key, (), text)
        else:
            yield from assign_all(client, key, plan, text)
        yield
    reply.ok(client.out)


# -- merging -----------------------------------------------------------------------------------


@COMMANDS.declare(
    "json.merge",
    "key path json",
    "write denyoom sliced",
    since="2.6.0",
    keys="RW access update",
    summary="Merges a value into the values at a path, as RFC 7396 says: null removes a member.",
    complexity="O(M + N) for a value of size N, and M values that the path visits.",
)
def json_merge(client: Client, args: list[bytes]) -> None:
    key, path = args[1], path_of(args[2])
    document = document_to_change(client.db, key)
    value = value_of(args[3])
    if document is None:
        if not path.is_root():
            raise CommandError(NEW_AT_ROOT)
        documents.assign(client.db, key, (), text_of(value))
        reply.ok(client.out)
        return
    steps = merge_places(client, key, (document, path), value)
    slicing.run(client, args, path.visits_max(document.count_items()), steps)


def merge_places(
    client: Client, key: bytes, where: tuple[JsonDocument, JsonPath], value: Any
) -> Iterator[None]:
    """Merge a value into the places of a path, in slices."""
    document, path = where
    plan = WritePlan()
    if path.is_root():
        yield from find(document, path, plan.replaced)
    else:
        yield from plan_write(document, path, plan, b"")
    plan.check(value)
    merge = MergePatch(client.db, key)
    for index, place in enumerate(plan.replaced):
        if index:
            yield
        if still_there(client.db, key, place):
            merge.apply(place, value)
    plan.replaced, is_merged = [], len(plan.replaced) > 0
    yield from assign_all(client, key, plan, text_of(value))
    reply_written(client, is_merged or not plan.is_empty())


class MergePatch:
    """The merging of values into the document under a key."""

    __slots__ = ("db", "key")

    def __init__(self, db: Keyspace, key: bytes) -> None:
        self.db: Keyspace = db
        self.key: bytes = key

    def apply(self, place: JsonPlace, patch: Any) -> None:
        """Merge a value into a place: write the members that it has, and remove those that are
        null. Only what differs is written."""
        if not is_object(patch) or place.kind() != "object":
            self.assign(place.slot_address(), without_nulls(patch))
            return
        removed: list[Address] = []
        for name, value in patch.items():
            member = place.member(name)
            if value is None:
                if member is not None:
                    removed.append(member.slot_address())
            elif member is not None:
                self.apply(member, value)
            else:
                self.assign((*place.node_address(), name.encode()), without_nulls(value))
        documents.remove_members(self.db, self.key, removed)

    def assign(self, address: Address, value: Any) -> None:
        """Write a value."""
        documents.assign(self.db, self.key, address, text_of(value))


def without_nulls(value: Any) -> Any:
    """Return a value without the members that are null, in objects that are not in arrays."""
    if not is_object(value):
        return value
    return {name: without_nulls(each) for name, each in value.items() if each is not None}
