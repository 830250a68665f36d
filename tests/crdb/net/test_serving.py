"""Ready connections, and connections for which memory is lacking."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import cast

import attrs
import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import run
from crdb.net.connection import WRITABLE, Connection
from crdb.net.serving import (
    TOGETHER_SECONDS,
    run_slice,
    run_waiting,
    send_held,
    send_replies,
    serve_ready,
)
from tests.crdb.raw import instance


@attrs.define
class Socketless:
    """A fake connection. Tests set what its methods return or raise."""

    outcomes: dict[str, bool | MemoryError]
    called: list[str] = attrs.Factory(list[str])
    client: object = None
    turn: object = None
    replies: bool = False

    def call(self, name: str) -> bool:
        self.called.append(name)
        outcome = self.outcomes.get(name, True)
        if isinstance(outcome, MemoryError):
            raise outcome
        return outcome

    def has_replied(self) -> bool:
        return self.replies

    def receive(self) -> bool:
        return self.call("receive")

    def resume(self) -> bool:
        return self.call("resume")

    def run_waiting(self) -> bool:
        return self.call("run_waiting")

    def flush(self) -> bool:
        return self.call("flush")

    def send_or_hold(self) -> bool:
        return self.call("send_or_hold")


@attrs.define
class Full:
    """A fake turn that always seals."""

    called: list[str]

    def seal_full_outbox(self) -> None:
        self.called.append("seal")


@attrs.define
class Owner:
    """A fake client that only has an instance."""

    instance: object


def connection(**outcomes: bool | MemoryError) -> tuple[Connection, Socketless, list[str]]:
    database = instance()
    events: list[str] = []
    database.report = lambda event: events.append(event.name)
    made = Socketless(dict(outcomes), client=Owner(database))
    return cast("Connection", made), made, events


@pytest.mark.interpreted("it serves what is not a connection")
@pytest.mark.parametrize(
    ("event", "outcomes", "called", "is_over"),
    [
        (select.EPOLLIN, {}, ["receive"], False),
        (select.EPOLLIN, {"receive": False}, ["receive"], True),
        (WRITABLE, {}, ["resume"], False),
        (WRITABLE | select.EPOLLIN, {}, ["resume", "receive"], False),
        (WRITABLE | select.EPOLLIN, {"resume": False}, ["resume"], True),
        (select.EPOLLIN, {"receive": MemoryError()}, ["receive"], True),
        (WRITABLE, {"resume": MemoryError()}, ["resume"], True),
    ],
    ids=str,
)
def test_ready_connections_are_served(
    event: int, outcomes: dict[str, bool | MemoryError], called: list[str], is_over: bool
) -> None:
    served, record, events = connection(**outcomes)
    others, _, _ = connection()
    unknown, over = serve_ready({3: served, 4: others}, [(3, event), (9, select.EPOLLIN)])
    assert record.called == called
    assert unknown == [9]
    assert over == ([served] if is_over else [])
    exhausted = any(isinstance(each, MemoryError) for each in outcomes.values())
    assert events == ["out of memory"] * exhausted


@pytest.mark.interpreted("it serves what is not a connection")
@pytest.mark.parametrize("takes_long", [True, False])
def test_replies_of_several_clients_are_sent_together(*, takes_long: bool) -> None:
    database = instance()
    times = iter([5.0, 5.0, 5.0 + TOGETHER_SECONDS * takes_long])
    database.timing.clock = lambda: next(times, 5.0)
    called: list[str] = []
    made = [
        Socketless({}, called, client=Owner(database), turn=Full(called), replies=number != 2)
        for number in range(4)
    ]
    made[3].outcomes["send_or_hold"] = False
    connections = {number: cast("Connection", each) for number, each in enumerate(made)}
    _, over = serve_ready(connections, [(number, select.EPOLLIN) for number in range(4)])
    if takes_long:
        early = ["receive", "receive", "send_or_hold", "send_or_hold", "seal"]
        assert called == [*early, "receive", "receive", "send_or_hold", "seal"]
    else:
        assert called == ["receive"] * 4 + ["send_or_hold"] * 3 + ["seal"]
    assert over == [made[3]]


@pytest.mark.interpreted("it serves what is not a connection")
@pytest.mark.parametrize(
    ("serve", "method"),
    [(run_waiting, "run_waiting"), (send_held, "flush"), (send_replies, "send_or_hold")],
    ids=["run", "send held", "send"],
)
def test_session_goes_on_unless_there_is_no_memory(
    serve: Callable[[Connection], bool], method: str
) -> None:
    assert serve(connection()[0])
    assert not serve(connection(**{method: False})[0])
    exhausted, _, events = connection(**{method: MemoryError()})
    assert not serve(exhausted)
    assert events == ["out of memory"]


@pytest.mark.interpreted("it serves what is not a connection")
@pytest.mark.parametrize(
    ("outcomes", "is_over"), [({}, False), ({"send_or_hold": False}, True)], ids=str
)
def test_slice_sends_what_it_has_replied(outcomes: dict[str, bool], is_over: bool) -> None:
    database = instance()
    database.slices.items = 2
    client = Client(database)
    run(client, b"SADD s 1 2 3 4 5\r\nSMEMBERS s\r\n")
    made = Socketless(dict(outcomes), client=client)
    served = cast("Connection", made)
    while database.slices.works:
        over = run_slice(database, {client.id: served})
        assert over is (served if is_over and client.out else None)
    assert "send_or_hold" in made.called
    assert run_slice(database, {}) is None
