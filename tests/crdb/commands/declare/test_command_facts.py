"""Facts that COMMAND reports in addition to the table."""

from __future__ import annotations

from typing import cast

import pytest

from crdb.commands.declare.command_facts import DEPRECATED, HISTORY, KEY_NOTES, TIPS
from crdb.commands.declare.key_specs import key_specs
from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.executor import receive
from tests.crdb.raw import instance
from tests.crdb.redis_peer import Reply, Status, decode

NAMES = {command.full_name.decode(): command for command in build_table().everything()}


def test_facts_are_about_commands_that_exist() -> None:
    assert TIPS.keys() | HISTORY.keys() | DEPRECATED.keys() | KEY_NOTES.keys() <= NAMES.keys()
    for name, notes in KEY_NOTES.items():
        assert max(notes) < len(key_specs(NAMES[name]))


def fields(reply: Reply) -> dict[bytes, Reply]:
    """A flat map."""
    flat = cast("list[Reply]", reply)
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_documentation_has_history_and_what_replaces_a_command() -> None:
    client = Client(instance())
    getset = fields(decode(receive(client, b"COMMAND DOCS getset\r\n"))[1])
    assert getset[b"doc_flags"] == [Status(b"deprecated")]
    assert getset[b"deprecated_since"] == b"6.2.0"
    assert getset[b"replaced_by"] == b"`SET` with the `!GET` argument"
    zrank = fields(decode(receive(client, b"COMMAND DOCS zrank\r\n"))[1])
    assert zrank[b"history"] == [[b"7.2.0", b"Added: option `WITHSCORE`."]]


def test_patterns_of_sort_belong_to_a_key_specification() -> None:
    sort = fields(decode(receive(Client(instance()), b"COMMAND DOCS sort\r\n"))[1])
    told = [fields(each) for each in sort[b"arguments"]]
    placed = {each[b"name"]: each.get(b"key_spec_index") for each in told}
    assert placed[b"key"] == 0
    assert [each[b"key_spec_index"] for each in told if each[b"type"] == b"pattern"] == [1, 1]
    assert placed[b"destination"] == 2


@pytest.mark.parametrize("name", KEY_NOTES)
def test_notes_stand_with_their_specification(name: str) -> None:
    [row] = decode(receive(Client(instance()), f"COMMAND INFO {name}\r\n".encode()))
    notes = [fields(spec).get(b"notes") for spec in row[8]]
    assert {at: note.decode() for at, note in enumerate(notes) if note} == KEY_NOTES[name]
