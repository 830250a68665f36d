"""Replies with entries of streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from crdb.commands.streams.stream_ids import format_id
from crdb.engine.client import Client
from crdb.resp import reply
from crdt.structures.entry_tree import Entry
from crdt.types.components.stream_groups import StreamId


def reply_id(out: list[bytes], last: StreamId) -> None:
    """Append an id."""
    reply.bulk(out, format_id(last))


def reply_entry(out: list[bytes], entry: Entry) -> None:
    """Append an entry: its id, and its fields and values. They are held in the form that is
    sent."""
    last = b"%d-%d" % (entry[0], entry[1])
    out.append(b"*2\r\n$%d\r\n%b\r\n" % (len(last), last))
    out.append(entry[3])


def reply_entries(out: list[bytes], entries: list[Entry]) -> None:
    """Append an array of entries."""
    reply.array(out, len(entries))
    for entry in entries:
        reply_entry(out, entry)


def send_entries(client: Client, count: int, entries: Iterator[Entry]) -> Iterator[None]:
    """Reply with an array of the first `count` entries, which exist, in slices."""
    out = client.out
    reply.array(out, count)
    rest = islice(entries, count)
    while count > 0:
        for entry in islice(rest, client.slice_items):
            reply_entry(out, entry)
        count -= client.slice_items
        yield


def first_entries(entries: Iterable[Entry], count: int | None) -> list[Entry]:
    """Return the first `count` entries, or all for None."""
    return list(entries if count is None else islice(entries, count))
