"""Read documents in tests: their blocks of code and shell commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CALL: Final = re.compile(r'redis-cli -p (\d+) ([^#]*?)(?: +# "?(\w+).*)?')
OLD_PORT: Final = re.compile(r"\b700[123]\b")


def text_of(path: str) -> str:
    """Return the text of a document."""
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return [code for name, code in BLOCK.findall(text) if name == language]


def shell_lines(text: str) -> list[list[str]]:
    """Return the words of every command in blocks of shell, without comments."""
    lines = [line for code in blocks(text, "sh") for line in code.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line for line in words if line]


def commands(text: str, program: str) -> list[list[str]]:
    """Return the arguments of every command that begins with these words."""
    words = shlex.split(program)
    return [line[len(words) :] for line in shell_lines(text) if line[: len(words)] == words]


def redis_calls(text: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield the port, the words and the reply ("" if none is shown) of each call of redis-cli."""
    for line in text.splitlines():
        call = CALL.fullmatch(line)
        if call is not None:
            yield call[1], shlex.split(call[2]), call[3] or ""


def with_ports(text: str, ports: Mapping[str, Any]) -> str:
    """Return the text with our ports in place of 7001, 7002 and 7003."""
    return OLD_PORT.sub(lambda match: str(ports[match[0]]), text)


RULE: Final = re.compile(r"\b([A-Z]{3}|AUTH|D)-(\d+)\b(?: to \1-(\d+))?")


def rules_cited(text: str) -> set[str]:
    """Return the ids of rules that a text cites, such as `SET-3`, `STL-1 to STL-3` and `D-02`."""
    found: set[str] = set()
    for family, first, last in RULE.findall(text):
        numbers = range(int(first), int(last or first) + 1)
        width = len(first) if family == "D" else 0
        found |= {f"{family}-{number:0{width}}" for number in numbers}
    return found
