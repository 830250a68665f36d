"""The declaration of one command, and everything that follows from it.

A command is declared next to its handler (see `crdb.commands.family`). Its arity, the positions of
its keys, its ACL categories and its documentation are derived here from the syntax, the flags and
the group. `Facts` lists what cannot be derived.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final, NotRequired, TypedDict

from crdb.engine.declare.key_specs import KeySpec, derive_key_specs, key_range
from crdb.engine.declare.syntax import KEY_PATTERN, Argument, parse_syntax

KeyFinder = Callable[[list[bytes]], list[int]]
"""Returns the positions of the keys in a request. Raises CommandError."""
KeyFlags = Callable[[list[bytes]], str]
"""Returns what a request does with its keys, for a command where that depends on the options."""

_UNQUEUED: Final = "unqueued"
"""A flag of our own: the command runs immediately inside MULTI. COMMAND does not report it."""
_SLICED: Final = "sliced"
"""A flag of our own: the command may run in slices."""
_WHOLE: Final = "whole"
"""A flag of our own: the command reads or writes keys that its arguments do not name."""
_SCRIPT: Final = "script"
"""A flag of our own: the command uses the interpreter of scripts. Such a command is `sliced` and
`whole` too."""
_MAY_REPLICATE: Final = "may_replicate"
"""A flag of Redis that COMMAND does not report: other regions may receive something of a command
that is no write."""
_OWN_FLAGS: Final = (_UNQUEUED, _SLICED, _WHOLE, _MAY_REPLICATE, _SCRIPT)
_GROUP_CATEGORIES: Final[dict[str, str]] = {
    "bitmap": "bitmap",
    "connection": "connection",
    "generic": "keyspace",
    "geo": "geo",
    "hash": "hash",
    "hyperloglog": "hyperloglog",
    "list": "list",
    "scripting": "scripting",
    "set": "set",
    "sorted-set": "sortedset",
    "stream": "stream",
    "string": "string",
    "transactions": "transaction",
}
_DEPENDS: Final = "Depends on subcommand."
_QUOTED: Final = re.compile("`(.+?)`")


class CommandKind(Enum):
    """A command with or without subcommands."""

    PLAIN = "plain"
    CONTAINER = "container"
    """It needs a subcommand."""
    CALLABLE_CONTAINER = "callable container"
    """It has subcommands, but can be called alone."""


class Facts(TypedDict):
    """The keywords of a declaration."""

    summary: str
    since: NotRequired[str]
    """Default: that of the family."""
    complexity: NotRequired[str]
    """Default: O(1)."""
    group: NotRequired[str]
    """A section of the documentation. Default: that of the family."""
    keys: NotRequired[str]
    """Flags of each key specification, separated by semicolons. Default: `RO access` for readers,
    `RW access update` for writers."""
    tips: NotRequired[str]
    """Hints for clients that distribute requests over shards, in the words of Redis."""
    history: NotRequired[tuple[str, ...]]
    """Later versions, each followed by what it added. The arguments that it names in backticks get
    the version in the documentation."""
    is_internal: NotRequired[bool]
    """True if the command is only for the debugging of a server."""
    deprecated: NotRequired[str]
    """The version since when another command should be used, and which one."""
    categories: NotRequired[str]
    """ACL categories in addition to those of flags and group; a minus removes one."""
    deprecated_arguments: NotRequired[tuple[str, ...]]
    """Versions, each followed by the argument that is deprecated since then."""
    ignores_arguments: NotRequired[bool]
    """True if the command accepts arguments that its syntax does not have, and ignores them."""
    find_keys: NotRequired[KeyFinder]
    """Finds the keys of a command that has unknown key specifications."""
    reaches_all: NotRequired[Callable[[list[bytes]], bool]]
    """Returns whether a request reads keys that its arguments do not name."""
    shard_channels: NotRequired[int]
    """The last argument that is a shard channel, negative if it counts from the end. COMMAND
    reports shard channels like keys, with the flag `not_key`."""
    key_flags: NotRequired[KeyFlags]
    """Finds the flags of the keys where they depend on the request."""
    channels: NotRequired[str]
    """`names` or `patterns` if the first argument and its repetitions are channels, or patterns of
    channels, that a user needs a permission for."""


class Declaration:
    """A command as it is declared, and what follows. `name` is in full, such as `config|get`."""

    def __init__(
        self,
        name: str,
        syntax: str,
        flags: str,
        facts: Facts,
        kind: CommandKind = CommandKind.PLAIN,
    ) -> None:
        self.name = name
        self.is_container = kind is not CommandKind.PLAIN
        self.syntax = syntax
        self.arguments: tuple[Argument, ...] = parse_syntax(syntax)
        self.group = facts.get("group", "server")
        self.since = facts.get("since", "1.0.0")
        self.summary = facts["summary"]
        self.complexity = facts.get("complexity", _DEPENDS if self.is_container else "O(1)")
        self.history = [_split_version(line) for line in facts.get("history", ())]
        self.is_internal = facts.get("is_internal", False)
        self.deprecated = _split_version(facts.get("deprecated", ""))
        self._deprecated_arguments = {
            argument: version
            for version, argument in map(_split_version, facts.get("deprecated_arguments", ()))
        }
        self.tips = facts.get("tips", "").split()
        words = flags.split()
        offset = self._offset = 1 + name.count("|")
        default = "RW access update" if "write" in words else "RO access"
        key_flags = facts.get("keys", default).split(";")
        self.key_specs = derive_key_specs(self.arguments, offset, key_flags)
        self.has_keys = bool(self.key_specs)
        if "shard_channels" in facts:
            self.key_specs = (KeySpec("not_key", begin=1, last=facts["shard_channels"]),)
        self.key_range = key_range(self.key_specs)
        self.spec_indexes = _index_key_arguments(self.arguments, len(self.key_specs))
        self._find_keys = facts.get("find_keys")
        self._key_flags = facts.get("key_flags")
        self._reaches_all = facts.get("reaches_all")
        self._channels = facts.get("channels", "")
        is_open = self.is_container or facts.get("ignores_arguments", False)
        self.arity = self._derive_arity(offset + (kind is CommandKind.CONTAINER), is_open=is_open)
        if not all(spec.is_range for spec in self.key_specs):
            words.append("movablekeys")
        self.flags = [word for word in words if word not in _OWN_FLAGS]
        self.is_unqueued = _UNQUEUED in words
        self.is_script = _SCRIPT in words
        self.may_replicate = _MAY_REPLICATE in words
        self.is_sliced = _SLICED in words or self.is_script
        self.is_whole = _WHOLE in words or self.is_script
        own_group = "" if self.is_container else self.group
        self.categories = _derive_categories(words, own_group, facts.get("categories", ""))

    def _derive_arity(self, offset: int, *, is_open: bool) -> int:
        """Return the number of words of a request, negative if it is only the smallest one."""
        words = offset + sum(argument.min_words() for argument in self.arguments)
        is_fixed = not is_open and all(argument.is_fixed() for argument in self.arguments)
        return words if is_fixed else -words

    def key_positions(self, request: list[bytes]) -> list[int]:
        """Return the positions of the keys in `request`. Raises ValueError or CommandError if its
        arguments are not valid."""
        if self._find_keys is not None:
            return self._find_keys(request)
        if not self.has_keys:
            return []
        return [place for spec in self.key_specs for place in spec.positions(request)]

    def key_ranges(self, request: list[bytes]) -> list[range]:
        """Return the same as ranges of positions."""
        if not self.has_keys:
            return []
        if self._find_keys is not None:
            return [range(place, place + 1) for place in self._find_keys(request)]
        return [spec.positions(request, may_be_none=True) for spec in self.key_specs]

    def key_uses(self, request: list[bytes]) -> list[tuple[range, str]]:
        """Return ranges of positions of keys, each with the flags for what `request` does with
        those keys. Raises ValueError or CommandError if its arguments are not valid."""
        if not self.has_keys:
            return []
        if self._find_keys is not None:
            places = self._find_keys(request)
            return [(range(at, at + 1), " ".join(self.key_flags_at(request, at))) for at in places]
        if self._key_flags is not None:
            flags = self._key_flags(request)
            return [(spec.positions(request), flags) for spec in self.key_specs]
        return [(spec.positions(request, may_be_none=True), spec.flags) for spec in self.key_specs]

    def channel_positions(self, request: list[bytes]) -> tuple[range, bool]:
        """Return the positions of the channels in `request`, and whether they are patterns."""
        if not self._channels:
            return range(0), False
        begin = self._offset
        end = len(request) if self.arguments[0].is_multiple else begin + 1
        return range(begin, min(end, len(request))), self._channels == "patterns"

    def reaches_all(self, request: list[bytes]) -> bool:
        """Return whether a request may concern keys that its arguments do not name."""
        return self.is_whole or (self._reaches_all is not None and self._reaches_all(request))

    def key_flags_at(self, request: list[bytes], position: int) -> list[str]:
        """Return what this request does with the key at `position`."""
        if self._key_flags is not None:
            return self._key_flags(request).split()
        found = self.key_specs[-1]
        for spec in reversed(self.key_specs):
            if position in spec.positions(request):
                found = spec
        return found.flags.split()

    def argument_since(self, argument: Argument) -> str:
        """Return the version that added an argument. Return "" if the history does not name it."""
        for version, added in self.history:
            names = _QUOTED.findall(added)
            if argument.name in names or (argument.token and argument.token in names):
                return version
        return ""

    def argument_deprecated_since(self, argument: Argument) -> str:
        """Return the version since which an argument is deprecated, or "" if it is not."""
        return self._deprecated_arguments.get(argument.name, "")


def _index_key_arguments(arguments: tuple[Argument, ...], count: int) -> dict[str, int]:
    """Return the index of the key specification of each argument that is a key, by name."""
    found: dict[str, int] = {}
    index = -1
    pattern_index = -1
    for argument in arguments:
        for each in argument.parts or (argument,):
            is_new = each.kind == "key" or (each.kind == KEY_PATTERN and pattern_index < 0)
            index += is_new and index + 1 < count
            if each.kind == KEY_PATTERN:
                pattern_index = index if is_new else pattern_index
                found[each.name] = pattern_index
            elif each.kind == "key":
                found[each.name] = index
    return found


def _split_version(line: str) -> tuple[str, str]:
    """Split a line of the history into the version and the text."""
    version, _, text = line.partition(" ")
    return version, text


def _derive_categories(flags: list[str], group: str, extra: str) -> list[str]:
    """Return the ACL categories that Redis derives from flags and group, changed by `extra`."""
    words = extra.split()
    found = {word for word in words if word[0] != "-"}
    if group in _GROUP_CATEGORIES:
        found.add(_GROUP_CATEGORIES[group])
    found.difference_update([word[1:] for word in words if word[0] == "-"])
    if "write" in flags:
        found.add("write")
    if "readonly" in flags and "scripting" not in found:
        found.add("read")
    if "admin" in flags:
        found.update(("admin", "dangerous"))
    if "pubsub" in flags:
        found.add("pubsub")
    if "blocking" in flags:
        found.add("blocking")
    found.add("fast" if "fast" in flags else "slow")
    return sorted(found)
