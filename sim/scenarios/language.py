"""The parsers for lines, names, times and numbers that scenarios and scripts share.

Each parser checks its words. On an error it reports the problem and the valid forms. The languages
themselves are defined in `scenario` and `script`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

import attrs

from crdb.deployment.config import Config
from crdb.deployment.errors import ConfigError
from crdt.causality.dots import REGION_MAX
from replication.follow.follower import SOURCES_MAX
from sim.engine.events import MS, SECOND
from sim.schedule.plan import Copy

UNITS: Final = {"ms": MS, "s": SECOND, "m": 60 * SECOND}
DIGITS_MAX: Final = 12  # digits of a number; enough for a century in ms
TIME: Final = re.compile(rf"([0-9]{{1,{DIGITS_MAX}}})(?:\.([0-9]{{1,{DIGITS_MAX}}}))?(ms|s|m)")
ALL: Final = "all"
ARROW: Final = ">"
EXPECTED: Final = "=>"

Actor = TypeVar("Actor")


class ScenarioMistake(Exception):
    """A line of a scenario or a script is not valid, or cannot be played."""


@attrs.frozen
class Form(Generic[Actor]):
    """A kind of line: its usage and its action.

    `least` and `most` are the limits for the number of words after the name.
    """

    usage: str
    act: Callable[[Actor, list[str]], None]
    least: int = 0
    most: int = 1 << 16


def take_words(actor: Actor, line: str, forms: Mapping[str, Form[Actor]]) -> None:
    """Run a line on `actor`. The text after ` => ` counts as one word. Raises ScenarioMistake."""
    asked, arrow, expected = line.partition(f" {EXPECTED} ")
    try:
        name, *words = shlex.split(asked, comments=True)
    except ValueError:
        raise ScenarioMistake("a quotation mark is not closed") from None
    if arrow:
        words += [EXPECTED, expected]
    form = forms.get(name)
    if form is None:
        raise ScenarioMistake(f"there is no step {name!r}; there are: {', '.join(forms)}")
    if not form.least <= len(words) <= form.most:
        raise ScenarioMistake(
            f"too {'few' if len(words) < form.least else 'many'} words: {form.usage}"
        )
    form.act(actor, words)


def is_number(text: str) -> bool:
    """Return whether some text is a whole number of at most DIGITS_MAX digits."""
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX


def parse_time(text: str) -> int:
    """Return `200ms`, `5s`, `1.5s` or `2m` in ns. Raises ScenarioMistake."""
    found = TIME.fullmatch(text)
    if found is not None:
        whole, fraction, unit = found.groups(default="")
        scale = 10 ** len(fraction)
        ns, rest = divmod(int(whole + fraction) * UNITS[unit], scale)
        if not rest:
            return ns
    raise ScenarioMistake(f"{text!r} is no time: write 200ms, 5s or 2m")


def format_time(ns: int) -> str:
    """Return the exact time in seconds, in the form that `parse_time` reads."""
    seconds, rest = divmod(ns, SECOND)
    fraction = f"{rest:09d}".rstrip("0")
    return f"{seconds}.{fraction}s" if fraction else f"{seconds}s"


def parse_bytes(text: str) -> int:
    """Return a positive number of bytes. Raises ScenarioMistake."""
    if not is_number(text) or not int(text):
        raise ScenarioMistake(f"{text!r} is no number of bytes above 0")
    return int(text)


def parse_number(text: str, what: str, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`. Raises ScenarioMistake."""
    digits = text.removeprefix("-")
    if not is_number(digits) or not least <= int(text) <= most:
        raise ScenarioMistake(f"{text!r} is no {what}: give {least} to {most}")
    return int(text)


def parse_choice(word: str, what: str, known: Iterable[str]) -> str:
    """Return `word` if it is in `known`. Raises ScenarioMistake otherwise."""
    names = tuple(known)
    if word not in names:
        raise ScenarioMistake(f"{what} is one of {', '.join(names)}")
    return word


def region_names(words: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all regions of a world. Raises ScenarioMistake."""
    try:
        Config.from_names(words, 1)
    except ConfigError as error:
        raise ScenarioMistake(str(error).removeprefix("--regions: ")) from error
    if {ALL, ARROW} & set(words):
        raise ScenarioMistake(f"{ALL!r} and {ARROW!r} cannot be a region's name")
    return tuple(words)


def follower_of(words: Sequence[str], places: Sequence[str]) -> Copy:
    """Return the follower `F N A [B]`: name, number and sources. Raises ScenarioMistake.

    `places` are the names that are already used in the world.
    """
    name, number, *sources = words
    if name in {*places, ALL, ARROW}:
        raise ScenarioMistake(f"{name!r} cannot be a follower's name, or is there already")
    if not is_number(number) or not 1 <= int(number) <= REGION_MAX:
        raise ScenarioMistake(f"{number!r} is no number of a region: give 1 to {REGION_MAX}")
    if len(set(sources)) < len(sources) or len(sources) > SOURCES_MAX:
        raise ScenarioMistake("name each of those it follows once")
    return Copy(name, int(number), tuple(sources))


def parse_arrow(words: list[str]) -> tuple[str, str]:
    """Return the two ends of `A > B`. Raises ScenarioMistake."""
    if len(words) != 3 or words[1] != ARROW or words[0] == words[2]:
        raise ScenarioMistake("a direction is written A > B, with spaces")
    return words[0], words[2]


def parse_commands(words: list[str]) -> list[tuple[str, ...]]:
    """Return commands that are separated by semicolons. Raises ScenarioMistake."""
    found: list[list[str]] = [[]]
    for word in words:
        if word == ";":
            found.append([])
        else:
            found[-1].append(word)
    if not all(found):
        raise ScenarioMistake("a command is missing beside a semicolon")
    return [tuple(command) for command in found]
