"""What arguments a command takes, written as people write it and told to clients as a tree.

    key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]
    numkeys key... <LEFT | RIGHT> [COUNT count]

A word in capitals is itself; any other stands for an argument. `[...]` may be left out, `<...>` is
one of several, `(...)` is a group, `...` behind something says that it may come again. An argument
after a word in capitals, inside brackets, is announced by that word. The type of an argument
follows from its name (`TYPES`), unless it is written behind a colon.

Clients such as redis-cli ask for it with COMMAND DOCS, and show it while somebody types.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import attrs

PIECE: Final = re.compile(r"\.\.\.|[\[\]()<>|]|[^\s\[\]()<>|.]+(?:\.[^\s\[\]()<>|.]+)*")
CLOSING: Final = {"[": "]", "(": ")", "<": ">"}
TYPES: Final[dict[str, str]] = {
    name: kind
    for kind, names in {
        "key": "key key1 key2 newkey destination destkey source",
        "integer": "bit client-id count cursor decrement end increment index maxlen milliseconds "
        "min-match-len num-matches numkeys offset port protover rank seconds start stop",
        "double": "timeout weight score",
        "pattern": "pattern",
        "unix-time": "unix-time-seconds unix-time-milliseconds",
    }.items()
    for name in names.split()
}


@attrs.frozen
class Argument:
    """One argument, or several that belong together. `kind` is its type in the words of Redis."""

    name: str
    kind: str
    token: str = ""
    """The word that stands before it, or for a `pure-token` the word that it is."""
    is_optional: bool = False
    is_multiple: bool = False
    repeats_token: bool = False
    """Whether the word comes again with it."""
    parts: tuple[Argument, ...] = ()
    """Of a `block` all of them, of a `oneof` one."""

    def least(self) -> int:
        """How many words it is made of at the least."""
        if self.is_optional:
            return 0
        inner = [part.least() for part in self.parts]
        if self.kind == "pure-token":
            return 1
        size = 1 if not inner else min(inner) if self.kind == "oneof" else sum(inner)
        return size + bool(self.token)

    def is_fixed(self) -> bool:
        """Whether it is always made of so many words."""
        if self.is_optional or self.is_multiple:
            return False
        sizes = {part.least() for part in self.parts}
        same = self.kind != "oneof" or len(sizes) == 1
        return same and all(part.is_fixed() for part in self.parts)


@cache
def parse(text: str) -> tuple[Argument, ...]:
    """The arguments that `text` describes. Raises ValueError."""
    reader = Reader(PIECE.findall(text))
    found = reader.sequence()
    if reader.pieces:
        raise ValueError(f"{reader.pieces[0]!r} out of place in {text!r}")
    return tuple(found)


class Reader:
    """Reads a description piece by piece."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces

    def sequence(self) -> list[Argument]:
        """What comes one after the other."""
        found: list[Argument] = []
        while self.pieces and self.pieces[0] not in ("|", *CLOSING.values()):
            argument = self.item()
            if self.pieces[:1] == ["..."]:
                self.pieces.pop(0)
                argument = attrs.evolve(
                    argument, is_multiple=True, repeats_token=bool(argument.token)
                )
            found.append(argument)
        return found

    def item(self) -> Argument:
        """One argument, or what stands in brackets."""
        piece = self.pieces.pop(0)
        if piece not in CLOSING:
            return word(piece)
        choices = [together(self.sequence())]
        while self.pieces[:1] == ["|"]:
            self.pieces.pop(0)
            choices.append(together(self.sequence()))
        if self.pieces[:1] != [CLOSING[piece]]:
            raise ValueError(f"{piece!r} is not closed")
        self.pieces.pop(0)
        one = choices[0]
        if len(choices) > 1:
            one = Argument("-or-".join(c.name for c in choices), "oneof", parts=tuple(choices))
        return attrs.evolve(one, is_optional=piece == "[" or one.is_optional)


def word(piece: str) -> Argument:
    """A single word."""
    name, _, kind = piece.partition(":")
    if not name or name == "...":
        raise ValueError(f"{piece!r} is no argument")
    if name.isupper():
        return Argument(name.lower(), "pure-token", name)
    return Argument(name, kind or TYPES.get(name, "string"))


def together(items: list[Argument]) -> Argument:
    """What stands in brackets as one argument: a word announces what comes after it."""
    if not items:
        raise ValueError("nothing between brackets")
    first, *rest = items
    if not rest:
        return first
    if first.kind != "pure-token" or rest[0].is_optional or rest[0].kind == "pure-token":
        return Argument("-".join(item.name for item in items), "block", parts=tuple(items))
    if len(rest) == 1:
        return attrs.evolve(rest[0], token=first.token)
    return Argument(first.name, "block", first.token, parts=tuple(rest))
