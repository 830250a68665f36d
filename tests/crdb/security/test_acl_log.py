"""Test the log of what was denied."""

from __future__ import annotations

from crdb.security.acl_log import GROUPING_MS, MULTI, TOPLEVEL, AclLog, DeniedAccess
from crdb.security.verdict import Reason


def denied(subject: bytes, *, context: bytes = TOPLEVEL, user: bytes = b"alice") -> DeniedAccess:
    return DeniedAccess(Reason.KEY, context, subject, user)


def subjects(log: AclLog) -> list[tuple[bytes, int]]:
    return [(entry.denied.subject, entry.count) for entry in log.entries]


def test_equal_denials_are_counted_and_move_to_the_front() -> None:
    log = AclLog()
    log.add(denied(b"a"), b"one", 1000)
    log.add(denied(b"b"), b"one", 1500)
    log.add(denied(b"a"), b"two", 2000)
    assert subjects(log) == [(b"a", 2), (b"b", 1)]
    first = log.entries[0]
    assert (first.number, first.client_info) == (0, b"two")
    assert (first.created_at, first.updated_at) == (1000, 2000)


def test_different_denials_are_apart() -> None:
    log = AclLog()
    for each in (denied(b"a"), denied(b"a", context=MULTI), denied(b"a", user=b"bob")):
        log.add(each, b"", 0)
    log.add(DeniedAccess(Reason.CHANNEL, TOPLEVEL, b"a", b"alice"), b"", 0)
    assert [entry.number for entry in log.entries] == [3, 2, 1, 0]


def test_time_between_equal_denials_is_limited() -> None:
    log = AclLog()
    for now in (0, GROUPING_MS, 2 * GROUPING_MS + 1):
        log.add(denied(b"a"), b"", now)
    assert [(entry.number, entry.count) for entry in log.entries] == [(1, 1), (0, 2)]


def test_only_latest_entries_are_compared() -> None:
    log = AclLog()
    for number in range(11):
        log.add(denied(b"%d" % number), b"", 0)
    log.add(denied(b"1"), b"", 0)
    log.add(denied(b"0"), b"", 0)
    assert subjects(log)[:2] == [(b"0", 1), (b"1", 2)]


def test_length_is_limited() -> None:
    log = AclLog()
    log.length_max = 2
    for name in (b"a", b"b", b"c"):
        log.add(denied(name), b"", 0)
    assert subjects(log) == [(b"c", 1), (b"b", 1)]
    log.length_max = 0
    log.add(denied(b"d"), b"", 0)
    assert subjects(log) == []


def test_numbers_go_on_after_clearing() -> None:
    log = AclLog()
    log.add(denied(b"a"), b"", 0)
    log.clear()
    log.add(denied(b"a"), b"", 0)
    assert [entry.number for entry in log.entries] == [1]
