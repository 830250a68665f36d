"""Commands as the executor sees them, and the table of them that an instance is given.

A command holds what the executor checks before it calls the handler. Its `declaration` holds
everything that COMMAND reports. Commands are declared next to their handlers in the modules of
`crdb/commands/`:

    COMMANDS: Final[CommandFamily] = CommandFamily("string")

    @COMMANDS.declare(
        "getrange", "key start end", "readonly", since="2.4.0",
        summary="Returns a part of a string.", complexity="O(N) for N bytes returned.",
    )
    def getrange(client: Client, args: list[bytes]) -> None:
        ...

The executor has checked the arity, so a handler needs no check of its own below that. The flags are
those of Redis: write readonly denyoom admin pubsub noscript blocking loading stale skip_monitor
fast no_auth no_multi allow_busy ... Subcommands are commands too, declared on their container.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from crdb.engine.declare.declaration import Declaration
from crdb.engine.errors import CommandError, one_line, printable
from crdb.engine.metrics.memory import DENY_OOM
from crdb.engine.metrics.statistics import COMMANDS_MAX

Handler = Callable[[Any, list[bytes]], None]
"""Takes the client and the arguments. The client's type is not named here, since a client holds its
instance, and the instance holds the table. A test checks what handlers take."""

WRITE: Final = 1
READONLY: Final = 2
WITHOUT_AUTH: Final = 4
NO_MULTI: Final = 8
UNQUEUED: Final = 16
"""Runs immediately inside MULTI, for example EXEC and WATCH."""
CONTAINER: Final = 32
TIMED: Final = 128
"""May take long, so its time is always measured. It is not set for commands that Redis calls fast,
nor for SET and its variants. It is set for UNLINK, which frees memory immediately here, and for
commands on sorted sets, which may have to sort."""
DENY_LOADING: Final = 256
"""Refused while an instance is loading its data back from peers."""
DENY_STALE: Final = 512
"""Refused while an instance follows a source that it cannot reach."""
LOCKABLE: Final = 1024
"""Reads or writes keys, so it may have to wait for a command in slices."""
SLICED: Final = 2048
"""May run in slices (see `crdb.engine.execution.slices`)."""
WHOLE: Final = 4096
"""Concerns keys that its arguments do not name."""
NO_SCRIPT: Final = 8192
"""Refused in scripts."""
DENY_BUSY: Final = 16384
"""Refused while a script has run for too long."""
SCRIPT: Final = 32768
"""Uses the interpreter of scripts, so it waits for a script that is paused. It may do anything."""
MAY_REPLICATE: Final = 65536
"""Is no write, but other regions may receive something of it. CLIENT PAUSE WRITE delays it, and
read-only scripts may not call it."""

FLAG_BITS: Final[dict[str, int]] = {
    "write": WRITE,
    "readonly": READONLY,
    "denyoom": DENY_OOM,
    "no_auth": WITHOUT_AUTH,
    "no_multi": NO_MULTI,
    "noscript": NO_SCRIPT,
}
_SHORT: Final = frozenset({"set", "setex", "psetex", "getset"})
_LONG: Final = frozenset({"unlink"})


class DirectHandler:
    """A second form of the handler of a hot command. Compiled code calls its method without the
    detour that a call of a function object is. The result is the same."""

    __slots__ = ()

    def run(self, client: Any, args: list[bytes]) -> None:
        """Do what the handler does."""
        raise NotImplementedError


def no_handler(_client: object, _args: list[bytes]) -> None:
    """Stand in for the handler of a container. It is never called."""
    raise AssertionError("the executor calls a subcommand instead")


class Command:
    """A command, or a subcommand.

    `number` is its index among an instance's counters. A table sets it; 0 is the index of commands
    that no table has numbered.
    """

    __slots__ = (
        "arity",
        "bits",
        "declaration",
        "direct",
        "flags",
        "full_name",
        "handler",
        "name",
        "number",
        "subcommands",
    )

    def __init__(self, declaration: Declaration, handler: Handler | None) -> None:
        words = declaration.flags
        self.declaration = declaration
        self.full_name: bytes = declaration.name.encode()
        self.name: bytes = self.full_name.rpartition(b"|")[2]
        self.handler: Handler = no_handler if handler is None else handler
        self.direct: DirectHandler | None = None
        """Is called instead of `handler` if it is not None."""
        self.arity: int = declaration.arity
        self.flags: list[str] = words
        self.bits: int = sum(FLAG_BITS.get(word, 0) for word in words)
        self.bits |= MAY_REPLICATE if declaration.may_replicate else 0
        self.bits |= UNQUEUED if declaration.is_unqueued else 0
        self.bits |= SLICED if declaration.is_sliced else 0
        self.bits |= WHOLE if declaration.is_whole else 0
        self.bits |= SCRIPT if declaration.is_script else 0
        is_lockable = declaration.is_whole or declaration.has_keys or self.name == b"exec"
        self.bits |= LOCKABLE if is_lockable else 0
        self.bits |= 0 if "loading" in words else DENY_LOADING
        self.bits |= 0 if "stale" in words else DENY_STALE
        self.bits |= 0 if "allow_busy" in words else DENY_BUSY
        self.bits |= CONTAINER if declaration.is_container else 0
        is_short = ("fast" in words and declaration.name not in _LONG) or declaration.name in _SHORT
        if not is_short or declaration.group == "sorted-set":
            self.bits |= TIMED
        self.number: int = 0
        self.subcommands: dict[bytes, Command] = {}

    def add_subcommand(self, child: Command) -> None:
        """Add a subcommand to this container."""
        self.subcommands[child.name] = child

    def takes(self, count: int) -> bool:
        """Return whether `count` arguments, the name included, are a legal number."""
        return count == self.arity if self.arity >= 0 else count >= -self.arity


class CommandTable:
    """The commands of an instance, by name in lower and in upper case.

    Two tables that are built from the same commands give them the same numbers.
    """

    __slots__ = ("by_name",)

    def __init__(self, commands: Iterable[Command]) -> None:
        self.by_name: dict[bytes, Command] = {}
        number = 0
        for command in commands:
            assert command.name not in self.by_name, f"{command.name!r} is there twice"
            is_callable = command.handler is not no_handler or command.subcommands
            assert is_callable, f"{command.name!r} has neither a handler nor subcommands"
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
