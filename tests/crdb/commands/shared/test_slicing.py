"""Parts of commands in slices."""

from __future__ import annotations

from operator import itemgetter

from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdb.engine.session import WORKING
from crdt.structures.table import Table
from tests.crdb.raw import instance

SMEMBERS = [b"SMEMBERS", b"k"]


def test_few_items_run_immediately() -> None:
    client = Client(instance())
    client.instance.slices.items = 2
    slicing.run(client, SMEMBERS, 2, slicing.reply_bulks(client, [b"a", b"b"]))
    assert not client.flags & WORKING
    assert b"".join(client.out) == b"$1\r\na\r\n$1\r\nb\r\n"


def test_many_items_run_in_slices() -> None:
    client = Client(instance())
    client.instance.slices.items = 2
    slicing.run(client, SMEMBERS, 3, slicing.reply_bulks(client, [b"a", b"b", b"c"]))
    assert client.flags & WORKING
    assert b"".join(client.out) == b"$1\r\na\r\n$1\r\nb\r\n"
    client.instance.slices.finish_all()
    assert b"".join(client.out) == b"$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"


def test_large_list_is_emptied_in_slices() -> None:
    client = Client(instance())
    client.instance.slices.items = 2
    names = [b"a", b"b", b"c", b"d", b"e"]
    assert len(list(slicing.empty_list(client, names))) == 2
    assert len(names) == 1


def test_runs_are_emptied_one_at_a_time() -> None:
    runs = [[1, 2], [3, 4], [5]]
    left = [sum(map(len, runs)) for _ in slicing.empty_runs(runs)]
    assert left == [3, 1, 0]


def test_large_table_is_emptied_in_slices() -> None:
    client = Client(instance())
    client.instance.slices.items = 2
    held = Table(part_max=2)
    for number in range(20):
        held.put(b"%d" % number, None)
    largest = max(map(len, held.dicts()))
    assert largest < 5
    slices = len(list(slicing.empty_table(client, held)))
    assert slices >= 18 // (2 * largest), "each frees one part, and two small parts become one"
    assert len(held) <= 2


def test_long_list_is_sorted_in_runs() -> None:
    client = Client(instance())
    client.instance.slices.items = 3
    pairs = [(number * 7 % 5, number) for number in range(20)]
    for descending in (False, True):
        found = list(pairs)
        steps = slicing.sort_in_runs(client, found, itemgetter(0), descending=descending)
        assert len(list(steps)) > 6
        assert found == sorted(pairs, key=itemgetter(0), reverse=descending)
