"""A sequential model of a single Redis: the replies and results of simple commands.

A value is (type, content), or None if the key does not exist. The content is a string's text, the
members of a set, the fields of a hash, the scores of a sorted set, or the elements of a list.

`execute_command` returns the expected reply and new value in the region that runs the command.
Concurrent writes in other regions must not affect them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.subjects import NAMES, text_of

Held: TypeAlias = tuple[str, Any] | None
Outcome: TypeAlias = tuple[Any, Held]
"""The reply, and the new value of the key."""
Act: TypeAlias = Callable[[Any, Sequence[str]], tuple[Any, Any]]
"""A function of the content and the arguments after the key. Returns reply and new content."""


def held_value(db: Keyspace, key: str) -> Held:
    """Return the visible value of a key. The elements of a list keep their order."""
    value = db.lookup(key.encode())
    if value is None:
        return None
    kind, shown = NAMES[value.code()], text_of(value.visible())
    content: Any = shown
    if kind == "set":
        content = frozenset(shown)
    elif kind in {"hash", "sorted set"}:
        content = dict(shown)
    return kind, content


def execute_command(before: Held, words: Sequence[str]) -> Outcome | None:
    """Return the outcome of a command on the value `before`.

    Return None for a command that the model does not support, or if the type is wrong.
    """
    if words[0] == "SET":
        return execute_set(before, words)
    form = FORMS.get(words[0])
    if form is None:
        return None
    kind, empty, act = form
    if before is not None and before[0] != kind:
        return None
    found = act(empty if before is None else before[1], words[2:])
    reply, content = found
    if content is None or (kind != "string" and not content):
        return reply, None
    return reply, (kind, content)


def execute_set(before: Held, words: Sequence[str]) -> Outcome | None:
    """Return the outcome of SET. If its condition (NX or XX) is not met, the value stays.

    Return None for SET with GET, which the model does not support.
    """
    options = words[3:]
    if "GET" in options:
        return None
    if ("NX" in options and before is not None) or ("XX" in options and before is None):
        return None, before
    return "OK", ("string", words[2])


def add_members(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = content | set(args)
    return len(after) - len(content), after


def remove_members(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = content - set(args)
    return len(content) - len(after), after


def set_fields(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = content | dict(zip(args[::2], args[1::2], strict=True))
    return len(after) - len(content), after


def remove_names(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = {name: value for name, value in content.items() if name not in args}
    return len(content) - len(after), after


def set_scores(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = content | {args[i + 1]: float(args[i]) for i in range(0, len(args), 2)}
    return len(after) - len(content), after


def push_tail(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = [*content, *args]
    return len(after), after


def push_head(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = [*reversed(args), *content]
    return len(after), after


def pop_head(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    if args:
        count = int(args[0])
        return content[:count] or None, content[count:]
    return (content[0], content[1:]) if content else (None, content)


def pop_tail(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    return (content[-1], content[:-1]) if content else (None, content)


def set_element(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    index = int(args[0])
    if index >= len(content):
        return "ERR", content
    return "OK", [*content[:index], args[1], *content[index + 1 :]]


def insert_element(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    if not content:
        return 0, content
    if args[1] not in content:
        return -1, content
    at = content.index(args[1]) + (args[0] == "AFTER")
    return len(content) + 1, [*content[:at], args[2], *content[at:]]


def remove_element(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    after = [item for item in content if item != args[1]]
    return len(content) - len(after), after


def trim_list(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    return "OK", content[int(args[0]) : int(args[1]) + 1]


def write_new(content: Any, args: Sequence[str]) -> tuple[Any, Any]:
    return (0, content) if content is not None else (1, args[0])


def remove_value(content: Any, _args: Sequence[str]) -> tuple[Any, Any]:
    return content, None


# By command: its type, the content of a missing key, and the function that executes it.
FORMS: Final[dict[str, tuple[str, Any, Act]]] = {
    "SETNX": ("string", None, write_new),
    "GETDEL": ("string", None, remove_value),
    "SADD": ("set", frozenset[str](), add_members),
    "SREM": ("set", frozenset[str](), remove_members),
    "HSET": ("hash", dict[str, str](), set_fields),
    "HDEL": ("hash", dict[str, str](), remove_names),
    "ZADD": ("sorted set", dict[str, float](), set_scores),
    "ZREM": ("sorted set", dict[str, float](), remove_names),
    "RPUSH": ("list", list[str](), push_tail),
    "LPUSH": ("list", list[str](), push_head),
    "LPOP": ("list", list[str](), pop_head),
    "RPOP": ("list", list[str](), pop_tail),
    "LSET": ("list", list[str](), set_element),
    "LINSERT": ("list", list[str](), insert_element),
    "LREM": ("list", list[str](), remove_element),
    "LTRIM": ("list", list[str](), trim_list),
}
