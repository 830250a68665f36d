"""The model returns a small collection in one page, as Redis does."""

from __future__ import annotations

import pytest

from sim.redis.commands import execute, is_expected
from sim.redis.scans import SCAN_COMMANDS, matches_glob
from sim.redis.state import CommandFailure, ModelItem, RedisModel, UndefinedReply
from tests.sim.redis.script import check_complete, replay

SCANS = r"""
SADD s a b ab => 3
SSCAN s 0 => ['0', ['a', 'b', 'ab']]
SSCAN s 0 MATCH a* => ['0', ['a', 'ab']]
SSCAN s 0 MATCH ? COUNT 1 => ['0', ['a', 'b']]
SSCAN s 0 MATCH [^a] COUNT 10 => ['0', ['b']]
SSCAN s 0 MATCH [a-b] => ['0', ['a', 'b']]
SSCAN s 0 MATCH \a => ['0', ['a']]
SSCAN s 0 COUNT 0 => ERR
SSCAN nothing 0 => ['0', []]
SSCAN nothing 0 COUNT 0 => ['0', []]
HSET h a 1 b 2 => 2
HSCAN h 0 => ['0', ['a', '1', 'b', '2']]
HSCAN h 0 MATCH b => ['0', ['b', '2']]
ZADD z 1 a 0.5 b => 2
ZSCAN z 0 MATCH * COUNT 1 => ['0', ['b', '0.5', 'a', '1']]
ZSCAN z 0 MATCH x => ['0', []]
SSCAN h 0 => WRONGTYPE
HSCAN z 0 => WRONGTYPE
ZSCAN s 0 => WRONGTYPE
"""
SCRIPTS = [SCANS]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(SCAN_COMMANDS, *SCRIPTS)


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*", "a ab b"),
        ("", ""),
        ("a*", "a ab"),
        ("*b", "ab b"),
        ("?", "a b"),
        ("a?", "ab"),
        ("[a-a]", "a"),
        ("[^a]", "b"),
        ("[b-a]", "a b"),
        ("\\a", "a"),
        ("[a", "a"),
        ("c", ""),
        ("ab?", ""),
    ],
)
def test_pattern_matches_whole_names(pattern: str, matched: str) -> None:
    names = ("a", "ab", "b")
    assert [name for name in names if matches_glob(pattern, name)] == matched.split()


def test_empty_name_fits_empty_pattern_only() -> None:
    assert matches_glob("", "")
    assert not matches_glob("*", "")


def test_page_may_have_any_order_but_must_be_complete() -> None:
    model = RedisModel({"s": ModelItem("set", {"a", "b"})}, 0)
    for page, is_right in ((["b", "a"], True), (["b"], False), (["a", "b", "c"], False)):
        found = ["0", page]
        assert is_expected(execute(model, ("SSCAN", "s", "0"), found), found) is is_right
    assert not is_expected(execute(model, ("SSCAN", "s", "0"), None), None)


def test_later_pages_and_large_values_are_not_judged() -> None:
    large = {str(number) for number in range(129)}
    model = RedisModel({"s": ModelItem("set", {"a"}), "l": ModelItem("set", large)}, 0)
    for words in (("SSCAN", "s", "7"), ("SSCAN", "l", "0")):
        with pytest.raises(UndefinedReply):
            execute(model, words, None)
    assert isinstance(execute(model, ("SSCAN", "s", "0", "COUNT", "0"), None), CommandFailure)
