"""Commands in slices: what handlers of several families share.

A generator that does the work yields after about `Client.slice_items` items. Small work runs
immediately, so a command has one implementation for both where its speed allows that.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from crdb.commands.shared.sampling import Sample
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.structures.table import Table
from crdt.types.base import Value


def run(client: Client, args: list[bytes], items: int, steps: Iterator[None]) -> None:
    """Carry out a command that visits about `items` items: immediately if they are few, else in
    slices."""
    if items > client.slice_items:
        client.hand_over(args, steps)
    else:
        for _ in steps:
            pass


def reply_bulks(client: Client, texts: Iterable[bytes]) -> Iterator[None]:
    """Reply with strings, without a header."""
    out = client.out
    for piece in in_pieces(texts, client.slice_items):
        for text in piece:
            reply.bulk(out, text)
        yield


def reply_sample(client: Client, sample: Sample, count: int) -> Iterator[None]:
    """Reply with `count` random members, or with -`count` if it is negative, which may repeat."""
    yield from sample.choose(count, client.slice_items)
    reply.array(client.out, len(sample.chosen))
    yield from reply_bulks(client, sample.chosen)
    yield from empty_list(client, sample.chosen)


def empty_table(client: Client, held: Table) -> Iterator[None]:
    """Free a table that is not needed any more, in slices if it is large."""
    while len(held) > client.slice_items:
        held.pop_part()
        yield


def empty_list(client: Client, held: list[Any]) -> Iterator[None]:
    """Free the items of a large list that is not needed any more, in slices."""
    items = client.slice_items
    while len(held) > items:
        del held[-items:]
        yield


def empty_runs(runs: Sequence[list[Any]]) -> Iterator[None]:
    """Free sorted runs that were merged, each of at most a slice."""
    for run in runs:
        run.clear()
        yield


def sort_in_runs(
    client: Client,
    elements: list[Any],
    key: Callable[[Any], Any] | None,
    *,
    descending: bool,
) -> Iterator[None]:
    """Sort a list in place. A long one is sorted in runs, which are merged. Equal elements keep
    their order."""
    items = client.slice_items
    if len(elements) <= items:
        elements.sort(key=key, reverse=descending)
        return
    runs: list[list[Any]] = []
    for start in range(0, len(elements), items):
        runs.append(sorted(elements[start : start + items], key=key, reverse=descending))
        yield
    for index, element in enumerate(heapq.merge(*runs, key=key, reverse=descending)):
        elements[index] = element
        if index % items == 0:
            yield
    yield from empty_runs(runs)


def remove_each(
    client: Client, args: list[bytes], remove: Callable[[Keyspace, bytes, list[bytes]], int]
) -> Iterator[None]:
    """Remove elements, in slices if they are many. Reply with the number of those that existed. The
    arguments are the command's name, the key and the elements."""
    removed = 0
    for start in range(2, len(args), client.slice_items):
        if start > 2:
            yield
        removed += remove(client.db, args[1], args[start : start + client.slice_items])
    reply.integer(client.out, removed)


def must_settle(client: Client, args: list[bytes]) -> bool:
    """Return whether a request must wait until the keys that a merge or a removal has changed are
    settled, since it concerns all keys. Then it will be carried out later. EXEC has waited before
    it runs such a command."""
    if client.in_exec or client.instance.replica.is_settled():
        return False
    client.wait_for(args, wait_until_settled(client))
    return True


def wait_until_settled(client: Client) -> Iterator[None]:
    """Yield until all keys are settled."""
    while not client.instance.replica.is_settled():
        yield


def must_order(client: Client, args: list[bytes], key: bytes, value: Value) -> bool:
    """Return whether a request must wait until the value under `key`, if it is a sorted set, has
    the order of its members. Then it will be carried out later."""
    if value.prepare_order(client.slice_items):
        return False
    client.wait_for(args, prepare_order(client, key))
    return True


def prepare_order(client: Client, key: bytes) -> Iterator[None]:
    """Let the value of a key build the order of its members. It may change meanwhile."""
    while True:
        value = client.db.lookup(key)
        if value is None or value.prepare_order(client.slice_items):
            return
        yield
