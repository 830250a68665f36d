"""The values that a parameter accepts, with the errors of Redis 7.2.

`canonical(parameter, value, current)` returns the form in which CONFIG GET reports the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import attrs

from crdb.engine.arguments import parse_float
from crdb.engine.parameters import parameters
from crdb.resp.numbers import parse_integer

MEMORY: Final = re.compile(r"([0-9]{0,127})(b|k|kb|m|mb|g|gb)?", re.IGNORECASE)
UNITS: Final[dict[str, int]] = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1 << 10,
    "m": 1000_000,
    "mb": 1 << 20,
    "g": 1000_000_000,
    "gb": 1 << 30,
}
EVENTS: Final = "g$lshzxetd"
EVENT_ORDER: Final = "g$lshzxetdnKEm"
CLIENT_CLASSES: Final[dict[str, str]] = {
    "normal": "normal",
    "slave": "slave",
    "replica": "slave",
    "pubsub": "pubsub",
}
FOLLOWERS_LIMIT: Final = (
    "the limit of the class 'slave' is not supported by crdb: a follower that is slow to "
    "acknowledge is sent no more than the window of its link, and nothing is buffered for it"
)
FREQUENCY_BOUNDS: Final = (1, 500)
BIND_ADDRESSES_MAX: Final = 16


class InvalidValue(Exception):
    """An error for a value that the parameter cannot have. The text is that of Redis."""


@attrs.frozen
class Parameter:
    """A parameter of Redis. `kind` is the name of its table in `parameters`."""

    name: str
    alias: str
    kind: str
    default: str
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()
    immutable: bool = False
    protected: bool = False
    hidden: bool = False


def load_parameters() -> dict[str, Parameter]:
    """Return all parameters by name, in alphabetical order."""
    found: dict[str, Parameter] = {}
    for kind in ("BOOL", "INTEGER", "MEMORY", "PERCENT", "OCTAL", "CHOICE", "TEXT", "SPECIAL"):
        for line in getattr(parameters, kind).strip().splitlines():
            parameter = _parse_line(kind, line)
            found[parameter.name] = parameter
    return dict(sorted(found.items()))


def _parse_line(kind: str, line: str) -> Parameter:
    """Return a parameter from its line in the table."""
    head, _, rest = line.partition(" ")
    names = head.rstrip("!?")
    name, _, alias = names.partition("=")
    words = rest.split()
    numeric = kind in {"INTEGER", "MEMORY", "PERCENT", "OCTAL"}
    bounds = [parameters.BOUNDS.get(word) or int(word) for word in words[1:]] if numeric else [0, 0]
    return Parameter(
        name=name,
        alias=alias,
        kind=kind,
        default=words[0] if numeric or kind == "CHOICE" else " ".join(words),
        low=bounds[0],
        high=bounds[1],
        choices=tuple(words[1:]) if kind == "CHOICE" else (),
        immutable=head.endswith("!") and not head.endswith("!!"),
        protected=head.endswith("!!"),
        hidden=head.endswith("?"),
    )


def canonical(parameter: Parameter, value: str, current: str) -> str:
    """Return `value` in the form that is stored. Raises InvalidValue."""
    if parameter.kind == "BOOL":
        if value.lower() not in {"yes", "no"}:
            raise InvalidValue("argument must be 'yes' or 'no'")
        return value.lower()
    if parameter.kind == "CHOICE":
        return _choice(parameter, value)
    if parameter.kind in {"INTEGER", "MEMORY", "PERCENT", "OCTAL"}:
        return _number(parameter, value)
    special = SPECIAL.get(parameter.name)
    return value if special is None else special(value, current)


def parse_memory(value: str) -> int | None:
    """Return the bytes for digits and a unit, as in `64mb`. Return None for another form."""
    match = MEMORY.fullmatch(value)
    if match is None:
        return None
    digits, unit = match.groups()
    size = min(int(digits or 0), parameters.BOUNDS["ULONG_MAX"])
    return size * UNITS[(unit or "").lower()] % (1 << 64)


def _choice(parameter: Parameter, value: str) -> str:
    """Return a choice, or several choices where they may be combined. Raises InvalidValue."""
    several = parameter.name in parameters.SEVERAL
    words = value.lower().split(" ") if several else [value.lower()]
    if not all(word in parameter.choices for word in words):
        listed = ", ".join(parameter.choices)
        raise InvalidValue(f"argument(s) must be one of the following: {listed}"[:255])
    if parameter.name == "oom-score-adj" and words == ["relative"]:
        return "yes"
    if several and len(words) > 1:
        words = [word for word in parameter.choices if word in words and word != "default"]
        if {"save", "nosave"} <= set(words):
            raise InvalidValue("shutdown options SAVE and NOSAVE can't be used simultaneously")
    return " ".join(words)


def _number(parameter: Parameter, value: str) -> str:
    """Return a number within its bounds, in its stored form. Raises InvalidValue."""
    number = _parse_number(parameter, value)
    low, high = parameter.low, parameter.high
    if parameter.name in parameters.UNSIGNED.split():
        number %= 1 << 64
    if parameter.kind == "PERCENT" and number < 0:
        if number < low:
            raise InvalidValue(f"percentage argument must be less or equal to {-low}")
        return f"{-number}%"
    if not low <= number <= high:
        if parameter.kind == "OCTAL":
            raise InvalidValue(f"argument must be between {low:o} and {high:o} inclusive")
        raise InvalidValue(f"argument must be between {low} and {high} inclusive")
    if parameter.name == "hz":
        number = min(max(number, FREQUENCY_BOUNDS[0]), FREQUENCY_BOUNDS[1])
    return f"{number:o}" if parameter.kind == "OCTAL" else str(number)


def _parse_number(parameter: Parameter, value: str) -> int:
    """Parse a number. A percentage becomes negative. Raises InvalidValue."""
    kind = parameter.kind
    if kind in {"MEMORY", "PERCENT"}:
        size = parse_memory(value)
        if size is not None:
            return size
        percentage = parse_integer(value[:-1].encode()) if value.endswith("%") else None
        if kind == "PERCENT" and percentage is not None and percentage >= 0:
            return -percentage
        also = " or percent" if kind == "PERCENT" else ""
        raise InvalidValue(f"argument must be a memory{also} value")
    if kind == "OCTAL":
        if re.fullmatch(r"[0-7]{1,21}", value):
            return int(value, 8)
        raise InvalidValue("argument couldn't be parsed as an octal number")
    number = parse_integer(value.encode())
    if number is None:
        raise InvalidValue("argument couldn't be parsed into an integer")
    return number


def _save(value: str, _current: str) -> str:
    """Return pairs of seconds and changes. Raises InvalidValue."""
    words = value.split(" ") if value else []
    if len(words) % 2 or not all(re.fullmatch(r"[0-9]{1,18}", word) for word in words):
        raise InvalidValue("Invalid save parameters")
    if any(int(word) < 1 for word in words[::2]):
        raise InvalidValue("Invalid save parameters")
    return " ".join(str(int(word)) for word in words)


def _output_limits(value: str, current: str) -> str:
    """Return the limits of all classes of clients: hard limit, soft limit and seconds.

    Classes that `value` does not name keep their current limits. The limit of followers cannot be
    changed, since it has no effect. Raises InvalidValue.
    """
    limits = parse_output_limits(current)
    words = value.split(" ")
    if len(words) % 4:
        raise InvalidValue("Wrong number of arguments in buffer limit configuration.")
    for at in range(0, len(words), 4):
        name = CLIENT_CLASSES.get(words[at].lower())
        if name is None:
            raise InvalidValue("Invalid client class specified in buffer limit configuration.")
        hard, soft = parse_memory(words[at + 1]), parse_memory(words[at + 2])
        if hard is None or soft is None or not re.fullmatch(r"[0-9]{1,9}", words[at + 3]):
            raise InvalidValue(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
            )
        limit = (hard, soft, int(words[at + 3]))
        if name == "slave" and limit != limits[name]:
            raise InvalidValue(FOLLOWERS_LIMIT)
        limits[name] = limit
    return " ".join(f"{name} {h} {s} {seconds}" for name, (h, s, seconds) in limits.items())


def parse_output_limits(value: str) -> dict[str, tuple[int, int, int]]:
    """Parse the stored form: hard limit, soft limit and seconds by class of clients."""
    words = value.split()
    return {
        words[at]: (int(words[at + 1]), int(words[at + 2]), int(words[at + 3]))
        for at in range(0, len(words), 4)
    }


def _oom_scores(value: str, _current: str) -> str:
    """Return three numbers. Raises InvalidValue."""
    words = value.split(" ")
    if len(words) != 3:
        raise InvalidValue("wrong number of arguments")
    if not all(re.fullmatch(r"-?[0-9]{1,4}", word) and abs(int(word)) <= 2000 for word in words):
        raise InvalidValue("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
    return " ".join(str(int(word)) for word in words)


def _events(value: str, _current: str) -> str:
    """Return classes of keyspace events as letters, in Redis' order. Raises InvalidValue."""
    if not set(value) <= set(EVENT_ORDER + "A"):
        raise InvalidValue("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
    wanted = set(value + EVENTS if "A" in value else value)
    letters = "".join(letter for letter in EVENT_ORDER if letter in wanted)
    if set(EVENTS) <= wanted:
        letters = "A" + "".join(letter for letter in letters if letter in "KEm")
    return letters


def _percentiles(value: str, _current: str) -> str:
    """Return percentiles: numbers from 0 to 100. Raises InvalidValue."""
    found: list[str] = []
    for word in value.split(" ") if value else []:
        number = parse_float(word.encode())
        if number is None:
            raise InvalidValue("Invalid latency-tracking-info-percentiles parameters")
        if not 0 <= number <= 100:
            raise InvalidValue(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
            )
        found.append(f"{number:f}".rstrip("0").rstrip("."))
    return " ".join(found)


def _bind(value: str, _current: str) -> str:
    """Return addresses to listen on. Raises InvalidValue if there are too many."""
    if len(value.split(" ")) > BIND_ADDRESSES_MAX:
        raise InvalidValue("Too many bind addresses specified.")
    return value


SPECIAL: Final[dict[str, Callable[[str, str], str]]] = {
    "bind": _bind,
    "client-output-buffer-limit": _output_limits,
    "latency-tracking-info-percentiles": _percentiles,
    "notify-keyspace-events": _events,
    "oom-score-adj-values": _oom_scores,
    "save": _save,
}
