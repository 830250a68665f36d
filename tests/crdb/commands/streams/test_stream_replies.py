"""Entries in replies."""

from __future__ import annotations

from crdb.commands.streams.stream_replies import first_entries, reply_entries, reply_id
from crdb.resp.decoder import decode_replies
from crdt.structures.entry_tree import Entry
from crdt.structures.packed_texts import pack_texts


def test_entries_are_arrays_of_id_and_fields() -> None:
    entries: list[Entry] = [(5, 1, 9, pack_texts([b"a", b"b"])), (6, 0, 10, pack_texts([]))]
    out: list[bytes] = []
    reply_entries(out, entries)
    reply_id(out, (5, 1))
    replies = decode_replies(b"".join(out))
    assert replies == [[[b"5-1", [b"a", b"b"]], [b"6-0", []]], b"5-1"]


def test_first_entries_are_counted() -> None:
    entries: list[Entry] = [(number, 0, number, b"") for number in range(4)]
    assert first_entries(iter(entries), 2) == entries[:2]
    assert first_entries(iter(entries), None) == entries
