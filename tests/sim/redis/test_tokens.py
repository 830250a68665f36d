"""The tokens of the command table, which a client may write in any case."""

from __future__ import annotations

from sim.redis.commands import execute, keys_of
from sim.redis.state import ModelItem, RedisModel
from sim.redis.tokens import TOKENS, in_upper_case


def test_tokens_inside_brackets_are_found() -> None:
    assert TOKENS["BITPOS"] == {"BYTE", "BIT"}
    assert {"OVERFLOW", "SAT", "INCRBY"} <= TOKENS["BITFIELD"]
    assert TOKENS["GET"] == set()


def test_tokens_of_own_command_are_read_in_any_case() -> None:
    assert in_upper_case(("SET", "xx", "v", "nx", "Get")) == ["SET", "XX", "v", "NX", "GET"]
    assert in_upper_case(("GET", "nx")) == ["GET", "nx"]
    model = RedisModel({"k": ModelItem("string", "a")}, 0)
    assert execute(model, ("SET", "k", "b", "nx", "get"), None) == "a"
    assert keys_of(("SORT", "k", "alpha", "store", "d")) == ["k", "d"]
