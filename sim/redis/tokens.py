"""The tokens of each command, as the command table declares them: words such as NX or WITHSCORES.

A client may write them in lower case. The model reads them in upper case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from crdb.commands.table import build_table
from crdb.engine.declare.syntax import Argument


def tokens_in(arguments: Iterable[Argument]) -> Iterator[str]:
    """Yield the tokens of arguments, those inside brackets too."""
    for argument in arguments:
        if argument.token:
            yield argument.token
        yield from tokens_in(argument.parts)


TOKENS: Final = {
    command.declaration.name.upper(): frozenset(tokens_in(command.declaration.arguments))
    for command in build_table().top_level()
}


def in_upper_case(words: Sequence[str]) -> list[str]:
    """Return a command with its tokens in upper case."""
    tokens = TOKENS[words[0]]
    return [word.upper() if word.upper() in tokens else word for word in words]
