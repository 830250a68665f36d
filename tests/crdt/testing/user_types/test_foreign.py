"""Documents of other libraries: pycrdt and Loro pass, and a wrong use of them fails."""

from __future__ import annotations

from typing import Any

import attrs
import loro
import pycrdt
import pytest

from crdt.testing import Foreign, Refused, check_type, replay

Bytes = bytes
COMMANDS = [("insert", 0, "a"), ("insert", 1, "b"), ("delete", 0)]


def pycrdt_text(document: Any) -> Any:
    return document.get("text", type=pycrdt.Text)


def change_pycrdt(document: Any, name: str, place: int, text: str = "") -> None:
    there = pycrdt_text(document)
    if name == "insert":
        there.insert(min(place, len(there)), text)
    elif place < len(there):
        del there[place]
    else:
        raise Refused


def new_pycrdt(replica: int) -> Any:
    made: Any = pycrdt.Doc
    return made(client_id=replica)


PYCRDT = Foreign(
    make=new_pycrdt,
    mutate=change_pycrdt,
    apply=lambda document, data: document.apply_update(data),
    value=lambda document: str(pycrdt_text(document)),
    version=lambda document: document.get_state(),
    changes=lambda document, version: document.get_update(version),
    export=lambda document: document.get_update(),
    name="pycrdt.Doc",
)


def new_loro(replica: int) -> Any:
    document = loro.LoroDoc()
    document.peer_id = replica
    return document


def change_loro(document: Any, name: str, place: int, text: str = "") -> None:
    there = document.get_text("text")
    if name == "insert":
        there.insert(min(place, there.len_unicode), text)
    elif place < there.len_unicode:
        there.delete(place, 1)
    else:
        raise Refused
    document.commit()


LORO = Foreign(
    make=new_loro,
    mutate=change_loro,
    apply=lambda document, data: document.import_(data),
    value=lambda document: document.get_text("text").to_string(),
    version=lambda document: document.oplog_vv,
    changes=lambda document, version: document.export(loro.ExportMode.Updates(version)),
    export=lambda document: document.export(loro.ExportMode.Snapshot()),
    name="loro.LoroDoc",
)


@pytest.mark.parametrize("document", [PYCRDT, LORO], ids=lambda each: each.name)
def test_documents_of_other_libraries_converge(document: Foreign) -> None:
    report = check_type(document, COMMANDS, schedules=30)
    assert report.laws["equal operations, equal values"] > 500
    assert report.laws["merge is associative"] == 30
    assert "duplicates are harmless" in report.contract


def test_contract_that_document_needs_is_found() -> None:
    report = check_type(LORO, COMMANDS, schedules=10)
    assert report.contract[:2] == ("delivered in causal order, once", "needs no order")


def test_document_that_loses_updates_is_refuted() -> None:
    def forget(document: Any, data: Bytes) -> None:
        if str(pycrdt_text(document)) != "a":
            document.apply_update(data)

    deaf = attrs.evolve(PYCRDT, apply=forget, export=None)
    with pytest.raises(AssertionError, match="equal operations, equal values") as caught:
        check_type(deaf, COMMANDS)
    script = str(caught.value).partition("'''\n")[2].partition("\n'''")[0]
    with pytest.raises(AssertionError, match="equal operations, equal values"):
        replay(deaf, COMMANDS, None, script)
    replay(attrs.evolve(PYCRDT, export=None), COMMANDS, None, script)


def test_change_itself_may_be_message() -> None:
    def add(numbers: set[int], _name: str, number: int) -> int | None:
        if number in numbers:
            return None
        numbers.add(number)
        return number

    numbers = Foreign(make=set[int], mutate=add, apply=set[int].add, value=set[int].copy)
    report = check_type(numbers, [("add", 1), ("add", 2)], schedules=20)
    assert report.subject == "document"


def test_functions_of_document_are_named() -> None:
    functions: dict[str, Any] = dict.fromkeys(("make", "mutate", "apply", "value"), len)
    assert Foreign(**functions).export is None
    for name in (*functions, "version", "changes", "export"):
        wrong: dict[str, Any] = {**functions, name: 5}
        with pytest.raises(TypeError, match=f"`{name}` is 5, which cannot be called"):
            Foreign(**wrong)
