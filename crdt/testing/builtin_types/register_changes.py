"""The effect of commands on registers: strings, fields and scores, and the members of sets.

A change is `("write", value)`, `("add", number)`, `("remove", None)`, or `("anew", number)`, which
removes what is there and then adds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crdt.testing.builtin_types.commands import TypeCommand

RegisterChange = tuple[str, Any]
ChangesOf = Callable[[TypeCommand], dict[Any, RegisterChange]]
"""Returns the changes of a command by register."""


def string_changes(made: TypeCommand) -> dict[Any, RegisterChange]:
    if made.name in ("SET", "KEEP", "RENEW"):
        return {"": ("write", str(made.args[0]))}
    return {"": ("add", made.args[0])} if made.name == "INCRBY" else {}


def hash_changes(made: TypeCommand) -> dict[Any, RegisterChange]:
    if made.name == "HSET":
        pairs = zip(made.args[::2], made.args[1::2], strict=True)
        return {field: ("write", str(value)) for field, value in pairs}
    if made.name == "HINCRBY":
        return {made.args[0]: ("add", made.args[1])}
    if made.name == "HANEW":
        return {made.args[0]: ("anew", made.args[1])}
    return dict.fromkeys(made.args, ("remove", None)) if made.name == "HDEL" else {}


def zset_changes(made: TypeCommand) -> dict[Any, RegisterChange]:
    if made.name == "ZADD":
        pairs = zip(made.args[::2], made.args[1::2], strict=True)
        return {member: ("write", float(score)) for member, score in pairs}
    if made.name == "ZINCRBY":
        return {made.args[0]: ("add", float(made.args[1]))}
    return dict.fromkeys(made.args, ("remove", None)) if made.name == "ZREM" else {}


def set_changes(made: TypeCommand) -> dict[Any, RegisterChange]:
    change = {"SADD": ("write", None), "SREM": ("remove", None)}.get(made.name)
    return dict.fromkeys(made.args, change) if change is not None else {}
