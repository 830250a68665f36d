"""The commands that a selector allows, and the rules that led there.

The set of allowed commands decides about a request. The rules are kept in their order, so that ACL
LIST can report them: an earlier rule of the same command or category is dropped, and a rule of a
command also drops those of its subcommands (ACL-8). Rules in this order give the same set again.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.command import WITHOUT_AUTH, Command, CommandTable
from crdb.security.rule_error import FIRST_ARGUMENT, SYNTAX_ERROR, UNKNOWN_NAME, RuleError

CATEGORIES: Final = (
    *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"),
    *("hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"),
    *("connection", "transaction", "scripting"),
)
"""The categories of commands, in the order in which Redis lists them."""


class CommandRules:
    """The commands that a selector allows. By default it allows none."""

    __slots__ = ("allowed", "first_arguments", "is_open", "rules", "table")

    def __init__(self, table: CommandTable) -> None:
        self.table = table
        self.allowed: set[bytes] = set()
        """The full names of allowed commands and subcommands."""
        self.first_arguments: dict[bytes, list[bytes]] = {}
        """The first arguments, in lower case, with which a command is allowed although it is not in
        `allowed`."""
        self.is_open = False
        """True if the rules begin with `+@all`, which also allows future commands."""
        self.rules: list[tuple[bytes, bytes]] = []
        """The rules after the first: a sign, and a command or a category."""

    def copy(self) -> CommandRules:
        """Return rules that can be changed without changing these."""
        other = CommandRules(self.table)
        other.allowed = set(self.allowed)
        other.first_arguments = {name: list(args) for name, args in self.first_arguments.items()}
        other.is_open = self.is_open
        other.rules = list(self.rules)
        return other

    @property
    def allows_everything(self) -> bool:
        """True if no rule has taken anything away from `+@all`."""
        return self.is_open and not any(sign == b"-" for sign, _ in self.rules)

    def allows(self, command: Command, args: list[bytes]) -> bool:
        """Return whether a request may be made, as far as its command is concerned."""
        if command.full_name in self.allowed or command.bits & WITHOUT_AUTH:
            return True
        words = self.first_arguments.get(command.full_name)
        return words is not None and len(args) > 1 and args[1].lower() in words

    def describe(self) -> bytes:
        """Return the rules as SETUSER takes them."""
        words = [b"+@all" if self.is_open else b"-@all"]
        return b" ".join(words + [sign + name for sign, name in self.rules])

    # -- changes -------------------------------------------------------------------------------

    def reset(self, *, allow: bool) -> None:
        """Allow all commands, or none."""
        everything = self.table.everything() if allow else []
        self.allowed = {command.full_name for command in everything}
        self.first_arguments.clear()
        self.rules.clear()
        self.is_open = allow

    def apply(self, rule: bytes) -> None:
        """Apply a rule that begins with `+` or `-`. Raises RuleError."""
        sign, name = rule[:1], rule[1:].lower()
        if name == b"@all":
            self.reset(allow=sign == b"+")
        elif name[:1] == b"@":
            self._apply_category(sign, name)
        elif sign == b"+" and b"|" in name:
            self._allow_part(rule[1:])
        else:
            command = find_by_full_name(self.table, name)
            if command is None:
                raise RuleError(UNKNOWN_NAME)
            self._change(command, allow=sign == b"+")
            self._record(sign, command.full_name)

    def _apply_category(self, sign: bytes, name: bytes) -> None:
        category = name[1:].decode("latin-1")
        if category not in CATEGORIES:
            raise RuleError(UNKNOWN_NAME)
        for command in self.table.everything():
            if category in command.declaration.categories:
                self._change(command, allow=sign == b"+")
        self._record(sign, name)

    def _allow_part(self, text: bytes) -> None:
        """Allow a subcommand, or a command with one first argument."""
        name, _, part = text.rpartition(b"|")
        command = find_by_full_name(self.table, name.lower())
        if command is None:
            raise RuleError(UNKNOWN_NAME)
        if b"|" in command.full_name:
            raise RuleError(FIRST_ARGUMENT)
        if not part:
            raise RuleError(SYNTAX_ERROR)
        if command.subcommands:
            child = command.subcommands.get(part.lower())
            if child is None:
                raise RuleError(UNKNOWN_NAME)
            self._change(child, allow=True)
        else:
            words = self.first_arguments.setdefault(command.full_name, [])
            if part.lower() not in words:
                words.append(part.lower())
        self._record(b"+", text.lower())

    def _change(self, command: Command, *, allow: bool) -> None:
        """Allow or forbid a command with all its subcommands."""
        names = [command.full_name, *(each.full_name for each in command.subcommands.values())]
        if allow:
            self.allowed.update(names)
        else:
            self.allowed.difference_update(names)
        self.first_arguments.pop(command.full_name, None)

    def _record(self, sign: bytes, name: bytes) -> None:
        """Add a rule, in the place of those that it makes void."""
        within = name + b"|"
        self.rules = [
            (each, other)
            for each, other in self.rules
            if other != name and not other.startswith(within)
        ]
        self.rules.append((sign, name))


def find_by_full_name(table: CommandTable, name: bytes) -> Command | None:
    """Return the command with a name in lower case, such as `get` or `config|get`."""
    words = name.split(b"|")
    command = table.find(words) if len(words) <= 2 else None
    return command if command is not None and command.full_name == name else None


def commands_of_category(table: CommandTable, category: str) -> list[Command] | None:
    """Return the commands and subcommands of a category. Return None if there is no such one."""
    if category not in CATEGORIES:
        return None
    return [each for each in table.everything() if category in each.declaration.categories]
