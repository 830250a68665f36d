"""Absent peers."""

from __future__ import annotations

from replication.mesh.absence import ATTEMPT_NS_MAX, Absence


def test_absent_peer_is_found_once_until_it_has_come() -> None:
    absence = Absence()
    absence.record_absent(["eu", "ap"], 0)
    late = ATTEMPT_NS_MAX + 1
    assert absence.find_unreported(["eu"], late - 1) == []
    assert absence.find_unreported(["eu"], late) == ["eu"]
    assert absence.find_unreported(["eu", "ap"], late) == ["ap"]
    absence.record_absent(["ap"], late)
    absence.record_absent(["eu", "ap"], late)
    assert absence.find_unreported(["eu", "ap"], 2 * late) == ["eu"]


def test_peer_missing_longer_than_attempt_is_absent() -> None:
    absence = Absence()
    assert not absence.is_long("eu", ATTEMPT_NS_MAX + 1), "nobody has looked yet"
    absence.record_absent(["eu", "ap"], 5)
    absence.record_absent(["eu", "ap"], 7)
    assert not absence.is_long("eu", 5 + ATTEMPT_NS_MAX)
    assert not absence.has_long(5 + ATTEMPT_NS_MAX)
    assert absence.is_long("eu", 6 + ATTEMPT_NS_MAX)
    assert absence.has_long(6 + ATTEMPT_NS_MAX)
    absence.record_absent(["ap"], 8)
    assert not absence.is_long("eu", 6 + ATTEMPT_NS_MAX)
    absence.record_absent(["ap", "eu"], 9)
    assert absence.is_long("ap", 6 + ATTEMPT_NS_MAX)
    assert not absence.is_long("eu", 9 + ATTEMPT_NS_MAX), "it has been here in between"
