"""The model of the modes of a connection: authentication, protocol, name, and CLIENT's switches.

`run` returns the expected reply of a command. A command that is refused changes nothing, whichever
of its arguments is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from sim.redis.connection import ANY
from sim.redis.state import CommandFailure, Words

WITHOUT_PASSWORD: Final = frozenset({"HELLO", "AUTH", "RESET", "QUIT"})
"""The commands that a client may send before it has given the password."""
USER: Final = "default"
"""The only user."""


@attrs.define
class ServerModel:
    """The settings of a server that its connections depend on."""

    password: str = ""


@attrs.frozen
class Properties:
    """The expected reply to HELLO. `protocol` decides about its form and is part of it."""

    protocol: int


class ModesModel:
    """The modes of one connection."""

    def __init__(self, server: ServerModel) -> None:
        self.server = server
        self.is_authenticated = not server.password
        """True if the client has given a password, or there was none when it connected."""
        self.protocol = 2
        self.name = ""
        self.keeps_marks = False
        """True after CLIENT NO-TOUCH ON: reads do not count as uses of keys."""
        self.is_exempt = False
        """True after CLIENT NO-EVICT ON."""

    def run(self, words: Words) -> Any:
        """Run a command. Return its expected reply, CommandFailure for an error."""
        try:
            return self.dispatch(words)
        except CommandFailure as failure:
            return failure

    def dispatch(self, words: Words) -> Any:
        """Run a command. Raises CommandFailure."""
        name = words[0].upper()
        is_locked = self.server.password and not self.is_authenticated
        if is_locked and name not in WITHOUT_PASSWORD:
            raise CommandFailure("NOAUTH")
        match name:
            case "HELLO":
                return self.greet(words)
            case "AUTH":
                return self.authenticate_by_command(words)
            case "RESET":
                self.is_authenticated = not self.server.password
                self.protocol, self.name = 2, ""
                self.keeps_marks = self.is_exempt = False
                return "RESET"
            case "ECHO":
                return words[1]
            case "CLIENT":
                return self.change_client(words)
            case _:
                return ANY

    def greet(self, words: Words) -> Properties:
        """Run HELLO: check everything, then change everything. Raises CommandFailure."""
        protocol, name, credentials = self.protocol, self.name, None
        rest = iter(words[1:])
        version = next(rest, "")
        if version:
            if not version.isdigit():
                raise CommandFailure
            if version not in {"2", "3"}:
                raise CommandFailure("NOPROTO")
            protocol = int(version)
        for option in rest:
            if option.upper() == "AUTH":
                credentials = take(rest), take(rest)
            elif option.upper() == "SETNAME":
                name = take(rest)
                check_name(name)
            else:
                raise CommandFailure
        if credentials is not None:
            self.authenticate(*credentials)
        if not self.is_authenticated:
            raise CommandFailure("NOAUTH")
        self.protocol, self.name = protocol, name
        return Properties(protocol)

    def authenticate_by_command(self, words: Words) -> str:
        """Run AUTH. Raises CommandFailure."""
        if len(words) == 2 and not self.server.password:
            raise CommandFailure
        self.authenticate(words[1] if len(words) == 3 else USER, words[-1])
        return "OK"

    def authenticate(self, user: str, password: str) -> None:
        """Accept or refuse a user. Raises CommandFailure."""
        if user != USER or self.server.password not in {"", password}:
            raise CommandFailure("WRONGPASS")
        self.is_authenticated = True

    def change_client(self, words: Words) -> Any:
        """Run CLIENT with a subcommand. Raises CommandFailure."""
        match [word.upper() for word in words[1:2]] + list(words[2:]):
            case ["SETNAME", name]:
                check_name(name)
                self.name = name
            case ["GETNAME"]:
                return self.name or None
            case ["NO-TOUCH", "ON" | "OFF" as switch]:
                self.keeps_marks = switch == "ON"
            case ["NO-EVICT", "ON" | "OFF" as switch]:
                self.is_exempt = switch == "ON"
            case _:
                raise CommandFailure
        return "OK"

    def describe(self) -> dict[str, str]:
        """Return the fields of CLIENT LIST that show the modes."""
        letters = "e" * self.is_exempt + "T" * self.keeps_marks
        return {"name": self.name, "resp": str(self.protocol), "flags": letters or "N"}


def take(rest: Iterator[str]) -> str:
    """Return the next argument. Raises CommandFailure if there is none."""
    argument = next(rest, None)
    if argument is None:
        raise CommandFailure
    return argument


def check_name(name: str) -> None:
    """Raise CommandFailure for a name that may not be given."""
    if " " in name:
        raise CommandFailure
