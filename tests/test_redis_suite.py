"""Check how the output of Redis' test suite is read, and the page that lists known deviations."""

from __future__ import annotations

from tools.redis_suite import deviations
from tools.redis_suite.__main__ import PAGE
from tools.redis_suite.units import LEFT_OUT, UnitResult, parse

OUTPUT = """Testing unit/x
\x1b[32m[ok]\x1b[0m: SET and GET (3 ms)
[ok]: twice (0 ms)
[err]: twice in tests/unit/x.tcl
Expected '1' to be equal to '2'
[exception]: Executing test client: ERR unknown command.
[1/1 done]: unit/x (4 seconds)
"""


def result(*passed: str) -> UnitResult:
    """Return the result of a unit in which these tests passed."""
    return UnitResult(passed=frozenset(passed), failed=frozenset(), is_complete=True)


def test_output_is_read() -> None:
    found = parse(OUTPUT)
    assert found.passed == {"SET and GET"}
    assert found.failed == {"twice", "Executing test client: ERR unknown command."}
    assert found.is_complete


def test_unit_that_was_cut_short_is_not_complete() -> None:
    assert not parse(OUTPUT.rpartition("[1/1")[0]).is_complete


def test_missing_tests_are_those_without_reason() -> None:
    known = {"b": "a reason", "c": "a reason"}
    found = deviations.compare(result("a", "b", "c"), result("c"), known)
    assert found.missing == {"a"}
    assert found.explained == {"b"}
    assert found.outdated == {"c"}


def test_test_that_fails_at_redis_is_not_missing() -> None:
    assert not deviations.compare(result(), result(), {}).missing


def test_page_gives_reason_for_each_test() -> None:
    page = PAGE.read_text(encoding="utf-8")
    known = deviations.read(page)
    section = page.partition(deviations.TITLE)[2].partition("\n## ")[0]
    assert sum(len(tests) for tests in known.values()) == section.count("\n| `unit/")
    assert known
    for unit, tests in known.items():
        assert not LEFT_OUT.match(unit)
        assert all(reason.endswith(".") for reason in tests.values())
