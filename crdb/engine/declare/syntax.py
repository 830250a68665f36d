"""The notation in which a command declares its arguments, and its parser.

    key value [condition: NX | XX] [GET] [expiration: EX seconds | PX milliseconds | KEEPTTL]
    numkeys key... <where: LEFT | RIGHT> [COUNT count]

| notation | meaning |
| --- | --- |
| `COUNT`, `'lib-name'` | a token: a word that stands for itself |
| `CH:change`, `~:approximately` | a token whose argument has another name than the token |
| `count` | an argument. Its type follows from its name (`TYPES`) |
| `limit:integer` | an argument of another type |
| `laddr=ip:port` | an argument that is displayed as `ip:port` |
| `"COMMAND"` | an argument whose name is spelt in capitals |
| `[...]` | optional |
| `<... \\| ...>` | one of several |
| `(...)` | several arguments that belong together |
| `[name: ...]`, `<name: ...>`, `(name: ...)` | the same with a name |
| `...` behind an argument | may be repeated |

A token that begins a bracket announces the argument behind it. COMMAND DOCS reports all of this as
a tree, and clients such as redis-cli show it while a user types.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import attrs

_PIECE: Final = re.compile(
    r"\.\.\.|[\[\]()<>|]|'[^']*'|\"[^\"]*\"|[^\s\[\]()<>|.]+(?:\.[^\s\[\]()<>|.]+)*"
)
_CLOSING: Final = {"[": "]", "(": ")", "<": ">"}
KEY_PATTERN: Final = "key-pattern"
"""The type of a pattern that names of keys are made from. COMMAND DOCS reports a pattern."""
TYPES: Final[dict[str, str]] = {
    name: kind
    for kind, names in {
        "key": "destination destkey dst key key1 key2 newkey source src",
        "integer": "bit client-id count cursor decrement destination-db end increment index len "
        "limit milliseconds min-match-len num-matches numkeys numlocal numreplicas offset port "
        "protover rank seconds start stop version weight",
        "double": "height latitude longitude radius score timeout width",
        "pattern": "pattern",
        KEY_PATTERN: "by-pattern get-pattern",
        "unix-time": "unix-time-seconds unix-time-milliseconds",
    }.items()
    for name in names.split()
}
"""Types of arguments by name. All others are strings."""


@attrs.frozen
class Argument:
    """An argument, or several that belong together. `kind` is the type as Redis calls it."""

    name: str
    kind: str
    token: str = ""
    """The word in front of the argument. For a `pure-token` it is the whole argument."""
    is_optional: bool = False
    is_multiple: bool = False
    repeats_token: bool = False
    """True if the token is repeated together with the argument."""
    parts: tuple[Argument, ...] = ()
    """All arguments of a `block`, or the alternatives of a `oneof`."""
    display: str = ""
    """The text that is shown instead of the name."""

    def min_words(self) -> int:
        """Return the smallest number of words that the argument takes in a request."""
        return 0 if self.is_optional else self._min_words_given()

    def _min_words_given(self) -> int:
        """Return the smallest number of words where the argument is given. An alternative that is
        chosen is given, even if it is optional."""
        if self.kind == "pure-token":
            return 1
        if self.kind == "oneof":
            size = min(part._min_words_given() for part in self.parts)
        else:
            size = sum(part.min_words() for part in self.parts) if self.parts else 1
        return size + bool(self.token)

    def is_fixed(self) -> bool:
        """Return whether the argument always takes the same number of words."""
        if self.is_optional or self.is_multiple:
            return False
        sizes = {part.min_words() for part in self.parts}
        same = self.kind != "oneof" or len(sizes) == 1
        return same and all(part.is_fixed() for part in self.parts)


@cache
def parse_syntax(text: str) -> tuple[Argument, ...]:
    """Parse a declaration of arguments. Raises ValueError if the notation is wrong."""
    reader = _SyntaxReader(_PIECE.findall(text))
    found = reader.read_sequence()
    if reader.pieces:
        raise ValueError(f"{reader.pieces[0]!r} out of place in {text!r}")
    return tuple(found)


class _SyntaxReader:
    """Consumes the pieces of one declaration from the front."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces

    def read_sequence(self) -> list[Argument]:
        """Read arguments up to a closing bracket, a bar or the end."""
        found: list[Argument] = []
        while self.pieces and self.pieces[0] not in ("|", *_CLOSING.values()):
            argument = self._read_argument()
            if self._skip("..."):
                argument = attrs.evolve(
                    argument, is_multiple=True, repeats_token=bool(argument.token)
                )
            found.append(argument)
        return found

    def _read_argument(self) -> Argument:
        """Read one word, or one bracket with all that is inside it."""
        piece = self.pieces.pop(0)
        if piece not in _CLOSING:
            return _parse_word(piece)
        name = self._read_name()
        choices = [self._read_choice()]
        while self._skip("|"):
            choices.append(self._read_choice())
        if not self._skip(_CLOSING[piece]):
            raise ValueError(f"{piece!r} is not closed")
        whole = choices[0]
        if len(choices) > 1:
            joined = "-or-".join(choice.name for choice in choices)
            whole = Argument(joined, "oneof", parts=tuple(choices))
        is_optional = piece == "[" or whole.is_optional
        return attrs.evolve(whole, name=name or whole.name, is_optional=is_optional)

    def _read_choice(self) -> Argument:
        """Read one alternative, which may have a name, as one argument."""
        name = self._read_name()
        choice = _join_arguments(self.read_sequence())
        return attrs.evolve(choice, name=name) if name else choice

    def _read_name(self) -> str:
        """Read the name of a bracket or an alternative. Return "" if there is none."""
        is_name = bool(self.pieces) and self.pieces[0].endswith(":")
        return self.pieces.pop(0)[:-1] if is_name else ""

    def _skip(self, piece: str) -> bool:
        """Consume `piece` if it is the next one. Return whether it was."""
        is_next = self.pieces[:1] == [piece]
        if is_next:
            self.pieces.pop(0)
        return is_next


def _parse_word(piece: str) -> Argument:
    """Parse a token or an argument."""
    if piece[0] == "'":
        return Argument(piece.strip("'"), "pure-token", piece.strip("'"))
    if piece[0] == '"':
        return Argument(piece.strip('"'), "string")
    token, _, token_name = piece.partition(":")
    if token.isupper() or (token and token_name and not token[0].isalnum()):
        return Argument(token_name or token.lower(), "pure-token", token)
    name, _, display = piece.partition("=")
    kind = ""
    if not display:
        name, _, kind = piece.partition(":")
    if not name or name == "..." or piece[-1] in ":=":
        raise ValueError(f"{piece!r} is not an argument")
    return Argument(name, kind or TYPES.get(name, "string"), display=display)


def _join_arguments(items: list[Argument]) -> Argument:
    """Join the arguments of a bracket into one. A token announces the argument behind it."""
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


def format_arguments(arguments: tuple[Argument, ...]) -> str:
    """Return the notation of arguments as users read it: without types and names of brackets."""
    return " ".join(_format_argument(argument) for argument in arguments)


def _format_argument(argument: Argument) -> str:
    """Return one argument in brackets as it needs them."""
    if argument.kind == "pure-token":
        text = argument.token
    elif argument.kind == "oneof":
        choices = " | ".join(map(_format_argument, argument.parts))
        text = choices if argument.is_optional and not argument.token else f"<{choices}>"
    elif argument.kind == "block":
        text = format_arguments(argument.parts)
        if argument.is_multiple and not argument.is_optional:
            text = f"({text})"
    else:
        text = argument.display or argument.name
    if argument.token and argument.kind != "pure-token":
        text = f"{argument.token} {text}"
    if argument.is_multiple and argument.token and not argument.repeats_token:
        return f"[{text}...]" if argument.is_optional else f"{text}..."
    text = f"[{text}]" if argument.is_optional else text
    return f"{text}..." if argument.is_multiple else text
