"""Families of commands, with the decorator that declares a command next to its handler.

Each module of commands makes one family, and the command table is built from all of them:

    COMMANDS: Final[CommandFamily] = CommandFamily("set")

    @COMMANDS.declare("scard", "key", "readonly fast", keys="RO", since="1.0.0",
                      summary="Counts the members of a set.", complexity="O(1)")
    def scard(client: Client, args: list[bytes]) -> None: ...

`crdb.engine.declare.syntax` explains the notation of the arguments (`key`), and
`crdb.engine.declare.declaration.Facts` the keywords. A decorator returns its function unchanged;
two decorators give the function two names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypedDict, TypeVar, Unpack

from crdb.commands.shared.help import send_help
from crdb.engine.client import Client
from crdb.engine.command import Command, DirectHandler, Handler
from crdb.engine.declare.declaration import CommandKind, Declaration, Facts

HandlerT = TypeVar("HandlerT", bound=Handler)


class HelpFacts(TypedDict, total=False):
    """The keywords of HELP."""

    since: str
    categories: str


class CommandFamily:
    """Commands of one group. Iteration gives them in the order of their declarations.

    `group` and `since` hold for all declarations that do not state others.
    """

    def __init__(self, group: str, *, since: str = "1.0.0") -> None:
        self._group = group
        self._since = since
        self._commands: list[Command] = []

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)

    def declare(
        self, name: str, syntax: str = "", flags: str = "", **facts: Unpack[Facts]
    ) -> Callable[[HandlerT], HandlerT]:
        """Return a decorator that declares a command."""
        declaration = Declaration(name, syntax, flags, self._complete(facts))

        def add(handler: HandlerT) -> HandlerT:
            self._commands.append(Command(declaration, handler))
            return handler

        return add

    def call_directly(self, direct: DirectHandler) -> None:
        """Let the executor call `direct` instead of the handler that was declared last."""
        self._commands[-1].direct = direct

    def container(
        self,
        name: str,
        flags: str = "",
        *,
        handler: Handler | None = None,
        **facts: Unpack[Facts],
    ) -> CommandContainer:
        """Add a command with subcommands. Without a `handler` it needs a subcommand."""
        kind = CommandKind.CONTAINER if handler is None else CommandKind.CALLABLE_CONTAINER
        declaration = Declaration(name, "", flags, self._complete(facts), kind)
        command = Command(declaration, handler)
        self._commands.append(command)
        return CommandContainer(command)

    def _complete(self, facts: Facts) -> Facts:
        """Return `facts` with the group and the version of the family, unless they state others."""
        return {"group": self._group, "since": self._since, **facts}


class CommandContainer:
    """A command with subcommands, such as CONFIG. Its subcommands have its group and its version,
    unless they state others."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def declare(
        self, name: str, syntax: str = "", flags: str = "", **facts: Unpack[Facts]
    ) -> Callable[[HandlerT], HandlerT]:
        """Return a decorator that declares a subcommand. `name` is without the container's."""
        parent = self._command.declaration
        complete: Facts = {"group": parent.group, "since": parent.since, **facts}
        declaration = Declaration(f"{parent.name}|{name}", syntax, flags, complete)

        def add(handler: HandlerT) -> HandlerT:
            self._command.add_subcommand(Command(declaration, handler))
            return handler

        return add

    def declare_help(self, **facts: Unpack[HelpFacts]) -> None:
        """Declare HELP, which lists the subcommands as they are declared."""

        def reply_help(client: Client, _args: list[bytes]) -> None:
            send_help(client, self._command)

        summary = "Returns helpful text about the subcommands."
        self.declare("help", "", "loading stale", summary=summary, **facts)(reply_help)
