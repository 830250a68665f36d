"""Commands as data, and the table of them that an instance is given.

A command holds what the executor checks before it calls the handler, and what COMMAND reports. A
module of `crdb/commands/` exposes `COMMANDS`, made like this:

    def getrange(client: Client, args: list[bytes]) -> None:
        first, last = arguments.integer(args[2]), arguments.integer(args[3])
        value = client.db.lookup(args[1])
        ...
        reply.bulk(client.out, text)

    COMMANDS = (
        Command(
            "getrange", getrange, 4, "readonly", keys=(1, 1, 1), group="string", since="2.4.0",
            summary="Returns a substring of the string stored at a key.",
            complexity="O(N) where N is the length of the returned string.",
        ),
    )

`arity` counts the name; negative means at least that many, so a handler needs no check of its own
below that. `flags` are those of Redis, in one string: write readonly denyoom admin pubsub noscript
blocking loading stale skip_monitor fast no_auth no_multi movablekeys allow_busy ... `keys` are the
first key, the last (negative counts from the end) and the step. A command whose keys cannot be said
so also gives `getkeys(args) -> positions`. The ACL categories follow from flags, group and
`categories`. Subcommands are commands too, named without their parent: `Command("get", ...)` in the
`subcommands` of `config`; a parent that cannot be called alone has None for its handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from crdb.engine.errors import CommandError, one_line, printable
from crdb.engine.metrics.memory import DENY_OOM
from crdb.engine.metrics.statistics import COMMANDS_MAX

Handler = Callable[[Any, list[bytes]], None]
"""Takes the client and the arguments. The client's type is not named here, since a client holds its
instance, and the instance holds the table. A test checks what handlers take."""
KeyFinder = Callable[[list[bytes]], list[int]]

WRITE: Final = 1
READONLY: Final = 2
WITHOUT_AUTH: Final = 4
NO_MULTI: Final = 8
UNQUEUED: Final = 16
"""Runs at once inside MULTI: exec, discard, multi, watch, quit, reset."""
CONTAINER: Final = 32
TIMED: Final = 128
"""May take long, so its time is always measured: all but those that Redis calls fast, and plain SET
with its kin. UNLINK frees memory at once here, and commands on sorted sets may have to sort."""
DENY_LOADING: Final = 256
"""Refused while an instance is loading: it has lost its data and has not got it back."""
DENY_STALE: Final = 512
"""Refused while an instance follows a source that is out of reach."""

FLAG_BITS: Final[dict[str, int]] = {
    "write": WRITE,
    "readonly": READONLY,
    "denyoom": DENY_OOM,
    "no_auth": WITHOUT_AUTH,
    "no_multi": NO_MULTI,
    "unqueued": UNQUEUED,
}
SHORT: Final = frozenset({"set", "setex", "psetex", "getset"})
HIDDEN_FLAGS: Final = frozenset({"unqueued"})
GROUP_CATEGORIES: Final[dict[str, str]] = {
    "generic": "keyspace",
    "string": "string",
    "hash": "hash",
    "set": "set",
    "sorted_set": "sortedset",
    "list": "list",
    "connection": "connection",
    "transactions": "transaction",
}


DEPENDS: Final = "Depends on subcommand."
"""The complexity of a command that is called by its subcommands, if it has no other."""


def no_handler(_client: object, _args: list[bytes]) -> None:
    """Stands in where only subcommands can be called."""
    raise AssertionError("the executor calls a subcommand instead")


class Command:
    """One command, or one subcommand.

    `number` is its place among an instance's counters. A table sets it; 0 is the place of commands
    that no table has numbered.
    """

    __slots__ = (
        "arity",
        "bits",
        "categories",
        "complexity",
        "first_key",
        "flags",
        "full_name",
        "getkeys",
        "group",
        "handler",
        "key_step",
        "last_key",
        "name",
        "number",
        "since",
        "subcommands",
        "summary",
    )

    def __init__(  # noqa: PLR0913 - a row of a table, written with keywords
        self,
        name: str,
        handler: Handler | None,
        arity: int,
        flags: str = "",
        *,
        keys: tuple[int, int, int] = (0, 0, 0),
        getkeys: KeyFinder | None = None,
        subcommands: tuple[Command, ...] = (),
        categories: str = "",
        group: str = "server",
        since: str = "1.0.0",
        summary: str = "",
        complexity: str = "",
    ) -> None:
        assert handler is not None or subcommands, f"{name}: a handler or subcommands"
        words = flags.split()
        self.name: bytes = name.encode()
        self.full_name: bytes = self.name
        self.handler: Handler = no_handler if handler is None else handler
        self.arity = arity
        self.flags: list[str] = [word for word in words if word not in HIDDEN_FLAGS]
        self.bits = sum(FLAG_BITS.get(word, 0) for word in words)
        self.bits |= 0 if "loading" in words else DENY_LOADING
        self.bits |= 0 if "stale" in words else DENY_STALE
        self.first_key, self.last_key, self.key_step = keys
        self.getkeys = getkeys
        own_group = "" if handler is None else group
        self.categories: list[str] = _categories(words, own_group, categories)
        self.group = group
        self.since = since
        self.summary = summary
        self.complexity = complexity or (DEPENDS if subcommands else "")
        self.number = 0
        self.subcommands: dict[bytes, Command] = {}
        for child in subcommands:
            child.full_name = self.name + b"|" + child.name
            self.subcommands[child.name] = child
        if subcommands:
            self.bits |= CONTAINER
        is_short = ("fast" in words and name != "unlink") or name in SHORT
        if not is_short or group == "sorted_set":
            self.bits |= TIMED

    def takes(self, count: int) -> bool:
        """Whether `count` arguments, the name included, are a legal number."""
        return count == self.arity if self.arity >= 0 else count >= -self.arity

    def key_positions(self, args: list[bytes]) -> list[int]:
        """Where the keys are among `args`. Raises CommandError for arguments that make no sense."""
        if self.getkeys is not None:
            return self.getkeys(args)
        if self.first_key == 0:
            return []
        last = self.last_key if self.last_key >= 0 else len(args) + self.last_key
        return list(range(self.first_key, last + 1, self.key_step))


class CommandTable:
    """The commands that an instance understands, by name in lower and in upper case.

    Two tables that are built from the same commands give them the same numbers.
    """

    __slots__ = ("by_name",)

    def __init__(self, commands: Iterable[Command]) -> None:
        self.by_name: dict[bytes, Command] = {}
        number = 0
        for command in commands:
            assert command.name not in self.by_name, f"{command.name!r} is there twice"
            self.by_name[command.name] = command
            self.by_name[command.name.upper()] = command
            for each in (command, *command.subcommands.values()):
                number += 1
                assert each.number in {0, number}, f"{each.full_name!r} has another number"
                each.number = number
        assert number < COMMANDS_MAX, f"an instance counts calls of {COMMANDS_MAX - 1} commands"

    def find(self, args: list[bytes]) -> Command | None:
        """Return the command, or the subcommand, that a request names; None if there is none."""
        command = self.by_name.get(args[0])
        if command is None:
            command = self.by_name.get(args[0].lower())
        if command is None or not command.subcommands or len(args) == 1:
            return command
        return command.subcommands.get(args[1].lower())

    def require(self, args: list[bytes]) -> Command:
        """Return the command that a request names. Raises CommandError as Redis words it."""
        command = self.find(args)
        if command is not None:
            return command
        if args[0].lower() in self.by_name:
            text = b"ERR unknown subcommand '%b'. Try %b HELP." % (
                printable(args[1]),
                printable(args[0].upper(), len(args[0])),
            )
            raise CommandError(one_line(text))
        quoted = b""
        for argument in args[1:]:
            if len(quoted) >= 128:
                break
            quoted += b"'%b' " % printable(argument, 128 - len(quoted))
        name = printable(args[0])
        text = b"ERR unknown command '%b', with args beginning with: %b" % (name, quoted)
        raise CommandError(one_line(text))

    def top_level(self) -> list[Command]:
        """Return the commands without their subcommands, by name."""
        return [command for name, command in sorted(self.by_name.items()) if name == command.name]

    def everything(self) -> list[Command]:
        """Return all commands and subcommands, by name."""
        found: list[Command] = []
        for command in self.top_level():
            found.append(command)
            found.extend(command.subcommands[child] for child in sorted(command.subcommands))
        return found


def _categories(flags: list[str], group: str, extra: str) -> list[str]:
    """The ACL categories that Redis derives from a command's flags, its group and its own list.

    A word of `extra` with a minus in front takes a category of the group away.
    """
    words = extra.split()
    found = {word for word in words if word[0] != "-"}
    if group in GROUP_CATEGORIES:
        found.add(GROUP_CATEGORIES[group])
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
