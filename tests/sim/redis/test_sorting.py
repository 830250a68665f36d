"""SORT in the model gives the order of Redis, and reads the same keys."""

from __future__ import annotations

import pytest

from sim.redis.commands import execute
from sim.redis.sorting import SORTING_COMMANDS, keys_of_sort
from sim.redis.state import ModelItem, RedisModel, UndefinedReply
from tests.sim.redis.script import check_complete, replay

SORTED = r"""
RPUSH l 10 9 2 => 3
SORT l => ['2', '9', '10']
SORT l DESC => ['10', '9', '2']
SORT l ALPHA => ['10', '2', '9']
SORT l ALPHA LIMIT 1 1 => ['2']
SORT l LIMIT 1 -1 => ['9', '10']
SORT l ALPHA STORE m => 3
LRANGE m 0 -1 => ['10', '2', '9']
SORT nothing STORE m => 0
EXISTS m => 0
SORT_RO l => ['2', '9', '10']
SADD s a b => 2
SORT s => ERR
SORT s ALPHA DESC => ['b', 'a']
SET t a => 'OK'
SORT t => WRONGTYPE
"""
PATTERNS = r"""
RPUSH l 1 0 2 => 3
MSET t0 5 t1 4 t2 x => 'OK'
SORT l BY t* => ERR
SORT l BY nosort => ['1', '0', '2']
SORT l BY nosort DESC => ['2', '0', '1']
SORT l BY nosort LIMIT 1 1 => ['0']
SORT l BY t* ALPHA => ['1', '0', '2']
SORT l BY t* ALPHA DESC GET # => ['2', '0', '1']
MSET t2 1 => 'OK'
SORT l BY t* GET # GET t* => ['2', '1', '1', '4', '0', '5']
SORT l GET t* GET u* LIMIT 0 2 => ['5', None, '4', None]
SORT l BY t* STORE m => 3
LRANGE m 0 -1 => ['2', '1', '0']
HSET h0 a 9 => 1
HSET h1 a 8 => 1
HSET h2 b 7 => 1
SORT l BY h*->a GET h*->a => [None, '8', '9']
SORT l GET h*->a STORE m => 3
LRANGE m 0 -1 => ['9', '8', '']
RPUSH k 1 0 => 2
SORT k GET l* => [None, None]
SORT l GET nothing => [None, None, None]
SORT l BY # => ['1', '0', '2']
ZADD z 3 a 2 b 1 c => 3
SORT z BY nosort => ['c', 'b', 'a']
SORT z BY nosort DESC => ['a', 'b', 'c']
SORT z ALPHA DESC => ['c', 'b', 'a']
SADD s b c a => 3
SORT s BY nosort STORE m => 3
LRANGE m 0 -1 => ['a', 'b', 'c']
SORT s BY nosort DESC STORE m => 3
LRANGE m 0 -1 => ['c', 'b', 'a']
SORT nothing BY t* GET # => []
SORT_RO l BY t* DESC => ['0', '1', '2']
"""
SCRIPTS = [SORTED, PATTERNS]


@pytest.mark.parametrize("script", SCRIPTS)
def test_replies_are_those_of_redis(script: str) -> None:
    replay(script)


def test_every_command_is_tried() -> None:
    check_complete(SORTING_COMMANDS, *SCRIPTS)


def test_keys_of_patterns_are_those_of_short_numbers() -> None:
    words = ["l", "BY", "t*", "GET", "#", "GET", "h*->a", "GET", "nothing", "STORE", "d"]
    assert keys_of_sort(words) == ["l", "t0", "t1", "h0", "h1", "d"]


@pytest.mark.parametrize("command", ["SORT s BY nosort", "SORT s BY t* ALPHA"])
def test_order_of_set_is_not_defined_where_nothing_sorts(command: str) -> None:
    model = RedisModel({"s": ModelItem("set", {"a", "b"})}, 0)
    with pytest.raises(UndefinedReply):
        execute(model, command.split(), None)


def test_order_of_set_is_not_defined_where_weights_are_equal() -> None:
    items = {"s": ModelItem("set", {"0", "1"}), "t0": ModelItem("string", "b")}
    model = RedisModel({**items, "t1": ModelItem("string", "a")}, 0)
    command = ["SORT", "s", "BY", "t*", "ALPHA"]
    assert execute(model, command, None) == ["1", "0"]
    model.items["t1"] = ModelItem("string", "b")
    with pytest.raises(UndefinedReply):
        execute(model, command, None)


def test_reply_is_not_defined_where_model_may_lack_key() -> None:
    model = RedisModel({"l": ModelItem("list", ["3", "1"])}, 0)
    with pytest.raises(UndefinedReply):
        execute(model, ["SORT", "l", "BY", "w*"], None)
    model.items["w3"] = ModelItem("string", "5")
    assert execute(model, ["SORT", "l", "BY", "w*"], None) == ["1", "3"]
