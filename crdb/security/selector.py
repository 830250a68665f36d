"""A selector: rules for commands, keys and channels that together allow requests.

A user has one selector of its own and may have more. One of them has to allow a request alone:
they do not add up (ACL-11).
"""

from __future__ import annotations

import re
from typing import Final

from crdb.engine.command import CommandTable
from crdb.engine.glob import compile_glob
from crdb.resp.inline import split_line
from crdb.security.command_rules import CommandRules
from crdb.security.rule_error import (
    AFTER_ALL_CHANNELS,
    AFTER_ALL_KEYS,
    SYNTAX_ERROR,
    RuleError,
)
from crdb.security.verdict import EITHER, READ, WRITE, Denial, Reason, Request

_SPACES: Final = b" \t\n\v\f\r\0"
_LETTERS: Final = {b"R": READ, b"W": WRITE}
_ALL: Final = b"*"


class KeyPattern:
    """A glob of keys. `permits` is READ, WRITE, or both."""

    __slots__ = ("glob", "pattern", "permits")

    def __init__(self, pattern: bytes, permits: int) -> None:
        self.pattern = pattern
        self.permits = permits
        self.glob: re.Pattern[bytes] = compile_glob(pattern)

    def describe(self) -> bytes:
        """Return the pattern as SETUSER takes it."""
        prefix = {READ: b"%R~", WRITE: b"%W~"}.get(self.permits, b"~")
        return prefix + self.pattern


class Selector:
    """Rules for commands, keys and channels. By default nothing is allowed."""

    __slots__ = ("channels", "commands", "has_all_channels", "has_all_keys", "keys")

    def __init__(self, table: CommandTable, *, has_all_channels: bool = False) -> None:
        self.commands = CommandRules(table)
        self.has_all_keys = False
        self.keys: list[KeyPattern] = []
        self.has_all_channels = has_all_channels
        self.channels: dict[bytes, re.Pattern[bytes]] = {}
        """Patterns of channels, in the order of their rules."""

    def copy(self) -> Selector:
        """Return a selector that can be changed without changing this one."""
        other = Selector(self.commands.table, has_all_channels=self.has_all_channels)
        other.commands = self.commands.copy()
        other.has_all_keys = self.has_all_keys
        other.keys = [KeyPattern(each.pattern, each.permits) for each in self.keys]
        other.channels = dict(self.channels)
        return other

    # -- decisions -----------------------------------------------------------------------------

    @property
    def allows_everything(self) -> bool:
        """True if there is no request that this selector denies."""
        return self.has_all_keys and self.has_all_channels and self.commands.allows_everything

    def deny(self, request: Request) -> Denial | None:
        """Return why this selector denies a request, or None if it allows it."""
        if not self.commands.allows(request.command, request.args):
            return Denial(Reason.COMMAND)
        if not self.has_all_keys:
            for place, needs in request.keys:
                if not self.permits_key(request.args[place], needs):
                    return Denial(Reason.KEY, place)
        if not self.has_all_channels:
            for channel in request.channels:
                name = request.args[channel.position]
                if not self.permits_channel(name, is_pattern=channel.is_pattern):
                    return Denial(Reason.CHANNEL, channel.position)
        return None

    def permits_key(self, key: bytes, needs: int) -> bool:
        """Return whether one pattern matches a key and permits all that is needed (ACL-13)."""
        return self.has_all_keys or any(
            each.permits & needs == needs and each.glob.fullmatch(key) is not None
            for each in self.keys
        )

    def permits_every_key(self, needs: int) -> bool:
        """Return whether every key is permitted, as SORT needs it for BY and GET (ACL-16)."""
        return self.has_all_keys or any(
            each.permits & needs == needs and each.pattern == _ALL for each in self.keys
        )

    def permits_channel(self, name: bytes, *, is_pattern: bool) -> bool:
        """Return whether a channel is permitted. A pattern must be among the rules literally
        (ACL-18)."""
        if self.has_all_channels or is_pattern:
            return self.has_all_channels or name in self.channels
        return any(glob.fullmatch(name) is not None for glob in self.channels.values())

    # -- rules ---------------------------------------------------------------------------------

    def apply(self, rule: bytes) -> None:
        """Apply a rule for commands, keys or channels. Raises RuleError."""
        word = rule.lower()
        if word in {b"allkeys", b"~*"}:
            self.has_all_keys = True
            self.keys = []
        elif word == b"resetkeys":
            self.has_all_keys = False
            self.keys = []
        elif word in {b"allchannels", b"&*"}:
            self.has_all_channels = True
            self.channels = {}
        elif word == b"resetchannels":
            self.has_all_channels = False
            self.channels = {}
        elif word in {b"allcommands", b"nocommands"}:
            self.commands.reset(allow=word == b"allcommands")
        elif rule[:1] in {b"~", b"%"}:
            self._add_key_pattern(rule)
        elif rule[:1] == b"&":
            self._add_channel(rule[1:])
        elif rule[:1] in {b"+", b"-"}:
            self.commands.apply(rule)
        else:
            raise RuleError(SYNTAX_ERROR)

    def _add_key_pattern(self, rule: bytes) -> None:
        if self.has_all_keys:
            raise RuleError(AFTER_ALL_KEYS)
        permits, pattern = parse_key_rule(rule)
        if has_spaces(pattern):
            raise RuleError(SYNTAX_ERROR)
        for each in self.keys:
            if each.pattern == pattern:
                each.permits |= permits
                return
        self.keys.append(KeyPattern(pattern, permits))

    def _add_channel(self, pattern: bytes) -> None:
        if self.has_all_channels:
            raise RuleError(AFTER_ALL_CHANNELS)
        if has_spaces(pattern):
            raise RuleError(SYNTAX_ERROR)
        self.channels.setdefault(pattern, compile_glob(pattern))

    # -- descriptions --------------------------------------------------------------------------

    def describe_keys(self) -> bytes:
        """Return the patterns of keys, separated by spaces."""
        return b"~*" if self.has_all_keys else b" ".join([each.describe() for each in self.keys])

    def describe_channels(self) -> bytes:
        """Return the patterns of channels, separated by spaces."""
        if self.has_all_channels:
            return b"&*"
        return b" ".join([b"&" + pattern for pattern in self.channels])

    def describe(self) -> bytes:
        """Return all rules, as ACL LIST shows them."""
        channels = self.describe_channels()
        if not self.has_all_channels:
            channels = b"resetchannels " + channels
        parts = (self.describe_keys(), channels.strip(), self.commands.describe())
        return b" ".join([part for part in parts if part])


def parse_key_rule(rule: bytes) -> tuple[int, bytes]:
    """Return what a rule for keys permits, and its pattern. Raises RuleError."""
    if rule[:1] == b"~":
        return READ | WRITE, rule[1:]
    permits = EITHER
    position = 1
    while position < len(rule):
        letter = rule[position : position + 1]
        position += 1
        if letter == b"~":
            break
        bit = _LETTERS.get(letter.upper(), EITHER)
        if bit == EITHER or permits & bit:
            raise RuleError(SYNTAX_ERROR)
        permits |= bit
    if permits == EITHER:
        raise RuleError(SYNTAX_ERROR)
    return permits, rule[position:]


def has_spaces(text: bytes) -> bool:
    """Return whether a name or a pattern holds white space or NUL, which would break a line of
    rules."""
    return any(byte in _SPACES for byte in text)


def parse_selector(rule: bytes, table: CommandTable, *, has_all_channels: bool) -> Selector:
    """Return the selector that a rule in parentheses describes. Raises RuleError.

    As in Redis, its words may be in quotes, and quotes that are not balanced give an empty one.
    """
    selector = Selector(table, has_all_channels=has_all_channels)
    for word in split_line(rule[1:-1]) or []:
        selector.apply(word)
    return selector
