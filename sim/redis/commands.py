"""The commands of the model, with the keys that each of them uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sim.redis.bits import BIT_COMMANDS
from sim.redis.hashes import HASH_COMMANDS
from sim.redis.keys import KEY_COMMANDS
from sim.redis.lists import LIST_COMMANDS
from sim.redis.ranges import RANGE_COMMANDS
from sim.redis.scans import SCAN_COMMANDS
from sim.redis.sets import SET_COMMANDS
from sim.redis.sorted_sets import SORTED_SET_COMMANDS
from sim.redis.sorting import SORTING_COMMANDS, keys_of_sort
from sim.redis.state import Act, AnyOrder, CommandFailure, RedisModel, Words
from sim.redis.strings import STRING_COMMANDS
from sim.redis.subsequence import SUBSEQUENCE_COMMANDS
from sim.redis.tokens import in_upper_case

COMMANDS: Final[dict[str, Act]] = {
    **STRING_COMMANDS,
    **HASH_COMMANDS,
    **SET_COMMANDS,
    **SORTED_SET_COMMANDS,
    **RANGE_COMMANDS,
    **LIST_COMMANDS,
    **KEY_COMMANDS,
    **BIT_COMMANDS,
    **SUBSEQUENCE_COMMANDS,
    **SORTING_COMMANDS,
    **SCAN_COMMANDS,
}
ALL_ARGUMENTS: Final = frozenset(
    {
        *("DEL", "UNLINK", "EXISTS", "TOUCH", "MGET", "SUNION", "SINTER", "SDIFF"),
        *("SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"),
    }
)
FIRST_TWO: Final = frozenset(
    {"RENAME", "RENAMENX", "COPY", "SMOVE", "LMOVE", "RPOPLPUSH", "ZRANGESTORE"}
    | {"BLMOVE", "BRPOPLPUSH", "LCS"}
)
PAIRS: Final = frozenset({"MSET", "MSETNX"})
BEFORE_LAST: Final = frozenset({"BLPOP", "BRPOP", "BZPOPMIN", "BZPOPMAX"})
NUMBERED: Final = {
    **dict.fromkeys(("LMPOP", "ZMPOP", "SINTERCARD", "ZINTERCARD"), 0),
    **dict.fromkeys(("ZUNION", "ZINTER", "ZDIFF"), 0),
    **dict.fromkeys(("BLMPOP", "BZMPOP", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"), 1),
}
"""The position of the number of keys in the arguments."""
WITHOUT_KEYS: Final = frozenset({"WAIT", "ECHO"})


def keys_of(words: Words) -> list[str]:
    """Return the keys that a command of the model reads or writes."""
    name, *args = in_upper_case(words)
    if name in WITHOUT_KEYS:
        return []
    if name in ALL_ARGUMENTS:
        return args
    if name in FIRST_TWO:
        return args[:2]
    if name in PAIRS:
        return args[::2]
    if name in BEFORE_LAST:
        return args[:-1]
    if name in NUMBERED:
        at = NUMBERED[name]
        stored = args[:at] if name.endswith("STORE") else []
        return [*stored, *args[at + 1 : at + 1 + int(args[at])]]
    if name in SORTING_COMMANDS:
        return keys_of_sort(args)
    if name == "BITOP":
        return args[1:]
    return args[:1]


def execute(db: RedisModel, words: Sequence[str], found: Any) -> Any:
    """Execute a command in the model. Return the expected reply: see `state`.

    `found` is the reply of the server. It is used only where the server may choose.
    """
    name, *args = in_upper_case(words)
    try:
        return COMMANDS[name](db, args, found)
    except CommandFailure as failure:
        return failure


def is_expected(expected: Any, found: Any) -> bool:
    """Return whether a reply is the expected one. Of errors, the first words are compared."""
    if isinstance(expected, AnyOrder):
        return expected.equals(found)
    if isinstance(expected, CommandFailure):
        return isinstance(found, CommandFailure) and found.code == expected.code
    return type(expected) is type(found) and expected == found
