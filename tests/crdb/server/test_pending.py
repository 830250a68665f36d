"""Clients that wait for a state of affairs: served once, in time, or let go."""

from __future__ import annotations

from crdb.resp import reply
from crdb.server.pending import LOOK_MS, Pending, Waiter
from crdb.server.session import Session

reports: list[str] = []


def make_session(identity: int = 1) -> Session:
    return Session(identity, b"", b"", 0)


def make_pending(woken: list[Session]) -> Pending:
    reports.clear()
    return Pending(lambda event, _: reports.append(event), woken.append)


def waiter_for(session: Session, done: list[bool], deadline: int = 100) -> Waiter:
    def look() -> bool:
        if done:
            reply.integer(session.out, 1)
        return bool(done)

    return Waiter(session, deadline, look, lambda: reply.integer(session.out, 0))


def test_a_client_waits_until_what_it_waits_for_is_there() -> None:
    woken: list[Session] = []
    pending, session = make_pending(woken), make_session()
    done: list[bool] = []
    pending.add(waiter_for(session, done), now=10)
    assert session.blocked
    pending.look(20)
    assert not woken
    done.append(True)
    pending.look(30)
    assert woken == [session]
    assert session.out == [b":1\r\n"]
    assert not session.blocked
    pending.look(40)
    assert woken == [session]


def test_it_is_let_go_when_its_time_is_up() -> None:
    woken: list[Session] = []
    pending, session = make_pending(woken), make_session()
    pending.add(waiter_for(session, []), now=10)
    pending.look(99)
    assert session.blocked
    pending.look(100)
    assert session.out == [b":0\r\n"]
    assert woken == [session]


def test_it_looks_every_few_milliseconds_while_somebody_waits() -> None:
    pending, session = make_pending([]), make_session()
    assert pending.deadline is None
    pending.add(waiter_for(session, []), now=10)
    assert pending.deadline == 10 + LOOK_MS
    pending.look(50)
    assert pending.deadline == 50 + LOOK_MS
    pending.remove(session)
    assert pending.deadline is None
    assert not session.blocked
    pending.remove(session)
    assert pending.deadline is None


def test_several_wait_for_themselves() -> None:
    woken: list[Session] = []
    pending, one, other = make_pending(woken), make_session(1), make_session(2)
    pending.add(waiter_for(one, []), now=10)
    pending.add(waiter_for(other, [True]), now=10)
    pending.look(11)
    assert woken == [other]
    assert one.blocked


def test_a_bug_in_looking_hurts_only_the_client_that_waits() -> None:
    woken: list[Session] = []
    pending, one, other = make_pending(woken), make_session(1), make_session(2)

    def stumble() -> bool:
        raise ZeroDivisionError

    pending.add(Waiter(one, 100, stumble, one.out.clear), now=10)
    pending.add(waiter_for(other, [True]), now=10)
    pending.look(11)
    assert reports == ["internal error"]
    assert one.closing
    assert woken == [one, other]
    assert other.out == [b":1\r\n"]


def test_a_client_is_unblocked_as_if_its_time_were_up_or_with_an_error() -> None:
    woken: list[Session] = []
    pending, session, other = make_pending(woken), make_session(1), make_session(2)
    pending.add(waiter_for(session, []), now=10)
    pending.add(waiter_for(other, []), now=10)
    assert pending.unblock(1, with_error=False)
    assert pending.unblock(2, with_error=True)
    assert session.out == [b":0\r\n"]
    assert b"".join(other.out) == b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
    assert woken == [session, other]
    assert not session.blocked
    assert pending.deadline is None
    assert not pending.unblock(1, with_error=False)
