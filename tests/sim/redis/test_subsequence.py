"""The model finds the longest common subsequence that Redis finds."""

from __future__ import annotations

import pytest

from sim.redis.commands import execute
from sim.redis.state import ModelItem, RedisModel, UndefinedReply
from sim.redis.subsequence import SUBSEQUENCE_COMMANDS
from tests.sim.redis.script import check_complete, replay

SUBSEQUENCES = r"""
MSET k ohmytext l mynewtext => 'OK'
LCS k l => 'mytext'
LCS k l LEN => 6
LCS k l IDX => ['matches', [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], 'len', 6]
LCS k l IDX MINMATCHLEN 4 WITHMATCHLEN => ['matches', [[[4, 7], [5, 8], 4]], 'len', 6]
LCS k l IDX WITHMATCHLEN => ['matches', [[[4, 7], [5, 8], 4], [[2, 3], [0, 1], 2]], 'len', 6]
LCS k l LEN IDX => ERR
LCS k nothing => ''
LCS k nothing LEN => 0
LCS k nothing IDX => ['matches', [], 'len', 0]
MSET m aabb n abab => 'OK'
LCS m n => 'abb'
LCS m n IDX => ['matches', [[[3, 3], [3, 3]], [[1, 2], [0, 1]]], 'len', 3]
LCS n m IDX => ['matches', [[[3, 3], [3, 3]], [[2, 2], [1, 1]], [[0, 0], [0, 0]]], 'len', 3]
SADD s a => 1
LCS k s => ERR
"""
SCRIPTS = [SUBSEQUENCES]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(SUBSEQUENCE_COMMANDS, *SCRIPTS)


def test_long_strings_are_not_compared() -> None:
    model = RedisModel({"k": ModelItem("string", "a" * 100)}, 0)
    with pytest.raises(UndefinedReply):
        execute(model, ("LCS", "k", "k"), None)
